-- Writes a dashboard: one HTML page, complete in itself, without any script.
--
--   sqlite3 my.db '.read sql/dashboard.sql' > dashboard.html
--
-- The page shows viewer hours by month and customer, sessions at once by hour
-- of the week, the sessions with their length, failures with their reasons,
-- what the page cost in requests, and how many ids are missing from it.
--
-- The customers come from a table of yours, customer_session(name, session_id).
-- Without that table the viewer hours are by livestream.
--
-- Cost: one request for each 100 livestreams, one for the sessions of each
-- livestream, and one for each id in customer_session that is in none of these
-- lists. No request at all from the local copy that sql/sync.sql keeps:
--
--   sqlite3 -cmd '.parameter set @local 1' my.db '.read sql/dashboard.sql'
--
-- The local copy has no names of livestreams; the page shows their ids instead.
--
-- Requests that fail do not stop the page: it says how many, and why. Without a
-- token, or with one that is refused (HTTP 401), nothing is printed on stdout,
-- and the exit code is 1.

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
  has_customers, requests_before
);
INSERT INTO page.source
SELECT coalesce(@local, 0),
       EXISTS (SELECT 1 FROM pragma_table_info('rtk_session')),
       EXISTS (SELECT 1 FROM pragma_table_info('customer_session')),
       (SELECT value FROM rtk_stats WHERE name = 'requests');

-- SQLite looks for a table in attached databases last. So these two are used
-- only where my.db has none.
CREATE TABLE page.customer_session(name, session_id);
CREATE TABLE page.rtk_session(
  session_id, livestream_id, created_at, started_time, stopped_time,
  viewer_seconds, err_message, fetched_at, gone_at, error);

SELECT 1 WHERE rtk_config('on_error', 'row') IS NULL;

CREATE TABLE page.livestream AS
SELECT id, name, error, error_kind FROM rtk_livestreams
 WHERE coalesce(@local, 0) = 0;

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
 WHERE s.for_livestream_id IN (SELECT id FROM page.livestream);

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

SELECT 1 WHERE rtk_config('on_error', NULL) IS NULL;

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
         UNION SELECT id FROM page.fetched
         UNION SELECT livestream_id FROM page.fetched
         UNION SELECT err_message FROM page.fetched
         UNION SELECT error FROM page.fetched
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

-- The last 12 months with sessions. A session of two customers counts twice.
CREATE TABLE page.watched AS
SELECT strftime('%Y-%m', s.start_s, 'unixepoch') AS month,
       CASE WHEN NOT has_customers THEN s.livestream
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

-- The six that watched most have a colour each, 1 to 6; the others are grey, 7.
CREATE TABLE page.owner AS
SELECT owner, min(row_number() OVER (ORDER BY sum(seconds) DESC, owner), 7)
         AS colour
  FROM page.watched GROUP BY owner;

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
  SELECT max(coalesce(stop_s, strftime('%s', 'now') + 0), start_s + 1), -1
    FROM page.session WHERE start_s NOT NULL
), running AS (
  SELECT at_s / 3600 AS first_hour,
         (lead(at_s) OVER (ORDER BY at_s) - 1) / 3600 AS last_hour,
         sum(by) OVER (ORDER BY at_s) AS sessions
    FROM (SELECT at_s, sum(by) AS by FROM change GROUP BY at_s)
)
SELECT (r.first_hour + h.n + 72) % 168 AS hour, max(r.sessions) AS sessions
  FROM running AS r JOIN hour AS h ON h.n <= r.last_hour - r.first_hour
 WHERE r.sessions > 0
 GROUP BY 1;

CREATE TABLE page.missing AS
SELECT what, why, count(*) AS n, e.html AS example
  FROM (SELECT 'list of livestreams' AS what, error_kind AS why, error
          FROM page.livestream WHERE error NOT NULL
         UNION ALL
        SELECT CASE WHEN id IS NULL THEN 'list of a livestream''s sessions'
                    ELSE 'session' END, missing, coalesce(error, id)
          FROM page.fetched WHERE missing NOT NULL)
  LEFT JOIN page.escaped AS e ON e.raw = error
 GROUP BY what, why;

-- --- step 3: the page --------------------------------------------------------

CREATE TABLE page.html(line);

INSERT INTO page.html VALUES ('<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy"
 content="default-src ''none''; style-src ''unsafe-inline''"/>
<title>Livestream dashboard</title><style>
:root { color-scheme: light dark; --page: #f3f5f8; --card: #fff; --line: #d9dee6;
  --text: #17202c; --soft: #556070; --bad: #b3261e;
  --1: #2563b8; --2: #d9740b; --3: #23875a; --4: #8b4fc0; --5: #c0396b;
  --6: #0e8a99; --7: #98a1ae;
  --h0: #edf0f4; --h1: #cfe0f5; --h2: #98bfe9; --h3: #5b97d6; --h4: #2c6cb8;
  --h5: #123f7c }
@media screen and (prefers-color-scheme: dark) { :root { --page: #10151c;
  --card: #1a212b; --line: #323c4a; --text: #e6eaf0; --soft: #a3afbf;
  --bad: #ff9d94; --1: #5fa0ee; --2: #f0a04b; --3: #52bd8a; --4: #bb8be6;
  --5: #ee7ba3; --6: #48c0cf; --7: #737d8b; --h0: #252e3a; --h1: #1d3f66;
  --h2: #27619f; --h3: #3f8ad6; --h4: #7db6f0; --h5: #cfe5fc } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.45 system-ui, sans-serif }
header, main, footer { max-width: 1500px; margin: auto; padding: 0 16px }
main { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr) }
h1 { font-size: 24px; margin: 20px 0 0 }
h2 { font-size: 18px; margin: 0 0 4px }
p { margin: 0 0 12px; color: var(--soft) }
section, dl div { background: var(--card); border: 1px solid var(--line);
  border-radius: 10px; padding: 16px; min-width: 0 }
dl { display: grid; gap: 12px; margin: 16px 0;
  grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)) }
dt { color: var(--soft) }
dd { margin: 0; font-size: 26px; font-weight: 600 }
.bad { color: var(--bad) }
table { border-collapse: collapse; width: 100% }
caption { text-align: start; font-weight: 600; padding-bottom: 4px }
th, td { text-align: start; vertical-align: top; padding: 4px 12px 4px 0;
  border-top: 1px solid var(--line); font-weight: 400; overflow-wrap: anywhere }
thead th { color: var(--soft); border: 0; overflow-wrap: normal }
.n { text-align: end; white-space: nowrap; font-variant-numeric: tabular-nums }
tr > :last-child { padding-right: 0 }
.nowrap { white-space: nowrap }
small { display: block; color: var(--soft); font-size: 13px }
.months { display: grid; gap: 20px 32px; margin-top: 20px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 280px), 1fr)) }
.bar { display: block; width: 100%; height: 8px; margin-top: 3px }
.stack { height: 18px }
.heat { display: block; width: 100%; max-width: 760px }
.heat text { fill: var(--soft); font-size: 13px }
.c1 { fill: var(--1) } .c2 { fill: var(--2) } .c3 { fill: var(--3) }
.c4 { fill: var(--4) } .c5 { fill: var(--5) } .c6 { fill: var(--6) }
.c7 { fill: var(--7) } .h0 { fill: var(--h0) } .h1 { fill: var(--h1) }
.h2 { fill: var(--h2) } .h3 { fill: var(--h3) } .h4 { fill: var(--h4) }
.h5 { fill: var(--h5) }
footer { padding: 16px; color: var(--soft) }
@media (min-width: 1100px) { main { grid-template-columns: repeat(2, minmax(0, 1fr)) }
  .wide { grid-column: 1 / 3 } .tall { grid-column: 2; grid-row: 2 / span 3 }
  main { grid-template-rows: auto auto auto 1fr } }
@media print { body { font-size: 12px; background: #fff } section { border: 0 }
  tr, .heat, .months table { break-inside: avoid }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
</style></head><body>');

INSERT INTO page.html
SELECT '<header><h1>Livestream dashboard</h1><p>' || CASE WHEN is_local
         THEN 'From the local copy, last fetched ' || coalesce((
           SELECT strftime('%Y-%m-%d %H:%M', max(fetched_at)) || ' UTC'
             FROM rtk_session), 'never')
         ELSE 'App ' || coalesce((SELECT html FROM page.escaped
                WHERE raw = rtk_config('app')), '') ||
              ' of account ' || coalesce((SELECT html FROM page.escaped
                WHERE raw = rtk_config('account')), '') END ||
       '. Written ' || strftime('%Y-%m-%d %H:%M', 'now') ||
       '. All times are UTC.</p>' FROM page.source;

INSERT INTO page.html
SELECT '<dl>' || group_concat('<div><dt>' || label || '</dt><dd' ||
         CASE WHEN is_bad THEN ' class="bad"' ELSE '' END || '>' || value ||
         '</dd></div>', '') || '</dl></header><main>'
  FROM (SELECT 'Viewer hours' AS label, 0 AS is_bad,
               printf('%,d', round(total(viewer_seconds) / 3600)) AS value
          FROM page.session
         UNION ALL
        SELECT 'Sessions', 0, printf('%,d', count(*)) FROM page.session
         UNION ALL
        SELECT 'Failed sessions', count(reason) > 0, printf('%,d', count(reason))
          FROM page.session
         UNION ALL
        SELECT 'Missing', total(n) > 0, printf('%,d', total(n))
          FROM page.missing);

-- Viewer hours.
INSERT INTO page.html
SELECT '<section class="wide"><h2>Viewer hours by month and ' ||
       CASE WHEN has_customers THEN 'customer' ELSE 'livestream' END ||
       '</h2><p>The last 12 months with sessions.</p>' ||
       CASE WHEN EXISTS (SELECT 1 FROM page.watched) THEN '' ELSE
         '<p>There are no sessions.</p>' END FROM page.source;

INSERT INTO page.html
WITH part AS (
  SELECT month, colour, sum(seconds) AS seconds, sum(sessions) AS sessions,
         sum(sum(seconds)) OVER (PARTITION BY month ORDER BY colour) AS upto
    FROM page.watched JOIN page.owner USING (owner) GROUP BY month, colour
), total AS (
  SELECT month, sum(seconds) AS seconds, sum(sessions) AS sessions,
         group_concat(printf('<rect class="c%d" x="%.2f" width="%.2f" height="1"/>',
           colour, (upto - seconds) * 100 / most, seconds * 100 / most), '')
           AS bars
    FROM part, (SELECT max(1, max(s)) AS most
                  FROM (SELECT sum(seconds) AS s FROM part GROUP BY month))
   GROUP BY month
)
SELECT '<table><caption>All together</caption><thead><tr>' ||
       '<th scope="col">Month</th><td></td><th scope="col" class="n">Hours</th>' ||
       '<th scope="col" class="n">Sessions</th></tr></thead><tbody>' ||
       group_concat('<tr><th scope="row" class="nowrap">' || month ||
         '</th><td style="width:70%"><svg class="bar stack" viewBox="0 0 100 1"' ||
         ' preserveAspectRatio="none" aria-hidden="true">' || bars ||
         '</svg></td><td class="n">' || printf('%,d.%d',
           round(seconds / 360) / 10, round(seconds / 360) % 10) ||
         '</td><td class="n">' || printf('%,d', sessions) || '</td></tr>', '
') || '</tbody></table><div class="months">'
  FROM (SELECT * FROM total ORDER BY month DESC) HAVING count(*) > 0;

-- A table for each month: its 20 first, and the others together.
INSERT INTO page.html
WITH ranked AS (
  SELECT month, owner, colour, seconds, row_number() OVER (
           PARTITION BY month ORDER BY seconds DESC, owner) AS place
    FROM page.watched JOIN page.owner USING (owner)
), shown AS (
  SELECT month, min(place, 21) AS place, sum(seconds) AS seconds,
         CASE WHEN place > 20 THEN '<i>' || count(*) || ' others</i>'
              ELSE owner END AS owner, max(colour) AS colour
    FROM ranked GROUP BY month, min(place, 21)
)
SELECT '<table><caption>' || month || '</caption><tbody>' ||
       group_concat('<tr><th scope="row">' || owner ||
         '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none"' ||
         ' aria-hidden="true">' || printf(
         '<rect class="c%d" width="%.2f" height="1"/>', colour, seconds * 100 /
           (SELECT max(1, max(seconds)) FROM shown)) ||
         '</svg></th><td class="n">' || printf('%,d.%d',
           round(seconds / 360) / 10, round(seconds / 360) % 10) ||
         '</td></tr>', '
') || '</tbody></table>'
  FROM (SELECT * FROM shown ORDER BY month DESC, place)
 GROUP BY month ORDER BY month DESC;
INSERT INTO page.html
SELECT CASE WHEN EXISTS (SELECT 1 FROM page.watched) THEN '</div>' ELSE '' END ||
       '</section>';

-- The heat map: a row for each day, a column for each hour.
INSERT INTO page.html
WITH RECURSIVE n(hour) AS (
  SELECT 0 UNION ALL SELECT hour + 1 FROM n WHERE hour < 167
), cell AS (
  SELECT hour, hour / 24 AS y, hour % 24 AS x, coalesce(sessions, 0) AS sessions,
         substr('MonTueWedThuFriSatSun', hour / 24 * 3 + 1, 3) AS day,
         (SELECT max(1, max(sessions)) FROM page.week) AS most
    FROM n LEFT JOIN page.week USING (hour)
)
SELECT '<section><h2>Sessions at once by hour of the week</h2>' ||
       '<p>The most that ever ran at the same time within the hour, from 0 to ' ||
       max(sessions) || '.</p><svg class="heat" viewBox="0 0 520 180" role="img" ' ||
       'aria-labelledby="heat-title heat-text"><title id="heat-title">Sessions ' ||
       'at once by hour of the week</title><desc id="heat-text">' ||
       coalesce('The busiest hour is ' || (SELECT printf('%s, %02d:00, with %d',
         day, x, sessions) FROM cell WHERE sessions > 0
         ORDER BY sessions DESC, hour LIMIT 1), 'There are no sessions') ||
       '.</desc>' ||
       group_concat(CASE WHEN x > 0 THEN '' ELSE printf(
         '<text x="0" y="%d">%s</text>', y * 22 + 16, day) END || printf(
         '<rect class="h%d" x="%d" y="%d" width="18" height="20" rx="3">' ||
         '<title>%s %02d:00: %d</title></rect>', (sessions * 5 + most - 1) / most,
         x * 20 + 38, y * 22 + 1, day, x, sessions) || CASE WHEN y < 6 OR x % 3 > 0
         THEN '' ELSE printf('<text x="%d" y="172">%02d</text>',
           x * 20 + 39, x) END, '') || '</svg></section>'
  FROM cell;

-- The last 30 sessions.
INSERT INTO page.html
WITH last AS (
  SELECT *, max(coalesce(stop_s, strftime('%s', 'now') + 0) - start_s, 0)
           AS seconds
    FROM page.session WHERE start_s NOT NULL
   ORDER BY start_s DESC, raw_id LIMIT 30
)
SELECT '<section class="tall"><h2>Sessions</h2><table><caption>The last ' ||
       count(*) || ' that started</caption><thead><tr><th scope="col">Start' ||
       '</th><th scope="col">Livestream</th><th scope="col" class="n">Length' ||
       '</th><th scope="col" class="n">Viewer hours</th></tr></thead><tbody>' ||
       coalesce(group_concat('<tr><th scope="row">' ||
         strftime('%Y-%m-%d %H:%M', start_s, 'unixepoch') || '</th><td>' ||
         coalesce(livestream, '<i>no name</i>') || '</td><td class="n">' ||
         printf('%d:%02d', seconds / 3600, seconds % 3600 / 60) ||
         CASE WHEN stop_s IS NULL THEN '<small>running</small>' ELSE '' END ||
         '</td><td class="n">' || printf('%,d.%d', round(viewer_seconds / 360) /
           10, round(viewer_seconds / 360) % 10) || '</td></tr>', '
'), '') || '</tbody></table></section>' FROM last;

-- The last 30 failures.
INSERT INTO page.html
SELECT '<section><h2>Failed sessions</h2>' || CASE WHEN count(*) = 0
         THEN '<p>No session failed.</p>' ELSE '<table><caption>The last ' ||
       count(*) || '</caption><thead><tr><th scope="col">Time</th>' ||
       '<th scope="col">Livestream</th><th scope="col">Reason</th></tr></thead>' ||
       '<tbody>' || group_concat('<tr><th scope="row">' ||
         coalesce(strftime('%Y-%m-%d %H:%M', time_s, 'unixepoch'), '') ||
         '</th><td>' || coalesce(livestream, '<i>no name</i>') || '<small>' ||
         coalesce(id, '') || '</small></td><td>' || reason || '</td></tr>', '
') || '</tbody></table>' END || '</section>'
  FROM (SELECT *, coalesce(start_s, created_s) AS time_s FROM page.session
         WHERE reason NOT NULL ORDER BY time_s DESC, raw_id LIMIT 30);

-- What it cost and what is missing.
INSERT INTO page.html
SELECT '<section><h2>Requests and missing data</h2><p>This page cost ' ||
       printf('%,d', value - requests_before) || ' requests.</p>' ||
       coalesce('<table><caption>Missing</caption><thead><tr>' ||
         '<th scope="col">What</th><th scope="col">Why</th>' ||
         '<th scope="col" class="n">Number</th><th scope="col">Example</th>' ||
         '</tr></thead><tbody>' || (SELECT group_concat('<tr><th scope="row">' ||
           what || '</th><td>' || why || '</td><td class="n">' ||
           printf('%,d', n) || '</td><td>' || coalesce(example, '') ||
           '</td></tr>', '') FROM page.missing) || '</tbody></table>',
         '<p>Nothing is missing.</p>') || '</section></main>' ||
       '<footer>Made by rtk, sql/dashboard.sql</footer></body></html>'
  FROM rtk_stats, page.source WHERE rtk_stats.name = 'requests';

SELECT line FROM page.html ORDER BY rowid;
DETACH page;
