-- Who attended, and how long?
--
--   sqlite3 -box my.db '.read sql/reports/attendance.sql'
--
-- The last 20 meeting sessions. Names are personal data and are left out. For
-- more sessions, and for names, put options before my.db:
--
--   -cmd '.parameter set @last 100' -cmd '.parameter set @names 1'
--
-- Cost: one request for each 100 sessions, and one for each 100 participants of
-- each session.
--
--   started      of the session, in UTC; the last session comes first
--   meeting      its name, or its id if it has no name
--   participant  your own id of the participant, or RealtimeKit's if there is
--                none; with @names the name
--   preset       what the participant was allowed to do
--   joined       how many times the participant joined
--   minutes      how long the participant was there, in all; of a participant
--                who is still there: so far, or empty
--
-- Participants of a session that could not be fetched are missing. A second
-- result, on stderr, then lists the errors by kind, each with an example.

.bail on

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

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
SELECT p.meeting_session_id, p.id, p.custom_participant_id, p.preset_name,
       p.duration,
       CASE WHEN @names = 1 THEN p.display_name END AS name, p.error,
       p.error_kind
  FROM rtk_meeting_session_participants AS p
 WHERE p.meeting_session_id IN (SELECT id FROM temp.report_last_session);
SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

DROP VIEW IF EXISTS temp.attendance;
CREATE TEMP VIEW attendance AS
SELECT replace(substr(s.started, 1, 16), 'T', ' ') AS started, s.meeting,
       coalesce(nullif(p.name, ''), nullif(p.custom_participant_id, ''), p.id)
         AS participant,
       max(p.preset_name) AS preset, count(*) AS joined,
       round(sum(p.duration), 1) AS minutes
  FROM temp.report_last_session AS s
  JOIN temp.report_participant AS p ON p.meeting_session_id = s.id
 WHERE p.id NOT NULL
 GROUP BY s.id, coalesce(nullif(p.custom_participant_id, ''), p.id)
 ORDER BY s.started DESC, s.id, sum(p.duration) DESC, participant;

SELECT * FROM attendance;
.once '|cat >&2'
SELECT error_kind, count(*) AS errors, min(error) AS example
  FROM (SELECT error_kind, error FROM temp.report_last_session
         UNION ALL SELECT error_kind, error FROM temp.report_participant)
 WHERE error NOT NULL GROUP BY error_kind;
