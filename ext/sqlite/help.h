/*
** What rtk_help says of the API's tables and of the files in sql/.  The other
** rows come from where the facts are: infotab.c and functions.c.
**
**     name             kind   about           example (hidden)
**     rtk_livestream   table  one livestream  SELECT * FROM rtk_livestream …
*/
#ifndef RTK_HELP_H
#define RTK_HELP_H

struct rtk_cells;

/* Adds a row. `example` is from sqlite3_malloc() and is taken; NULL: there was
** no memory for it. */
void rtk_help_add(struct rtk_cells *cells, const char *name, const char *kind,
                  const char *about, char *example);

/* The rows of the API's tables, by name, and of the files. */
void rtk_help_endpoints(struct rtk_cells *cells);
void rtk_help_files(struct rtk_cells *cells);

#endif
