-- How much was ingested and watched, day by day?
--
--   sqlite3 -box my.db '.read sql/reports/ingest_and_views.sql'
--
-- The last 31 days with sessions, and whether the analytics agree. For more days
-- put an option before my.db:
--
--   -cmd '.parameter set @days 90'
--
-- Cost: one request for each 100 livestreams, and one for the sessions of each
-- livestream, and one for the analytics.
--
--   day         the sessions' start, in UTC
--   sessions, ingest_hours, viewer_hours
--               sums over the sessions of all livestreams that there are now
--   analytics_sessions, analytics_ingest_hours, analytics_viewer_hours
--               what rtk_livestream_analytics says of that day
--   differs     1 if the two differ in the number of sessions, or by more than
--               a second for each session. Deleted livestreams, and sessions
--               around midnight, can be the reason.
--
-- Errors make sums too low. A second result, on stderr, then lists them by kind,
-- each with an example.

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
DROP TABLE IF EXISTS temp.report_analytics;
CREATE TEMP TABLE report_analytics AS
SELECT substr(a.date, 1, 10) AS date, a.count AS sessions,
       a.total_ingest_seconds AS ingest_seconds,
       a.total_viewer_seconds AS viewer_seconds, a.error, a.error_kind
  FROM rtk_livestream_analytics AS a;
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

-- A view can have no parameter.
DROP TABLE IF EXISTS temp.report_days;
CREATE TEMP TABLE report_days AS SELECT coalesce(@days, 31) AS days;

DROP VIEW IF EXISTS temp.ingest_and_views;
CREATE TEMP VIEW ingest_and_views AS
SELECT day, sessions, round(ingest / 3600, 2) AS ingest_hours,
       round(views / 3600, 2) AS viewer_hours,
       their_sessions AS analytics_sessions,
       round(their_ingest / 3600, 2) AS analytics_ingest_hours,
       round(their_views / 3600, 2) AS analytics_viewer_hours,
       sessions <> their_sessions OR abs(ingest - their_ingest) > sessions
         OR abs(views - their_views) > sessions AS differs
  FROM (SELECT day, sum(n) AS sessions, total(ingest) AS ingest,
               total(views) AS views, sum(their_n) AS their_sessions,
               total(their_ingest) AS their_ingest,
               total(their_views) AS their_views
          FROM (SELECT substr(coalesce(started_time, created_at), 1, 10) AS day,
                       1 AS n, ingest_seconds AS ingest,
                       viewer_seconds AS views, 0 AS their_n,
                       0 AS their_ingest, 0 AS their_views
                  FROM temp.report_session WHERE id NOT NULL
                 UNION ALL
                SELECT date, 0, 0, 0, sessions, ingest_seconds, viewer_seconds
                  FROM temp.report_analytics WHERE date NOT NULL)
         GROUP BY day
        HAVING sum(n) + sum(their_n) > 0
         ORDER BY day DESC LIMIT (SELECT days FROM temp.report_days))
 ORDER BY day;

SELECT * FROM ingest_and_views;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM (SELECT error_kind, error FROM temp.report_livestream
         UNION ALL SELECT error_kind, error FROM temp.report_session
         UNION ALL SELECT error_kind, error FROM temp.report_analytics)
 WHERE error NOT NULL GROUP BY error_kind;
