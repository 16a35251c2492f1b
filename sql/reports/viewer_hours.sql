-- How much did each customer watch, by month?
--
--   sqlite3 -box my.db '.read sql/reports/viewer_hours.sql'
--
-- It needs a table of yours, customer_session(name, session_id): the livestream
-- sessions of each customer. Cost: one request for each session, in one batch.
--
--   customer, month   the month in which the sessions started, in UTC
--   sessions          their number; a session of two customers counts for both
--   viewer_hours      the time that viewers watched them, added up
--   not_started       sessions that have not started
--   gone              ids that the API does not know (404)
--   errors            sessions that could not be fetched
--
-- The last three have no month; a row without a month counts them. Errors make
-- sums too low. A second result, on stderr, then lists them by kind, each
-- with an example.

.bail on

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_customer_session;
CREATE TEMP TABLE report_customer_session AS
SELECT s.session_id, s.started_time, s.viewer_seconds, s.error, s.error_kind
  FROM rtk_livestream_session AS s
 WHERE s.session_id IN (SELECT session_id FROM customer_session);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

-- A time before 1971 is none.
DROP VIEW IF EXISTS temp.viewer_hours;
CREATE TEMP VIEW viewer_hours AS
SELECT c.name AS customer,
       CASE WHEN s.started_time >= '1971' THEN substr(s.started_time, 1, 7) END
         AS month,
       count(*) AS sessions,
       round(sum(s.viewer_seconds) / 3600.0, 2) AS viewer_hours,
       sum(s.session_id NOT NULL AND s.error IS NULL
           AND coalesce(s.started_time, '') < '1971') AS not_started,
       sum(s.session_id IS NULL) AS gone,
       count(s.error) AS errors
  FROM customer_session AS c
  LEFT JOIN temp.report_customer_session AS s ON s.session_id = c.session_id
 WHERE c.session_id NOT NULL
 GROUP BY 1, 2
 ORDER BY customer, month IS NULL, month;

SELECT * FROM viewer_hours;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM temp.report_customer_session
 WHERE error NOT NULL GROUP BY error_kind;
