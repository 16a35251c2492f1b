/*
** Replies that are no replies, or odd ones: what is wrong with them is the failure of
** their id, never of the host's transaction.
*/

#include "server.h"

enum { LONG_HEADER = 110000 };

static void send_text(int s, const char *text) {
  (void)send(s, text, strlen(text), 0);
}

static void send_long_header(int s) {
  static char header[LONG_HEADER];
  memset(header, 'x', sizeof(header) - 1);
  send_text(s, "HTTP/1.1 200 OK\r\nX-Long: ");
  for (size_t sent = 0; sent < sizeof(header) - 1;) {
    ssize_t more = send(s, header + sent, sizeof(header) - 1 - sent, 0);
    if (more <= 0) return;
    sent += (size_t)more;
  }
  send_text(s, "\r\nContent-Length: 2\r\n\r\n{}");
}

static bool is_for(const char *target, const char *id) {
  return strcmp(strrchr(target, '/') + 1, id) == 0;
}

static bool be_rude(int s, const char *target, int nth) {
  struct linger hard = {.l_onoff = 1};
  bool is_reset = is_for(target, "reset");
  if (is_for(target, "long")) {
    send_long_header(s);
  } else if (is_for(target, "cut") || (is_for(target, "once") && nth == 1)) {
    send_text(s, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
  } else if (is_reset) {
    send_text(s, "HTTP/1.1 200 OK\r\nContent-Type: appl");
    (void)setsockopt(s, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  } else {
    return false;
  }
  return true;
}

static void answer(const char *target, int nth, int *status, char *body,
                   size_t room) {
  (void)nth;
  if (strstr(target, "/list?") != NULL) {
    (void)snprintf(body, room,
                   "{\"data\":{\"sessions\":[ {\"id\":\"big\", \"more\":"
                   "[9007199254740993,1e400]} ]},\"paging\":{\"total_count\""
                   ":1}}");
    return;
  }
  if (strstr(target, "/empties?") != NULL) {
    size_t used = (size_t)snprintf(body, room, "{\"data\":{\"sessions\":[{}");
    while (used < room - 8) {
      used += (size_t)snprintf(body + used, room - used, ",{}");
    }
    (void)snprintf(body + used, room - used, "]}}");
    return;
  }
  if (strstr(target, "/numbers?") != NULL) {
    (void)snprintf(body, room,
                   "{\"data\":{\"sessions\":[{\"id\":1, \"err_message\":false},"
                   "{\"id\":9007199254740993},{\"id\":1}]},\"paging\":"
                   "{\"total_count\":2}}");
    return;
  }
  if (strstr(target, "/livestreams?") != NULL) {
    bool is_all = strstr(target, "status=") == NULL;
    bool is_number = strstr(target, "/kit/numbers/") != NULL;
    (void)snprintf(
        body, room,
        "{\"data\":[%s{\"id\":%s,\"name\":\"b\",\"status\":\"LIVE\"}"
        "%s],\"paging\":{\"total_count\":%d}}",
        !is_all     ? ""
        : is_number ? "{\"id\":1,\"name\":\"a\",\"status\":\"IDLE\"},"
                    : "{\"name\":\"a\",\"status\":\"IDLE\"},",
        is_number ? "2" : "null",
        !is_all     ? ""
        : is_number ? ",{\"id\":3,\"name\":\"c\",\"status\":\"IDLE\"}"
                    : ",{\"name\":\"c\",\"status\":\"IDLE\"}",
        is_all ? 3 : 1);
    return;
  }
  if (strstr(target, "/no-guid") != NULL) {
    *status = 400;
    (void)snprintf(body, room,
                   "{\"success\":false,\"error\":{\"code\":400,\"message\":"
                   "\"BAD_REQUEST: \\\"id\\\" must be a valid GUID\"}}");
    return;
  }
  (void)snprintf(body, room, "{\"data\":{\"id\":\"%s\"}}",
                 strrchr(target, '/') + 1);
}

static int requests_for(const char *id) {
  char *target =
      sqlite3_mprintf("/accounts/A/realtime/kit/P/livestreams/sessions/%s", id);
  int count = server_count(target) - 1; /* it counts this look, too */
  sqlite3_free(target);
  return count;
}

static sqlite3 *begin(void) {
  server_rude = be_rude;
  return server_begin(answer, rtk_endpoints, (size_t)rtk_endpoint_count);
}

static void end(sqlite3 *db) {
  server_close(db);
  server_rude = NULL;
}

/* Within a transaction of the host, which has to be there afterwards. */
static void check_failure(const char *id, const char *message, int requests) {
  sqlite3 *db = begin();
  char *sql = sqlite3_mprintf(
      "SELECT error_kind FROM rtk_livestream_session('A', 'P', %Q)", id);
  char *got = NULL;
  assert_int_equal(
      sqlite3_exec(db, "BEGIN; CREATE TABLE t(a); INSERT INTO t VALUES (1)",
                   NULL, NULL, NULL),
      SQLITE_OK);
  check_int(id, "result", sqlite3_exec(db, sql, NULL, NULL, &got),
            SQLITE_ERROR);
  check_text(id, "message", got, message);
  check_int(id, "requests", requests_for(id), requests);
  check_int(id, "the transaction is open", sqlite3_get_autocommit(db), 0);
  check_int(id, "commit", sqlite3_exec(db, "COMMIT", NULL, NULL, NULL),
            SQLITE_OK);
  sqlite3_free(got);
  sqlite3_free(sql);
  end(db);
}

static void check_query(const char *sql, const char *rows) {
  sqlite3 *db = begin();
  check_rows(db, sql, rows);
  end(db);
}

CASE(a_failure_is_of_its_id) {
  check_failure("long",
                "rtk_livestream_session: HTTP 200 for session 'long': a header"
                " of the reply is longer than libcurl takes (100 kB), or"
                " libcurl ran out of memory; check base_url and what stands"
                " between",
                1);
  check_failure("cut",
                "rtk_livestream_session: HTTP 200 for session 'cut' (3 tries):"
                " the connection ended within the reply's header; check the"
                " network, base_url and the proxy, if there is one",
                3);
}

CASE(other_ids_have_their_rows) {
  (void)setenv("RTK_ON_ERROR", "row", 1);
  check_query("SELECT coalesce(id, error_kind) FROM"
              " rtk_livestream_session('A', 'P') WHERE session_id IN"
              " ('a', 'cut', 'long', 'once', 'reset', 'z')",
              "a\nnetwork\nreply\nonce\nnetwork\nz\n");
  (void)unsetenv("RTK_ON_ERROR");
}

/* A connection that ends within the header is tried again like one that breaks. */
CASE(a_cut_header_is_tried_again) {
  check_query("SELECT id FROM rtk_livestream_session('A', 'P', 'once')",
              "once\n");
}

/* A row of a list is kept as it stands there, for the look-up that follows. */
CASE(a_row_of_a_list_keeps_its_digits) {
  check_query(
      "SELECT s.response FROM rtk_livestream_sessions('A', 'P', 'list')"
      " AS l JOIN rtk_livestream_session('A', 'P', l.id) AS s",
      "{\"data\":{\"id\":\"big\", \"more\":[9007199254740993,1e400]}}\n");
}

/* The column is declared TEXT: an ordinary table of such rows would find '1'. */
CASE(an_id_that_is_a_number_is_text) {
  check_query(
      "WITH b(v) AS (VALUES (CAST('1' AS TEXT)), ('9007199254740993'))"
      " SELECT typeof(l.id), l.id, err_message FROM b JOIN"
      " rtk_livestream_sessions('A', 'P', 'numbers') AS l ON l.id = b.v",
      "text|1|false\ntext|9007199254740993|NULL\n");
}

/* A RIGHT JOIN reads the list with the filter and without: each row once, though it
** stands in another place, and has no id. */
CASE(a_row_is_the_same_under_a_filter) {
  static const char *const apps[] = {"numbers", "nulls"};
  if (sqlite3_libversion_number() < 3039000) skip(); /* no RIGHT JOIN */
  /* The scope in the call would be one more term that the second read lacks. */
  (void)setenv("CLOUDFLARE_ACCOUNT_ID", "A", 1);
  for (size_t i = 0; i < COUNT(apps); i++) {
    (void)setenv("REALTIMEKIT_APP_ID", apps[i], 1);
    check_query("WITH t(x) AS (VALUES (1)) SELECT x, l.name FROM t RIGHT JOIN"
                " rtk_livestreams AS l ON l.status = 'LIVE'",
                "1|b\nNULL|a\nNULL|c\n");
  }
  (void)unsetenv("CLOUDFLARE_ACCOUNT_ID");
  (void)unsetenv("REALTIMEKIT_APP_ID");
}

/* 340,000 empty objects in 1 MB would take 300 MB as rows. */
CASE(rows_of_one_reply_are_bounded) {
  check_query(
      "SELECT count(*) FROM rtk_livestream_sessions('A', 'P', 'empties')",
      "rtk_livestream_sessions: HTTP 200 for livestream 'empties': the"
      " reply has more than 10000 rows; check base_url, and report it if"
      " it is right\n");
}

/* There cannot be such a session: no row, in either mode. */
CASE(an_id_that_is_no_guid_has_no_row) {
  check_query(
      "SELECT count(*) FROM rtk_livestream_session('A', 'P', 'no-guid')",
      "0\n");
  check_query(
      "SELECT count(*), max(error) FROM rtk_livestream_session('A', 'P')"
      " WHERE session_id IN ('a', 'no-guid', 'z')",
      "2|NULL\n");
}

int main(void) { return check_run(); }
