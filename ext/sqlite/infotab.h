/*
** Tables that show what rtk itself knows: rtk_help, rtk_check, rtk_settings,
** rtk_stats, rtk_columns.
*/
#ifndef RTK_INFOTAB_H
#define RTK_INFOTAB_H

struct rtk_conn;

/* Registers them all.  SQLITE_OK or SQLite's code. */
int rtk_infotab_register(struct rtk_conn *conn);

#endif
