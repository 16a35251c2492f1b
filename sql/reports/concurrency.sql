-- How many livestream sessions ran at once, hour by hour over a day?
--
--   sqlite3 -cmd '.load ./rtk' '' '.read sql/reports/concurrency.sql'
--
-- The day is the last one on which a session started (UTC). For another one say
-- this before, with both kinds of quotes:
--
--   .parameter set @day "'2024-01-31'"
--
-- A bar is the most sessions that ran at the same time within the hour; where
-- they are many it is scaled to 50 characters. A session runs for a second at
-- least, and one without stopped_time still; a time before 1971 is none. One
-- request for each page of livestreams, and one for the sessions of each. What
-- cannot be fetched is a row with an error, counted in the last line: its
-- sessions are missing.

.bail on
.mode list
.headers off

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_livestream;
CREATE TEMP TABLE report_livestream AS
SELECT id, error FROM rtk_livestreams;
DROP TABLE IF EXISTS temp.report_session;
CREATE TEMP TABLE report_session AS
SELECT id, started_s, max(stopped_s, started_s + 1) AS stopped_s, error
  FROM (SELECT s.id, s.error,
               CASE WHEN s.started_time >= '1971'
                    THEN CAST(strftime('%s', s.started_time) AS INTEGER)
               END AS started_s,
               CAST(coalesce(CASE WHEN s.stopped_time >= '1971'
                                  THEN strftime('%s', s.stopped_time) END,
                             strftime('%s', 'now')) AS INTEGER) AS stopped_s
          FROM rtk_livestream_sessions AS s
         WHERE s.for_livestream_id IN (SELECT id FROM temp.report_livestream));
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

-- The sessions of that day alone, in seconds from its beginning.
DROP TABLE IF EXISTS temp.report_day;
CREATE TEMP TABLE report_day AS
WITH day(begin_s) AS (
  SELECT CAST(strftime('%s', coalesce(@day, date(last_s, 'unixepoch')))
           AS INTEGER)
    FROM (SELECT max(started_s) AS last_s FROM temp.report_session)
   WHERE @day IS date(@day)
)
SELECT begin_s, started_s - begin_s AS started_s, stopped_s - begin_s AS stopped_s
  FROM day LEFT JOIN temp.report_session
    ON started_s < begin_s + 86400 AND stopped_s > begin_s;

SELECT '@day is not written as the head of this file says: ' || @day
 WHERE @day IS NOT date(@day);
SELECT DISTINCT 'sessions at once on ' || date(begin_s, 'unixepoch') || ', UTC'
  FROM temp.report_day WHERE begin_s NOT NULL;
-- The number changes to a higher one only where a session starts.
WITH RECURSIVE hour(h) AS (
  SELECT 0 UNION ALL SELECT h + 1 FROM hour WHERE h < 23
), instant(h, at_s) AS (
  SELECT h, h * 3600 FROM hour
  UNION
  SELECT started_s / 3600, started_s FROM temp.report_day WHERE started_s > 0
), running(h, at_s, sessions) AS (
  SELECT i.h, i.at_s, count(d.started_s)
    FROM instant AS i LEFT JOIN temp.report_day AS d
      ON d.started_s <= i.at_s AND d.stopped_s > i.at_s
   GROUP BY i.h, i.at_s
), peak(h, sessions) AS (
  SELECT h, max(sessions) FROM running GROUP BY h
)
SELECT rtrim(printf('%02d:00  %4d  %s', h, sessions,
         replace(hex(zeroblob((sessions * min(most, 50) + most - 1) / most)),
                 '00', '█')))
  FROM peak, (SELECT max(max(sessions), 1) AS most FROM peak)
 WHERE (SELECT min(begin_s) FROM temp.report_day) NOT NULL
 ORDER BY h;

SELECT printf('%d sessions, %d of them on that day; %d rows with an error',
              (SELECT count(id) FROM temp.report_session),
              (SELECT count(started_s) FROM temp.report_day), count(error))
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session);
SELECT 'the first: ' || error
  FROM (SELECT error FROM temp.report_livestream
         UNION ALL SELECT error FROM temp.report_session)
 WHERE error NOT NULL LIMIT 1;
