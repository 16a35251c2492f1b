-- What tests/live prints. It runs in a directory with the replies that curl got
-- (NAME.head, NAME.body), the session's id in the file `id`, and ./rtk.
--
-- What comes from the service is printed only as a type, a count, a status, a
-- code, a field's name or a rate limit: never a value that is somebody's.

.load ./rtk

-- --- the replies -------------------------------------------------------------

CREATE TEMP TABLE reply AS
WITH name(name) AS (
  VALUES ('session'), ('no-session'), ('no-app'), ('bad-token'), ('list-1'),
         ('list-100'), ('list-1000'), ('token'), ('account-token')
), file AS (
  SELECT name,
         replace(CAST(readfile(name || '.head') AS TEXT), char(13), '') AS head,
         CAST(readfile(name || '.body') AS TEXT) AS body
    FROM name
)
SELECT name, head, body,
       substr(head, 6, instr(head, ' ') - 6) AS http, -- of HTTP/1.1 200 OK
       CAST(substr(head, instr(head, ' ') + 1, 3) AS INTEGER) AS status,
       CASE WHEN json_valid(body) THEN body END AS doc
  FROM file;

CREATE TEMP TABLE header AS
WITH RECURSIVE line(text, rest) AS (
  SELECT '', head || char(10) FROM reply WHERE name = 'session'
  UNION ALL
  SELECT substr(rest, 1, instr(rest, char(10)) - 1),
         substr(rest, instr(rest, char(10)) + 1)
    FROM line WHERE rest <> ''
)
SELECT lower(substr(text, 1, instr(text, ':') - 1)) AS name,
       trim(substr(text, instr(text, ':') + 1)) AS value
  FROM line WHERE instr(text, ':');

CREATE TEMP TABLE field AS -- of the session; a time is a text in ISO 8601
SELECT key AS name, atom AS value,
       CASE WHEN type = 'text' AND atom LIKE '____-__-__T__:__:__%Z' AND
                 julianday(atom) THEN 'time' ELSE type END AS kind
  FROM reply, json_each(doc, '$.data') WHERE reply.name = 'session';

CREATE TEMP TABLE wanted(name, type);
INSERT INTO wanted VALUES
  ('id', 'text'), ('created_at', 'time'), ('err_message', 'text or null'),
  ('ingest_seconds', 'integer or real'), ('livestream_id', 'text'),
  ('started_time', 'time or null'), ('stopped_time', 'time or null'),
  ('updated_at', 'time'), ('viewer_seconds', 'integer or real');

-- is_ok NULL: ok when seen is what was expected. seen NULL: not seen.
CREATE TEMP TABLE line(assumption, expected, seen, is_ok);

-- --- a session ---------------------------------------------------------------

INSERT INTO line
SELECT 'session, status', '200', CAST(status AS TEXT), NULL
  FROM reply WHERE name = 'session';

INSERT INTO line
SELECT 'session, success', 'true or absent',
       coalesce(json_type(doc, '$.success'), 'absent'),
       coalesce(json_type(doc, '$.success'), 'true') = 'true'
  FROM reply WHERE name = 'session' AND doc NOT NULL;

INSERT INTO line
SELECT 'session, data', 'object',
       CASE WHEN doc IS NULL THEN 'not JSON'
         ELSE coalesce(json_type(doc, '$.data'), 'absent') END, NULL
  FROM reply WHERE name = 'session' AND status > 0;

INSERT INTO line
SELECT 'session, fields of data', 'all nine',
       CASE count(*) WHEN 0 THEN 'all nine' WHEN 9 THEN NULL
         ELSE 'missing: ' || group_concat(name, ', ') END, NULL
  FROM wanted WHERE name NOT IN (SELECT name FROM field);

INSERT INTO line
SELECT 'session, more fields', 'none but invoked_time',
       CASE WHEN EXISTS (SELECT 1 FROM field) THEN
         coalesce(group_concat(CASE WHEN name GLOB '*[^A-Za-z_]*'
           THEN '(not shown)' ELSE name END, ', '), 'none but invoked_time')
       END, NULL
  FROM field
 WHERE name <> 'invoked_time' AND name NOT IN (SELECT name FROM wanted);

INSERT INTO line
SELECT 'session, invoked_time', 'present',
       CASE WHEN EXISTS (SELECT 1 FROM field)
         THEN coalesce('present, ' || max(kind), 'absent') END, count(*) = 1
  FROM field WHERE name = 'invoked_time';

INSERT INTO line
SELECT 'session, ' || name, wanted.type,
       CASE WHEN kind <> 'real' THEN kind
         WHEN value = CAST(value AS INTEGER) THEN 'real, no fraction'
         WHEN kind = 'real' THEN 'real, with a fraction' END,
       instr(wanted.type, kind) > 0
  FROM wanted LEFT JOIN field USING (name);

INSERT INTO line
SELECT 'session, value of id', 'the one asked for',
       CASE value WHEN CAST(readfile('id') AS TEXT) THEN 'the one asked for'
         ELSE 'another' END, NULL
  FROM field WHERE name = 'id';

-- --- its headers -------------------------------------------------------------

INSERT INTO line
SELECT 'HTTP version', '2', http, NULL FROM reply WHERE name = 'session';

INSERT INTO line
SELECT 'header content-type', 'application/json', max(value),
       max(value) LIKE 'application/json%'
  FROM header WHERE name = 'content-type';

INSERT INTO line
SELECT 'header cf-ray', 'present', CASE count(*) WHEN 1 THEN 'present' END, NULL
  FROM header WHERE name = 'cf-ray';

CREATE TEMP TABLE limits AS
SELECT name, CASE WHEN value GLOB '*[^-A-Za-z0-9";=, ]*' THEN '(not shown)'
               ELSE value END AS value
  FROM header WHERE name LIKE '%rate%limit%';

INSERT INTO line
SELECT 'header ratelimit', '"NAME";r=LEFT;t=SECONDS', max(value),
       max(value) LIKE '"%";r=%;t=%'
  FROM limits WHERE name = 'ratelimit';

INSERT INTO line
SELECT 'header ratelimit-policy', '"NAME";q=QUOTA;w=SECONDS', max(value),
       max(value) LIKE '"%";q=%;w=%'
  FROM limits WHERE name = 'ratelimit-policy';

INSERT INTO line
SELECT 'other rate limit headers', 'x-ratelimit-* NUMBER',
       group_concat(name || ' ' || value, ', '),
       min(name LIKE 'x-ratelimit-%' AND value NOT GLOB '*[^0-9]*')
  FROM limits WHERE name NOT IN ('ratelimit', 'ratelimit-policy');

-- --- refusals ----------------------------------------------------------------

CREATE TEMP TABLE code AS -- error codes, nested ones too
SELECT reply.name, atom AS value FROM reply, json_tree(doc)
 WHERE key = 'code' AND fullkey LIKE '$.error%';

CREATE TEMP TABLE refusal(name, what, status, codes, has_one, of_these);
INSERT INTO refusal VALUES
  ('no-session', 'unknown session', 404, 'not 7000, 7003', 0, '7000, 7003'),
  ('no-app', 'unknown app', 404, '7000 or 7003', 1, '7000, 7003'),
  ('bad-token', 'wrong token', 401, '10000', 1, '10000');

INSERT INTO line
SELECT what || ', status', refusal.status, reply.status, NULL
  FROM refusal JOIN reply USING (name) WHERE reply.status > 0;

INSERT INTO line
SELECT what || ', body', 'success false or errors[]',
       CASE WHEN json_type(doc) = 'object'
         THEN (SELECT group_concat(key || ' ' || type, ', ')
                 FROM json_each(doc) WHERE key NOT GLOB '*[^A-Za-z_]*')
         WHEN body = '' THEN 'empty' WHEN doc IS NULL THEN 'not JSON'
         ELSE json_type(doc) END,
       json_type(doc, '$.success') = 'false' OR
         json_array_length(doc, '$.errors') > 0
  FROM refusal JOIN reply USING (name) WHERE reply.status > 0;

INSERT INTO line
SELECT what || ', codes', codes, group_concat(value, ', '),
       max(instr(of_these, value) > 0) = has_one
  FROM refusal LEFT JOIN code USING (name) GROUP BY what ORDER BY refusal.rowid;

-- --- lists -------------------------------------------------------------------

CREATE TEMP TABLE list AS
SELECT name, status, CAST(substr(name, 6) AS INTEGER) AS asked, doc,
       CASE json_type(doc, '$.data') WHEN 'array' THEN '$.data' ELSE (
         SELECT fullkey FROM json_each(doc, '$.data') WHERE type = 'array'
       ) END AS rows_at,
       CASE WHEN json_type(doc, '$.paging') NOT NULL THEN '$.paging'
         WHEN json_type(doc, '$.data.paging') NOT NULL THEN '$.data.paging'
         END AS paging_at
  FROM reply WHERE name LIKE 'list-%' AND status > 0;

INSERT INTO line
SELECT 'list, per_page=' || asked, 'status 200, ' || asked || ' or all',
       'status ' || status || coalesce(', ' || came || coalesce(' of ' || total,
         ', total_count unknown'), ''),
       coalesce(status = 200 AND came = min(asked, total), 0)
  FROM (SELECT asked, status, json_array_length(doc, rows_at) AS came,
               json_extract(doc, paging_at || '.total_count') AS total
          FROM list);

INSERT INTO line
SELECT 'list, rows', 'data', substr(rows_at, 3), NULL
  FROM list WHERE asked = 1;

INSERT INTO line
SELECT 'list, paging', 'paging: end_offset, start_offset, total_count',
       substr(paging_at, 3) || ': ' || group_concat(key, ', '), NULL
  FROM (SELECT paging_at, key FROM list, json_each(doc, paging_at)
         WHERE asked = 1 AND key NOT GLOB '*[^A-Za-z_]*' ORDER BY key);

-- --- the token ---------------------------------------------------------------

INSERT INTO line
SELECT CASE name WHEN 'token' THEN 'user' ELSE 'account' END ||
         ' tokens/verify', 'status 200, result.status active',
       'status ' || status || coalesce(', result.status ' ||
         CASE WHEN state GLOB '*[^a-z]*' THEN '(not shown)' ELSE state END, ''),
       coalesce(status = 200 AND state = 'active', 0)
  FROM (SELECT name, status, json_extract(doc, '$.result.status') AS state
          FROM reply WHERE name LIKE '%token' AND name <> 'bad-token'
                       AND status > 0);

-- --- rtk itself --------------------------------------------------------------
-- Compared with the reply that it got, as a running session changes. Rounded:
-- SQLite's own reading of a number may differ in the last bit.

CREATE TEMP TABLE got(id, created_at, err_message, ingest_seconds,
  livestream_id, started_time, stopped_time, updated_at, viewer_seconds,
  invoked_time, response);
INSERT INTO got
SELECT *, invoked_time, response FROM rtk_livestream_session
 WHERE session_id = CAST(readfile('id') AS TEXT);

INSERT INTO line SELECT 'rtk, rows', 1, count(*), NULL FROM got;

INSERT INTO line
SELECT 'rtk, columns equal to the JSON', 10,
       (id IS json_extract(response, '$.data.id')) +
       (created_at IS json_extract(response, '$.data.created_at')) +
       (err_message IS json_extract(response, '$.data.err_message')) +
       (round(ingest_seconds, 6) IS
         round(json_extract(response, '$.data.ingest_seconds'), 6)) +
       (livestream_id IS json_extract(response, '$.data.livestream_id')) +
       (started_time IS json_extract(response, '$.data.started_time')) +
       (stopped_time IS json_extract(response, '$.data.stopped_time')) +
       (updated_at IS json_extract(response, '$.data.updated_at')) +
       (round(viewer_seconds, 6) IS
         round(json_extract(response, '$.data.viewer_seconds'), 6)) +
       (invoked_time IS json_extract(response, '$.data.invoked_time')), NULL
  FROM got;

-- --- one GET of each kind ----------------------------------------------------
-- Of a row, only the names of its fields are printed. Ids come from the lists.
-- A kind of which the app has nothing is not seen.

CREATE TEMP TABLE kind(name, status, error_kind, data);
CREATE TEMP VIEW kind_id AS
SELECT name, json_extract(data, '$.id') AS id FROM kind WHERE data NOT NULL;
SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;

INSERT INTO kind SELECT 'apps', http_status, error_kind, row FROM rtk_apps LIMIT 1;
INSERT INTO kind SELECT 'presets', http_status, error_kind, row
  FROM rtk_presets LIMIT 1;
INSERT INTO kind SELECT 'webhooks', http_status, error_kind, row
  FROM rtk_webhooks LIMIT 1;
INSERT INTO kind SELECT 'webhook_events', http_status, error_kind, row
  FROM rtk_webhook_events LIMIT 1;
INSERT INTO kind SELECT 'session_days', http_status, error_kind, row
  FROM rtk_session_days LIMIT 1;
INSERT INTO kind SELECT 'livestream_analytics', http_status, error_kind, row
  FROM rtk_livestream_analytics LIMIT 1;
INSERT INTO kind SELECT 'recordings', http_status, error_kind, row
  FROM rtk_recordings LIMIT 1;
INSERT INTO kind SELECT 'recording', http_status, error_kind, row
  FROM rtk_recording
 WHERE recording_id = (SELECT id FROM kind_id WHERE name = 'recordings');

INSERT INTO kind SELECT 'meetings', http_status, error_kind, row
  FROM rtk_meetings LIMIT 1;
INSERT INTO kind SELECT 'meeting_participants', http_status, error_kind, row
  FROM rtk_meeting_participants
 WHERE meeting_id = (SELECT id FROM kind_id WHERE name = 'meetings') LIMIT 1;
INSERT INTO kind SELECT 'meeting_livestream', http_status, error_kind, row
  FROM rtk_meeting_livestream
 WHERE for_meeting_id = (SELECT id FROM kind_id WHERE name = 'meetings');
INSERT INTO kind SELECT 'meeting_active_session', http_status, error_kind, row
  FROM rtk_meeting_active_session
 WHERE meeting_id = (SELECT id FROM kind_id WHERE name = 'meetings');

INSERT INTO kind SELECT 'meeting_sessions', http_status, error_kind, row
  FROM rtk_meeting_sessions WHERE status = 'ENDED' LIMIT 1;
CREATE TEMP VIEW session_id AS
SELECT id FROM kind_id WHERE name = 'meeting_sessions';
INSERT INTO kind
SELECT 'meeting_session_participants', http_status, error_kind, row
  FROM rtk_meeting_session_participants
 WHERE meeting_session_id = (SELECT id FROM session_id)
   AND include_peer_events = 1 LIMIT 1;
INSERT INTO kind SELECT 'peer_report', http_status, error_kind, row
  FROM rtk_peer_report
 WHERE peer_id = (SELECT json_extract(data, '$.peer_events[0].peer_id') FROM kind
                   WHERE name = 'meeting_session_participants');
INSERT INTO kind
SELECT 'meeting_session_livestreams', http_status, error_kind, row
  FROM rtk_meeting_session_livestreams
 WHERE meeting_session_id = (SELECT id FROM session_id) LIMIT 1;
INSERT INTO kind SELECT 'chat', http_status, error_kind, row FROM rtk_chat
 WHERE meeting_session_id = (SELECT id FROM session_id);
INSERT INTO kind SELECT 'transcript', http_status, error_kind, row
  FROM rtk_transcript
 WHERE for_meeting_session_id = (SELECT id FROM session_id);
INSERT INTO kind SELECT 'summary', http_status, error_kind, row
  FROM rtk_summary WHERE for_meeting_session_id = (SELECT id FROM session_id);

-- Fields whose columns have another name, or are of what is inside the field.
CREATE TEMP TABLE renamed(field);
INSERT INTO renamed VALUES ('session_id'), ('sessionId'), ('peer_report'),
  ('summaryDownloadUrl'), ('summaryDownloadUrlExpiry'), ('start_reason'),
  ('stop_reason');

INSERT INTO line
SELECT 'rtk_' || names.name, 'a row of fields that rtk has',
       CASE WHEN error_kind NOT NULL
           THEN error_kind || coalesce(', status ' || status, '')
         WHEN data IS NULL THEN NULL
         WHEN more IS NULL THEN 'a row of fields that rtk has'
         ELSE 'also: ' || more END, NULL
  FROM (SELECT substr(name, 5) AS name FROM rtk_help WHERE kind = 'table')
         AS names
  LEFT JOIN (SELECT *, (
      SELECT group_concat(CASE WHEN key GLOB '*[^A-Za-z_]*' THEN '(not shown)'
                            ELSE key END, ', ')
        FROM json_each(CASE json_type(data) WHEN 'object' THEN data END)
       WHERE key NOT IN (SELECT field FROM renamed)
         AND key NOT IN (SELECT column_name FROM rtk_columns
                          WHERE table_name = 'rtk_' || name)) AS more
    FROM kind) AS got ON got.name = names.name
 WHERE names.name IN ('apps', 'presets', 'webhooks', 'webhook_events',
         'session_days', 'livestream_analytics', 'recordings', 'recording',
         'meetings', 'meeting_participants', 'meeting_livestream',
         'meeting_active_session', 'meeting_sessions',
         'meeting_session_participants', 'peer_report',
         'meeting_session_livestreams', 'chat', 'transcript', 'summary');

.once asked
SELECT value FROM rtk_stats WHERE name = 'requests';

-- --- the report --------------------------------------------------------------

CREATE TEMP TABLE report AS
SELECT CASE WHEN seen IS NULL THEN 'not seen'
         WHEN coalesce(is_ok, seen = expected) THEN 'ok' ELSE 'differs'
         END AS verdict, *
  FROM line;
SELECT printf('%-8s  %s: expected %s; seen %s', verdict, assumption, expected,
              coalesce(seen, 'nothing'))
  FROM report ORDER BY rowid;
SELECT printf('%d ok, %d differ, %d not seen', sum(verdict = 'ok'),
              sum(verdict = 'differs'), sum(verdict = 'not seen'))
  FROM report;
