/*
** The texts behind the links of transcript, chat, summary and recordings, as a
** store for files gives them: outside /client/v4, to whoever has the link, until
** it expires.  A request with an Authorization header gets 400: the token is
** none of the store's business.
**
**   GET …/sessions/k3/transcript?format=JSON
**   {"data":{"sessionId":"k3",
**     "transcript_download_url":
**       "http://127.0.0.1:PORT/files/transcript/3.json?expires=4102444800", …
**
** Session K:
**   expires     2100-01-01; 2024-01-01 when K%13 is 0: 403, with XML
**   gone        when K%11 is 0: 404, with XML
**   empty       a transcript of 0 bytes when K%7 is 0
**   transcript  2 + K%5 lines; line j is spoken 10*j s after started_at by
**               participant (j-1)%c + 1: `Line j of session K, "quoted"`
**               CSV (with a line of names when K is even), JSON, SRT or VTT
**   chat        the same lines as CSV, always with a line of names
**   summary     Markdown
** The id f:PROGRAM instead of a session's gives a link to a file that plays this
** fault program; u:URL gives this URL as the link.
*/
#include "api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char FILES[] = "/files/";

static char base[64]; /* http://127.0.0.1:PORT/files/ */

void files_open(const struct options *options) {
  snprintf(base, sizeof base, "%s://127.0.0.1:%d%s",
           options->tls_path == NULL ? "http" : "https", options->port, FILES);
}

/* Links -------------------------------------------------------------------- */

long files_expire_ms(long session) {
  const long kept_ms = 7L * 86400 * 1000;
  if (data_is_growing()) return data_session_ended_ms(session) + kept_ms;
  return session % 13 == 0 ? 1704067200L * 1000 : 4102444800L * 1000;
}

void files_link(struct text *out, const char *what, long session,
                const char *extension) {
  text_add(out, "%s%s/%ld.%s?expires=%ld", base, what, session, extension,
           files_expire_ms(session) / 1000);
}

/* What the links are called; the extension of the file when none is asked for. */
static const struct link {
  const char *what, *extension, *url, *expiry;
  bool has_session_id;
} links[] = {
    {"chat", "csv", "chat_download_url", "chat_download_url_expiry", false},
    {"transcript", "csv", "transcript_download_url",
     "transcript_download_url_expiry", true},
    {"summary", "md", "summaryDownloadUrl", "summaryDownloadUrlExpiry", true},
};

/* A path's piece of any bytes. */
static void put_encoded(struct text *out, struct piece piece) {
  size_t i;
  for (i = 0; i < piece.len; i++) {
    text_add(out, "%%%02X", (unsigned char)piece.data[i]);
  }
}

static void put_link(struct text *out, const struct link *link, struct piece id,
                     long session, const struct ask *ask) {
  static const char *const formats[][2] = {
      {"JSON", "json"}, {"SRT", "srt"}, {"VTT", "vtt"}};
  const char *extension = link->extension;
  size_t i;
  for (i = 0; i < sizeof formats / sizeof *formats; i++) {
    if (strcmp(ask->format, formats[i][0]) == 0) extension = formats[i][1];
  }
  if (piece_begins(id, "u:")) {
    text_put(out, id.data + 2, id.len - 2);
  } else if (piece_begins(id, "f:")) {
    text_add(out, "%s%s/x:", base, link->what);
    put_encoded(out, (struct piece){id.data + 2, id.len - 2});
  } else {
    files_link(out, link->what, session, extension);
  }
}

bool files_reply(struct text *out, const char *what, struct piece id,
                 long session, const struct ask *ask) {
  const struct link *link = links;
  struct text url = {0};
  bool is_special = piece_begins(id, "u:") || piece_begins(id, "f:");
  if (session == 0 && !is_special) return false;
  if (data_is_growing() && data_now_ms() >= files_expire_ms(session)) {
    return false;
  }
  while (strcmp(link->what, what) != 0) link++;
  put_link(&url, link, id, session, ask);
  text_puts(out, "{\"data\":{");
  if (link->has_session_id) {
    text_puts(out, "\"sessionId\":");
    text_json(out, id.data, id.len);
    text_puts(out, ",");
  }
  text_add(out, "\"%s\":", link->url);
  text_json(out, url.data, url.len);
  text_puts(out, ",");
  put_time(out, link->expiry, false, files_expire_ms(session + is_special));
  out->len--; /* the comma */
  text_puts(out, "},\"success\":true}");
  text_free(&url);
  return true;
}

/* Texts -------------------------------------------------------------------- */

static long line_count(long k) { return 2 + k % 5; }

static void put_quoted_id(struct text *out, enum kind kind, long n) {
  struct text id = {0};
  data_id(&id, kind, n, (struct piece){0});
  text_put(out, id.data + 1, id.len - 2);
  text_free(&id);
}

/* One line of what was said, by who it was. */
static void put_csv(struct text *out, long k, long line) {
  long speaker = data_session_speaker(k, line);
  text_add(out, "%ld,", data_session_line_ms(k, line) / 1000);
  put_quoted_id(out, KIND_PEER, speaker);
  text_add(out, ",00000000-0000-4002-b000-%012lx,user-%ld,Person %ld,",
           (unsigned long)speaker % 100, speaker % 100, speaker % 100);
  text_add(out, "\"Line %ld of session %ld, \"\"quoted\"\"\"\r\n", line, k);
}

static void put_json(struct text *out, long k, long line) {
  char then[64];
  long speaker = data_session_speaker(k, line);
  format_time(then, sizeof then, data_session_line_ms(k, line));
  text_puts(out, line == 1 ? "[{\"peerId\":" : ",{\"peerId\":");
  data_id(out, KIND_PEER, speaker, (struct piece){0});
  text_add(out,
           ",\"userId\":\"00000000-0000-4002-b000-%012lx\","
           "\"customParticipantId\":\"user-%ld\",\"name\":\"Person %ld\","
           "\"date\":\"%s\","
           "\"transcript\":\"Line %ld of session %ld, \\\"quoted\\\"\"}",
           (unsigned long)speaker % 100, speaker % 100, speaker % 100, then,
           line, k);
  if (line == line_count(k)) text_puts(out, "]");
}

/* SRT, and VTT with other signs. */
static void put_caption(struct text *out, long k, long line, char point) {
  text_add(out,
           "%ld\n00:00:%02ld%c000 --> 00:00:%02ld%c000\n"
           "Person %ld: Line %ld of session %ld, \"quoted\"\n\n",
           line, line * 10 % 60, point, line * 10 % 60 + 5, point,
           data_session_speaker(k, line) % 100, line, k);
}

static void put_transcript(struct text *out, long k, const char *extension) {
  long line;
  if (k % 7 == 0) return;
  if (strcmp(extension, "csv") == 0 && k % 2 == 0) {
    text_puts(out, "timestamp,peer_id,user_id,custom_participant_id,name,"
                   "transcript\r\n");
  }
  if (strcmp(extension, "vtt") == 0) text_puts(out, "WEBVTT\n\n");
  for (line = 1; line <= line_count(k); line++) {
    if (strcmp(extension, "csv") == 0) put_csv(out, k, line);
    if (strcmp(extension, "json") == 0) put_json(out, k, line);
    if (strcmp(extension, "srt") == 0) put_caption(out, k, line, ',');
    if (strcmp(extension, "vtt") == 0) put_caption(out, k, line, '.');
  }
}

static void put_chat(struct text *out, long k) {
  long line;
  text_puts(out, "id,participantId,sessionId,meetingId,displayName,pinned,"
                 "isEdited,payloadType,payload,createdAt\r\n");
  for (line = 1; line <= line_count(k); line++) {
    char then[64];
    long speaker = data_session_speaker(k, line);
    format_time(then, sizeof then, data_session_line_ms(k, line));
    text_add(out, "%ld-%ld,", k, line);
    put_quoted_id(out, KIND_PARTICIPANT, speaker);
    text_puts(out, ",");
    put_quoted_id(out, KIND_MEETING_SESSION, k);
    text_puts(out, ",");
    put_quoted_id(out, KIND_MEETING, k);
    text_add(out,
             ",Person %ld,false,%s,TEXT_MESSAGE,"
             "\"Line %ld of session %ld, \"\"quoted\"\"\",%s\r\n",
             speaker % 100, line % 2 ? "false" : "true", line, k, then);
  }
}

/* Answers ------------------------------------------------------------------ */

bool files_has(const char *uri) {
  return strncmp(uri, FILES, strlen(FILES)) == 0;
}

static void refuse(struct reply *reply, unsigned status, const char *code) {
  reply->status = status;
  reply->type = "application/xml";
  reply->body.len = 0;
  text_add(&reply->body,
           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<Error><Code>%s</Code></Error>\n",
           code);
}

/* /files/WHAT/x:PROGRAM; false when there is none, or it is over. */
static bool play_fault(const struct request *request, struct reply *reply) {
  const char *at = strstr(request->uri, "/x:");
  char *program;
  struct piece piece;
  long ignored;
  bool is_played;
  if (at == NULL) return false;
  program = must_copy(at + 3, strcspn(at + 3, "?"));
  piece.data = program;
  piece.len = percent_decode(program, program, strlen(program));
  is_played = faults_play(piece, piece, request, reply, &ignored);
  free(program);
  return is_played;
}

void files_answer(const struct request *request, const char *auth,
                  struct reply *reply) {
  char what[16] = "", extension[8] = "";
  long k = 0, expires = INT64_MAX;
  reply->status = 200;
  if (strcmp(auth, "missing") != 0) {
    refuse(reply, 400, "InvalidRequest");
    return;
  }
  if (play_fault(request, reply)) return;
  if (strstr(request->uri, "/x:") != NULL) k = 1; /* the fault is over */
  sscanf(request->uri, "/files/%15[a-z]/%ld.%7[a-z0-9]?expires=%ld", what, &k,
         extension, &expires);
  if (k <= 0 || (k % 11 == 0 && !data_is_growing())) {
    refuse(reply, 404, "NoSuchKey");
  } else if (expires < data_now_ms() / 1000) {
    refuse(reply, 403, "AccessDenied");
  } else if (strcmp(what, "transcript") == 0) {
    reply->type = extension[0] == 'j' ? "application/json" : "text/csv";
    put_transcript(&reply->body, k, extension[0] == 0 ? "csv" : extension);
  } else if (strcmp(what, "chat") == 0) {
    reply->type = "text/csv";
    put_chat(&reply->body, k);
  } else if (strcmp(what, "summary") == 0) {
    reply->type = "text/markdown";
    text_add(&reply->body, "# Summary\n\nSession %ld had %ld lines.\n", k,
             line_count(k));
  } else {
    reply->type = "video/mp4";
    text_add(&reply->body, "recording %ld\n", k);
  }
}
