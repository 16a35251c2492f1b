-- Views over a whole app (the settings' account and app), for your own queries:
--
--   .load ./rtk
--   .read sql/views.sql
--   SELECT name, sum(viewer_hours) FROM session_hours GROUP BY name;
--
-- TEMP, for a database must not make requests by itself. Each view asks for all
-- livestreams and then, in one batch, for the sessions of each. A condition on
-- its rows makes the answer shorter, not the requests fewer; but for
-- `livestream_id = …`, which asks for the sessions of that one alone. With
-- on_error = 'row' what could not be fetched is a row with its `error`, in each.

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

-- One request for each livestream that is LIVE, and no others.
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
