/*
** Words for writing columns: an entry of endpoints.c reads as a list of fields.
**
**     static const struct rtk_column apps_columns[] = {
**       ID_OF("app_id", "id", "the app's id"), TEXT("name", "its name") …};
**
** Included by endpoints.c alone, by way of the columns of one topic each.
*/
#ifndef RTK_COLUMNS_H
#define RTK_COLUMNS_H

#include "api/endpoint.h"

#include "base/err.h"

/* clang-format off */
/* Columns of every table; only those of the apps have no app. */
#define ACCOUNT                                                                \
  {.name = "account", .kind = RTK_COLUMN_ARGUMENT,                             \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_ACCOUNT,                     \
   .max_bytes = RTK_ACCOUNT_MAX, .doc = "the Cloudflare account's id"}
#define ACCOUNT_AND_APP                                                        \
  ACCOUNT,                                                                     \
  {.name = "app", .kind = RTK_COLUMN_ARGUMENT,                                 \
   .argument = RTK_ARGUMENT_SCOPE, .setting = RTK_APP,                         \
   .max_bytes = RTK_APP_MAX, .doc = "the RealtimeKit app's id"}

/* Call syntax fills hidden columns in order: one argument too many gets here
** and not into the first column behind the arguments. */
#define END_OF_ARGUMENTS                                                       \
  {.name = "surplus_argument", .kind = RTK_COLUMN_SURPLUS}

#define ABOUT_THE_REPLY                                                        \
  {.name = "error", .kind = RTK_COLUMN_ERROR,                                  \
   .doc = "why this id has no data (on_error = 'row'), else NULL"},            \
  {.name = "error_kind", .kind = RTK_COLUMN_KIND,                              \
   .doc = "the same as one word: " RTK_KIND_WORDS},                            \
  {.name = "http_status", .kind = RTK_COLUMN_STATUS,                           \
   .type = RTK_COLUMN_INTEGER, .doc = "the reply's HTTP status"},              \
  {.name = "response", .kind = RTK_COLUMN_RESPONSE,                            \
   .doc = "the reply's body as JSON text; of a list only this row"},           \
  {.name = "row", .field = "", .type = RTK_COLUMN_JSON, .is_hidden = true,     \
   .doc = "the row's own JSON, as it stands in the reply"}

/* Columns of the reply. */
#define TEXT(its_name, its_doc) {.name = its_name, .doc = its_doc}
#define TIME(its_name, its_doc)                                                \
  {.name = its_name, .type = RTK_COLUMN_TIME, .doc = its_doc}
#define NUMBER(its_name, its_doc)                                              \
  {.name = its_name, .type = RTK_COLUMN_NUMERIC, .doc = its_doc}
#define FLAG(its_name, its_doc)                                                \
  {.name = its_name, .type = RTK_COLUMN_INTEGER, .doc = its_doc}
#define HIDDEN(its_name, its_doc)                                              \
  {.name = its_name, .is_hidden = true, .doc = its_doc}
/* The same from another place in the row: "caller.name". */
#define TEXT_AT(its_name, path, its_doc)                                       \
  {.name = its_name, .field = path, .doc = its_doc}
#define NUMBER_AT(its_name, path, its_doc)                                     \
  {.name = its_name, .field = path, .type = RTK_COLUMN_NUMERIC, .doc = its_doc}
#define FLAG_AT(its_name, path, its_doc)                                       \
  {.name = its_name, .field = path, .type = RTK_COLUMN_INTEGER, .doc = its_doc}
#define HIDDEN_AT(its_name, path, its_doc)                                     \
  {.name = its_name, .field = path, .is_hidden = true, .doc = its_doc}
/* A link that expires. */
#define LINK(its_name, path, its_doc)                                          \
  {.name = its_name, .field = path, .is_hidden = true, .is_link = true,        \
   .doc = its_doc}
#define HIDDEN_NUMBER(its_name, its_doc)                                       \
  {.name = its_name, .type = RTK_COLUMN_NUMERIC, .is_hidden = true,            \
   .doc = its_doc}
/* A text that stands for the argument `id`; NULL: for none. */
#define ID_OF(id, its_name, its_doc)                                           \
  {.name = its_name, .stands_for = id, .doc = its_doc}
/* A text that the server can filter by; `its_values`: a space after each. */
#define CHOICE(its_name, its_values, its_doc)                                  \
  {.name = its_name, .argument = RTK_ARGUMENT_FILTER, .values = its_values,    \
   .doc = its_doc}

#define ID_AT(id, its_name, path, its_doc)                                     \
  {.name = its_name, .field = path, .stands_for = id, .doc = its_doc}

/* Arguments. */
#define ID_ARGUMENT(its_name)                                                  \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_ID, .doc = "the requested id"}
#define FILTER(its_name, its_doc)                                              \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .doc = its_doc}
#define OPTION(its_name, its_values, its_doc)                                  \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .values = its_values, .doc = its_doc}
#define SWITCH(its_name, its_doc)                                              \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .is_switch = true, .doc = its_doc}
#define ORDER(its_name, its_values, its_doc)                                   \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .values = its_values, .is_order = true,    \
   .doc = its_doc}
#define UNIX_TIME(its_name, its_doc)                                           \
  {.name = its_name, .kind = RTK_COLUMN_ARGUMENT,                              \
   .argument = RTK_ARGUMENT_FILTER, .type = RTK_COLUMN_INTEGER,                \
   .doc = its_doc}
#define PERIOD                                                                 \
  FILTER("start_time", "only records after this time: 2024-01-31T00:00:00Z"),  \
  FILTER("end_time", "only records before this time: 2024-01-31T00:00:00Z")

#define CREATED TIME("created_at", "when the record was made (ISO 8601, UTC)")
#define UPDATED                                                                \
  TIME("updated_at", "when the record last changed (ISO 8601, UTC)")
#define SEARCH FILTER("search", "only records that match these words")
#define SORT_ORDER                                                             \
  ORDER("sort_order", "ASC DESC ", "ASC or DESC: the order of the list")
#define INCLUDE_PEER_EVENTS                                                    \
  SWITCH("include_peer_events", "1: fill in peer_events")

/* The arguments of a path with one id, and no more. */
#define ONE_ID(id) ACCOUNT_AND_APP, ID_ARGUMENT(id), END_OF_ARGUMENTS
/* clang-format on */

#endif
