-- What rtk does, in four queries and two reports. `make demo` runs this on a
-- local API server that plays Cloudflare's. To see your own sessions, put your
-- account, app and ids in, and your token into the environment
-- (CLOUDFLARE_API_TOKEN).
.mode box
.bail on
.load ./rtk

CREATE TABLE customer_session(name TEXT, session_id TEXT);
INSERT INTO customer_session VALUES
  ('Ada',   '00000000-0000-4000-8000-000000000001'),
  ('Ada',   '00000000-0000-4000-8000-000000000002'),
  ('Grace', '00000000-0000-4000-8000-000000000032'),
  ('Grace', '00000000-0000-4000-8000-000000000011'),
  ('Edsger', 'a-session-that-is-gone'),
  ('Barbara', NULL);

.print
.print 1. One session: each row is an API request, its data are the columns.
SELECT id, started_time, ingest_seconds, viewer_seconds
  FROM rtk_livestream_session('ACCOUNT', 'APP',
                              'cf55a850-c3fd-46b5-b5d2-25b3b9aa1686');

.print
.print 2. A join with a local table.
SELECT c.name, substr(s.started_time, 1, 16) AS started, s.viewer_seconds
  FROM customer_session AS c
  JOIN rtk_livestream_session('ACCOUNT', 'APP', c.session_id) AS s;

.print
.print 3. A LEFT JOIN keeps the customers whose session is gone, or has no id.
SELECT c.name, s.viewer_seconds, s.err_message
  FROM customer_session AS c
  LEFT JOIN rtk_livestream_session('ACCOUNT', 'APP', c.session_id) AS s;

.print
.print 4. A report. With IN all ids are asked for at once, as one batch.
SELECT c.name,
       count(*) AS sessions,
       round(sum(s.viewer_seconds) / 60.0, 1) AS viewer_minutes,
       round(1.0 * sum(s.viewer_seconds) / sum(s.ingest_seconds), 2)
         AS average_viewers
  FROM rtk_livestream_session('ACCOUNT', 'APP') AS s
  JOIN customer_session AS c ON c.session_id = s.session_id
 WHERE s.session_id IN (SELECT session_id FROM customer_session)
 GROUP BY c.name
 ORDER BY viewer_minutes DESC;

-- The reports take account and app from the settings.
SELECT 1 WHERE rtk_config('account', 'ACCOUNT') || rtk_config('app', 'APP') = '';

.print
.print 5. sql/reports/viewer_hours.sql: by customer and month, errors counted.
.read sql/reports/viewer_hours.sql

.print
.print 6. sql/reports/concurrency.sql: a day of all livestreams, from their list.
.read sql/reports/concurrency.sql

.print
.print 7. An error says what happened and what to do: here the app does not exist.
.bail off
SELECT id FROM rtk_livestream_session('ACCOUNT', 'NO-SUCH-APP', 'any');
