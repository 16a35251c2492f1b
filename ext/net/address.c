/*
** Where requests may go.  URLs are taken apart by libcurl, which will also
** follow them: two parsers would not agree on every URL.
*/
#include "net/address.h"

#include "base/err.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <curl/curl.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

#define HTTPS_ONLY_WORDS "https, or http to localhost"

/* Bytes of an IP address as text, with its zone. */
#define IP_TEXT_MAX 64

/* --- addresses ------------------------------------------------------------ */

/* Is this an address on the public internet? */
static bool is_public_ipv4(const unsigned char *ip) {
  static const struct {
    unsigned char net[2], mask[2];
  } others[] = {
      {{0, 0}, {255, 0}},       {{10, 0}, {255, 0}},
      {{100, 64}, {255, 192}},  {{127, 0}, {255, 0}},
      {{169, 254}, {255, 255}}, {{172, 16}, {255, 240}},
      {{192, 168}, {255, 255}}, {{198, 18}, {255, 254}},
      {{224, 0}, {224, 0}},
  };
  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
    if ((ip[0] & others[i].mask[0]) == others[i].net[0] &&
        (ip[1] & others[i].mask[1]) == others[i].net[1]) {
      return false;
    }
  }
  return true;
}

/* 2000::/3 is public, but for Teredo (2001::/32), whose IPv4 address is hidden.
** NAT64 (64:ff9b::/96) and 6to4 (2002::/16) lead to the IPv4 address in
** them. */
static bool is_public_ipv6(const unsigned char *ip) {
  static const unsigned char nat64[12] = {0, 0x64, 0xff, 0x9b};
  static const unsigned char teredo[4] = {0x20, 0x01, 0, 0};
  static const unsigned char sixtofour[2] = {0x20, 0x02};
  if (memcmp(ip, nat64, sizeof(nat64)) == 0) return is_public_ipv4(ip + 12);
  if (memcmp(ip, teredo, sizeof(teredo)) == 0) return false;
  if (memcmp(ip, sixtofour, sizeof(sixtofour)) == 0) {
    return is_public_ipv4(ip + 2);
  }
  return (ip[0] & 0xe0) == 0x20;
}

bool rtk_address_is_public(const struct sockaddr *address) {
  const void *any = address;
  const struct sockaddr_in *ipv4 = any;
  const struct sockaddr_in6 *ipv6 = any;
  return address->sa_family == AF_INET
             ? is_public_ipv4((const unsigned char *)&ipv4->sin_addr)
         : address->sa_family == AF_INET6
             ? is_public_ipv6((const unsigned char *)&ipv6->sin6_addr)
             : false;
}

/* --- URLs ----------------------------------------------------------------- */

/* 127.0.0.0/8 counts as an address of four numbers only: 127.example.com and
** 127.0.0.1.2 are names, which another host may have. */
static bool is_loopback(const char *host) {
  unsigned char address[4];
  return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
         (inet_pton(AF_INET, host, address) == 1 && address[0] == 127);
}

/* Scheme and host of a URL without a user; freed by curl_free(). */
struct parts {
  char *scheme, *host;
};

static CURLUcode take_apart(const char *url, struct parts *parts) {
  CURLU *all = curl_url();
  CURLUcode rc = all == NULL ? CURLUE_OUT_OF_MEMORY : CURLUE_OK;
  *parts = (struct parts){NULL, NULL};
  if (rc == CURLUE_OK) {
    rc = curl_url_set(all, CURLUPART_URL, url, CURLU_DISALLOW_USER);
  }
  if (rc == CURLUE_OK) {
    rc = curl_url_get(all, CURLUPART_SCHEME, &parts->scheme, 0);
  }
  if (rc == CURLUE_OK) {
    rc = curl_url_get(all, CURLUPART_HOST, &parts->host, 0);
  }
  curl_url_cleanup(all);
  return rc;
}

static void free_parts(struct parts *parts) {
  curl_free(parts->host);
  curl_free(parts->scheme);
}

static bool is_https(const struct parts *parts) {
  return strcasecmp(parts->scheme, "https") == 0;
}

static bool is_http_to_loopback(const struct parts *parts) {
  return strcasecmp(parts->scheme, "http") == 0 && is_loopback(parts->host);
}

int rtk_address_check_base_url(const char *url, struct rtk_err *err) {
  struct parts parts;
  CURLUcode taken = take_apart(url, &parts);
  int rc = SQLITE_OK;
  if (taken == CURLUE_OUT_OF_MEMORY) {
    rc = SQLITE_NOMEM;
  } else if (taken == CURLUE_USER_NOT_ALLOWED) {
    rc = rtk_err_set(err, "base_url has a user: leave it out");
  } else if (taken != CURLUE_OK) {
    rc = rtk_err_set(err, "base_url is not a URL: it looks like"
                          " https://api.cloudflare.com/client/v4");
  } else if (!is_https(&parts) && !is_http_to_loopback(&parts)) {
    rc = rtk_err_set(err,
                     "base_url begins with %s://%s: a token is sent by"
                     " " HTTPS_ONLY_WORDS " only",
                     parts.scheme, parts.host);
  } else if (strpbrk(url, "?#") != NULL) { /* an empty one has no part */
    rc = rtk_err_set(err, "base_url has a query or a fragment: leave it out");
  }
  free_parts(&parts);
  return rc;
}

bool rtk_address_is_local(const char *url) {
  struct parts parts;
  bool is = take_apart(url, &parts) == CURLUE_OK && is_loopback(parts.host);
  free_parts(&parts);
  return is;
}

/* A name, or an address that is public?  libcurl writes addresses in one way
** only. */
static bool may_be_public(const char *host) {
  unsigned char ip[16];
  char inner[IP_TEXT_MAX];
  if (is_loopback(host)) return false;
  if (inet_pton(AF_INET, host, ip) == 1) return is_public_ipv4(ip);
  if (host[0] != '[') return true;
  sqlite3_snprintf((int)sizeof(inner), inner, "%.*s",
                   (int)strcspn(host + 1, "]%"), host + 1);
  return inet_pton(AF_INET6, inner, ip) == 1 && is_public_ipv6(ip);
}

int rtk_address_check_link(const char *url, bool is_local_too) {
  struct parts parts;
  CURLUcode taken = take_apart(url, &parts);
  bool is_good =
      taken == CURLUE_OK &&
      ((is_https(&parts) && (is_local_too || may_be_public(parts.host))) ||
       (is_local_too && is_http_to_loopback(&parts)));
  free_parts(&parts);
  if (taken == CURLUE_OUT_OF_MEMORY) return SQLITE_NOMEM;
  return is_good ? SQLITE_OK : SQLITE_ERROR;
}
