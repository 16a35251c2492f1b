-- How many hours did viewers watch, by customer and month?
--
--   sqlite3 -cmd '.load ./rtk' my.db '.read sql/reports/viewer_hours.sql'
--
-- It wants a table of your own: customer_session(name, session_id), the
-- livestream sessions of each customer. One request a session, all in one
-- batch. A session that cannot be fetched counts in the month `error`, so that
-- a sum which is too low can be told; one that the API does not know (404), or
-- whose id cannot be asked for, in `gone`; one without a start in `not yet`.
-- Months are UTC, of the start. The last line adds up the column `sessions`: one
-- that two customers share counts for each.

.bail on
.mode list
.headers off

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_session;
CREATE TEMP TABLE report_session AS
SELECT s.session_id, s.started_time, s.viewer_seconds, s.error
  FROM rtk_livestream_session AS s
 WHERE s.session_id IN (SELECT session_id FROM customer_session);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

DROP TABLE IF EXISTS temp.report_line;
CREATE TEMP TABLE report_line AS
SELECT c.name, s.viewer_seconds, s.error,
       CASE WHEN s.session_id IS NULL THEN 'gone'
            WHEN s.error NOT NULL THEN 'error'
            WHEN s.started_time >= '1971' THEN substr(s.started_time, 1, 7)
            ELSE 'not yet'
       END AS month
  FROM customer_session AS c
  LEFT JOIN temp.report_session AS s ON s.session_id = c.session_id
 WHERE c.session_id NOT NULL;

SELECT printf('%-!24s  %-7s  %8s  %12s', 'customer', 'month', 'sessions',
              'viewer hours');
SELECT printf('%-!24.24s  %-7s  %8d  %12s', replace(name, char(10), ' '), month,
              count(*),
              CASE WHEN count(viewer_seconds) = 0 THEN '-'
                   ELSE printf('%.2f', sum(viewer_seconds) / 3600.0) END)
  FROM temp.report_line
 GROUP BY name, month
 ORDER BY name, month;

SELECT printf('%d sessions, %d gone, %d with an error', count(*),
              total(month = 'gone'), count(error))
  FROM temp.report_line;
SELECT 'the first: ' || error FROM temp.report_session
 WHERE error NOT NULL ORDER BY rowid LIMIT 1;
