-- Which livestream sessions failed, and why?
--
--   sqlite3 -box my.db '.read sql/reports/failed_sessions.sql'
--
-- Cost: one request for each 100 livestreams, and one for the sessions of each
-- livestream.
--
--   time         of the start; of a session that never started, of its creation
--   livestream   its name, or its id if it has no name
--   session_id
--   err_message  the reason, in the API's words
--
-- The last failure comes first. Without failures there is no result. Sessions
-- that could not be fetched are missing. A second result, on stderr, then
-- lists the errors by kind, each with an example.

.bail on

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_livestream;
CREATE TEMP TABLE report_livestream AS
SELECT id, name, status, created_at, error, error_kind FROM rtk_livestreams;
-- A time before 1971 is none.
DROP TABLE IF EXISTS temp.report_session;
CREATE TEMP TABLE report_session AS
SELECT s.for_livestream_id, s.id, s.created_at,
       CASE WHEN s.started_time >= '1971' THEN s.started_time END
         AS started_time,
       CASE WHEN s.stopped_time >= '1971' THEN s.stopped_time END
         AS stopped_time,
       s.ingest_seconds, s.viewer_seconds, nullif(s.err_message, '')
         AS err_message, s.error, s.error_kind
  FROM rtk_livestream_sessions AS s
 WHERE s.for_livestream_id IN (SELECT id FROM temp.report_livestream);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

DROP VIEW IF EXISTS temp.failed_sessions;
CREATE TEMP VIEW failed_sessions AS
SELECT coalesce(s.started_time, s.created_at) AS time,
       coalesce(l.name, l.id) AS livestream, s.id AS session_id, s.err_message
  FROM temp.report_session AS s
  JOIN temp.report_livestream AS l ON l.id = s.for_livestream_id
 WHERE s.err_message NOT NULL
 ORDER BY time DESC, session_id;

SELECT * FROM failed_sessions;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM (SELECT error_kind, error FROM temp.report_livestream
         UNION ALL SELECT error_kind, error FROM temp.report_session)
 WHERE error NOT NULL GROUP BY error_kind;
