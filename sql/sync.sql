-- Keeps an ordinary table of livestream sessions up to date, for reports that
-- need no network and for views that are stored in the database:
--
--   cd /path/to/rtk && sqlite3 -bail /home/you/my.db '.read sql/sync.sql'
--
-- The environment names the token, the account and the app, as for a query. The
-- first run creates the table rtk_session. You insert the ids, at any time:
-- INSERT OR IGNORE INTO rtk_session(session_id) SELECT … FROM customer_session;
--
-- Columns besides the data (times are UTC; you may add columns of your own):
--   account, app  set by you; NULL: those of the settings
--   fetched_at    when the run began that fetched the data; NULL: never fetched
--   gone_at       when the API did not know the id (404), or it was not valid;
--                 set it to NULL to have the id requested again
--   error         why the last try failed; the data are those of the try before
--   tried_at      when the last try began, whatever its result
--
-- A run requests the ids that were never fetched, and again the sessions that
-- had not stopped an hour before they were fetched: their figures still change.
-- (A stopped_time that is no date, or before 1971, means: still running.) It
-- requests at most 1,000 ids, the oldest tried_at first. Another limit:
-- `-cmd '.parameter set @limit 100'` before my.db.
--
-- The last line printed is `N fetched, N gone, N pending`. Pending ids are all
-- that the next run would request without a limit; 0: complete and final. An id
-- that failed five times in a row rests for a day (`, N resting`); delete from
-- rtk_session_failed, which counts the failures, to end all rests. A run in
-- which ten ids or more were requested and all failed does not count.
--
-- The database is not locked during the fetch. All data are stored at the end,
-- in one transaction. Exit codes:
--   0  Good, even if some ids failed. Also if the quota was used up: ids that
--      were not requested stay pending and keep their tried_at, and a line
--      before the last one tells when the next run can fetch them.
--   1  All requested ids failed, and not all of them had rested before. Their
--      errors are stored; one is printed.
--   1  Anything else: no token, HTTP 401, no account, a locked database. The
--      message is on stderr. No data are stored and no id counts as failed.
-- A run that is killed or interrupted stores no data either; its ids go to the
-- end of the queue. With RTK_CACHE_FILE set, the next run finds in that file
-- what had arrived. Without it, all of that is requested again.

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

CREATE TABLE IF NOT EXISTS main.rtk_session(
  session_id TEXT NOT NULL PRIMARY KEY, account TEXT, app TEXT,
  id TEXT, created_at TEXT, err_message TEXT, ingest_seconds NUMERIC,
  livestream_id TEXT, started_time TEXT, stopped_time TEXT, updated_at TEXT,
  viewer_seconds NUMERIC,
  fetched_at TEXT, tried_at TEXT, gone_at TEXT, error TEXT
);
CREATE TABLE IF NOT EXISTS main.rtk_session_failed(
  session_id TEXT NOT NULL PRIMARY KEY, failures INTEGER NOT NULL -- in a row
);

-- --- step 1: which ids, and tried_at -----------------------------------------

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
         AND julianday(s.stopped_time) BETWEEN julianday('1971-01-01')
               AND julianday(s.fetched_at) - 1 / 24.0, 0);

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

-- --- step 2: fetch -----------------------------------------------------------

-- One row for each wanted id, or none if the fetch fails. TEMP tables only, so
-- that the database is not locked; rtk's own table would count as part of it.
-- LIMIT -1 makes SQLite run the inner query first, by itself: one batch for
-- each account and app.
CREATE VIRTUAL TABLE temp.api USING rtk_livestream_session;
CREATE TEMP TABLE got(
  session_id PRIMARY KEY, found_id, error, error_kind,
  id, created_at, err_message, ingest_seconds, livestream_id, started_time,
  stopped_time, updated_at, viewer_seconds
);
.bail off
INSERT INTO got
SELECT w.session_id, s.* FROM wanted AS w LEFT JOIN (
  SELECT s.session_id, s.error, s.error_kind,
         s.id, s.created_at, s.err_message, s.ingest_seconds, s.livestream_id,
         s.started_time, s.stopped_time, s.updated_at, s.viewer_seconds
    FROM (SELECT DISTINCT account, app FROM wanted) AS a
    JOIN api AS s ON s.account = a.account AND s.app = a.app
   WHERE s.session_id IN (SELECT session_id FROM wanted
                           WHERE account = a.account AND app = a.app)
   LIMIT -1) AS s ON s.session_id = w.session_id;

-- --- step 3: store -----------------------------------------------------------

CREATE TEMP VIEW answer AS
SELECT g.*, g.found_id IS NULL AS is_gone, w.has_rested
  FROM got AS g JOIN wanted AS w USING (session_id) WHERE w.is_answered;

-- The trigger's body is part of one statement, so all is stored or nothing.
-- UPDATE, not INSERT: a row that was deleted meanwhile stays deleted.
CREATE TEMP VIEW store AS SELECT 0;
CREATE TEMP TRIGGER store INSTEAD OF INSERT ON store BEGIN
  UPDATE wanted SET is_answered = 1
   WHERE session_id IN (SELECT session_id FROM got
                         WHERE error_kind IS NOT 'quota');
  UPDATE rtk_session
     SET (fetched_at, id, created_at, err_message, ingest_seconds,
          livestream_id, started_time, stopped_time, updated_at,
          viewer_seconds) =
         (SELECT began_at, id, created_at, err_message, ingest_seconds,
                 livestream_id, started_time, stopped_time, updated_at,
                 viewer_seconds
            FROM answer, run WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM answer
                         WHERE error IS NULL AND NOT is_gone);
  UPDATE rtk_session
     SET (error, gone_at) =
         (SELECT error, CASE WHEN is_gone THEN began_at END
            FROM answer, run WHERE session_id = rtk_session.session_id)
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

-- --- the report --------------------------------------------------------------

CREATE TEMP TABLE report AS
SELECT total(error IS NULL AND NOT is_gone) AS fetched, total(is_gone) AS gone,
       (SELECT count(*) FROM unfinished WHERE NOT is_resting) AS pending,
       (SELECT count(*) FROM unfinished WHERE is_resting) AS resting,
       min(error) AS error,
       count(error) = count(*) AND total(NOT has_rested) > 0 AS is_bad
  FROM answer;

SELECT error FROM report WHERE is_bad;
-- The message holds the time: rtk_stats knows it until another error comes.
SELECT printf('quota: %d ids not requested; %s', ids,
              substr(error, instr(error, 'go on after'), 32))
  FROM (SELECT count(*) AS ids, max(error) AS error FROM got
         WHERE error_kind = 'quota') WHERE ids > 0;
SELECT printf('%d fetched, %d gone, %d pending', fetched, gone, pending) ||
       CASE resting WHEN 0 THEN '' ELSE printf(', %d resting', resting) END
  FROM report;

CREATE TEMP TABLE verdict(is_bad CONSTRAINT
  "all ids failed: rtk_session.error says why" CHECK (NOT is_bad));
INSERT INTO verdict SELECT is_bad FROM report;
