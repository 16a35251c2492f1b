-- Which livestreams has nobody watched?
--
--   sqlite3 -cmd '.load ./rtk' '' '.read sql/reports/unwatched.sql'
--
-- Those whose sessions sum up to no viewer seconds, or that have no sessions,
-- with what was ingested for nothing; the costliest first. One request for each
-- page of livestreams, and one for the sessions of each. A livestream that
-- cannot be fetched is not in the list: it is a row with an error, counted in
-- the last line. One that is deleted meanwhile is like one without sessions.

.bail on
.mode list
.headers off

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_livestream;
CREATE TEMP TABLE report_livestream AS
SELECT id, name, status, created_at, error FROM rtk_livestreams;
DROP TABLE IF EXISTS temp.report_session;
CREATE TEMP TABLE report_session AS
SELECT s.for_livestream_id, s.id, s.ingest_seconds, s.viewer_seconds, s.error
  FROM rtk_livestream_sessions AS s
 WHERE s.for_livestream_id IN (SELECT id FROM temp.report_livestream);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

DROP TABLE IF EXISTS temp.report_unwatched;
CREATE TEMP TABLE report_unwatched AS
SELECT l.id, l.name, l.status, l.created_at, count(s.id) AS sessions,
       total(s.ingest_seconds) AS ingest_seconds
  FROM temp.report_livestream AS l
  LEFT JOIN temp.report_session AS s ON s.for_livestream_id = l.id
 WHERE l.id NOT NULL
 GROUP BY l.id
HAVING count(s.error) = 0 AND total(s.viewer_seconds) = 0;

SELECT printf('%-10s  %-8s  %-!20s  %-36s  %8s  %12s', 'created', 'status',
              'livestream', 'id', 'sessions', 'ingest hours');
SELECT printf('%-10s  %-8s  %-!20.20s  %-36s  %8d  %12.2f',
              substr(created_at, 1, 10), status,
              replace(coalesce(name, ''), char(10), ' '), id, sessions,
              ingest_seconds / 3600)
  FROM temp.report_unwatched
 ORDER BY ingest_seconds DESC, created_at, id;

SELECT printf('%d livestreams, %d not watched; %d rows with an error',
              (SELECT count(id) FROM temp.report_livestream),
              (SELECT count(*) FROM temp.report_unwatched), count(error))
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session);
SELECT 'the first: ' || error
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session)
 WHERE error NOT NULL LIMIT 1;
