-- Which recordings are about to be deleted?
--
--   sqlite3 -box my.db '.read sql/reports/expiring_recordings.sql'
--
-- RealtimeKit keeps a recording for 7 days. The report has those that it still
-- has, soonest deleted first. For another time than now put an option before
-- my.db, with all these quotes:
--
--   -cmd ".parameter set @now \"'2026-01-31'\""
--
-- Cost: one request for each 100 recordings. They are not downloaded, and no
-- link is shown. The link to one of them, for anybody who has it:
--
--   SELECT download_url FROM rtk_recording WHERE recording_id = 'ID';
--
--   deleted_at    7 days after the recording stopped, in UTC: RealtimeKit does
--                 not tell the time itself
--   hours_left    until then
--   meeting       its title, or its id if it has no title
--   recording_id, file
--   minutes       its length
--   megabytes     the size of the file
--
-- A recording that is written to a storage of your own is listed too, and stays
-- there. Without such recordings there is no result. Recordings that could not
-- be fetched are missing. A second result, on stderr, then lists the errors by
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
DROP TABLE IF EXISTS temp.report_now;
CREATE TEMP TABLE report_now(now CONSTRAINT
  "@now is no time: write ""'2026-01-31'"", with all these quotes"
  CHECK (julianday(now) NOT NULL AND typeof(now) = 'text'));
INSERT INTO temp.report_now
  VALUES (coalesce(@now, strftime('%Y-%m-%dT%H:%M:%SZ', 'now')));

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
DROP TABLE IF EXISTS temp.report_recording;
CREATE TEMP TABLE report_recording AS
SELECT id, coalesce(json_extract(meeting, '$.title'), meeting_id) AS meeting,
       output_file_name, stopped_time, recording_duration, file_size, error,
       error_kind
  FROM rtk_recordings WHERE expired = 0 AND statuses = 'UPLOADED';
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

DROP VIEW IF EXISTS temp.expiring_recordings;
CREATE TEMP VIEW expiring_recordings AS
SELECT strftime('%Y-%m-%d %H:%M', stopped_time, '+7 days') AS deleted_at,
       round(24 * (julianday(stopped_time, '+7 days') - julianday(now)), 1)
         AS hours_left,
       meeting, id AS recording_id,
       round(recording_duration / 60.0, 1) AS minutes,
       round(file_size / 1e6, 1) AS megabytes, output_file_name AS file
  FROM temp.report_recording, temp.report_now
 WHERE julianday(now) BETWEEN julianday(stopped_time)
                          AND julianday(stopped_time, '+7 days')
 ORDER BY julianday(stopped_time), id;

SELECT * FROM expiring_recordings;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM temp.report_recording WHERE error NOT NULL GROUP BY error_kind;
