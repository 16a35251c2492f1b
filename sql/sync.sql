-- Keeps an ordinary table of livestream sessions up to date, for reports that
-- need no network and for views that are stored in the database:
--
--   cd /path/to/rtk && sqlite3 -bail /home/you/my.db '.read sql/sync.sql'
--
-- The environment names the token, the account and the app, as for a query:
-- CLOUDFLARE_API_TOKEN, CLOUDFLARE_ACCOUNT_ID and REALTIMEKIT_APP_ID. The first
-- run creates the table rtk_session. You insert the ids, at any time:
--
--   INSERT OR IGNORE INTO rtk_session(session_id)
--     SELECT session_id FROM customer_session;
--
-- Columns of rtk_session besides the data (times are UTC, as the API writes them;
-- columns that you add stay as they are):
--   account, app  set by you; NULL: those of the settings
--   fetched_at    when the run began that fetched the data; NULL: never fetched
--   gone_at       when the API did not know the id (404), or the id was not valid.
--                 It is not requested again until you set gone_at to NULL.
--   error         why the last try failed; the data are those of the try before
--   tried_at      when the last try began, whatever its result
--
-- Each run requests ids that were never fetched, and sessions that had not
-- stopped an hour before they were fetched, because their figures still change.
-- A stopped_time that is no date, or is before 1971 (a zero time), means that the
-- session still runs. A run requests at most 1,000 ids, those with the oldest
-- tried_at first. To set another limit:
--
--   sqlite3 -bail -cmd '.parameter set @limit 100' my.db '.read sql/sync.sql'
--
-- The last line printed is `N fetched, N gone, N pending`. Pending ids are all
-- that the next run would request if it had no limit. At 0 the table is complete
-- and final.
--
-- An id that failed five times in a row rests for a day after its last try. The
-- line then ends in `, N resting`. The table rtk_session_failed counts the
-- failures; delete its rows to request all ids again at once. When ten ids or
-- more were requested and all failed, no failure is counted: the cause is then
-- something else than the ids.
--
-- A run has three steps: it sets tried_at, fetches all ids into a TEMP table, and
-- stores the result in one short transaction. The database is not locked during
-- the fetch. tried_at comes first so that an id that ends the process goes to the
-- end of the queue.
--
-- What can end a run early, and its exit code:
--   0  The quota is used up. What was fetched is stored; the other ids stay
--      pending and keep their tried_at. A line before the last one tells when to
--      go on; the next run does.
--   1  All ids that were requested failed, and at least one of them was not
--      resting before. The errors are stored; the first is printed.
--   1  An error that is not an id's: no token, HTTP 401, no account, a locked
--      database. Its message is on stderr. No data and no errors are stored.
--   …  The run was killed or interrupted. Nothing is stored.
-- Set RTK_CACHE_FILE so that the next run takes from that file what had arrived.
-- Without it, what was not stored is requested again.
--
-- The script uses rtk if it is loaded already (-cmd '.load /path/to/rtk', or
-- ~/.sqliterc), else ./rtk, else the installed one. It leaves TEMP tables and
-- settings behind, so it runs once in a shell.

.bail on
.echo off
.changes off
.eqp off
.stats off
.timer off
.headers off
.mode list
.timeout 60000

SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN readfile('rtk.so') IS NULL AND readfile('rtk.dylib') IS NULL
    THEN load_extension('rtk')
  ELSE load_extension('./rtk') END;
SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;

CREATE TABLE IF NOT EXISTS main.rtk_session(
  session_id TEXT NOT NULL PRIMARY KEY,
  account TEXT, app TEXT,
  id TEXT, created_at TEXT, err_message TEXT, ingest_seconds NUMERIC,
  livestream_id TEXT, started_time TEXT, stopped_time TEXT, updated_at TEXT,
  viewer_seconds NUMERIC,
  fetched_at TEXT, tried_at TEXT, gone_at TEXT, error TEXT
);
CREATE TABLE IF NOT EXISTS main.rtk_session_failed(
  session_id TEXT NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL -- in a row
);

-- --- step 1: which ids, and tried_at --------------------------------------------

-- julianday() alone would also accept 'now' and numbers.
CREATE TEMP VIEW unfinished AS
SELECT s.session_id, s.account, s.app, s.tried_at,
       coalesce(f.failures >= 5, 0) AS has_rested,
       coalesce(f.failures >= 5
         AND julianday(s.tried_at) > julianday('now') - 1, 0) AS is_resting
  FROM main.rtk_session AS s
  LEFT JOIN main.rtk_session_failed AS f USING (session_id)
 WHERE s.gone_at IS NULL
   AND NOT coalesce(
         s.stopped_time GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'
         AND julianday(s.stopped_time) >= julianday('1971-01-01')
         AND julianday(s.stopped_time) <= julianday(s.fetched_at) - 1 / 24.0, 0);

CREATE TEMP TABLE run AS
SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now') AS began_at;

-- The name of a failed constraint is the error message.
CREATE TEMP TABLE wanted(
  session_id PRIMARY KEY, account, app, tried_at, has_rested,
  is_answered DEFAULT 0, -- and the answer is stored
  CONSTRAINT "no account: set CLOUDFLARE_ACCOUNT_ID" CHECK (account NOT NULL),
  CONSTRAINT "no app: set REALTIMEKIT_APP_ID" CHECK (app NOT NULL)
);
INSERT INTO wanted(session_id, account, app, tried_at, has_rested)
SELECT session_id, coalesce(account, rtk_config('account')),
       coalesce(app, rtk_config('app')), tried_at, has_rested
  FROM unfinished WHERE NOT is_resting
 ORDER BY tried_at, session_id LIMIT coalesce(@limit, 1000);

UPDATE main.rtk_session SET tried_at = (SELECT began_at FROM run)
 WHERE session_id IN (SELECT session_id FROM wanted);

-- --- step 2: fetch --------------------------------------------------------------

-- One row for each wanted id, or none if the fetch fails. Only TEMP tables may
-- be used: any other table would lock the database. Therefore rtk's table is
-- created in TEMP, as it counts as part of the database otherwise. LIMIT -1 has
-- the inner query run by itself: one batch for each account and app.
CREATE VIRTUAL TABLE temp.api USING rtk_livestream_session;
CREATE TEMP TABLE got(
  session_id PRIMARY KEY, is_gone, error, error_kind,
  id, created_at, err_message, ingest_seconds, livestream_id,
  started_time, stopped_time, updated_at, viewer_seconds
);
.bail off
INSERT INTO got
SELECT w.session_id, s.session_id IS NULL, s.error, s.error_kind,
       s.id, s.created_at, s.err_message, s.ingest_seconds, s.livestream_id,
       s.started_time, s.stopped_time, s.updated_at, s.viewer_seconds
  FROM wanted AS w LEFT JOIN (
    SELECT s.*, s.session_id, s.error, s.error_kind
      FROM (SELECT DISTINCT account, app FROM wanted) AS a
      JOIN api AS s ON s.account = a.account AND s.app = a.app
     WHERE s.session_id IN (SELECT session_id FROM wanted
                             WHERE account = a.account AND app = a.app)
     LIMIT -1) AS s ON s.session_id = w.session_id;

-- --- step 3: store --------------------------------------------------------------

CREATE TEMP VIEW answer AS
SELECT g.*, w.has_rested FROM got AS g JOIN wanted AS w USING (session_id)
 WHERE w.is_answered;

-- A trigger is one statement, so all is stored or nothing. UPDATE, not INSERT: a
-- row that you deleted meanwhile stays deleted.
CREATE TEMP VIEW store AS SELECT 0;
CREATE TEMP TRIGGER store INSTEAD OF INSERT ON store BEGIN
  UPDATE wanted SET is_answered = 1
   WHERE session_id IN (SELECT session_id FROM got
                         WHERE error_kind IS NOT 'quota');
  UPDATE rtk_session
     SET (id, created_at, err_message, ingest_seconds, livestream_id,
          started_time, stopped_time, updated_at, viewer_seconds, fetched_at) = (
           SELECT id, created_at, err_message, ingest_seconds, livestream_id,
                  started_time, stopped_time, updated_at, viewer_seconds, began_at
             FROM answer, run WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM answer
                         WHERE error IS NULL AND NOT is_gone);
  UPDATE rtk_session SET gone_at = (SELECT began_at FROM run)
   WHERE session_id IN (SELECT session_id FROM answer WHERE is_gone);
  UPDATE rtk_session
     SET error = (SELECT error FROM answer
                   WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM answer);
  UPDATE rtk_session
     SET tried_at = (SELECT tried_at FROM wanted
                      WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM wanted WHERE NOT is_answered);
  DELETE FROM rtk_session_failed
   WHERE session_id IN (SELECT session_id FROM answer WHERE error IS NULL)
      OR session_id NOT IN (SELECT session_id FROM rtk_session);
  INSERT INTO rtk_session_failed(session_id, failures)
  SELECT session_id, 1 FROM answer
   WHERE error NOT NULL
     AND (SELECT count(*) < 10 OR count(*) > count(error) FROM answer)
      ON CONFLICT(session_id) DO UPDATE SET failures = failures + 1;
END;
INSERT INTO store VALUES (1);

-- --- the report -----------------------------------------------------------------

CREATE TEMP TABLE report AS
SELECT count(*) AS answers, count(error) AS failed, min(error) AS error,
       total(is_gone) AS gone, total(NOT has_rested) > 0 AS are_some_new,
       (SELECT count(*) FROM got WHERE error_kind = 'quota') AS refused,
       (SELECT value FROM rtk_stats WHERE name = 'retry_at') AS retry_at,
       (SELECT count(*) FROM unfinished WHERE NOT is_resting) AS pending,
       (SELECT count(*) FROM unfinished WHERE is_resting) AS resting
  FROM answer;

SELECT error FROM report WHERE failed = answers AND are_some_new;
SELECT printf('quota: %d ids not requested; go on after %s', refused, retry_at)
  FROM report WHERE refused > 0;
SELECT printf('%d fetched, %d gone, %d pending', answers - failed - gone, gone,
              pending) ||
       CASE resting WHEN 0 THEN '' ELSE printf(', %d resting', resting) END
  FROM report;

CREATE TEMP TABLE verdict(
  is_good CONSTRAINT "all ids failed: rtk_session.error says why" CHECK (is_good)
);
INSERT INTO verdict SELECT 0 FROM report WHERE failed = answers AND are_some_new;
