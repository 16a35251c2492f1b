/*
** The settings of one connection.  Each has a default, maybe a value from the
** environment, and maybe a value set in SQL; the last of these is in force.
*/
#ifndef RTK_CONFIG_H
#define RTK_CONFIG_H

#include "base/setting.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtk_err;
struct rtk_request;
struct sqlite3;

struct rtk_config;

/* Bytes of a token file: a token has 40, an OAuth token up to some 2,000. */
#define RTK_TOKEN_MAX 4096

/* Reads the environment, now and not again.  rtk_config_check() reports a bad
** value in it.  A database of `host` (borrowed, may be NULL) cannot be the
** cache file.  SQLITE_OK with *config given (free with rtk_config_free()), or
** SQLITE_NOMEM. */
int rtk_config_new(struct sqlite3 *host, struct rtk_config **config);
void rtk_config_free(struct rtk_config *config);

/* Sets by name; `value` NULL: back to the environment's value or the default.
** SQLITE_ERROR with a message that says what is allowed.  A setting that
** decides where the token goes makes an api_token that was set before void. */
int rtk_config_set(struct rtk_config *config, const char *name,
                   const char *value, struct rtk_err *err);

/* The same for a value of `size` bytes.  A NUL in it is an error. */
int rtk_config_set_bytes(struct rtk_config *config, const char *name,
                         const char *value, size_t size, struct rtk_err *err);

/* Finds by name: SQLITE_ERROR with a message that lists the names. */
int rtk_config_find(const char *name, enum rtk_setting *setting,
                    struct rtk_err *err);

/* The value in force, borrowed until the next set; NULL when there is none. */
const char *rtk_config_text(const struct rtk_config *config,
                            enum rtk_setting setting);
int64_t rtk_config_int(const struct rtk_config *config,
                       enum rtk_setting setting);

/* Fills in what the settings say about every request; texts as above. */
void rtk_config_fill_request(const struct rtk_config *config,
                             struct rtk_request *request);

/* For showing: a secret is "set" or NULL; a proxy's user and password are left
** out, and a proxy in a form where they cannot be told is not shown.
** NULL with *nomem set when there was no memory.  Free with sqlite3_free(). */
char *rtk_config_shown(const struct rtk_config *config,
                       enum rtk_setting setting, bool *nomem);

/* The proxy for https that libcurl will be given or will find, for showing, as
** above, and in *source where it comes from, in words (static). */
char *rtk_config_shown_proxy(const struct rtk_config *config,
                             const char **source, bool *nomem);
const char *rtk_config_name(enum rtk_setting setting);
const char *rtk_config_env(enum rtk_setting setting); /* its first variable */
const char *rtk_config_default(enum rtk_setting setting); /* may be NULL */
const char *rtk_config_source(const struct rtk_config *config,
                              enum rtk_setting setting);
const char *rtk_config_doc(enum rtk_setting setting);
bool rtk_config_is_number(enum rtk_setting setting);

/* SQLITE_ERROR when the environment holds a value that makes no sense. */
int rtk_config_check(const struct rtk_config *config, struct rtk_err *err);

/* The token to be sent, and where it came from in words (static).  *token is
** given: wipe and free it with rtk_config_wipe().  SQLITE_ERROR says what is
** missing.  Where the token's file is a pipe this waits for at most 2 seconds,
** or returns SQLITE_INTERRUPT; what came is kept for later calls.  A base_url,
** proxy or ca_file set in SQL voids every token, wherever it came from, until
** api_token is set in SQL after it. */
int rtk_config_token(struct rtk_config *config, char **token,
                     const char **source, struct rtk_err *err);
void rtk_config_wipe(char *token);

/* Goes up whenever it may have changed which token goes where. */
int64_t rtk_config_address_version(const struct rtk_config *config);

#endif
