/*
** Virtual tables of SQLite that can be read twice without any effect:
** json_each(), generate_series(), full-text tables and others.
**
** Anyone may register a module under any name.  So a table is known by its name
** and all its columns, or, as FTS5 and R-Tree have columns of the user's, by
** the shadow tables that SQLite says belong to it.
*/
#ifndef RTK_KNOWN_H
#define RTK_KNOWN_H

#include "base/value.h"

#include <stdbool.h>

struct sqlite3;

/* Is the open virtual table known?  `name`: as rtk_probe_name() has it.
** *is_series, set when it is: a series may be of any length, and none of it is
** in a database.  SQLITE_OK, SQLITE_NOMEM or SQLITE_INTERRUPT. */
int rtk_known_find(struct sqlite3 *db, struct rtk_text name, bool *is,
                   bool *is_series);

#endif
