-- How much was ingested and how much of it watched, day by day?
--
--   sqlite3 -cmd '.load ./rtk' '' '.read sql/reports/ingest_and_views.sql'
--
-- The last 31 days with sessions; or as many as you say before:
--
--   .parameter set @days 90
--
-- Sums over the sessions of all livestreams, by the day of their start (UTC),
-- beside what rtk_livestream_analytics says of that day. `*` marks a day where
-- the two differ: in the number of sessions, or by more than a second for each.
-- Sessions of deleted livestreams, or around midnight, are reasons. One request
-- for the analytics, one for each page of livestreams, and one for the sessions
-- of each. What cannot be fetched is a row with an error, counted in the last
-- line: the sums are then too low.

.bail on
.mode list
.headers off

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_livestream;
CREATE TEMP TABLE report_livestream AS
SELECT id, error FROM rtk_livestreams;
DROP TABLE IF EXISTS temp.report_session;
CREATE TEMP TABLE report_session AS
SELECT s.id, CASE WHEN s.started_time >= '1971' THEN s.started_time
                  ELSE s.created_at END AS began,
       s.ingest_seconds, s.viewer_seconds, s.error
  FROM rtk_livestream_sessions AS s
 WHERE s.for_livestream_id IN (SELECT id FROM temp.report_livestream);
DROP TABLE IF EXISTS temp.report_analytics;
CREATE TEMP TABLE report_analytics AS
SELECT substr(a.date, 1, 10) AS date, a.count AS sessions,
       a.total_ingest_seconds AS ingest_seconds,
       a.total_viewer_seconds AS viewer_seconds, a.error
  FROM rtk_livestream_analytics AS a;
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

DROP TABLE IF EXISTS temp.report_day;
CREATE TEMP TABLE report_day AS
SELECT day, sum(n) AS sessions, total(ingest) AS ingest, total(views) AS views,
       sum(their_n) AS their_sessions, total(their_ingest) AS their_ingest,
       total(their_views) AS their_views
  FROM (SELECT substr(began, 1, 10) AS day, 1 AS n, ingest_seconds AS ingest,
               viewer_seconds AS views, 0 AS their_n, 0 AS their_ingest,
               0 AS their_views
          FROM temp.report_session WHERE id NOT NULL
         UNION ALL
        SELECT date, 0, 0, 0, sessions, ingest_seconds, viewer_seconds
          FROM temp.report_analytics WHERE date NOT NULL)
 GROUP BY day
HAVING sum(n) + sum(their_n) > 0
 ORDER BY day DESC LIMIT coalesce(@days, 31);
ALTER TABLE temp.report_day ADD COLUMN differs;
UPDATE temp.report_day
   SET differs = sessions <> their_sessions
              OR abs(ingest - their_ingest) > sessions
              OR abs(views - their_views) > sessions;

SELECT printf('%-10s  %26s    %26s', '', 'the sessions', 'analytics');
SELECT printf('%-10s  %8s  %8s  %6s    %8s  %8s  %6s', 'day', 'sessions',
              'ingest h', 'view h', 'sessions', 'ingest h', 'view h');
SELECT printf('%-10s  %8d  %8.2f  %6.2f    %8d  %8.2f  %6.2f%s', day, sessions,
              ingest / 3600.0, views / 3600.0, their_sessions,
              their_ingest / 3600.0, their_views / 3600.0,
              CASE WHEN differs THEN ' *' ELSE '' END)
  FROM temp.report_day
 ORDER BY day;

SELECT printf('%d days, %d differ (*); %d sessions, %d rows with an error',
              (SELECT count(*) FROM temp.report_day),
              (SELECT total(differs) FROM temp.report_day),
              (SELECT count(id) FROM temp.report_session), count(error))
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session
         UNION ALL SELECT error FROM temp.report_analytics);
SELECT 'the first: ' || error
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session
         UNION ALL SELECT error FROM temp.report_analytics)
 WHERE error NOT NULL LIMIT 1;
