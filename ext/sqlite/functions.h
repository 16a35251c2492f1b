/*
** The SQL functions:
**
**     rtk_config(name)          the setting's value (a secret: 'set')
**     rtk_config(name, value)   sets it and returns it; NULL takes it back
**     rtk_cache_clear()         forgets all replies and returns how many
**     rtk_version()             rtk and what it runs on
*/
#ifndef RTK_FUNCTIONS_H
#define RTK_FUNCTIONS_H

struct rtk_cells;
struct rtk_conn;

/* Their rows of rtk_help. */
void rtk_functions_help(struct rtk_cells *cells);

/* Registers them all.  SQLITE_OK or SQLite's code. */
int rtk_functions_register(struct rtk_conn *conn);

#endif
