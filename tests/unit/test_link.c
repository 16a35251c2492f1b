/*
** Where a link may lead.  It comes from a server, and must open nothing that only
** this machine reaches: neither by its address nor by what its name resolves to.
*/
#include "net/address.h"
#include "net/http.h"

#include "base/err.h"

#include "check.h"

CASE(links_are_checked) {
  static const struct {
    const char *url;
    int rc, local_rc; /* the same where base_url is here */
  } links[] = {
      {"https://files.example/a?b=c", SQLITE_OK, SQLITE_OK},
      {"https://files.example:8443/", SQLITE_OK, SQLITE_OK},
      {"HTTPS://FILES.EXAMPLE/", SQLITE_OK, SQLITE_OK},
      {"https://192.0.3.1/", SQLITE_OK, SQLITE_OK},
      {"https://[2606:4700::1]/", SQLITE_OK, SQLITE_OK},
      {"https://[64:ff9b::c000:301]/", SQLITE_OK, SQLITE_OK},
      {"http://127.0.0.1:1/", SQLITE_ERROR, SQLITE_OK},
      {"http://localhost/", SQLITE_ERROR, SQLITE_OK},
      {"http://[::1]/", SQLITE_ERROR, SQLITE_OK},
      {"https://localhost/", SQLITE_ERROR, SQLITE_OK},
      {"https://127.0.0.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://127.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://2130706433/", SQLITE_ERROR, SQLITE_OK},
      {"https://0x7f.0.0.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://0.0.0.0/", SQLITE_ERROR, SQLITE_OK},
      {"https://10.1.2.3/", SQLITE_ERROR, SQLITE_OK},
      {"https://100.64.0.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://100.127.0.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://100.128.0.1/", SQLITE_OK, SQLITE_OK},
      {"https://169.254.169.254/latest", SQLITE_ERROR, SQLITE_OK},
      {"https://172.31.255.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://172.32.0.1/", SQLITE_OK, SQLITE_OK},
      {"https://192.168.0.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://198.19.0.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://224.0.0.1/", SQLITE_ERROR, SQLITE_OK},
      {"https://255.255.255.255/", SQLITE_ERROR, SQLITE_OK},
      {"https://[::1]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[::]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[::ffff:8.8.8.8]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[::ffff:10.0.0.1]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[fc00::1]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[fe80::1%25eth0]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[ff02::1]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[64:ff9b::a00:1]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[2002:a00:1::1]/", SQLITE_ERROR, SQLITE_OK},
      {"https://[2002:808:808::1]/", SQLITE_OK, SQLITE_OK},
      {"https://[2001::1]/", SQLITE_ERROR, SQLITE_OK},
      {"http://files.example/", SQLITE_ERROR, SQLITE_ERROR},
      {"http://127.0.0.1.example/", SQLITE_ERROR, SQLITE_ERROR},
      {"http://10.0.0.1/", SQLITE_ERROR, SQLITE_ERROR},
      {"https://user@files.example/", SQLITE_ERROR, SQLITE_ERROR},
      {"https://user:word@127.0.0.1/", SQLITE_ERROR, SQLITE_ERROR},
      {"ftp://files.example/", SQLITE_ERROR, SQLITE_ERROR},
      {"file:///etc/passwd", SQLITE_ERROR, SQLITE_ERROR},
      {"/files/a", SQLITE_ERROR, SQLITE_ERROR},
      {"https://files.example/a b", SQLITE_ERROR, SQLITE_ERROR},
      {"https://files.example/\r\nA: b", SQLITE_ERROR, SQLITE_ERROR},
      {"https://", SQLITE_ERROR, SQLITE_ERROR},
      {"", SQLITE_ERROR, SQLITE_ERROR},
  };
  for (size_t i = 0; i < COUNT(links); i++) {
    check_int(links[i].url, "result",
              rtk_address_check_link(links[i].url, false), links[i].rc);
    check_int(links[i].url, "where base_url is here",
              rtk_address_check_link(links[i].url, true), links[i].local_rc);
  }
}

CASE(a_base_url_is_here_or_not) {
  check_int("an address", "is local",
            rtk_address_is_local("http://127.0.0.1:80/v4"), 1);
  check_int("by TLS", "is local", rtk_address_is_local("https://localhost/v4"),
            1);
  check_int("a name", "is local",
            rtk_address_is_local("https://api.cloudflare.com/client/v4"), 0);
  check_int("none", "is local", rtk_address_is_local(""), 0);
}

/* What a name resolves to is known when it is connected to.  Nothing listens
** there: it is refused before that is found out. */
CASE(a_name_must_not_lead_here) {
  static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                      "ALL_PROXY", "no_proxy"};
  struct rtk_err err = {0};
  struct rtk_http *http = NULL;
  for (size_t i = 0; i < COUNT(names); i++) (void)unsetenv(names[i]);
  assert_int_equal(rtk_http_new(&http, &err), SQLITE_OK);
  for (int is_local_too = 0; is_local_too <= 1; is_local_too++) {
    struct rtk_request request = {.url = "https://localhost:1/",
                                  .is_local_too = is_local_too,
                                  .timeout_ms = 10000,
                                  .connect_timeout_ms = 10000,
                                  .sends_max = 1,
                                  .max_bytes = 1000};
    struct rtk_transfer *transfer = NULL;
    assert_int_equal(rtk_http_start(http, &request, &transfer, &err),
                     SQLITE_OK);
    check_int("one link", "width", rtk_http_width(http), 16);
    while (rtk_http_next_done(http) == NULL) {
      assert_int_equal(rtk_http_poll(http, 20, &err), SQLITE_OK);
    }
    const struct rtk_response *response = rtk_transfer_response(transfer);
    check_int("localhost", "failure", response->failure,
              is_local_too ? RTK_FAILURE_CONNECT : RTK_FAILURE_OTHER);
    check_int("localhost", "is of a link", response->is_of_link, 1);
    if (!is_local_too) {
      check_text("localhost", "detail", response->detail,
                 "the link leads to an address that is not public");
    }
    rtk_http_end(http, transfer);
  }
  rtk_http_free(http);
}

int main(void) { return check_run(); }
