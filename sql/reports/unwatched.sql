-- Which livestreams has nobody watched?
--
--   sqlite3 -box my.db '.read sql/reports/unwatched.sql'
--
-- Cost: one request for each 100 livestreams, and one for the sessions of each
-- livestream.
--
--   livestream, livestream_id, status, created_at
--   sessions      their number; 0 also if the livestream is deleted meanwhile
--   ingest_hours  what was sent for nobody; the most comes first
--
-- Without such livestreams there is no result. Livestreams that could not be
-- fetched are missing. A second result, on stderr, then lists the errors by
-- kind, each with an example.

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

DROP VIEW IF EXISTS temp.unwatched;
CREATE TEMP VIEW unwatched AS
SELECT l.name AS livestream, l.id AS livestream_id, l.status, l.created_at,
       count(s.id) AS sessions,
       round(total(s.ingest_seconds) / 3600, 2) AS ingest_hours
  FROM temp.report_livestream AS l
  LEFT JOIN temp.report_session AS s ON s.for_livestream_id = l.id
 WHERE l.id NOT NULL
 GROUP BY l.id
HAVING count(s.error) = 0 AND total(s.viewer_seconds) = 0
 ORDER BY total(s.ingest_seconds) DESC, l.created_at, l.id;

SELECT * FROM unwatched;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM (SELECT error_kind, error FROM temp.report_livestream
         UNION ALL SELECT error_kind, error FROM temp.report_session)
 WHERE error NOT NULL GROUP BY error_kind;
