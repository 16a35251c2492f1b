-- Which livestream sessions failed, and why?
--
--   sqlite3 -cmd '.load ./rtk' '' '.read sql/reports/failed_sessions.sql'
--
-- Of all livestreams of the app, the last failure first. One request for each
-- page of livestreams, and one for the sessions of each. What cannot be fetched
-- is a row with an error, counted in the last line: its failures are missing.

.bail on
.mode list
.headers off

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_livestream;
CREATE TEMP TABLE report_livestream AS
SELECT id, name, error FROM rtk_livestreams;
DROP TABLE IF EXISTS temp.report_session;
CREATE TEMP TABLE report_session AS
SELECT s.for_livestream_id, s.id,
       CASE WHEN s.started_time >= '1971' THEN s.started_time
            ELSE s.created_at END AS began,
       nullif(s.err_message, '') AS err_message, s.error
  FROM rtk_livestream_sessions AS s
 WHERE s.for_livestream_id IN (SELECT id FROM temp.report_livestream);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

SELECT printf('%-16s  %-!20s  %-36s  %s', 'started', 'livestream', 'session',
              'why');
SELECT printf('%-16s  %-!20.20s  %-36s  %s',
              replace(substr(s.began, 1, 16), 'T', ' '),
              replace(coalesce(l.name, l.id), char(10), ' '), s.id,
              replace(s.err_message, char(10), ' '))
  FROM temp.report_session AS s
  JOIN temp.report_livestream AS l ON l.id = s.for_livestream_id
 WHERE s.err_message NOT NULL
 ORDER BY s.began DESC, s.id;

SELECT printf('%d sessions, %d failed; %d rows with an error',
              (SELECT count(id) FROM temp.report_session),
              (SELECT count(err_message) FROM temp.report_session),
              count(error))
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session);
SELECT 'the first: ' || error
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session)
 WHERE error NOT NULL LIMIT 1;
