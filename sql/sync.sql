-- Keeps an ordinary table of livestream sessions up to date, for reports that
-- need no network and for views that are stored in the database:
--
--   cd /path/to/rtk && sqlite3 -bail /home/you/my.db '.read sql/sync.sql'
--
-- It wants what a query wants, in the environment: CLOUDFLARE_API_TOKEN,
-- CLOUDFLARE_ACCOUNT_ID and REALTIMEKIT_APP_ID. It makes the table
-- rtk_session when there is none; you put the ids into it, now or at any time:
--
--   INSERT OR IGNORE INTO rtk_session(session_id)
--     SELECT session_id FROM customer_session;
--
-- A run asks for the ids that have never been fetched, and again for those of
-- sessions that had not stopped an hour before they were fetched, as their
-- figures still change; for at most 1,000, those first that have not been asked
-- for the longest. A stopped_time that is no date, or none after 1971 (a zero
-- time), says nothing: the session still runs. Another limit:
--
--   sqlite3 -bail -cmd '.parameter set @limit 100' my.db '.read sql/sync.sql'
--
-- In the row of an id
--   account, app  are yours; NULL: those of the settings
--   fetched_at    when the data were asked for; NULL: never fetched
--   gone_at       the API did not know the id (404), or it is none: it is not
--                 asked for again, until you set gone_at to NULL
--   error         why the last try failed; the data are what they were before
--   tried_at      when the last try began, with whatever result
-- Times are UTC, as the API writes them. Columns that you add stay as they are.
--
-- The only line printed is `N fetched, N gone, N pending`. Pending are all that
-- the next run would ask for: beyond the limit, failed, or not stopped for an
-- hour. At 0 the table is complete and final.
--
-- An id that has failed five times in a row rests: it is asked for again a day
-- after its last try, and the line ends in `, N resting`. The table
-- rtk_session_failed counts the tries; DELETE FROM it to have all asked for at
-- once. A run in which ten ids or more have all failed does not count: that is
-- not the ids' fault.
--
-- Nothing is locked while the network is waited for: replies go into TEMP
-- tables. Ids are fetched and stored in parts, one after the other: of 50 ids,
-- or of a twentieth of more than 1,000. A failure that is not an id's, such as
-- the quota's end or a 401, ends the run with its message on stderr: the line
-- counts the parts before, which are stored, and the ids of that part keep their
-- place. What had arrived of it is in the file that RTK_CACHE_FILE names;
-- without one it is asked for again. The part that is under way when a run is
-- killed goes to the end of the queue.
--
-- The exit code is 0, also when some ids failed; 1 when a part could not be
-- fetched or stored, or when all ids failed and not all of them had rested. A shell runs it once: it leaves its
-- TEMP tables and settings behind.
--
-- rtk is what is loaded already (-cmd '.load /path/to/rtk', ~/.sqliterc), or
-- ./rtk in the current directory, or else the installed one.

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
  account TEXT,
  app TEXT,
  id TEXT,
  created_at TEXT,
  err_message TEXT,
  ingest_seconds NUMERIC,
  livestream_id TEXT,
  started_time TEXT,
  stopped_time TEXT,
  updated_at TEXT,
  viewer_seconds NUMERIC,
  fetched_at TEXT,
  tried_at TEXT,
  gone_at TEXT,
  error TEXT
);

-- A table of its own, as rtk_session may be there since before it was needed.
CREATE TABLE IF NOT EXISTS main.rtk_session_failed(
  session_id TEXT NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL -- in a row
);

-- --- what is wanted ----------------------------------------------------------

-- julianday() also reads 'now', and numbers.
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

CREATE TEMP VIEW pending AS
SELECT session_id, account, app, tried_at, has_rested FROM unfinished
 WHERE NOT is_resting;

-- A constraint's name is its message. Without an account there would be no row,
-- as if the id were gone.
CREATE TEMP TABLE wanted(
  session_id PRIMARY KEY, account, app, tried_at, has_rested, part,
  asked_at, state DEFAULT 'waits', -- asked, answered or failed, stored
  CONSTRAINT "no account: set CLOUDFLARE_ACCOUNT_ID" CHECK (account NOT NULL),
  CONSTRAINT "no app: set REALTIMEKIT_APP_ID" CHECK (app NOT NULL)
);
INSERT INTO wanted(session_id, account, app, tried_at, has_rested, part)
SELECT session_id, coalesce(account, rtk_config('account')),
       coalesce(app, rtk_config('app')), tried_at, has_rested,
       (place - 1) / max(50, (count(*) OVER () + 19) / 20)
  FROM (SELECT *, row_number() OVER (ORDER BY tried_at, session_id) AS place
          FROM pending ORDER BY place LIMIT coalesce(@limit, 1000));

-- --- the parts ---------------------------------------------------------------
-- Two views that do something when anything is put into them, in turn.

-- `turn` is one short transaction: it stores the part that `get` has answered,
-- and takes the next one. UPDATE, so that a row deleted meanwhile stays so.
CREATE TEMP VIEW turn(go) AS SELECT 0;
CREATE TEMP TRIGGER turn INSTEAD OF INSERT ON turn BEGIN
  UPDATE rtk_session
     SET (id, created_at, err_message, ingest_seconds, livestream_id,
          started_time, stopped_time, updated_at, viewer_seconds) = (
           SELECT id, created_at, err_message, ingest_seconds, livestream_id,
                  started_time, stopped_time, updated_at, viewer_seconds
             FROM got WHERE session_id = rtk_session.session_id),
         fetched_at = (SELECT asked_at FROM wanted
                        WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id
                          FROM wanted JOIN got USING (session_id)
                         WHERE state = 'answered' AND error IS NULL);
  UPDATE rtk_session
     SET gone_at = (SELECT asked_at FROM wanted
                     WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM wanted WHERE state = 'answered')
     AND session_id NOT IN (SELECT session_id FROM got);
  UPDATE rtk_session
     SET error = (SELECT error FROM got
                   WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM wanted WHERE state = 'answered');

  -- The part that `get` could not answer, for no fault of its ids.
  UPDATE rtk_session
     SET tried_at = (SELECT tried_at FROM wanted
                      WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM wanted WHERE state = 'asked');
  UPDATE wanted
     SET state = CASE state WHEN 'answered' THEN 'stored' ELSE 'failed' END
   WHERE state IN ('answered', 'asked');

  -- Before the network, so that an id that ends the process does not come first
  -- for ever, and nothing is asked for that could not be stored.
  UPDATE wanted
     SET state = 'asked', asked_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now')
   WHERE part = (SELECT min(part) FROM wanted WHERE state = 'waits')
     AND NOT EXISTS (SELECT 1 FROM wanted WHERE state = 'failed');
  UPDATE rtk_session
     SET tried_at = (SELECT asked_at FROM wanted
                      WHERE session_id = rtk_session.session_id)
   WHERE session_id IN (SELECT session_id FROM wanted WHERE state = 'asked');
END;

-- `get` reads and writes nothing but TEMP tables. The table that is there
-- without CREATE counts as one of the database, which a statement that uses it
-- locks.
CREATE VIRTUAL TABLE temp.api USING rtk_livestream_session;
CREATE TEMP TABLE got(
  session_id PRIMARY KEY, id, created_at, err_message, ingest_seconds,
  livestream_id, started_time, stopped_time, updated_at, viewer_seconds, error
);
CREATE TEMP VIEW get(go) AS SELECT 0;
CREATE TEMP TRIGGER get INSTEAD OF INSERT ON get BEGIN
  INSERT INTO got
  SELECT s.session_id, s.id, s.created_at, s.err_message, s.ingest_seconds,
         s.livestream_id, s.started_time, s.stopped_time, s.updated_at,
         s.viewer_seconds, s.error
    FROM (SELECT DISTINCT account, app FROM wanted WHERE state = 'asked') AS a
    JOIN api AS s ON s.account = a.account AND s.app = a.app
   WHERE s.session_id IN (SELECT session_id FROM wanted AS w
                           WHERE w.state = 'asked' AND w.account = a.account
                             AND w.app = a.app);
  UPDATE wanted SET state = 'answered' WHERE state = 'asked';
END;

INSERT INTO turn VALUES (1);

-- SQL has no loops. When a `get` has failed, all that follow ask for nothing, and
-- the report says what is stored. When a `turn` has, because somebody holds the
-- database, the next one tries it again. So either way the file is read to its
-- end; the exit code is 1 nevertheless. After an error some shells go on with the
-- line and some with the next one.
.bail off
INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1); INSERT INTO get VALUES (1);
INSERT INTO turn VALUES (1);

-- --- the report --------------------------------------------------------------

CREATE TEMP VIEW stored AS
SELECT w.session_id, w.has_rested, g.session_id IS NULL AS is_gone, g.error
  FROM wanted AS w LEFT JOIN got AS g USING (session_id)
 WHERE w.state = 'stored';

DELETE FROM rtk_session_failed
 WHERE session_id IN (SELECT session_id FROM stored WHERE error IS NULL)
    OR session_id NOT IN (SELECT session_id FROM rtk_session);
INSERT INTO rtk_session_failed(session_id, failures)
SELECT session_id, 1 FROM stored
 WHERE error NOT NULL
   AND (SELECT count(*) < 10 OR count(*) > count(error) FROM stored)
    ON CONFLICT(session_id) DO UPDATE SET failures = failures + 1;

CREATE TEMP VIEW report AS
SELECT (SELECT count(*) FROM stored WHERE NOT is_gone AND error IS NULL)
         AS fetched,
       (SELECT count(*) FROM stored WHERE is_gone) AS gone,
       (SELECT count(*) FROM pending) AS pending,
       (SELECT count(*) FROM unfinished WHERE is_resting) AS resting,
       (SELECT min(error) FROM got
         WHERE (SELECT count(*) FROM wanted) =
               (SELECT count(error) FROM stored)
           AND EXISTS (SELECT 1 FROM stored WHERE NOT has_rested))
         AS why_all_failed;
SELECT why_all_failed FROM report WHERE why_all_failed NOT NULL;
SELECT printf('%d fetched, %d gone, %d pending', fetched, gone, pending) ||
       CASE resting WHEN 0 THEN '' ELSE printf(', %d resting', resting) END
  FROM report;

CREATE TEMP VIEW finish AS SELECT 0;
CREATE TEMP TRIGGER finish INSTEAD OF INSERT ON finish BEGIN
  SELECT RAISE(ABORT, 'all ids failed: rtk_session.error says why')
    FROM report WHERE why_all_failed NOT NULL;
END;
INSERT INTO finish VALUES (0);
