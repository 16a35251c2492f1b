/*
** The local API server: what its files share. See api.c for what it does.
**
** text.c    a growing text, JSON escaping, percent-decoding, gzip
** log.c     the request log, and how often each URI has been asked for
** data.c    the generated livestreams and their sessions, as JSON
** meetings.c   the other generated data: apps, meetings, participants …
** files.c   the texts behind links: transcript, chat, summary
** query.c   what a list is asked for
** routes.c  a path to a reply: routes, lists, published examples
** faults.c  a fault program (x:key=value,...) to a reply
** server.c  HTTP: authentication, rate limit, delays, sending
** api.c     arguments, the child process, start and end
*/
#ifndef API_H
#define API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#ifdef __GNUC__
#define PRINTF_LIKE(nth, first) __attribute__((format(printf, nth, first)))
#else
#define PRINTF_LIKE(nth, first)
#endif

/* Times are milliseconds since 1970 in a long. */
_Static_assert(sizeof(long) == 8, "the API server wants a 64-bit system");

struct options {
  const char *log_path; /* NULL: no log */
  const char *token;
  bool keep_token;
  const char *every;    /* a fault program for every request; NULL: none */
  const char *tls_path; /* PEM, key and certificate; NULL: plain http */
  long date_offset_s;   /* of the Date header */
  long delay_ms;
  double delay_p50_ms, delay_p99_ms; /* both 0: no spread */
  long stall_permille, stall_ms;
  uint64_t seed;
  long hold_after;       /* requests */
  const char *hold_path; /* that those after them wait for; NULL: none do */
  long quota, window_s;  /* 0: no limit */
  bool is_limit_silent;
  long sessions;
  long livestreams;
  long page_max;         /* 0: no limit */
  long grow_sessions;    /* 0: the data stay as they are */
  const char *grow_path; /* has the invented time, see data.c */
  int port;              /* that the server listens on */
};

/* text.c ------------------------------------------------------------------ */

/* Begins as {0}; data ends with a NUL that len does not count. Out of memory
** ends the process: this is a test server. */
struct text {
  char *data;
  size_t len, size;
};

void text_put(struct text *text, const char *data, size_t len);
void text_puts(struct text *text, const char *string);
void text_add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_fill(struct text *text, char c, size_t count);
/* A JSON string with its quotes. */
void text_json(struct text *text, const char *data, size_t len);
/* Replaces the text by its gzip form. */
void text_gzip(struct text *text);
void text_free(struct text *text);
/* A file; NULL after a message.  The caller frees it. */
char *read_whole(const char *path);

void *must_alloc(size_t size); /* zeroed */
char *must_copy(const char *data, size_t len);

/* A part of a URI, decoded: may hold any byte, NUL included. */
struct piece {
  const char *data;
  size_t len;
};

/* Decodes percent-escapes from `from` to `to`, which may be the same place;
** returns the length. What is not an escape is kept as it is. */
size_t percent_decode(char *to, const char *from, size_t len);
bool piece_is(struct piece piece, const char *string);
bool piece_begins(struct piece piece, const char *prefix);

/* A whole number from 0 to `max`, and nothing else. */
bool parse_count(const char *string, long max, long *value);

/* log.c ------------------------------------------------------------------- */

bool log_open(const char *path); /* NULL: counts only */
void log_close(void);
/* The how-manieth request for this raw URI this is, from 1. */
unsigned log_count(const char *uri);
void log_write(const char *method, const char *uri, unsigned status,
               unsigned long connection, const char *auth, unsigned attempt,
               unsigned at_once);

/* data.c ------------------------------------------------------------------ */

enum { SESSIONS_EACH = 5 }; /* sessions of one livestream */

enum kind {
  KIND_NONE,
  KIND_SESSION, /* of a livestream */
  KIND_LIVESTREAM,
  KIND_MEETING,
  KIND_MEETING_SESSION,
  KIND_PARTICIPANT, /* of a meeting session */
  KIND_INVITED,     /* participant of a meeting */
  KIND_PEER,        /* a participant's report */
  KIND_RECORDING,
  KIND_PRESET,
  KIND_WEBHOOK,
  KIND_APP
};

/* Room for the options' livestreams; data_close releases it. */
/* The set of data that tests have; see data.c. */
bool data_is_numbers(void);

/* Fewer than 0 livestreams: as many as the set has.  Returns how many the lists hold. */
long data_open(const struct options *options);
void data_close(void);

/* The number that an id stands for (s17 or its UUID form), 0 when none. */
long data_number(enum kind kind, struct piece id);
/* The livestream at this place, from 0, of the list ordered by created_at. */
long data_livestream_at(long place);
long data_livestream_created_ms(long number);
const char *data_livestream_status(long number);
bool data_livestream_has_meeting(long number);
/* How many sessions this livestream has, and the first one's number. */
long data_livestream_sessions(long number, long *first);

long data_livestreams_listed(void);

/* One object each. id.data == NULL: the UUID of that number. */
void data_session(struct text *text, long number, struct piece id);
void data_livestream(struct text *text, long number, struct piece id);
void data_meeting_session(struct text *text, long number, struct piece id);

/* Parts of objects: an id, a name, a field with a time and its comma. */
void data_id(struct text *text, enum kind kind, long number, struct piece id);
void data_name(struct text *text, const char *what, long number);
void put_time(struct text *text, const char *name, bool is_null, long time_ms);

/* An app that grows in an invented time (--grow). */
bool data_is_growing(void);
/* A request has come: reads the time from its file. */
void data_tick(void);
/* Now, in the invented time if there is one. */
long data_now_ms(void);
/* Whether the row is there by now: neither in the future nor deleted. */
bool data_is_there(enum kind kind, long number);

/* Analytics by day, the day counted from the first one of the data. */
struct day {
  long count, ingest_seconds, viewer_seconds;
  long sessions, session_minutes, recordings, recording_minutes; /* meetings */
};
enum { DAYS = 731 }; /* 2024 and 2025 */
long data_first_day_ms(void);
struct day data_day(int day);
/* Writes 2024-01-31, or 2024-01-31T10:11:12.013Z. */
void format_day(char *out, size_t size, long time_ms);
void format_time(char *out, size_t size, long time_ms);

/* meetings.c -------------------------------------------------------------- */

struct ask;

/* How many of this kind a parent has (its number; 0 for lists of the app), and
** the first one's number; 0: they are in the order of data_livestream_at(). */
long data_count(enum kind kind, long parent, long *first);
bool data_exists(enum kind kind, long number, long livestreams);
/* The number of the meeting or session that a participant is of. */
long data_owner(long number);
long data_created_ms(enum kind kind, long number);
const char *data_status(enum kind kind, long number);
long data_sort_key(const char *sort_by, long number);
bool data_matches(enum kind kind, long number, const struct ask *ask);
void data_add_to_day(long session, struct day *day);
long data_session_ended_ms(long session); /* of a meeting */
/* From then on the figures of the session do not change any more. */
long data_session_settled_ms(long session);
/* A copy of `model`, which has every field, with this row's values. */
cJSON *data_row(const cJSON *model, enum kind kind, long number,
                struct piece id, const struct ask *ask);
long data_session_line_ms(long session, long line);
long data_session_speaker(long session, long line);

/* query.c ----------------------------------------------------------------- */

struct ask {
  long page_no, per_page;
  char status[128];    /* with commas between; "": all */
  long from_ms, to_ms; /* of created_at, both included */
  bool without_meetings, is_descending, has_order;
  char sort_by[32], search[128], meeting[64], filters[64], format[8];
  long people_from, people_to; /* participants=1:10, both included */
  int expired;                 /* -1: all */
  bool has_peer_events;
};

/* Reads the encoded query ("" for none) with defaults for what is absent; the
** name of a parameter whose value is wrong, or NULL. is_unix: times are seconds
** since 1970, and ISO 8601 otherwise. */
const char *query_read(const char *query, bool is_unix, struct ask *ask);

/* routes.c, faults.c ------------------------------------------------------ */

struct header {
  char name[48];
  char value[512];
};

enum { HEADERS_MAX = 12 };

struct reply {
  unsigned status;
  const char *type; /* the Content-Type */
  struct text body;
  struct header headers[HEADERS_MAX];
  int headers_used;
  /* The rest is for faults. */
  long delay_ms, stall_ms;
  char hold_path[256]; /* "": not held */
  bool is_truncated, is_reset, is_closed, is_gzip, is_chunked;
};

struct request {
  const char *uri;   /* as it came over the wire */
  const char *token; /* what the Authorization header holds */
  unsigned attempt;  /* from log_count */
};

void reply_header(struct reply *reply, const char *name, const char *format,
                  ...) PRINTF_LIKE(3, 4);
/* The API's error envelope. */
void reply_error(struct reply *reply, unsigned status, long code,
                 const char *message);
/* The API's other form: "error" is one object. */
void reply_fault(struct reply *reply, unsigned status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The session's own reply: {"data":{...},"success":true}. */
void reply_session(struct reply *reply, long number, struct piece id);

/* Reads the published examples; false after a message on stderr. */
bool routes_open(const struct options *options);
void routes_close(void);
/* Whether the raw URI lies below /client/v4. */
bool routes_has(const char *uri);
/* Whether it asks if its token is valid. */
bool routes_is_verify(const char *uri);
void routes_answer(const struct request *request, struct reply *reply);

/* Plays the program (what follows "x:") into the reply, and true; or false
** when its `times` are over, with the number of the session to answer. */
bool faults_play(struct piece program, struct piece id,
                 const struct request *request, struct reply *reply,
                 long *number);

/* files.c ----------------------------------------------------------------- */

void files_open(const struct options *options);
/* The link to a file of a session, and when it expires. */
void files_link(struct text *text, const char *what, long session,
                const char *extension);
long files_expire_ms(long session);
/* The data of the reply with the link that was asked for with `id`. */
bool files_reply(struct text *text, const char *what, struct piece id,
                 long session, const struct ask *ask);
bool files_has(const char *uri);
void files_answer(const struct request *request, const char *auth,
                  struct reply *reply);

/* server.c ---------------------------------------------------------------- */

/* Serves on a listening socket, which it takes; `stop_fd` becomes readable
** when the server is to end, and cuts every sleep short. */
bool server_start(const struct options *options, int listen_fd, int stop_fd);
void server_stop(void);

#endif
