-- Keeps an app's data in ordinary tables: RealtimeKit deletes recordings, chat
-- and transcripts after 7 days, and call analytics after 6 months.
--
--   cd /path/to/rtk && sqlite3 -bail /home/you/my.db '.read sql/archive.sql'
--
-- The environment names the token, the account and the app, as for a query. The
-- first run creates the tables; every run goes on where the last one stopped:
--   1. lists, each from an hour before the newest row that is stored: apps,
--      meetings, meeting sessions, recordings, livestreams, days
--   2. meeting sessions that had not ended, one by one, if the list did not
--      have them
--   3. of each session that has ended: the transcript, chat and summary, in the
--      order of their deletion; of each livestream: the sessions; of
--      each session that has ended: the participants, the newest session first
-- Tables and their keys (times are UTC; columns are those of rtk's tables):
--   app(id)          meeting(id)       meeting_session(id), with meeting_id
--   recording(id)    livestream(id)    participant(meeting_session_id, id)
--   transcript_line, chat_message(meeting_session_id, line)
--   summary(meeting_session_id)
--   session_day(app, day)              recording_day(app, day)
--   rtk_session(session_id)   livestream sessions: the table of sync.sql, which
--                             dashboard.sql reads; livestream_session: its view
-- Deleted rows stay. The tables hold no link, stream key or other secret, but
-- names: display_name.
--
-- A session has ended for good when ended_at is at least 30 minutes past. It is
-- then never requested again, nor are its participants. archive_read holds what
-- was read for good, archive_list how far each list was read, archive_failed
-- what failed: five times in a row, and it rests for a day.
--
-- A run requests the details of at most 1,000 ids of a kind. Parameters:
--   -cmd '.parameter set @limit 100'   another number
--   -cmd '.parameter set @dry_run 1'   no request: prints what a run would cost
--
-- The last line: `N new, N updated, N left for the next run, N requests of N`.
-- New and updated are rows. Left are ids and lists that the next run requests,
-- sessions that still run among them. The last N is what the quota allowed.
--
-- Each step is fetched without a lock on the database, and stored in one
-- transaction. The quota's end is no failure. A run may be killed at any time:
-- steps that were stored are not requested again, and with RTK_CACHE_FILE set,
-- the next run finds in that file what had arrived of the others. Exit codes:
--   0  Good, even if some ids failed or the quota was used up.
--   1  The list of meeting sessions could not be read, or anything else: no
--      token, HTTP 401, no account, a locked database. stderr has the message.

.bail on
.echo off
.changes off
.eqp off
.stats off
.timer off
.headers off
.mode list
.timeout 60000

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;
SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;
SELECT 1 WHERE rtk_config('cache_ttl_live_s', 0) IS NULL; -- see step 1

-- --- tables ------------------------------------------------------------------

BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS main.app(
  id TEXT NOT NULL PRIMARY KEY, name TEXT, created_at TEXT
);
CREATE TABLE IF NOT EXISTS main.meeting(
  id TEXT NOT NULL PRIMARY KEY, app TEXT, title TEXT, status TEXT,
  live_stream_on_start INTEGER, record_on_start INTEGER, persist_chat INTEGER,
  summarize_on_end INTEGER, transcribe_on_end INTEGER,
  session_keep_alive_time_in_secs NUMERIC, created_at TEXT, updated_at TEXT
);
CREATE TABLE IF NOT EXISTS main.meeting_session(
  id TEXT NOT NULL PRIMARY KEY, app TEXT, meeting_id TEXT,
  meeting_display_name TEXT, status TEXT, type TEXT,
  max_concurrent_participants NUMERIC, minutes_consumed NUMERIC,
  started_at TEXT, ended_at TEXT, created_at TEXT, updated_at TEXT
);
CREATE TABLE IF NOT EXISTS main.participant(
  meeting_session_id TEXT NOT NULL, id TEXT NOT NULL, display_name TEXT,
  custom_participant_id TEXT, user_id TEXT, joined_at TEXT, left_at TEXT,
  duration NUMERIC, created_at TEXT, updated_at TEXT, preset_name TEXT,
  PRIMARY KEY (meeting_session_id, id)
);
CREATE TABLE IF NOT EXISTS main.recording(
  id TEXT NOT NULL PRIMARY KEY, app TEXT, meeting_id TEXT,
  meeting_session_id TEXT, output_file_name TEXT, status TEXT,
  invoked_time TEXT, started_time TEXT, stopped_time TEXT,
  recording_duration NUMERIC, file_size NUMERIC, download_url_expiry TEXT
);
CREATE TABLE IF NOT EXISTS main.livestream(
  id TEXT NOT NULL PRIMARY KEY, app TEXT, name TEXT, status TEXT,
  meeting_id TEXT, disabled INTEGER, ingest_server TEXT, playback_url TEXT,
  created_at TEXT, updated_at TEXT
);
CREATE TABLE IF NOT EXISTS main.transcript_line(
  meeting_session_id TEXT NOT NULL, line INTEGER NOT NULL, timestamp NUMERIC,
  peer_id TEXT, user_id TEXT, custom_participant_id TEXT, display_name TEXT,
  transcript TEXT, PRIMARY KEY (meeting_session_id, line)
);
CREATE TABLE IF NOT EXISTS main.chat_message(
  meeting_session_id TEXT NOT NULL, line INTEGER NOT NULL, id TEXT,
  participant_id TEXT, display_name TEXT, payload_type TEXT, payload TEXT,
  pinned INTEGER, is_edited INTEGER, created_at TEXT,
  PRIMARY KEY (meeting_session_id, line)
);
CREATE TABLE IF NOT EXISTS main.summary(
  meeting_session_id TEXT NOT NULL PRIMARY KEY, text TEXT
);
CREATE TABLE IF NOT EXISTS main.session_day(
  app TEXT NOT NULL, day TEXT NOT NULL, total_sessions NUMERIC,
  total_session_minutes NUMERIC, PRIMARY KEY (app, day)
);
CREATE TABLE IF NOT EXISTS main.recording_day(
  app TEXT NOT NULL, day TEXT NOT NULL, total_recordings NUMERIC,
  total_recording_minutes NUMERIC, PRIMARY KEY (app, day)
);
CREATE TABLE IF NOT EXISTS main.rtk_session( -- as in sync.sql
  session_id TEXT NOT NULL PRIMARY KEY, account TEXT, app TEXT,
  id TEXT, created_at TEXT, err_message TEXT, ingest_seconds NUMERIC,
  livestream_id TEXT, started_time TEXT, stopped_time TEXT, updated_at TEXT,
  viewer_seconds NUMERIC,
  fetched_at TEXT, tried_at TEXT, gone_at TEXT, error TEXT
);
CREATE VIEW IF NOT EXISTS main.livestream_session AS
SELECT id, app, livestream_id, err_message, ingest_seconds, viewer_seconds,
       started_time, stopped_time, created_at, updated_at
  FROM rtk_session WHERE fetched_at NOT NULL;

-- Reports over the archive. The prices are examples, to be edited: dollars for a
-- participant's minute (reports/meeting_minutes.sql names the source).
CREATE TABLE IF NOT EXISTS main.archive_price(
  kind TEXT NOT NULL PRIMARY KEY, dollars REAL);
INSERT OR IGNORE INTO main.archive_price VALUES ('video', 0.002);
CREATE VIEW IF NOT EXISTS main.archive_minutes AS
SELECT substr(s.started_at, 1, 7) AS month,
       coalesce(m.title, s.meeting_display_name, s.meeting_id) AS meeting,
       count(*) AS sessions, sum(s.minutes_consumed) AS minutes,
       round(sum(s.minutes_consumed) * p.dollars, 2) AS dollars
  FROM meeting_session AS s LEFT JOIN meeting AS m ON m.id = s.meeting_id
       JOIN archive_price AS p ON p.kind = 'video'
 GROUP BY 1, s.meeting_id ORDER BY month, minutes DESC;
CREATE VIEW IF NOT EXISTS main.archive_attendance AS
SELECT s.started_at AS started, s.meeting_display_name AS meeting,
       coalesce(p.custom_participant_id, p.user_id, p.id) AS participant,
       round(sum(p.duration), 1) AS minutes
  FROM participant AS p JOIN meeting_session AS s ON s.id = p.meeting_session_id
 GROUP BY s.id, 3 ORDER BY started DESC, minutes DESC;
CREATE VIEW IF NOT EXISTS main.archive_expiring AS
SELECT strftime('%Y-%m-%d %H:%M', stopped_time, '+7 days') AS deleted_at,
       coalesce(m.title, r.meeting_id) AS meeting, r.id AS recording_id,
       r.output_file_name AS file
  FROM recording AS r LEFT JOIN meeting AS m ON m.id = r.meeting_id
 WHERE r.status = 'UPLOADED'
   AND julianday(stopped_time, '+7 days') > julianday('now')
 ORDER BY stopped_time;

CREATE TABLE IF NOT EXISTS main.archive_list(
  list TEXT NOT NULL, app TEXT NOT NULL,
  read_to TEXT, -- created_at of the newest row up to which all are stored
  PRIMARY KEY (list, app)
);
CREATE TABLE IF NOT EXISTS main.archive_read(
  kind TEXT NOT NULL, -- session, participants, livestream, rtk_chat_messages
  id TEXT NOT NULL,
  read_at TEXT, -- when the run began
  PRIMARY KEY (kind, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS main.archive_failed(
  kind TEXT NOT NULL, id TEXT NOT NULL, failures INTEGER, -- in a row
  failed_at TEXT, error TEXT, PRIMARY KEY (kind, id)
);
CREATE INDEX IF NOT EXISTS main.meeting_session_created
  ON meeting_session(app, created_at);
CREATE INDEX IF NOT EXISTS main.meeting_session_meeting
  ON meeting_session(meeting_id);
CREATE INDEX IF NOT EXISTS main.rtk_session_livestream
  ON rtk_session(livestream_id);
COMMIT;

-- --- the run -----------------------------------------------------------------

CREATE TEMP VIEW stored AS
SELECT (SELECT count(*) FROM main.app) + (SELECT count(*) FROM main.meeting)
     + (SELECT count(*) FROM main.meeting_session)
     + (SELECT count(*) FROM main.participant)
     + (SELECT count(*) FROM main.recording)
     + (SELECT count(*) FROM main.livestream)
     + (SELECT count(*) FROM main.rtk_session)
     + (SELECT count(*) FROM main.transcript_line)
     + (SELECT count(*) FROM main.chat_message)
     + (SELECT count(*) FROM main.summary)
     + (SELECT count(*) FROM main.session_day)
     + (SELECT count(*) FROM main.recording_day) AS rows;

-- The name of a failed constraint is the error message.
CREATE TEMP TABLE run(
  account, app,
  began_at, settled_at, -- what ended before settled_at has ended for good
  most, is_dry, rows, requests, quota,
  CONSTRAINT "no account: set CLOUDFLARE_ACCOUNT_ID" CHECK (account NOT NULL),
  CONSTRAINT "no app: set REALTIMEKIT_APP_ID" CHECK (app NOT NULL),
  CONSTRAINT "@limit is a number" CHECK (typeof(most) = 'integer'),
  CONSTRAINT "@dry_run is 1, or not set" CHECK (is_dry IN (0, 1))
);
INSERT INTO run
SELECT rtk_config('account'), rtk_config('app'),
       strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
       strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-30 minutes'),
       coalesce(@limit, 1000), coalesce(@dry_run, 0), rows,
       (SELECT value FROM rtk_stats WHERE name = 'requests'),
       coalesce((SELECT value FROM rtk_stats WHERE name = 'quota_left'),
                nullif(rtk_config('quota'), 0))
  FROM stored;

-- What is to be requested one by one, but for ids that rest.
CREATE TEMP TABLE text_kind AS
SELECT DISTINCT name AS kind FROM pragma_module_list
 WHERE name IN ('rtk_transcript_lines', 'rtk_chat_messages',
                'rtk_summary_text');
-- A text may come late: where there is none within a day of the session's end,
-- it is asked for once more after that day.
CREATE TEMP VIEW early AS
SELECT id, julianday(ended_at) > julianday(began_at) - 1 AS is_early
  FROM main.meeting_session, run;
CREATE TEMP VIEW lacking AS
WITH unfinished AS (
  SELECT s.* FROM main.meeting_session AS s
   WHERE NOT EXISTS (SELECT 1 FROM main.archive_read
                      WHERE kind = 'session' AND id = s.id)
), wish AS (
  SELECT 'participants' AS kind, id, app, created_at FROM main.meeting_session
  UNION ALL
  SELECT kind, id, s.app, created_at
    FROM text_kind, run, main.meeting_session AS s
   WHERE julianday(ended_at) BETWEEN julianday(began_at) - 7
                                 AND julianday(began_at) - 1 / 24.0
), lack AS (
  SELECT 'session' AS kind, id, app, created_at FROM unfinished
  UNION ALL
  SELECT * FROM wish
   WHERE EXISTS (SELECT 1 FROM main.archive_read
                  WHERE kind = 'session' AND id = wish.id)
     AND NOT EXISTS (SELECT 1 FROM main.archive_read AS r, early
                      WHERE (r.kind = wish.kind
                          OR r.kind = wish.kind || ', none yet' AND is_early)
                        AND r.id = wish.id AND early.id = wish.id)
  UNION ALL
  -- New, or its meeting has met since, or it was on when it was read. While
  -- the meeting is on, its end is waited for.
  SELECT 'livestream', l.id, l.app, l.created_at
    FROM main.livestream AS l
    LEFT JOIN main.archive_read AS r ON r.kind = 'livestream' AND r.id = l.id
   WHERE NOT EXISTS (SELECT 1 FROM unfinished WHERE meeting_id = l.meeting_id)
     AND (r.id IS NULL
       OR EXISTS (SELECT 1 FROM main.meeting_session AS s
              CROSS JOIN main.archive_read AS e -- in this order
                      ON e.kind = 'session' AND e.id = s.id
                   WHERE s.meeting_id = l.meeting_id AND e.read_at > r.read_at)
       OR EXISTS (SELECT 1 FROM main.rtk_session AS s, run
                   WHERE s.livestream_id = l.id
                     AND julianday(s.created_at) > julianday(began_at) - 8
                     AND coalesce(julianday(s.stopped_time)
                           > julianday(s.fetched_at) - 1 / 24.0, 1)))
)
SELECT kind, id, created_at FROM lack
 WHERE app = (SELECT app FROM run)
   AND NOT EXISTS (
         SELECT 1 FROM main.archive_failed AS f
          WHERE f.kind = lack.kind AND f.id = lack.id AND f.failures >= 5
            AND julianday(f.failed_at) > julianday('now') - 1);

SELECT printf('dry run: %d requests at least (%d lists, %d sessions, %d texts, '
         || '%d livestreams, %d lists of participants)', lists + ids, lists,
         sessions, texts, livestreams, participants)
       || CASE WHEN quota NOT NULL
            THEN printf(', %d of which the quota allows',
                        min(quota, lists + ids)) ELSE '' END
  FROM run, (SELECT 7 AS lists, count(*) AS ids,
                    total(kind = 'session') AS sessions,
                    total(kind GLOB 'rtk_*') AS texts,
                    total(kind = 'livestream') AS livestreams,
                    total(kind = 'participants') AS participants FROM lacking)
 WHERE is_dry;

CREATE TEMP TABLE tally(rows);               -- changed by each step
CREATE TEMP TABLE problem(kind, id, error, error_kind);

-- --- step 1: lists -----------------------------------------------------------

-- From where each list is read. An hour's margin: rows may become visible late,
-- and the API does not say whether start_time itself is included.
CREATE TEMP TABLE since(list PRIMARY KEY, start_time);
INSERT INTO since
WITH list(list, open_from) AS (
  SELECT 'app', NULL UNION ALL SELECT 'meeting', NULL
  UNION ALL
  -- Those that had not ended, if all from there on fit into a page.
  SELECT 'livestream', min(created_at)
    FROM (SELECT status, created_at FROM main.livestream
           WHERE app = (SELECT app FROM run)
           ORDER BY created_at DESC LIMIT 50)
   WHERE status IN ('LIVE', 'INVOKED')
  UNION ALL
  SELECT 'meeting_session', min(created_at)
    FROM (SELECT id, created_at FROM main.meeting_session
           WHERE app = (SELECT app FROM run)
           ORDER BY created_at DESC LIMIT 50) AS s
   WHERE NOT EXISTS (SELECT 1 FROM main.archive_read
                      WHERE kind = 'session' AND id = s.id)
  UNION ALL
  SELECT 'recording', min(invoked_time) FROM main.recording, run
   WHERE recording.app = run.app AND status NOT IN ('UPLOADED', 'ERRORED')
     AND julianday(invoked_time) > julianday(began_at) - 8
)
SELECT list, coalesce(strftime('%Y-%m-%dT%H:%M:%fZ',
               min(read_to, coalesce(open_from, read_to)), '-1 hour'),
               '2015-01-01T00:00:00.000Z')
  FROM run CROSS JOIN list LEFT JOIN main.archive_list USING (app, list)
 WHERE NOT is_dry;

-- TEMP tables only, so that a fetch does not lock the database: rtk's own would
-- count as part of it. CROSS JOIN: no request without a row on its left.
CREATE VIRTUAL TABLE temp.apps USING rtk_apps;
CREATE VIRTUAL TABLE temp.meetings USING rtk_meetings;
CREATE VIRTUAL TABLE temp.meeting_sessions USING rtk_meeting_sessions;
CREATE VIRTUAL TABLE temp.one_meeting_session USING rtk_meeting_session;
CREATE VIRTUAL TABLE temp.recordings USING rtk_recordings;
CREATE VIRTUAL TABLE temp.livestreams USING rtk_livestreams;
CREATE VIRTUAL TABLE temp.session_days USING rtk_session_days;
CREATE VIRTUAL TABLE temp.recording_days USING rtk_recording_days;
CREATE VIRTUAL TABLE temp.participants USING rtk_meeting_session_participants;
CREATE VIRTUAL TABLE temp.sessions USING rtk_livestream_sessions;

-- Every list is stored like this: what differs from the stored rows replaces
-- them. Lists in the order of time have been read as far as they came before
-- the quota ended; the others, or if a page failed, only if all of them came. No list may lose a row between two pages:
-- new rows come at the end of a list that begins with the oldest. Recordings
-- are deleted, the oldest first, so their list begins with the newest: a new
-- one only makes another come twice.
CREATE TEMP TABLE got_app AS SELECT *, '' AS error, '' AS kind FROM main.app
 WHERE 0;
INSERT INTO got_app
SELECT a.id, a.name, a.created_at, a.error, a.error_kind
  FROM since CROSS JOIN temp.apps AS a WHERE list = 'app';
INSERT INTO problem SELECT 'app', NULL, error, kind FROM got_app
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.app
SELECT id, name, created_at FROM got_app WHERE error IS NULL
EXCEPT SELECT * FROM main.app;
INSERT INTO tally VALUES (changes());
COMMIT;

CREATE TEMP TABLE got_recording AS SELECT *, '' AS error, '' AS kind
  FROM main.recording WHERE 0;
INSERT INTO got_recording
SELECT a.id, run.app, a.meeting_id, a.meeting_session_id, a.output_file_name,
       a.status, a.invoked_time, a.started_time, a.stopped_time,
       a.recording_duration, a.file_size, a.download_url_expiry, a.error,
       a.error_kind
  FROM since CROSS JOIN run CROSS JOIN temp.recordings AS a
 WHERE list = 'recording' AND a.start_time = since.start_time
   AND a.sort_by = 'invokedTime' AND a.sort_order = 'DESC';
INSERT INTO problem SELECT 'recording', NULL, error, kind FROM got_recording
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.recording
SELECT id, app, meeting_id, meeting_session_id, output_file_name, status,
       invoked_time, started_time, stopped_time, recording_duration, file_size,
       download_url_expiry
  FROM got_recording WHERE error IS NULL
EXCEPT SELECT * FROM main.recording;
INSERT INTO tally VALUES (changes());
INSERT INTO main.archive_list
SELECT 'recording', app, read_to
  FROM run, (SELECT max(invoked_time) AS read_to FROM got_recording
              WHERE error IS NULL)
 WHERE read_to NOT NULL
   AND NOT EXISTS (SELECT 1 FROM problem WHERE problem.kind = 'recording')
    ON CONFLICT(list, app) DO UPDATE
   SET read_to = max(read_to, excluded.read_to);
COMMIT;

CREATE TEMP TABLE got_meeting AS SELECT *, '' AS error, '' AS kind
  FROM main.meeting WHERE 0;
INSERT INTO got_meeting
SELECT a.id, run.app, a.title, a.status, a.live_stream_on_start,
       a.record_on_start, a.persist_chat, a.summarize_on_end,
       a.transcribe_on_end, a.session_keep_alive_time_in_secs, a.created_at,
       a.updated_at, a.error, a.error_kind
  FROM since CROSS JOIN run CROSS JOIN temp.meetings AS a
 WHERE list = 'meeting' AND a.start_time = since.start_time;
INSERT INTO problem SELECT 'meeting', NULL, error, kind FROM got_meeting
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.meeting
SELECT id, app, title, status, live_stream_on_start, record_on_start,
       persist_chat, summarize_on_end, transcribe_on_end,
       session_keep_alive_time_in_secs, created_at, updated_at
  FROM got_meeting WHERE error IS NULL
EXCEPT SELECT * FROM main.meeting;
INSERT INTO tally VALUES (changes());
INSERT INTO main.archive_list
SELECT 'meeting', app, read_to
  FROM run, (SELECT max(created_at) AS read_to FROM got_meeting
              WHERE error IS NULL)
 WHERE read_to NOT NULL
   AND NOT EXISTS (SELECT 1 FROM problem WHERE problem.kind = 'meeting')
    ON CONFLICT(list, app) DO UPDATE
   SET read_to = max(read_to, excluded.read_to);
COMMIT;

-- Pages of the next lists may come from a killed run: up to 10 minutes old. Old
-- and new pages of the lists before could together have lost a row.
SELECT 1 WHERE rtk_config('cache_ttl_live_s', 600) IS NULL;

CREATE TEMP TABLE got_meeting_session AS SELECT *, '' AS error, '' AS kind
  FROM main.meeting_session WHERE 0;
INSERT INTO got_meeting_session
SELECT a.id, run.app, a.associated_id, a.meeting_display_name, a.status, a.type,
       a.max_concurrent_participants, a.minutes_consumed, a.started_at,
       nullif(a.ended_at, 'null'), a.created_at, a.updated_at, a.error,
       a.error_kind
  FROM since CROSS JOIN run CROSS JOIN temp.meeting_sessions AS a
 WHERE list = 'meeting_session' AND a.start_time = since.start_time
   AND a.sort_by = 'createdAt' AND a.sort_order = 'ASC';

-- Those that had not ended and are not in that list.
CREATE TEMP TABLE wanted(kind, id); -- no key: they are read in this order
INSERT INTO wanted
SELECT kind, id FROM lacking, run
 WHERE kind = 'session' AND NOT is_dry
   AND id NOT IN (SELECT id FROM got_meeting_session WHERE id NOT NULL)
 ORDER BY created_at DESC LIMIT (SELECT most FROM run);
INSERT INTO got_meeting_session
SELECT w.id, run.app, a.associated_id, a.meeting_display_name, a.status, a.type,
       a.max_concurrent_participants, a.minutes_consumed, a.started_at,
       nullif(a.ended_at, 'null'), a.created_at, a.updated_at, a.error,
       a.error_kind
  FROM wanted AS w CROSS JOIN run
  LEFT JOIN temp.one_meeting_session AS a ON a.meeting_session_id = w.id
 WHERE w.kind = 'session';
INSERT INTO problem
SELECT 'meeting_session', id, error, kind FROM got_meeting_session
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.meeting_session
SELECT id, app, meeting_id, meeting_display_name, status, type,
       max_concurrent_participants, minutes_consumed, started_at, ended_at,
       created_at, updated_at
  FROM got_meeting_session WHERE error IS NULL AND created_at NOT NULL
EXCEPT SELECT * FROM main.meeting_session;
INSERT INTO tally VALUES (changes());
INSERT INTO main.archive_list
SELECT 'meeting_session', app, read_to
  FROM run, (SELECT max(created_at) AS read_to FROM got_meeting_session
              WHERE error IS NULL)
 WHERE read_to NOT NULL
   AND NOT EXISTS (SELECT 1 FROM problem
                    WHERE problem.kind = 'meeting_session' AND id IS NULL
                      AND error_kind IS NOT 'quota')
    ON CONFLICT(list, app) DO UPDATE
   SET read_to = max(read_to, excluded.read_to);
-- A session without data is gone.
INSERT OR IGNORE INTO main.archive_read
SELECT 'session', id, began_at FROM got_meeting_session, run
 WHERE error IS NULL
   AND (created_at IS NULL OR julianday(ended_at) < julianday(settled_at));
COMMIT;

CREATE TEMP TABLE got_livestream AS SELECT *, '' AS error, '' AS kind
  FROM main.livestream WHERE 0;
INSERT INTO got_livestream
SELECT a.id, run.app, a.name, a.status, a.meeting_id, a.disabled,
       a.ingest_server, a.playback_url, a.created_at, a.updated_at, a.error,
       a.error_kind
  FROM since CROSS JOIN run CROSS JOIN temp.livestreams AS a
 WHERE list = 'livestream' AND a.start_time = since.start_time
   AND a.sort_order = 'ASC';
INSERT INTO problem SELECT 'livestream', NULL, error, kind FROM got_livestream
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.livestream
SELECT id, app, name, status, meeting_id, disabled, ingest_server, playback_url,
       created_at, updated_at
  FROM got_livestream WHERE error IS NULL
EXCEPT SELECT * FROM main.livestream;
INSERT INTO tally VALUES (changes());
INSERT INTO main.archive_list
SELECT 'livestream', app, read_to
  FROM run, (SELECT max(created_at) AS read_to FROM got_livestream
              WHERE error IS NULL)
 WHERE read_to NOT NULL
   AND NOT EXISTS (SELECT 1 FROM problem
                    WHERE problem.kind = 'livestream' AND id IS NULL
                      AND error_kind IS NOT 'quota')
    ON CONFLICT(list, app) DO UPDATE
   SET read_to = max(read_to, excluded.read_to);
COMMIT;

-- Both come in one reply. The last days still change.
CREATE TEMP TABLE day_since AS
SELECT coalesce((SELECT date(read_to, '-2 days') FROM main.archive_list
                  WHERE list = 'day' AND archive_list.app = run.app),
                (SELECT date(min(created_at)) FROM main.meeting_session AS s
                  WHERE s.app = run.app), date(began_at, '-30 days')) AS day
  FROM run WHERE NOT is_dry;
CREATE TEMP TABLE got_session_day AS
SELECT run.app, a.day, a.total_sessions, a.total_session_minutes, a.error,
       a.error_kind AS kind
  FROM day_since AS s CROSS JOIN run CROSS JOIN temp.session_days AS a
 WHERE a.start_date = s.day;
CREATE TEMP TABLE got_recording_day AS
SELECT run.app, a.day, a.total_recordings, a.total_recording_minutes, a.error,
       a.error_kind AS kind
  FROM day_since AS s CROSS JOIN run CROSS JOIN temp.recording_days AS a
 WHERE a.start_date = s.day;
INSERT INTO problem
SELECT 'day', NULL, error, kind FROM got_session_day WHERE error NOT NULL
UNION ALL
SELECT 'day', NULL, error, kind FROM got_recording_day WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.session_day
SELECT app, day, total_sessions, total_session_minutes FROM got_session_day
 WHERE error IS NULL
EXCEPT SELECT * FROM main.session_day;
INSERT INTO tally VALUES (changes());
INSERT OR REPLACE INTO main.recording_day
SELECT app, day, total_recordings, total_recording_minutes
  FROM got_recording_day WHERE error IS NULL
EXCEPT SELECT * FROM main.recording_day;
INSERT INTO tally VALUES (changes());
INSERT OR REPLACE INTO main.archive_list
SELECT 'day', app, began_at FROM run
 WHERE NOT is_dry AND NOT EXISTS (SELECT 1 FROM problem WHERE kind = 'day');
COMMIT;

-- The rest has ended for good: a reply of a killed run is as good as a new one.
SELECT 1 WHERE rtk_config('cache_ttl_live_s', 86400) IS NULL;

-- --- step 2: texts -----------------------------------------------------------

-- The texts, what is deleted first first; a text has up to 32 MiB.
SELECT 1 WHERE rtk_config('max_response_bytes', 33554432) IS NULL;
INSERT INTO wanted
SELECT kind, id FROM lacking, run WHERE kind GLOB 'rtk_*' AND NOT is_dry
 ORDER BY created_at LIMIT (SELECT most FROM run);
CREATE VIRTUAL TABLE temp.transcript_lines USING rtk_transcript_lines;
CREATE VIRTUAL TABLE temp.chat_messages USING rtk_chat_messages;
CREATE VIRTUAL TABLE temp.summary_text USING rtk_summary_text;

CREATE TEMP TABLE got_transcript_line AS SELECT *, '' AS error, '' AS kind
  FROM main.transcript_line WHERE 0;
INSERT INTO got_transcript_line
SELECT w.id, a.line, a.timestamp, a.peer_id, a.user_id, a.custom_participant_id,
       a.name, a.transcript, a.error, a.error_kind
  FROM wanted AS w
  LEFT JOIN temp.transcript_lines AS a ON a.meeting_session_id = w.id
 WHERE w.kind = 'rtk_transcript_lines';
INSERT INTO problem
SELECT 'rtk_transcript_lines', meeting_session_id, error, kind
  FROM got_transcript_line WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.transcript_line
SELECT meeting_session_id, line, timestamp, peer_id, user_id,
       custom_participant_id, display_name, transcript
  FROM got_transcript_line WHERE line NOT NULL;
INSERT INTO tally VALUES (changes());
INSERT OR REPLACE INTO main.archive_read
SELECT 'rtk_transcript_lines' || CASE WHEN max(line) IS NULL AND is_early THEN ', none yet'
         ELSE '' END, meeting_session_id, began_at
  FROM got_transcript_line JOIN early ON early.id = meeting_session_id, run
 WHERE meeting_session_id NOT IN (
         SELECT id FROM problem WHERE kind = 'rtk_transcript_lines')
 GROUP BY meeting_session_id;
COMMIT;

CREATE TEMP TABLE got_chat_message AS SELECT *, '' AS error, '' AS kind
  FROM main.chat_message WHERE 0;
INSERT INTO got_chat_message
SELECT w.id, a.line, a.id, a.participant_id, a.display_name, a.payload_type,
       a.payload, a.pinned, a.is_edited, a.created_at, a.error, a.error_kind
  FROM wanted AS w
  LEFT JOIN temp.chat_messages AS a ON a.meeting_session_id = w.id
 WHERE w.kind = 'rtk_chat_messages';
INSERT INTO problem
SELECT 'rtk_chat_messages', meeting_session_id, error, kind
  FROM got_chat_message WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.chat_message
SELECT meeting_session_id, line, id, participant_id, display_name, payload_type,
       payload, pinned, is_edited, created_at
  FROM got_chat_message WHERE line NOT NULL;
INSERT INTO tally VALUES (changes());
INSERT OR REPLACE INTO main.archive_read
SELECT 'rtk_chat_messages' || CASE WHEN max(line) IS NULL AND is_early THEN ', none yet'
         ELSE '' END, meeting_session_id, began_at
  FROM got_chat_message JOIN early ON early.id = meeting_session_id, run
 WHERE meeting_session_id NOT IN (
         SELECT id FROM problem WHERE kind = 'rtk_chat_messages')
 GROUP BY meeting_session_id;
COMMIT;

CREATE TEMP TABLE got_summary AS SELECT *, '' AS error, '' AS kind
  FROM main.summary WHERE 0;
INSERT INTO got_summary
SELECT w.id, a.text, a.error, a.error_kind
  FROM wanted AS w
  LEFT JOIN temp.summary_text AS a ON a.meeting_session_id = w.id
 WHERE w.kind = 'rtk_summary_text';
INSERT INTO problem
SELECT 'rtk_summary_text', meeting_session_id, error, kind FROM got_summary
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.summary
SELECT meeting_session_id, text
  FROM got_summary WHERE text NOT NULL;
INSERT INTO tally VALUES (changes());
INSERT OR REPLACE INTO main.archive_read
SELECT 'rtk_summary_text' || CASE WHEN max(text) IS NULL AND is_early THEN ', none yet'
         ELSE '' END, meeting_session_id, began_at
  FROM got_summary JOIN early ON early.id = meeting_session_id, run
 WHERE meeting_session_id NOT IN (
         SELECT id FROM problem WHERE kind = 'rtk_summary_text')
 GROUP BY meeting_session_id;
COMMIT;

-- --- step 3: livestream sessions, participants -------------------------------

-- A livestream may be on again, so a killed run's reply is good for 10 minutes.
SELECT 1 WHERE rtk_config('cache_ttl_live_s', 600) IS NULL;
INSERT INTO wanted
SELECT kind, id FROM lacking, run WHERE kind = 'livestream' AND NOT is_dry
 ORDER BY created_at DESC LIMIT (SELECT most FROM run);
CREATE TEMP TABLE got_livestream_session AS
SELECT id AS for_livestream_id, account, app, id, created_at, err_message,
       ingest_seconds, livestream_id, started_time, stopped_time, updated_at,
       viewer_seconds, error, '' AS kind
  FROM main.rtk_session WHERE 0;
INSERT INTO got_livestream_session
SELECT w.id, run.account, run.app, a.id, a.created_at, a.err_message,
       a.ingest_seconds, a.livestream_id, a.started_time, a.stopped_time,
       a.updated_at, a.viewer_seconds, a.error, a.error_kind
  FROM wanted AS w CROSS JOIN run
  LEFT JOIN temp.sessions AS a ON a.for_livestream_id = w.id
 WHERE w.kind = 'livestream';
INSERT INTO problem
SELECT 'livestream', for_livestream_id, error, kind FROM got_livestream_session
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
-- Not REPLACE: columns of your own stay.
INSERT INTO main.rtk_session(
  session_id, account, app, id, created_at, err_message, ingest_seconds,
  livestream_id, started_time, stopped_time, updated_at, viewer_seconds,
  fetched_at, tried_at)
SELECT got.id, got.account, got.app, got.id, created_at, err_message,
       ingest_seconds, livestream_id, started_time, stopped_time, updated_at,
       viewer_seconds, began_at, began_at
  FROM got_livestream_session AS got, run WHERE got.id NOT NULL
    ON CONFLICT(session_id) DO UPDATE SET
       (id, err_message, ingest_seconds, livestream_id, started_time,
        stopped_time, updated_at, viewer_seconds, fetched_at, tried_at,
        gone_at, error) =
       (excluded.id, excluded.err_message, excluded.ingest_seconds,
        excluded.livestream_id, excluded.started_time, excluded.stopped_time,
        excluded.updated_at, excluded.viewer_seconds, excluded.fetched_at,
        excluded.tried_at, NULL, NULL);
INSERT INTO tally VALUES (changes());
INSERT OR REPLACE INTO main.archive_read
SELECT DISTINCT 'livestream', for_livestream_id, began_at
  FROM got_livestream_session, run
 WHERE for_livestream_id NOT IN (SELECT id FROM problem
                                  WHERE kind = 'livestream' AND id NOT NULL);
COMMIT;

SELECT 1 WHERE rtk_config('cache_ttl_live_s', 86400) IS NULL;
INSERT INTO wanted
SELECT kind, id FROM lacking, run WHERE kind = 'participants' AND NOT is_dry
 ORDER BY created_at DESC LIMIT (SELECT most FROM run);
CREATE TEMP TABLE got_participant AS SELECT *, '' AS error, '' AS kind
  FROM main.participant WHERE 0;
INSERT INTO got_participant
SELECT w.id, a.id, a.display_name, a.custom_participant_id, a.user_id,
       a.joined_at, a.left_at, a.duration, a.created_at, a.updated_at,
       a.preset_name, a.error, a.error_kind
  FROM wanted AS w
  LEFT JOIN temp.participants AS a ON a.meeting_session_id = w.id
 WHERE w.kind = 'participants';
INSERT INTO problem
SELECT 'participants', meeting_session_id, error, kind FROM got_participant
 WHERE error NOT NULL;
BEGIN IMMEDIATE;
INSERT OR REPLACE INTO main.participant
SELECT meeting_session_id, id, display_name, custom_participant_id, user_id,
       joined_at, left_at, duration, created_at, updated_at, preset_name
  FROM got_participant
 WHERE id NOT NULL
   AND meeting_session_id NOT IN (SELECT id FROM problem
                                   WHERE kind = 'participants');
INSERT INTO tally VALUES (changes());
INSERT OR REPLACE INTO main.archive_read
SELECT DISTINCT 'participants', meeting_session_id, began_at
  FROM got_participant, run
 WHERE meeting_session_id NOT IN (SELECT id FROM problem
                                   WHERE kind = 'participants');
COMMIT;

-- Failures in a row, of the ids that the messages name: what was not requested
-- because another was refused has not failed. Where all of many failed, it is
-- not the ids' fault.
CREATE TEMP VIEW failure AS
SELECT CASE kind WHEN 'meeting_session' THEN 'session' ELSE kind END AS kind,
       id, min(error) AS error
  FROM problem
 WHERE error_kind IS NOT 'quota' AND instr(error, '''' || id || '''') > 0
 GROUP BY 1, 2;
BEGIN IMMEDIATE;
DELETE FROM main.archive_failed WHERE EXISTS (
  SELECT 1 FROM main.archive_read AS r
   WHERE r.kind = archive_failed.kind AND r.id = archive_failed.id);
INSERT INTO main.archive_failed
SELECT kind, id, 1, began_at, error FROM failure, run
 WHERE (SELECT count(*) < 10 OR count(*) > (SELECT count(*) FROM failure)
          FROM wanted)
    ON CONFLICT(kind, id) DO UPDATE SET
       failures = failures + 1, failed_at = excluded.failed_at,
       error = excluded.error;
COMMIT;

-- --- the report --------------------------------------------------------------

SELECT 1 WHERE rtk_config('cache_ttl_live_s', NULL) IS NULL;

SELECT 'list of ' || kind || 's: ' || min(error) FROM problem
 WHERE id IS NULL AND error_kind IS NOT 'quota' GROUP BY kind;
SELECT printf('%d ids failed, see archive_failed; the first: %s', count(*), min(error))
  FROM failure
HAVING count(*) > 0;
-- The message holds the time: rtk_stats knows it until another error comes.
SELECT 'quota: ' || substr(error, instr(error, 'go on after'), 32)
  FROM (SELECT max(error) AS error FROM problem WHERE error_kind = 'quota')
 WHERE error NOT NULL;
SELECT printf('%d new, %d updated, %d left for the next run, %d requests',
         new, changed - new,
         (SELECT count(*) FROM lacking)
           + (SELECT count(DISTINCT kind) FROM problem WHERE id IS NULL),
         requests)
       || CASE WHEN quota NOT NULL THEN printf(' of %d', quota) ELSE '' END
  FROM (SELECT stored.rows - run.rows AS new,
               (SELECT total(rows) FROM tally) AS changed,
               (SELECT value FROM rtk_stats WHERE name = 'requests')
                 - run.requests AS requests, run.quota, is_dry
          FROM run, stored)
 WHERE NOT is_dry;

CREATE TEMP TABLE verdict(is_bad CONSTRAINT
  "the list of meeting sessions could not be read" CHECK (NOT is_bad));
INSERT INTO verdict
SELECT EXISTS (SELECT 1 FROM problem WHERE kind = 'meeting_session'
                  AND id IS NULL AND error_kind IS NOT 'quota')
   AND NOT EXISTS (SELECT 1 FROM got_meeting_session WHERE error IS NULL);
