/*
** The text behind a link as the body of a reply of the API.  What a transcript,
** a chat or a summary says is in a file; the API's reply is a link to it.  Made
** into a reply's body here, it is judged, read and kept as any other.
**
**     1704067210,Ann,Hello      {"data":{"text":[{"line":1,"name":"Ann", …}]}}
**     [{"name":"Ann", …}]       {"data":{"text":[{"name":"Ann", …}]}}
**     # Summary                 {"data":{"text":[{"text":"# Summary"}]}}
**     no bytes                  {"data":{"text":[]}}
*/
#ifndef RTK_TEXT_H
#define RTK_TEXT_H

struct rtk_endpoint;
struct rtk_response;

/* SQLITE_OK with *body given, to be freed with sqlite3_free(); SQLITE_ERROR:
** the file is damaged, too long, or a page for people; SQLITE_NOMEM. */
int rtk_text_as_reply(const struct rtk_endpoint *endpoint,
                      const struct rtk_response *response, char **body);

#endif
