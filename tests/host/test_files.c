/*
** The API server's files behind links: who gets them, and what is in them.  A
** client that sends its token along is told so with a 400: by that a test of the
** extension sees a token that leaks.
*/
#include "host.h"

/* The whole reply to a GET on a connection of its own. */
static const char *get(const char *path, const char *header) {
  static char reply[16384];
  struct sockaddr_in address = {.sin_family = AF_INET};
  size_t size = 0;
  ssize_t got;
  char *request = sqlite3_mprintf(
      "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n%s\r\n", path,
      header);
  int s = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)atoi(need_env("RTK_TEST_PORT")));
  assert_int_equal(connect(s, (struct sockaddr *)&address, sizeof(address)), 0);
  assert_int_equal(write(s, request, strlen(request)), strlen(request));
  while ((got = read(s, reply + size, sizeof(reply) - 1 - size)) > 0) {
    size += (size_t)got;
  }
  reply[size] = '\0';
  (void)close(s);
  sqlite3_free(request);
  return reply;
}

#define LATER "?expires=4102444800"

CASE(a_link_opens_a_file_and_a_token_does_not) {
  static const struct {
    const char *path, *header, *status, *body;
  } cases[] = {
      {"/files/transcript/1.csv" LATER, "", "200 OK",
       "Person 1,\"Line 1 of session 1, \"\"quoted\"\"\"\r\n"},
      {"/files/transcript/2.csv" LATER, "", "200 OK",
       "\r\n\r\ntimestamp,peer_id,user_id,"},
      {"/files/transcript/1.json" LATER, "", "200 OK", "\r\n\r\n[{\"peerId\":"},
      {"/files/transcript/1.srt" LATER, "", "200 OK",
       "\r\n\r\n1\n00:00:10,000 --> 00:00:15,000\nPerson 1: "},
      {"/files/transcript/1.vtt" LATER, "", "200 OK",
       "\r\n\r\nWEBVTT\n\n1\n00:00:10.000 --> "},
      {"/files/transcript/7.csv" LATER, "", "200 OK", "Content-Length: 0\r\n"},
      {"/files/chat/3.csv" LATER, "", "200 OK",
       "\r\n\r\nid,participantId,sessionId,meetingId,displayName,"},
      {"/files/summary/1.md" LATER, "", "200 OK", "\r\n\r\n# Summary\n"},
      {"/files/recording/2.mp4" LATER, "", "200 OK", "recording 2\n"},
      {"/files/transcript/1.csv" LATER, "Authorization: Bearer x\r\n",
       "400 Bad Request", "<Code>InvalidRequest</Code>"},
      {"/files/transcript/1.csv" LATER, "Authorization: x\r\n",
       "400 Bad Request", "<Code>InvalidRequest</Code>"},
      {"/files/transcript/1.csv?expires=1704067200", "", "403 Forbidden",
       "<Code>AccessDenied</Code>"},
      {"/files/transcript/11.csv" LATER, "", "404 Not Found",
       "<Code>NoSuchKey</Code>"},
      {"/files/transcript/x:%73tatus=503", "", "503 Service Unavailable",
       "\"success\":false"},
      {"/files", "", "404 Not Found", "<html>"},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    const char *reply = get(cases[i].path, cases[i].header);
    if (strncmp(reply + strlen("HTTP/1.1 "), cases[i].status,
                strlen(cases[i].status)) != 0 ||
        strstr(reply, cases[i].body) == NULL) {
      fail_msg("%s %s: expected %s and %s, not\n%s", cases[i].path,
               cases[i].header, cases[i].status, cases[i].body, reply);
    }
  }
}

int main(void) { return RUN_CASES(NULL, NULL); }
