-- How many livestream sessions ran at once?
--
--   sqlite3 -box my.db '.read sql/reports/concurrency.sql'
--
-- Hour by hour over the day with the most sessions at once. For another day put
-- an option before my.db, with all these quotes:
--
--   -cmd ".parameter set @day \"'2026-01-31'\""
--
-- Cost: one request for each 100 livestreams, and one for the sessions of each
-- livestream.
--
--   hour         its beginning, in UTC
--   sessions     the most that ran at the same time within the hour
--   bar          the same as a bar, of 50 characters at most
--
-- Hours without a session are left out. A session without stopped_time is still
-- running. A session counts for at least a second. Sessions that could not be
-- fetched are missing. A second result, on stderr, then lists the errors by
-- kind, each with an example.

.bail on

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

-- The name of a failed constraint is the error message.
DROP TABLE IF EXISTS temp.report_day;
CREATE TEMP TABLE report_day(day CONSTRAINT
  "@day is no date: write ""'2026-01-31'"", with all these quotes"
  CHECK (day IS date(day)));
INSERT INTO temp.report_day VALUES (@day);

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_livestream;
CREATE TEMP TABLE report_livestream AS
SELECT id, name, status, created_at, error, error_kind FROM rtk_livestreams;
-- A time before 1971 is none.
DROP TABLE IF EXISTS temp.report_session;
CREATE TEMP TABLE report_session AS
SELECT s.for_livestream_id, s.id, s.created_at,
       CASE WHEN s.started_time >= '1971' THEN s.started_time END
         AS started_time,
       CASE WHEN s.stopped_time >= '1971' THEN s.stopped_time END
         AS stopped_time,
       s.ingest_seconds, s.viewer_seconds, nullif(s.err_message, '')
         AS err_message, s.error, s.error_kind
  FROM rtk_livestream_sessions AS s
 WHERE s.for_livestream_id IN (SELECT id FROM temp.report_livestream);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

-- In seconds since 1970.
DROP VIEW IF EXISTS temp.report_span;
CREATE TEMP VIEW report_span AS
SELECT started_s, max(stopped_s, started_s + 1) AS stopped_s
  FROM (SELECT CAST(strftime('%s', started_time) AS INTEGER) AS started_s,
               CAST(strftime('%s', coalesce(stopped_time, 'now')) AS INTEGER)
                 AS stopped_s
          FROM temp.report_session)
 WHERE started_s NOT NULL;

-- Each start adds a session and each stop takes one away; the sum up to an
-- instant is the number that run. The beginning of an hour changes nothing: it
-- gives hours without a start or stop a sum.
DROP VIEW IF EXISTS temp.concurrency;
CREATE TEMP VIEW concurrency AS
WITH RECURSIVE change(at_s, by) AS (
  SELECT started_s, 1 FROM temp.report_span
   UNION ALL SELECT stopped_s, -1 FROM temp.report_span
), day(begin_s) AS (
  SELECT CAST(strftime('%s', coalesce(day, (
           SELECT date(at_s, 'unixepoch')
             FROM (SELECT at_s, sum(by) OVER (ORDER BY at_s) AS sessions
                     FROM change)
            ORDER BY sessions DESC, at_s DESC LIMIT 1))) AS INTEGER)
    FROM temp.report_day
), hour(at_s, h) AS (
  SELECT begin_s, 0 FROM day WHERE begin_s NOT NULL
   UNION ALL SELECT at_s + 3600, h + 1 FROM hour WHERE h < 23
), running AS (
  SELECT at_s, sum(by) OVER (ORDER BY at_s) AS sessions
    FROM (SELECT at_s, by FROM change UNION ALL SELECT at_s, 0 FROM hour)
), peak AS (
  SELECT hour.at_s, max(sessions) AS sessions
    FROM hour JOIN running
      ON running.at_s BETWEEN hour.at_s AND hour.at_s + 3599
   GROUP BY hour.at_s
)
SELECT strftime('%Y-%m-%d %H:%M', at_s, 'unixepoch') AS hour, sessions,
       substr(printf('%.50c', '█'), 1,
              (sessions * min(most, 50) + most - 1) / most) AS bar
  FROM peak, (SELECT max(sessions) AS most FROM peak)
 WHERE sessions > 0
 ORDER BY at_s;

SELECT * FROM concurrency;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM (SELECT error_kind, error FROM temp.report_livestream
         UNION ALL SELECT error_kind, error FROM temp.report_session)
 WHERE error NOT NULL GROUP BY error_kind;
