/*
** What rtk_help says of the API's tables and of the files in sql/.  The other
** rows come from where the facts are: infotab.c and functions.c.
**
**     kind   name         usage                              doc
**     table  rtk_meeting  rtk_meeting(account, app, meeting_id)  one meeting
**
** and, hidden, an example that runs.
*/
#ifndef RTK_HELP_H
#define RTK_HELP_H

struct rtk_cells;

/* Adds a row.  `usage` and `example` are from sqlite3_malloc() and are taken;
** NULL: there was no memory for it. */
void rtk_help_add(struct rtk_cells *cells, const char *kind, const char *name,
                  char *usage, const char *doc, char *example);

/* The rows of the API's tables, by name, and of the files. */
void rtk_help_endpoints(struct rtk_cells *cells);
void rtk_help_files(struct rtk_cells *cells);

#endif
