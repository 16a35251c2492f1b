-- What rtk does, in six steps. `make demo` runs this on a local server that plays
-- Cloudflare's API, with an account and an app set. For your own data put your
-- token, account and app into the environment: see README.md.
.mode box
.bail on
.load ./rtk

.print
.print 1. A table of the API: which livestreams are there?
SELECT name, status, created_at FROM rtk_livestreams LIMIT 5;

.print
.print 2. A join: how much was each of them watched?
SELECT l.name, count(*) AS sessions, sum(s.viewer_seconds) / 3600 AS viewer_hours,
       printf('%.*c', sum(s.viewer_seconds) / 360000, '*') AS chart
  FROM rtk_livestreams AS l
  JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id
 GROUP BY l.name ORDER BY viewer_hours DESC LIMIT 5;

-- The ids that an application of yours would have.
CREATE TABLE customer_session(name TEXT, session_id TEXT);
INSERT INTO customer_session
  SELECT CASE WHEN l.name < 'M' THEN 'Globex' ELSE 'Initech' END, s.id
    FROM rtk_livestreams AS l
    JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id;
INSERT INTO customer_session VALUES ('Hooli', 'a-session-that-is-gone');

.print
.print 3. A join with a table of your own. A LEFT JOIN keeps sessions that are gone.
SELECT c.name, count(*) AS sessions, count(s.id) AS found,
       sum(s.viewer_seconds) / 3600 AS viewer_hours
  FROM customer_session AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 GROUP BY c.name;

.print
.print 4. A report with a bar for each hour: sql/reports/concurrency.sql
.read sql/reports/concurrency.sql

.print
.print 5. Requests are scarce: what did all this cost?
SELECT name, value FROM rtk_stats
 WHERE name IN ('requests', 'from_memory', 'quota_left');

.print
.print 6. The join of step 3 again: from memory, with no further request.
SELECT count(s.id) AS sessions_found FROM customer_session AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT name, value FROM rtk_stats WHERE name = 'requests';

.print
.print "What next? Play on this server:  build/api -- sqlite3 -box -cmd '.load ./rtk' my.db"
.print "           Tables and reports:   SELECT * FROM rtk_help;"
.print "           Your own account:     README.md, 'Connect'"
