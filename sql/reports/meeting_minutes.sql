-- How many minutes did people meet, and the cost?
--
--   sqlite3 -box my.db '.read sql/reports/meeting_minutes.sql'
--
-- Cost: one request for each 100 meeting sessions.
--
--   month              of the sessions' start, in UTC
--   meeting            its name, or its id if it has no name
--   sessions           how many times people met
--   minutes            of all participants together
--   audio_minutes      of these, the minutes of audio rooms
--   recording_minutes  minutes that were recorded
--   dollars            all three at the prices below; the dearest come first
--   bar                the dollars as a bar, of 30 characters at most
--
-- Audio and recording minutes are in no description of the API. They are empty
-- where it does not send them; then they are not in the dollars, and audio
-- minutes have the price of the others. A session that still runs counts with
-- its minutes so far. Errors make sums too low. A second result, on stderr, then
-- lists them by kind, each with an example.

.bail on

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

-- EXAMPLE PRICES, to be edited: dollars per minute. They are list prices, as of
-- 2026: https://developers.cloudflare.com/realtime/realtimekit/platform/pricing/
-- Transcription has the price of the model that does it, and is left out.
DROP TABLE IF EXISTS temp.report_price;
CREATE TEMP TABLE report_price(kind TEXT PRIMARY KEY, dollars REAL);
INSERT INTO temp.report_price VALUES
  ('video', 0.002),      -- a participant with audio and video
  ('audio', 0.0005),     -- a participant with audio only
  ('recording', 0.010);  -- a recording of audio and video

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
-- A time before 1971 is none.
DROP TABLE IF EXISTS temp.report_meeting_session;
CREATE TEMP TABLE report_meeting_session AS
SELECT id, coalesce(nullif(meeting_display_name, ''), associated_id) AS meeting,
       associated_id AS meeting_id,
       CASE WHEN started_at >= '1971' THEN started_at ELSE created_at END
         AS started,
       minutes_consumed AS minutes,
       audio_room_minutes_consumed AS audio_minutes,
       recording_minutes_consumed AS recording_minutes, error, error_kind
  FROM rtk_meeting_sessions;
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

DROP VIEW IF EXISTS temp.meeting_minutes;
CREATE TEMP VIEW meeting_minutes AS
WITH price AS (
  SELECT max(dollars) FILTER (WHERE kind = 'video') AS video,
         max(dollars) FILTER (WHERE kind = 'audio') AS audio,
         max(dollars) FILTER (WHERE kind = 'recording') AS recording
    FROM temp.report_price
), total AS (
  SELECT substr(started, 1, 7) AS month, max(meeting) AS meeting,
         count(*) AS sessions, sum(minutes) AS minutes,
         sum(audio_minutes) AS audio_minutes,
         sum(recording_minutes) AS recording_minutes,
         (total(minutes) - total(audio_minutes)) * video
           + total(audio_minutes) * audio
           + total(recording_minutes) * recording AS dollars
    FROM temp.report_meeting_session, price
   WHERE id NOT NULL
   GROUP BY 1, meeting_id
)
SELECT month, meeting, sessions, minutes, audio_minutes, recording_minutes,
       dollars,
       substr(printf('%.30c', '█'), 1, CAST(round(
         30 * dollars / (SELECT max(dollars) FROM total)) AS INTEGER)) AS bar
  FROM total
 ORDER BY month, dollars DESC, meeting;

-- The view keeps parts of a cent, so that its sums are right.
SELECT month, meeting, sessions, minutes, audio_minutes, recording_minutes,
       round(dollars, 2) AS dollars, bar
  FROM meeting_minutes;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM temp.report_meeting_session WHERE error NOT NULL GROUP BY error_kind;
