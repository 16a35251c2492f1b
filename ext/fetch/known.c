/*
** Virtual tables of SQLite that can be read twice.
**
** A statement's program names a table by its address alone.  The addresses of
** the known tables are in programs as well, those of `SELECT 1 FROM table`:
**
**     the host's statement           SELECT 1 FROM json_each('[]')
**     VOpen 0 0 0 vtab:55d0c8a0      VOpen 0 0 0 vtab:55d0c8a0
*/
#include "fetch/known.h"

#include "base/probe.h"
#include "fetch/uses.h"

#include <string.h>

#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3

/* Each row is the FROM of a known table.  The lists of columns are those of
** SQLite 3.37 to 3.54.  Of the PRAGMA tables, only those are here that neither
** check nor change anything, as pragma_optimize does. */
static const char known_tables[] =
    "WITH known(name, call, columns) AS (VALUES"
    " ('json_each', '', "
    "'key,value,type,atom,id,parent,fullkey,path,json,root'),"
    " ('json_tree', '', "
    "'key,value,type,atom,id,parent,fullkey,path,json,root'),"
    " ('jsonb_each', '',"
    "  'key,value,type,atom,id,parent,fullkey,path,json,root'),"
    " ('jsonb_tree', '',"
    "  'key,value,type,atom,id,parent,fullkey,path,json,root'),"
    " ('generate_series', '(1, 1)', 'value,start,stop,step'),"
    " ('dbstat', '', 'name,path,pageno,pagetype,ncell,payload,unused,"
    "mx_payload,pgoffset,pgsize,schema,aggregate'),"
    " ('pragma_table_info', '',"
    "  'cid,name,type,notnull,dflt_value,pk,arg,schema'),"
    " ('pragma_table_xinfo', '',"
    "  'cid,name,type,notnull,dflt_value,pk,hidden,arg,schema'),"
    " ('pragma_table_list', '', 'schema,name,type,ncol,wr,strict,arg'),"
    " ('pragma_index_list', '', 'seq,name,unique,origin,partial,arg,schema'),"
    " ('pragma_index_info', '', 'seqno,cid,name,arg,schema'),"
    " ('pragma_index_xinfo', '', 'seqno,cid,name,desc,coll,key,arg,schema'),"
    " ('pragma_foreign_key_list', '',"
    "  'id,seq,table,from,to,on_update,on_delete,match,arg,schema'),"
    " ('pragma_database_list', '', 'seq,name,file'),"
    " ('pragma_collation_list', '', 'seq,name'),"
    " ('pragma_function_list', '', 'name,builtin,type,enc,narg,flags'),"
    " ('pragma_module_list', '', 'name'),"
    " ('pragma_pragma_list', '', 'name'),"
    " ('pragma_compile_options', '', 'compile_options'),"
    " ('pragma_user_version', '', 'user_version'),"
    " ('pragma_schema_version', '', 'schema_version'),"
    " ('pragma_application_id', '', 'application_id'),"
    " ('pragma_page_count', '', 'page_count'),"
    " ('pragma_page_size', '', 'page_size'))"
    " SELECT name || call, name = 'generate_series' FROM known"
    " WHERE name IN (SELECT name FROM pragma_module_list) AND columns ="
    " (SELECT group_concat(x.name) FROM pragma_table_xinfo(known.name) AS x)"
    " UNION ALL"
    /* FTS5 with content of its own, for another's content may be a view that
    ** calls any function, and R-Tree. */
    " SELECT printf('\"%w\".\"%w\"', v.schema, v.name), false"
    " FROM pragma_table_list AS v WHERE v.type = 'virtual' AND"
    " (SELECT max(sum(substr(s.name, 1 + length(v.name)) IN"
    "              ('_data', '_idx', '_config', '_content')) = 4,"
    "             sum(substr(s.name, 1 + length(v.name)) IN"
    "              ('_node', '_parent', '_rowid')) = 3)"
    "    FROM pragma_table_list AS s WHERE s.type = 'shadow' AND"
    "     s.schema = v.schema AND"
    "     substr(s.name, 1, length(v.name)) = v.name)";

/* Does `SELECT 1 FROM from` open the table? */
static int opens(sqlite3 *db, const unsigned char *from, struct rtk_text name,
                 bool *is) {
  struct rtk_uses uses = {0};
  size_t place = 0;
  char *sql = sqlite3_mprintf("SELECT 1 FROM %s", from);
  int rc = sql == NULL ? SQLITE_NOMEM : rtk_uses_read(db, sql, &uses);
  if (rc == SQLITE_OK) rc = rtk_strset_find(&uses.tables, name, &place);
  *is = rc == SQLITE_OK;
  rtk_uses_deinit(&uses);
  sqlite3_free(sql);
  return rtk_probe_is_fatal(rc) ? rc : SQLITE_OK;
}

int rtk_known_find(sqlite3 *db, struct rtk_text name, bool *is,
                   bool *is_series) {
  sqlite3_stmt *stmt = NULL;
  *is = false;
  int rc = rtk_probe_prepare(db, known_tables, &stmt);
  while (rc == SQLITE_OK && !*is && rtk_probe_step(stmt) == SQLITE_ROW) {
    rc = opens(db, sqlite3_column_text(stmt, 0), name, is);
    if (*is) *is_series = sqlite3_column_int(stmt, 1) != 0;
  }
  int end = sqlite3_finalize(stmt);
  if (rc == SQLITE_OK) rc = end;
  /* Any other error, as an authorizer's: then it is not known. */
  return rtk_probe_is_fatal(rc) ? rc : SQLITE_OK;
}
