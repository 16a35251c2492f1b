-- Writes a dashboard: one HTML page, complete in itself, without any script.
--
--   sqlite3 my.db '.read sql/dashboard.sql' > dashboard.html
--
-- The page shows viewer hours by month and customer, sessions at once by hour
-- of the week, the minutes of meetings by month (if there are any), the sessions
-- with their length, failures with their reasons, what the page cost in
-- requests, and how many ids are missing from it.
--
-- The customers come from a table of yours, customer_session(name, session_id).
-- Without that table the viewer hours are by livestream.
--
-- Cost: one request for each 100 livestreams, one for the sessions of each
-- livestream, one for each id in customer_session that is in none of these
-- lists, and one for each 100 meeting sessions. No request at all from the local
-- copy that sql/archive.sql or sql/sync.sql keeps:
--
--   sqlite3 -cmd '.parameter set @local 1' my.db '.read sql/dashboard.sql'
--
-- That of sync.sql has no meetings and no names of livestreams; the page shows
-- their ids instead.
--
-- Requests that fail do not stop the page: it says how many, and why. When the
-- token is missing or refused (HTTP 401), stdout stays empty and the exit code
-- is 1.

.bail on
.echo off
.changes off
.eqp off
.stats off
.timer off
.headers off
.mode list

-- rtk as already loaded (~/.sqliterc), else ./rtk, else the installed one.
SELECT 1 WHERE CASE
  WHEN EXISTS (SELECT 1 FROM pragma_module_list
                WHERE name = 'rtk_livestream_session') THEN 0
  WHEN coalesce(readfile('rtk.so'), readfile('rtk.dylib')) NOT NULL
    THEN load_extension('./rtk')
  ELSE load_extension('rtk') END;

-- --- step 1: fetch -----------------------------------------------------------

-- All tables of the page are in a database in memory, which ends with it. The
-- name of a failed constraint is the error message.
ATTACH ':memory:' AS page;
CREATE TABLE page.source(
  is_local CONSTRAINT "@local is 1, or not set" CHECK (is_local IN (0, 1)),
  has_copy CONSTRAINT "no table rtk_session: run sql/sync.sql first"
    CHECK (has_copy OR NOT is_local),
  has_customers, requests, now_s
);
INSERT INTO page.source
SELECT coalesce(@local, 0),
       EXISTS (SELECT 1 FROM pragma_table_info('rtk_session')),
       EXISTS (SELECT 1 FROM pragma_table_info('customer_session')),
       (SELECT value FROM rtk_stats WHERE name = 'requests'),
       CAST(strftime('%s', 'now') AS INTEGER);

-- SQLite looks for a table in attached databases last. So these are used only
-- where my.db has none; `livestream` and `meeting_session` are those of
-- archive.sql.
CREATE TABLE page.meeting_session(started_at, minutes_consumed);
CREATE TABLE page.customer_session(name, session_id);
CREATE TABLE page.rtk_session(
  session_id, livestream_id, created_at, started_time, stopped_time,
  viewer_seconds, err_message, fetched_at, gone_at, error);

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;

CREATE TABLE page.livestream(id, name, error, error_kind);
INSERT INTO page.livestream
SELECT id, name, error, error_kind FROM rtk_livestreams
 WHERE coalesce(@local, 0) = 0;
INSERT INTO page.livestream SELECT id, name, NULL, NULL FROM livestream
 WHERE @local = 1;

-- A row for each session, whether its data are there or not.
CREATE TABLE page.fetched(
  id, livestream_id, created_at, started_time, stopped_time, viewer_seconds,
  err_message,
  missing, error -- why there are no (new) data: NULL, 'gone', an error_kind …
);
INSERT INTO page.fetched
SELECT s.id, s.for_livestream_id, s.created_at, s.started_time, s.stopped_time,
       s.viewer_seconds, s.err_message, s.error_kind, s.error
  FROM rtk_livestream_sessions AS s
 WHERE coalesce(@local, 0) = 0
   AND s.for_livestream_id IN (SELECT id FROM page.livestream);

INSERT INTO page.fetched
SELECT session_id, livestream_id, created_at, started_time, stopped_time,
       viewer_seconds, err_message,
       CASE WHEN gone_at NOT NULL THEN 'gone' WHEN error NOT NULL THEN 'error'
            WHEN fetched_at IS NULL THEN 'not fetched yet' END, error
  FROM rtk_session WHERE @local = 1;

CREATE TABLE page.unlisted AS
SELECT DISTINCT session_id FROM customer_session
 WHERE session_id NOT NULL
   AND session_id NOT IN (SELECT id FROM page.fetched WHERE id NOT NULL);

INSERT INTO page.fetched(id, missing)
SELECT session_id, 'not in rtk_session' FROM page.unlisted WHERE @local = 1;

INSERT INTO page.fetched
SELECT u.session_id, s.livestream_id, s.created_at, s.started_time,
       s.stopped_time, s.viewer_seconds, s.err_message,
       CASE WHEN s.session_id IS NULL THEN 'gone' ELSE s.error_kind END, s.error
  FROM page.unlisted AS u
  LEFT JOIN rtk_livestream_session AS s
    ON s.session_id = u.session_id
   AND s.session_id IN (SELECT session_id FROM page.unlisted)
 WHERE coalesce(@local, 0) = 0;

CREATE TABLE page.met AS
SELECT started_at, minutes_consumed + 0.0 AS minutes, error, error_kind
  FROM rtk_meeting_sessions WHERE coalesce(@local, 0) = 0
 UNION ALL
SELECT started_at, minutes_consumed + 0.0, NULL, NULL FROM meeting_session
 WHERE @local = 1;

SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

UPDATE page.source SET requests = value - requests
  FROM rtk_stats WHERE name = 'requests';

-- --- step 2: figures ---------------------------------------------------------

-- The only place where text from outside becomes HTML. The tables below take
-- their texts from here. substr() also ends a text at a NUL character.
CREATE TABLE page.escaped(raw PRIMARY KEY, html);
INSERT INTO page.escaped
SELECT raw, '<bdi>' || replace(replace(replace(replace(
         substr(raw, 1, 200) || CASE WHEN length(raw) > 200 THEN '…' ELSE '' END,
         '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;') || '</bdi>'
  FROM (SELECT name AS raw FROM customer_session
         UNION SELECT name FROM page.livestream
         UNION SELECT error FROM page.livestream
         UNION SELECT error_kind FROM page.livestream
         UNION SELECT error FROM page.met
         UNION SELECT error_kind FROM page.met
         UNION SELECT id FROM page.fetched
         UNION SELECT livestream_id FROM page.fetched
         UNION SELECT err_message FROM page.fetched
         UNION SELECT error FROM page.fetched
         UNION SELECT missing FROM page.fetched
         UNION SELECT rtk_config('account') UNION SELECT rtk_config('app'))
 WHERE typeof(raw) <> 'blob' AND trim(raw) <> '';

-- Times are seconds since 1970; a time before 1971 is none. A session without
-- an end still runs.
CREATE TABLE page.session AS
SELECT f.id AS raw_id, i.html AS id, coalesce(l.html, o.html) AS livestream,
       r.html AS reason, f.viewer_seconds + 0.0 AS viewer_seconds,
       CAST(strftime('%s', CASE WHEN f.started_time >= '1971'
         THEN f.started_time END) AS INTEGER) AS start_s,
       CAST(strftime('%s', CASE WHEN f.stopped_time >= '1971'
         THEN f.stopped_time END) AS INTEGER) AS stop_s,
       CAST(strftime('%s', f.created_at) AS INTEGER) AS created_s
  FROM page.fetched AS f
  LEFT JOIN page.livestream AS v ON v.id = f.livestream_id
  LEFT JOIN page.escaped AS l ON l.raw = v.name
  LEFT JOIN page.escaped AS o ON o.raw = f.livestream_id
  LEFT JOIN page.escaped AS i ON i.raw = f.id
  LEFT JOIN page.escaped AS r ON r.raw = f.err_message
 WHERE f.created_at NOT NULL OR f.started_time NOT NULL;

-- A session of two customers counts for both.
CREATE TABLE page.watched AS
SELECT strftime('%Y-%m', s.start_s, 'unixepoch') AS month,
       CASE WHEN NOT has_customers THEN coalesce(s.livestream, '<i>no name</i>')
            WHEN c.session_id IS NULL THEN '<i>no customer</i>'
            ELSE coalesce(e.html, '<i>no name</i>') END AS owner,
       count(*) AS sessions, total(s.viewer_seconds) AS seconds
  FROM page.source, page.session AS s
  LEFT JOIN customer_session AS c ON c.session_id = s.raw_id
  LEFT JOIN page.escaped AS e ON e.raw = c.name
 WHERE s.start_s NOT NULL
 GROUP BY 1, 2;
DELETE FROM page.watched
 WHERE month NOT IN (SELECT DISTINCT month FROM page.watched
                      ORDER BY month DESC LIMIT 12);

-- The 30 that watched most, and the others together. The first six have a
-- colour each; from the seventh on all are grey.
CREATE TABLE page.month AS
SELECT month, min(place, 31) AS place, min(place, 7) AS colour,
       CASE WHEN place > 30 THEN '<i>' || count(*) || ' others</i>' ELSE owner
            END AS owner,
       sum(sessions) AS sessions, sum(seconds) AS seconds
  FROM page.watched
  JOIN (SELECT owner, row_number() OVER (ORDER BY sum(seconds) DESC, owner)
                 AS place FROM page.watched GROUP BY owner) USING (owner)
 GROUP BY month, min(place, 31);

-- Each start adds a session and each stop takes one away; the sum up to an
-- instant is the number that run, until the next instant. Such a stretch of
-- time touches at most the 168 hours of a week. Hour 0 is Monday, 00:00 UTC;
-- 1970 began on a Thursday, 72 hours after it.
CREATE TABLE page.week AS
WITH RECURSIVE hour(n) AS (
  SELECT 0 UNION ALL SELECT n + 1 FROM hour WHERE n < 167
), change(at_s, by) AS (
  SELECT start_s, 1 FROM page.session WHERE start_s NOT NULL
   UNION ALL
  SELECT max(coalesce(stop_s, min(now_s, start_s + 86400)), start_s + 1), -1
    FROM page.session, page.source WHERE start_s NOT NULL
), running AS (
  SELECT at_s / 3600 AS first_hour,
         (lead(at_s) OVER (ORDER BY at_s) - 1) / 3600 AS last_hour,
         sum(by) OVER (ORDER BY at_s) AS sessions
    FROM (SELECT at_s, sum(by) AS by FROM change GROUP BY at_s)
), peak AS (
  SELECT (r.first_hour + h.n + 72) % 168 AS n, max(r.sessions) AS sessions
    FROM running AS r JOIN hour AS h ON h.n <= r.last_hour - r.first_hour
   GROUP BY 1
)
SELECT n / 24 AS y, n % 24 AS x, coalesce(sessions, 0) AS sessions,
       substr('MonTueWedThuFriSatSun', n / 24 * 3 + 1, 3) AS day,
       (SELECT coalesce(max(sessions), 0) FROM peak) AS most
  FROM hour LEFT JOIN peak USING (n);

CREATE TABLE page.missing AS
SELECT what, w.html AS why, count(*) AS n, e.html AS example
  FROM (SELECT 'list of livestreams' AS what, error_kind AS why, error
          FROM page.livestream WHERE error NOT NULL
         UNION ALL
        SELECT 'list of meeting sessions', error_kind, error
          FROM page.met WHERE error NOT NULL
         UNION ALL
        SELECT CASE WHEN id IS NULL THEN 'list of a livestream''s sessions'
                    ELSE 'session' END, missing, coalesce(error, id)
          FROM page.fetched WHERE missing NOT NULL)
  LEFT JOIN page.escaped AS w ON w.raw = why
  LEFT JOIN page.escaped AS e ON e.raw = error
 GROUP BY what, w.html;

-- --- step 3: the page --------------------------------------------------------

-- <bar> stands for the beginning of a bar, 100 wide and 1 high, in any size.
CREATE TABLE page.html(line);

INSERT INTO page.html VALUES ('<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy"
 content="default-src ''none''; style-src ''unsafe-inline''"/>
<title>Livestream dashboard</title><style>
:root { color-scheme: light dark;
  --page: #f3f5f8; --card: #fff; --line: #d9dee6; --text: #17202c;
  --soft: #556070; --bad: #b3261e; --c1: #2563b8; --c2: #d9740b; --c3: #23875a;
  --c4: #8b4fc0; --c5: #c0396b; --c6: #0e8a99; --c7: #7f8996; --h0: #edf0f4;
  --h1: #cfe0f5; --h2: #98bfe9; --h3: #5b97d6; --h4: #2c6cb8; --h5: #123f7c }
@media screen and (prefers-color-scheme: dark) { :root {
  --page: #10151c; --card: #1a212b; --line: #323c4a; --text: #e6eaf0;
  --soft: #a3afbf; --bad: #ff9d94; --c1: #5fa0ee; --c2: #f0a04b; --c3: #52bd8a;
  --c4: #bb8be6; --c5: #ee7ba3; --c6: #48c0cf; --c7: #8993a1; --h0: #252e3a;
  --h1: #1d3f66; --h2: #27619f; --h3: #3f8ad6; --h4: #7db6f0; --h5: #cfe5fc } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 0 16px; max-width: 1500px; color: var(--text);
  background: var(--page); font: 15px/1.45 system-ui, sans-serif }
h1 { font-size: 24px; margin: 20px 0 0 }
h2 { font-size: 18px; margin: 0 0 4px }
p { margin: 0 0 12px; color: var(--soft) }
main, dl { display: grid; gap: 16px; align-items: start }
dl { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)) }
section, dl div { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; padding: 16px; min-width: 0 }
dd { margin: 0; font-size: 26px; font-weight: 600 }
dt, thead th, small { color: var(--soft) }
small { display: block; font-size: 13px }
.bad { color: var(--bad) }
table { border-collapse: collapse; width: 100% }
caption { text-align: start; font-weight: 600; padding-bottom: 4px }
th, td { text-align: start; vertical-align: top; padding: 4px 12px 4px 0;
  border-top: 1px solid var(--line); font-weight: 400 }
thead th { border: 0 }
tr > :last-child { padding-right: 0 }
bdi { overflow-wrap: anywhere } .why { min-width: 6em }
.n { text-align: end; font-variant-numeric: tabular-nums }
td.n, time span { white-space: nowrap }
.months { display: grid; gap: 20px 32px; margin-top: 20px; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 280px), 1fr)) }
.bar { display: block; width: 100%; height: 6px; margin: 4px 0 }
.stack { width: 60% } .stack .bar { height: 16px }
.heat { display: block; width: 100%; max-width: 760px }
.heat text { fill: var(--soft); font-size: 13px }
footer { padding: 16px 0; color: var(--soft) }
@media (max-width: 600px) { .heat text { font-size: 17px } }
@media (min-width: 601px) { time { white-space: nowrap } }
@media (min-width: 1100px) {
  main { grid-template: repeat(4, auto) 1fr / repeat(2, minmax(0, 1fr)) }
  .wide { grid-column: 1 / 3 } .tall { grid-column: 2; grid-row: 2 / span 4 } }
@media print { body { font-size: 12px; background: none }
  main { display: block } section { border: 0; padding: 16px 0 }
  dl { grid-template-columns: repeat(6, 1fr) } tr, svg { break-inside: avoid }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact } }
</style></head><body>');

INSERT INTO page.html
SELECT '<header><h1>Livestream dashboard</h1><p>' || CASE WHEN is_local
         THEN 'From the local copy, last fetched ' || coalesce((
           SELECT strftime('%Y-%m-%d %H:%M', max(fetched_at))
             FROM rtk_session), 'never')
         ELSE printf('App %s of account %s',
           (SELECT html FROM page.escaped WHERE raw = rtk_config('app')),
           (SELECT html FROM page.escaped WHERE raw = rtk_config('account')))
       END || strftime('. Written <time><span>%Y-%m-%d</span> %H:%M</time>', 'now') ||
       '. All times are UTC.</p>' FROM page.source;

INSERT INTO page.html
SELECT '<dl>' || group_concat(printf('<div><dt>%s</dt><dd class="%s">%,d</dd>' ||
         '</div>', label, CASE WHEN is_bad AND n > 0 THEN 'bad' END, n), '') ||
       '</dl></header><main>'
  FROM (SELECT 'Viewer hours' AS label, 0 AS is_bad,
               round(total(viewer_seconds) / 3600) AS n FROM page.session
        UNION ALL SELECT 'Sessions', 0, count(*) FROM page.session
        UNION ALL SELECT 'Running now', 0, count(*) FROM page.session
                   WHERE start_s NOT NULL AND stop_s IS NULL
        UNION ALL SELECT 'Failed', 1, count(reason) FROM page.session
        UNION ALL SELECT 'Missing', 1, total(n) FROM page.missing
        UNION ALL SELECT 'Requests', 0, requests FROM page.source);

-- Viewer hours: all months in one table, then a table for each month.
INSERT INTO page.html
WITH total AS (
  SELECT month, sum(seconds) AS seconds, sum(sessions) AS sessions,
         group_concat(printf('<rect style="fill:var(--c%d)" x="%.2f" width="%.2f" ' ||
           'height="1"/>', colour, upto - part, part), '') AS bars
    FROM (SELECT *, seconds * 100 / most AS part, sum(seconds) OVER (
                   PARTITION BY month ORDER BY place) * 100 / most AS upto
            FROM page.month, (SELECT max(1, max(s)) AS most FROM (
              SELECT sum(seconds) AS s FROM page.month GROUP BY month))
           ORDER BY month, place)
   GROUP BY month ORDER BY month DESC
)
SELECT printf('<section class="wide"><h2>Viewer hours by month and %s</h2>',
         CASE WHEN has_customers THEN 'customer' ELSE 'livestream' END) ||
       coalesce('<table><caption>The last 12 months with sessions</caption>' ||
         '<thead><tr><th scope="col">Month</th><th scope="col">Share</th>' ||
         '<th scope="col" class="n">Hours</th><th scope="col" class="n">' ||
         'Sessions</th></tr></thead><tbody>' || (SELECT group_concat(printf(
           '<tr><th scope="row"><time><span>%s</span></time></th>' ||
           '<td class="stack"><bar>%s</svg></td>' ||
           '<td class="n">%,d.%d</td><td class="n">%,d</td></tr>', month, bars,
           round(seconds / 360) / 10, round(seconds / 360) % 10, sessions), '
') FROM total) || '</tbody></table>', '<p>There are no sessions.</p>') ||
       '<div class="months">' FROM page.source;
INSERT INTO page.html
SELECT printf('<table><caption>%s, hours</caption><tbody>', month) ||
       group_concat(printf('<tr><th scope="row">%s<bar><rect style="fill:' ||
         'var(--c%d)" width="%.2f" height="1"/></svg></th><td class="n">%,d.%d</td></tr>',
         owner, colour, seconds * 100 / most, round(seconds / 360) / 10,
         round(seconds / 360) % 10), '
') || '</tbody></table>'
  FROM (SELECT *, max(1, max(seconds) OVER ()) AS most FROM page.month
         ORDER BY month DESC, place)
 GROUP BY month ORDER BY month DESC;
INSERT INTO page.html VALUES ('</div></section>');

-- The heat map: a row for each day, a column for each hour, and a legend.
INSERT INTO page.html
SELECT '<section><h2>Sessions at once by hour of the week</h2><p>The most that ' ||
       'ever ran at the same time within the hour. A session without an end ' ||
       'counts for a day.</p><svg class="heat" viewBox="0 0 520 212" role="img"' ||
       ' aria-labelledby="heat-title heat-text"><title id="heat-title">Sessions' ||
       ' at once by hour of the week</title><desc id="heat-text">' ||
       (SELECT printf('The busiest hour is %s, %02d:00, with %d', day, x, most)
          FROM page.week ORDER BY sessions DESC, y, x LIMIT 1) || '.</desc>' ||
       group_concat(printf('<rect style="fill:var(--h%d)" x="%d" y="%d" ' ||
           'width="18" height="20" rx="3"><title>%s %02d:00: %d</title></rect>',
           (sessions * 5 + most - 1) / max(1, most), x * 20 + 40, y * 22 + 1,
           day, x, sessions) ||
         CASE x WHEN 0 THEN printf('<text y="%d">%s</text>', y * 22 + 16, day)
                ELSE '' END ||
         CASE WHEN y = 6 AND x % 3 = 0 THEN
                printf('<text x="%d" y="172">%02d</text>', x * 20 + 40, x)
              WHEN y = 0 AND x < 6 THEN printf('<rect style="fill:var(--h%d)" ' ||
                'x="%d" y="190" width="18" height="20" rx="3"/>', x, x * 20 + 60)
              ELSE '' END, '') ||
       printf('<text x="40" y="205">0</text><text x="186" y="205">%d</text>' ||
         '</svg></section>', most)
  FROM page.week;

-- The minutes of meetings. Without meetings there is no section.
INSERT INTO page.html
SELECT '<section><h2>Minutes of meetings</h2><table><caption>The last 12 months' ||
       ' with meetings</caption><thead><tr><th scope="col">Month</th><th scope=' ||
       '"col">Share</th><th scope="col" class="n">Minutes</th><th scope="col" ' ||
       'class="n">Sessions</th></tr></thead><tbody>' ||
       group_concat(printf('<tr><th scope="row"><time><span>%s</span></time></th>' ||
         '<td class="stack"><bar><rect style="fill:var(--c2)" width="%.2f" ' ||
         'height="1"/></svg></td><td class="n">%,d</td><td class="n">%,d</td></tr>',
         month, minutes * 100 / most, round(minutes), sessions), '
') || '</tbody></table></section>'
  FROM (SELECT *, max(1, max(minutes) OVER ()) AS most
          FROM (SELECT strftime('%Y-%m', started_at) AS month,
                       total(minutes) AS minutes, count(*) AS sessions
                  FROM page.met WHERE started_at >= '1971'
                 GROUP BY 1 HAVING month NOT NULL ORDER BY 1 DESC LIMIT 12))
HAVING count(*) > 0;

-- The last 20 sessions.
INSERT INTO page.html
SELECT printf('<section class="tall"><h2>Sessions</h2><table><caption>The last ' ||
         '%d that started</caption><thead><tr><th scope="col">Start</th>' ||
         '<th scope="col">Livestream</th><th scope="col" class="n">Length</th>' ||
         '<th scope="col" class="n">Viewer hours</th></tr></thead><tbody>',
         count(*)) ||
       coalesce(group_concat(printf('<tr><th scope="row">%s</th><td>%s<bar>' ||
         '<rect style="fill:var(--c1)" width="%.2f" height="1"/></svg></td><td class="n">%s' ||
         '</td><td class="n">%,d.%d</td></tr>',
         strftime('<time><span>%Y-%m-%d</span> %H:%M</time>', start_s,
           'unixepoch'), coalesce(livestream, '<i>no name</i>'),
         coalesce(length_s * 100.0 / most, 0), CASE WHEN stop_s IS NULL
           THEN 'running' ELSE printf('%d:%02d', length_s / 3600,
             length_s % 3600 / 60) END,
         round(viewer_seconds / 360) / 10, round(viewer_seconds / 360) % 10), '
'), '') || '</tbody></table></section>'
  FROM (SELECT *, max(1, max(length_s) OVER ()) AS most
          FROM (SELECT *, max(stop_s - start_s, 0) AS length_s
                  FROM page.session WHERE start_s NOT NULL
                 ORDER BY start_s DESC, raw_id LIMIT 20));

-- The last 30 failures.
INSERT INTO page.html
SELECT '<section><h2>Failed sessions</h2>' || CASE WHEN count(*) = 0
         THEN '<p>No session failed.</p>' ELSE printf('<table><caption>The ' ||
           'last %d</caption><thead><tr><th scope="col">Time</th><th scope=' ||
           '"col">Livestream</th><th scope="col">Reason</th></tr></thead>' ||
           '<tbody>', count(*)) || group_concat(printf('<tr><th scope="row">' ||
           '%s</th><td>%s<small>%s</small></td><td>%s</td></tr>',
           coalesce(strftime('<time><span>%Y-%m-%d</span> %H:%M</time>', time_s,
             'unixepoch'), '<i>no time</i>'), livestream, id, reason), '
') || '</tbody></table>' END || '</section>'
  FROM (SELECT *, coalesce(start_s, created_s) AS time_s FROM page.session
         WHERE reason NOT NULL ORDER BY time_s DESC, raw_id LIMIT 30);

-- What the page cost, and what is missing.
INSERT INTO page.html
SELECT printf('<section><h2>Requests and missing data</h2><p>This page cost ' ||
         '%,d requests. What is missing is not in the figures.</p>', requests) ||
       coalesce('<table><caption>Missing</caption><thead><tr>' ||
         '<th scope="col">What</th><th scope="col">Why</th>' ||
         '<th scope="col" class="n">Number</th><th scope="col">Example</th>' ||
         '</tr></thead><tbody>' || (SELECT group_concat(printf('<tr>' ||
           '<th scope="row">%s</th><td class="why">%s</td><td class="n">%,d</td>' ||
           '<td>%s</td></tr>', what, why, n, example), '
') FROM page.missing) || '</tbody></table>', '<p>Nothing is missing.</p>') ||
       '</section></main><footer>Made by rtk, sql/dashboard.sql</footer>' ||
       '</body></html>'
  FROM page.source;

SELECT replace(line, '<bar>', '<svg class="bar" viewBox="0 0 100 1" ' ||
         'preserveAspectRatio="none" aria-hidden="true">')
  FROM page.html ORDER BY rowid;
DETACH page;
