-- Views over a whole app (account and app of the settings), for your queries:
--
--   .read sql/views.sql
--   SELECT name, sum(viewer_hours) FROM session_hours GROUP BY name;
--
-- They are TEMP views: a view stored in a database must not make requests.
-- livestream_with_sessions, session_hours and failed_session request all
-- livestreams, then the sessions of each livestream in one batch. A condition
-- on their rows makes the result smaller but saves no request. The exception is
-- `livestream_id = …`, which requests the sessions of that livestream alone.
-- With on_error = 'row' each view has a row, with `error` set, for everything
-- that could not be fetched.

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

DROP VIEW IF EXISTS temp.livestream_with_sessions;
CREATE TEMP VIEW livestream_with_sessions AS
SELECT l.id AS livestream_id, l.name, l.status, s.id AS session_id,
       s.started_time, s.stopped_time, s.ingest_seconds, s.viewer_seconds,
       s.err_message, coalesce(l.error, s.error) AS error
  FROM rtk_livestreams AS l
  LEFT JOIN rtk_livestream_sessions AS s
    ON s.for_livestream_id = l.id
   AND s.for_livestream_id IN (SELECT id FROM rtk_livestreams);

DROP VIEW IF EXISTS temp.session_hours;
CREATE TEMP VIEW session_hours AS
SELECT session_id, livestream_id, name,
       CASE WHEN started_time >= '1971' THEN substr(started_time, 1, 10) END
         AS day,
       ingest_seconds / 3600.0 AS ingest_hours,
       viewer_seconds / 3600.0 AS viewer_hours,
       viewer_seconds * 1.0 / nullif(ingest_seconds, 0) AS average_viewers,
       error
  FROM livestream_with_sessions
 WHERE session_id NOT NULL OR error NOT NULL;

DROP VIEW IF EXISTS temp.failed_session;
CREATE TEMP VIEW failed_session AS
SELECT session_id, livestream_id, name, started_time, err_message, error
  FROM livestream_with_sessions
 WHERE err_message <> '' OR error NOT NULL;

-- Requests all livestreams, and one session for each livestream that is LIVE.
DROP VIEW IF EXISTS temp.running_now;
CREATE TEMP VIEW running_now AS
SELECT l.id AS livestream_id, l.name, s.id AS session_id, s.started_time,
       s.viewer_seconds, coalesce(l.error, s.error) AS error
  FROM rtk_livestreams AS l
  LEFT JOIN rtk_active_livestream_session AS s
    ON s.for_livestream_id = l.id
   AND s.for_livestream_id IN (SELECT id FROM rtk_livestreams
                                WHERE status = 'LIVE')
 WHERE l.status = 'LIVE';
