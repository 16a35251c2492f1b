-- Which participants had a bad connection?
--
--   sqlite3 -box my.db '.read sql/reports/bad_calls.sql'
--
-- The last 20 meeting sessions. For more put an option before my.db:
--
--   -cmd '.parameter set @last 100'
--
-- Cost: one request for each 100 sessions, one for each 100 participants of a
-- session, and one for each participant. RealtimeKit keeps the reports for six
-- months.
--
--   started, meeting, participant  as in attendance.sql, without names
--   mos          the lowest mean opinion score of audio and video, sent and
--                received: 1 (bad) to 5
--   packet_loss  the highest share of packets lost, in percent
--   rtt_ms       the longest mean round trip
--   bad          which of the three are beyond their thresholds, see below
--
-- The lowest score comes first. Without bad connections there is no result.
-- Reports that could not be fetched are missing. A second result, on stderr,
-- then lists the errors by kind, each with an example.

.bail on

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

-- Thresholds, to be edited. Below a score of 3 most people find a call bad.
-- Gaps are heard from some percent of lost packets on, and from a quarter of a
-- second on people speak at the same time.
DROP TABLE IF EXISTS temp.report_threshold;
CREATE TEMP TABLE report_threshold AS
SELECT 3.0 AS least_mos, 3.0 AS most_packet_loss, 250 AS most_rtt_ms;

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
-- A time before 1971 is none.
DROP TABLE IF EXISTS temp.report_last_session;
CREATE TEMP TABLE report_last_session AS
SELECT id, coalesce(nullif(meeting_display_name, ''), associated_id) AS meeting,
       CASE WHEN started_at >= '1971' THEN started_at ELSE created_at END
         AS started, error, error_kind
  FROM rtk_meeting_sessions
 WHERE sort_by = 'createdAt' AND sort_order = 'DESC' LIMIT coalesce(@last, 20);
DROP TABLE IF EXISTS temp.report_participant;
CREATE TEMP TABLE report_participant AS
SELECT p.meeting_session_id, p.id, p.peer_events, p.error, p.error_kind,
       coalesce(nullif(p.custom_participant_id, ''), p.id) AS participant
  FROM rtk_meeting_session_participants AS p
 WHERE p.meeting_session_id IN (SELECT id FROM temp.report_last_session)
   AND p.include_peer_events = 1;
-- Each time that a participant joins is a peer, with a report of its own.
DROP TABLE IF EXISTS temp.report_peer;
CREATE TEMP TABLE report_peer AS
SELECT DISTINCT p.meeting_session_id, p.participant,
       json_extract(event.value, '$.peer_id') AS peer_id
  FROM temp.report_participant AS p, json_each(p.peer_events) AS event;
DROP TABLE IF EXISTS temp.report_quality;
CREATE TEMP TABLE report_quality AS
SELECT peer_id, audio_producer_mos, audio_consumer_mos, video_producer_mos,
       video_consumer_mos, audio_producer_packet_loss,
       audio_consumer_packet_loss, video_producer_packet_loss,
       video_consumer_packet_loss, audio_producer_rtt, video_producer_rtt,
       error, error_kind
  FROM rtk_peer_report
 WHERE peer_id IN (SELECT peer_id FROM temp.report_peer);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

-- A figure that is not there is NULL, and makes min() and max() of two NULL: so
-- each figure is a row. A score of 0 was not measured.
DROP VIEW IF EXISTS temp.report_figure;
CREATE TEMP VIEW report_figure AS
SELECT peer_id, nullif(audio_producer_mos, 0) AS mos,
       100 * audio_producer_packet_loss AS loss, audio_producer_rtt AS rtt
  FROM temp.report_quality
 UNION ALL SELECT peer_id, nullif(audio_consumer_mos, 0),
       100 * audio_consumer_packet_loss, NULL FROM temp.report_quality
 UNION ALL SELECT peer_id, nullif(video_producer_mos, 0),
       100 * video_producer_packet_loss, video_producer_rtt
  FROM temp.report_quality
 UNION ALL SELECT peer_id, nullif(video_consumer_mos, 0),
       100 * video_consumer_packet_loss, NULL FROM temp.report_quality;

DROP VIEW IF EXISTS temp.bad_calls;
CREATE TEMP VIEW bad_calls AS
WITH worst AS (
  SELECT p.meeting_session_id, p.participant, min(f.mos) AS mos,
         max(f.loss) AS loss, max(f.rtt) AS rtt
    FROM temp.report_peer AS p JOIN temp.report_figure AS f USING (peer_id)
   GROUP BY p.meeting_session_id, p.participant
)
SELECT replace(substr(s.started, 1, 16), 'T', ' ') AS started, s.meeting,
       w.participant, round(w.mos, 1) AS mos, round(w.loss, 1) AS packet_loss,
       CAST(round(w.rtt) AS INTEGER) AS rtt_ms,
       trim(CASE WHEN mos < least_mos THEN 'mos ' ELSE '' END ||
            CASE WHEN loss > most_packet_loss THEN 'packet_loss ' ELSE '' END ||
            CASE WHEN rtt > most_rtt_ms THEN 'rtt_ms' ELSE '' END) AS bad
  FROM worst AS w, temp.report_threshold
  JOIN temp.report_last_session AS s ON s.id = w.meeting_session_id
 WHERE w.mos < least_mos OR w.loss > most_packet_loss OR w.rtt > most_rtt_ms
 ORDER BY w.mos IS NULL, w.mos, s.started DESC, w.participant;

SELECT * FROM bad_calls;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM (SELECT error_kind, error FROM temp.report_last_session
         UNION ALL SELECT error_kind, error FROM temp.report_participant
         UNION ALL SELECT error_kind, error FROM temp.report_quality)
 WHERE error NOT NULL GROUP BY error_kind;
