-- Queries as analysts write them. tests/shapes runs each and says how it judges them;
-- ext/doc/shapes.md has them as a table (make pages). An entry is
--
--   == NAME: the shape in words
--   -- serial: WHY            requests go one after another, for this reason; without
--                             this line they go together. "(open)": they should
--                             go together, and do not yet
--   -- requests: 12           the fewest that the rows need; without this line 24.
--                             "4 to 16": what a LIMIT may leave unused; "24, though
--                             12 would do: WHY"
--   -- since: 3.38            skipped on an older sqlite3
--   -- table: SELECT …        the SQL for ordinary tables, when it is not the same
--   SELECT …
--
-- All of them have these tables. clip has 24 ids: one is of no session, one comes
-- twice, and one row has none.
CREATE TEMP TABLE number AS
  WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 40)
  SELECT n, printf('00000000-0000-4000-8000-%012x', n) AS session_id,
         printf('00000000-0000-4000-9000-%012x', n) AS livestream_id FROM c;
CREATE TABLE clip(n INTEGER PRIMARY KEY, session_id TEXT, customer TEXT, day TEXT);
INSERT INTO clip SELECT n, session_id, 'customer ' || (n % 4), printf('2024-01-%02d', 1 + n % 7)
  FROM number WHERE n <= 23;
INSERT INTO clip VALUES (24, 'gone', 'customer 0', '2024-01-02'), (25, NULL, 'customer 1', NULL),
  (26, (SELECT session_id FROM number WHERE n = 1), 'customer 1', '2024-01-03');
CREATE TABLE customer(name TEXT PRIMARY KEY, country TEXT);
INSERT INTO customer VALUES ('customer 0', 'GB'), ('customer 1', 'NL'), ('customer 2', 'GB'), ('customer 3', 'US');
CREATE TABLE known(session_id TEXT PRIMARY KEY, seconds);          -- 12 of the 24 ids
INSERT INTO known SELECT session_id, 0 FROM clip WHERE n <= 12;
CREATE TABLE pair(n INTEGER PRIMARY KEY, a TEXT, b TEXT);          -- 12 rows, 24 ids
INSERT INTO pair SELECT x.n, x.session_id, y.session_id FROM number AS x JOIN number AS y ON y.n = x.n + 12
 WHERE x.n <= 12;
CREATE TABLE stream(livestream_id TEXT, title TEXT);               -- 12 livestreams
INSERT INTO stream SELECT livestream_id, 'stream ' || n FROM number WHERE n <= 12;
CREATE TABLE app(app TEXT, owner TEXT);                            -- 6 apps
INSERT INTO app SELECT 'app-' || n, 'customer ' || (n % 4) FROM number WHERE n <= 6;
CREATE TABLE app_clip(app TEXT, session_id TEXT);                  -- 20 apps, 40 ids
INSERT INTO app_clip SELECT 'app-' || (1 + n % 20), session_id FROM number;

== join: JOIN, the ids in a table of yours
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== left_join: LEFT JOIN
SELECT c.n, s.started_time, s.viewer_seconds FROM clip AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== comma_join: comma join
SELECT c.n, s.viewer_seconds FROM clip AS c, rtk_livestream_session AS s WHERE s.session_id = c.session_id;

== cross_join: CROSS JOIN with the condition in WHERE
SELECT c.n, s.viewer_seconds FROM clip AS c CROSS JOIN rtk_livestream_session AS s WHERE s.session_id = c.session_id;

== rtk_first: rtk's table first in FROM
SELECT c.n, s.viewer_seconds FROM rtk_livestream_session AS s JOIN clip AS c ON c.session_id = s.session_id;

== argument: the id as an argument of the table
-- table: SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session('ACCOUNT', 'APP', c.session_id) AS s;

== left_join_argument: LEFT JOIN with the id as an argument
-- table: SELECT c.n, s.viewer_seconds FROM clip AS c LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT c.n, s.viewer_seconds FROM clip AS c LEFT JOIN rtk_livestream_session('ACCOUNT', 'APP', c.session_id) AS s;

== using: JOIN … USING
SELECT n, s.viewer_seconds FROM clip JOIN rtk_livestream_session AS s USING (session_id);

== natural: NATURAL JOIN by the id column and a table of that name
-- requests: 12
SELECT title, name FROM (SELECT title, livestream_id AS id FROM stream) NATURAL JOIN rtk_livestream
 WHERE livestream_id = id;

== anti_join: LEFT JOIN … WHERE IS NULL: ids that the API does not know
SELECT c.n FROM clip AS c LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE s.id IS NULL;

== filter_outer: a condition on your table
-- requests: 12
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.n BETWEEN 3 AND 14;

== filter_inner: a condition on the session
SELECT c.n FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE s.viewer_seconds > 100;

== expression_id: the id is computed
-- requests: 23
SELECT c.n, s.ingest_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = printf('00000000-0000-4000-8000-%012x', c.n) WHERE c.n <= 23;

== trim_id: the id is cleaned
SELECT c.n, s.ingest_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = lower(trim(c.session_id));

== coalesce_id: coalesce of two ids
-- requests: 12
SELECT p.n, s.ingest_seconds FROM pair AS p LEFT JOIN clip AS c ON c.n = p.n + 3
  JOIN rtk_livestream_session AS s ON s.session_id = coalesce(p.b, c.session_id);

== case_id: CASE chooses the id
-- requests: 12
SELECT p.n, s.ingest_seconds FROM pair AS p
  JOIN rtk_livestream_session AS s ON s.session_id = CASE WHEN p.n % 2 THEN p.a ELSE p.b END;

== three_way: a third table joined by the customer
SELECT k.country, c.n, s.viewer_seconds FROM clip AS c JOIN customer AS k ON k.name = c.customer
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== three_way_filter: a condition on the third table
-- requests: 12
SELECT c.n, s.viewer_seconds FROM customer AS k JOIN clip AS c ON c.customer = k.name
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE k.country = 'GB';

== then_local: sessions first, then a table of yours joined to them
SELECT c.n, t.title, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id JOIN stream AS t ON t.livestream_id = s.livestream_id;

== self_join: two sessions of each row
SELECT p.n, s.viewer_seconds, t.viewer_seconds FROM pair AS p
  JOIN rtk_livestream_session AS s ON s.session_id = p.a JOIN rtk_livestream_session AS t ON t.session_id = p.b;

== self_left_join: two sessions of each row, LEFT JOIN
SELECT p.n, s.viewer_seconds, t.viewer_seconds FROM pair AS p LEFT JOIN rtk_livestream_session AS s ON s.session_id = p.a
  LEFT JOIN rtk_livestream_session AS t ON t.session_id = p.b;

== same_id_twice: the same session joined twice
SELECT c.n, s.viewer_seconds, t.ingest_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
  JOIN rtk_livestream_session AS t ON t.session_id = s.id;

== session_then_livestream: sessions, then the livestream of each
-- requests: 29
SELECT c.n, s.viewer_seconds, l.name FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
  JOIN rtk_livestream AS l ON l.livestream_id = s.livestream_id;

== in_subquery: IN (SELECT …)
SELECT id, viewer_seconds FROM rtk_livestream_session WHERE session_id IN (SELECT session_id FROM clip);

== in_values: IN with ids written out
-- requests: 6
SELECT id, viewer_seconds FROM rtk_livestream_session WHERE session_id IN ('00000000-0000-4000-8000-000000000001',
  '00000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000003', '00000000-0000-4000-8000-000000000004',
  '00000000-0000-4000-8000-000000000005', '00000000-0000-4000-8000-000000000006');

== in_json: IN with the ids of a JSON array
SELECT id FROM rtk_livestream_session
 WHERE session_id IN (SELECT value FROM json_each((SELECT json_group_array(session_id) FROM clip)));

== or_ids: = 'a' OR = 'b'
-- requests: 5
SELECT id, viewer_seconds FROM rtk_livestream_session WHERE session_id = '00000000-0000-4000-8000-000000000001'
  OR session_id = '00000000-0000-4000-8000-000000000002' OR session_id = '00000000-0000-4000-8000-000000000003'
  OR session_id = '00000000-0000-4000-8000-000000000004' OR session_id = '00000000-0000-4000-8000-000000000005';

== join_and_list: the equality of a join and a list
SELECT c.n, s.viewer_seconds FROM clip AS c LEFT JOIN rtk_livestream_session AS s
  ON s.session_id = c.session_id AND s.session_id IN (SELECT session_id FROM clip);

== list_join: a list for rtk's table, then your table
SELECT c.n, s.viewer_seconds FROM rtk_livestream_session AS s JOIN clip AS c ON c.session_id = s.session_id
 WHERE s.session_id IN (SELECT session_id FROM clip);

== two_ids_in: session_id IN (a, b) of each row
SELECT p.n, s.viewer_seconds FROM pair AS p JOIN rtk_livestream_session AS s ON s.session_id IN (p.a, p.b);

== two_ids_or: session_id = a OR session_id = b of each row
SELECT p.n, s.viewer_seconds FROM pair AS p JOIN rtk_livestream_session AS s ON s.session_id = p.a OR s.session_id = p.b;

== two_ids_union: the two ids of each row by UNION ALL
SELECT p.n, s.viewer_seconds FROM (SELECT n, a AS id FROM pair UNION ALL SELECT n, b FROM pair) AS p
  JOIN rtk_livestream_session AS s ON s.session_id = p.id;

== list_of_row: IN (SELECT … WHERE it belongs to the row)
SELECT k.country, sum(s.viewer_seconds) FROM customer AS k
  JOIN rtk_livestream_session AS s ON s.session_id IN (SELECT session_id FROM clip AS c WHERE c.customer = k.name)
 GROUP BY 1;

== json_of_row: a JSON array in each row, by json_each
WITH j(n, ids) AS (SELECT n, json_array(a, b) FROM pair)
SELECT j.n, s.viewer_seconds FROM j, json_each(j.ids) AS e JOIN rtk_livestream_session AS s ON s.session_id = e.value;

== json_each: json_each over one array
-- requests: 23
SELECT e.key, s.viewer_seconds FROM json_each((SELECT json_group_array(session_id) FROM clip WHERE n < 24)) AS e
  JOIN rtk_livestream_session AS s ON s.session_id = e.value;

== json_tree: json_tree over nested JSON
SELECT s.viewer_seconds FROM json_tree((SELECT json_object('clips', json_group_array(json_array(a, b))) FROM pair)) AS e
  JOIN rtk_livestream_session AS s ON s.session_id = e.atom WHERE e.type = 'text';

== values: JOIN (VALUES …)
-- requests: 6
SELECT s.viewer_seconds FROM (VALUES (1), (2), (3), (4), (5), (6)) AS v
  JOIN rtk_livestream_session AS s ON s.session_id = printf('00000000-0000-4000-8000-%012x', v.column1);

== with_values: WITH … AS (VALUES …)
-- requests: 6
WITH v(id) AS (VALUES ('00000000-0000-4000-8000-000000000001'), ('00000000-0000-4000-8000-000000000002'),
  ('00000000-0000-4000-8000-000000000003'), ('00000000-0000-4000-8000-000000000004'),
  ('00000000-0000-4000-8000-000000000005'), ('00000000-0000-4000-8000-000000000006'))
SELECT v.id, s.viewer_seconds FROM v LEFT JOIN rtk_livestream_session AS s ON s.session_id = v.id;

== scalar: a scalar subquery in SELECT
SELECT c.n, (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id) FROM clip AS c;

== scalar_list: a scalar subquery with a list beside the equality
SELECT c.n, (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id
   AND s.session_id IN (SELECT session_id FROM clip)) FROM clip AS c;

== two_scalars: two scalar subqueries for two columns
SELECT c.n, (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id),
       (SELECT ingest_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id) FROM clip AS c;

== scalar_where: a scalar subquery in WHERE
SELECT c.n FROM clip AS c
 WHERE (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id) > 100;

== scalar_order: a scalar subquery in ORDER BY
SELECT c.n FROM clip AS c
 ORDER BY (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id) DESC, c.n;

== scalar_sum: a correlated sum over the clips of each customer
SELECT k.name, (SELECT sum(s.viewer_seconds) FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
   WHERE c.customer = k.name) FROM customer AS k;

== scalar_sum_list: a correlated sum with a list beside the equality
SELECT k.name, (SELECT sum(s.viewer_seconds) FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
   AND s.session_id IN (SELECT session_id FROM clip) WHERE c.customer = k.name) FROM customer AS k;

== scalar_case: a subquery in a CASE, for some rows only
-- requests: 12
SELECT n, CASE WHEN n <= 12 THEN (SELECT viewer_seconds FROM rtk_livestream_session AS s
   WHERE s.session_id = c.session_id) END FROM clip AS c;

== exists: WHERE EXISTS
SELECT c.n FROM clip AS c WHERE EXISTS (SELECT 1 FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id);

== exists_list: WHERE EXISTS with a list beside the equality
SELECT c.n FROM clip AS c WHERE EXISTS (SELECT 1 FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id
   AND s.session_id IN (SELECT session_id FROM clip));

== not_exists: WHERE NOT EXISTS
SELECT c.n FROM clip AS c WHERE NOT EXISTS (SELECT 1 FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id);

== in_api: your id IN (SELECT id FROM the API)
SELECT c.n FROM clip AS c WHERE c.session_id IN (SELECT id FROM rtk_livestream_session
  WHERE session_id IN (SELECT session_id FROM clip) AND viewer_seconds > 50);

== not_in_api: your id NOT IN (SELECT id FROM the API)
SELECT c.n FROM clip AS c WHERE c.session_id NOT IN (SELECT id FROM rtk_livestream_session
  WHERE session_id IN (SELECT session_id FROM clip));

== in_correlated: your id IN (the API asked for that id)
SELECT c.n FROM clip AS c WHERE c.session_id IN (SELECT id FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id);

== new_only: NOT IN what you have already
-- requests: 12
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.session_id NOT IN (SELECT session_id FROM known);

== new_only_left: LEFT JOIN what you have already, IS NULL
-- requests: 12
SELECT c.n, s.viewer_seconds FROM clip AS c LEFT JOIN known AS k ON k.session_id = c.session_id
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE k.session_id IS NULL;

== cte: WITH: a CTE of ids
-- requests: 20
WITH wanted AS (SELECT n, session_id FROM clip WHERE n > 4 AND n < 26)
SELECT w.n, s.viewer_seconds FROM wanted AS w JOIN rtk_livestream_session AS s ON s.session_id = w.session_id;

== cte_join: WITH: the join is in the CTE
WITH x AS (SELECT c.n, c.customer, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id)
SELECT customer, sum(viewer_seconds) FROM x GROUP BY customer;

== cte_twice: WITH: a CTE with the join, used twice
WITH x AS (SELECT c.n, c.customer, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id)
SELECT a.n FROM x AS a JOIN (SELECT customer, max(viewer_seconds) AS most FROM x GROUP BY customer) AS b
  ON a.customer = b.customer AND a.viewer_seconds = b.most;

== cte_materialized: WITH … AS MATERIALIZED
WITH x AS MATERIALIZED (SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id)
SELECT count(*), sum(viewer_seconds) FROM x WHERE n > (SELECT min(n) FROM x);

== cte_not_materialized: WITH … AS NOT MATERIALIZED
WITH w AS NOT MATERIALIZED (SELECT n, session_id FROM clip)
SELECT w.n, s.viewer_seconds FROM w JOIN rtk_livestream_session AS s ON s.session_id = w.session_id;

== view: a view of your ids
CREATE VIEW wanted AS SELECT n, session_id FROM clip;
SELECT w.n, s.viewer_seconds FROM wanted AS w JOIN rtk_livestream_session AS s ON s.session_id = w.session_id;

== view_join: a TEMP view with the join in it
CREATE TEMP VIEW watched AS SELECT c.n, c.customer, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT customer, sum(viewer_seconds) FROM watched GROUP BY customer;

== view_filter: a TEMP view with the join, and a condition on it
-- requests: 12
CREATE TEMP VIEW watched AS SELECT c.n, c.customer, s.viewer_seconds FROM clip AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT n, viewer_seconds FROM watched WHERE customer IN ('customer 0', 'customer 2');

== view_recursive: a view with a recursive CTE of ids
-- requests: 12
CREATE TEMP VIEW ids AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 12)
  SELECT n, printf('00000000-0000-4000-8000-%012x', n) AS session_id FROM c;
SELECT i.n, s.viewer_seconds FROM ids AS i JOIN rtk_livestream_session AS s ON s.session_id = i.session_id;

== derived: JOIN in a subquery of FROM
SELECT x.customer, count(*) FROM (SELECT c.customer, s.id FROM clip AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id) AS x GROUP BY 1;

== distinct_ids: the distinct ids of a log
SELECT d.session_id, s.viewer_seconds FROM (SELECT DISTINCT session_id FROM clip) AS d
  JOIN rtk_livestream_session AS s ON s.session_id = d.session_id;

== order_first: ids from a subquery with ORDER BY and LIMIT
-- requests: 7
SELECT t.n, s.viewer_seconds FROM (SELECT n, session_id FROM clip ORDER BY day, n LIMIT 8) AS t
  JOIN rtk_livestream_session AS s ON s.session_id = t.session_id;

== first_per_group: the first clip of each day, by a subquery
-- requests: 7
SELECT c.day, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.n = (SELECT min(n) FROM clip AS d WHERE d.day = c.day);

== first_per_group_window: the first clip of each day, by row_number
-- requests: 7
SELECT c.day, s.viewer_seconds FROM (SELECT *, row_number() OVER (PARTITION BY day ORDER BY n) AS r FROM clip
   WHERE day IS NOT NULL) AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE c.r = 1;

== group_by: GROUP BY with sum
SELECT c.customer, count(s.id), sum(s.viewer_seconds) FROM clip AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY c.customer;

== group_date: GROUP BY the date of the session
SELECT date(s.started_time), sum(s.viewer_seconds) FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY date(s.started_time);

== having: HAVING
SELECT c.customer, sum(s.viewer_seconds) AS seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY c.customer HAVING seconds > 500;

== filter_aggregate: sum(…) FILTER (WHERE …)
SELECT count(*), sum(s.viewer_seconds) FILTER (WHERE s.err_message IS NULL) FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== total: one row: count, sum, average
SELECT count(*), sum(s.viewer_seconds), avg(s.ingest_seconds) FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== group_concat: group_concat
SELECT c.customer, length(group_concat(s.ingest_seconds)) FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY c.customer;

== json_group: a JSON report
SELECT json_group_array(json_object('n', c.n, 'seconds', s.viewer_seconds)) FROM clip AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== max_row: the row of the maximum
SELECT c.n, max(s.viewer_seconds) FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== distinct: SELECT DISTINCT
SELECT DISTINCT s.livestream_id FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== count_distinct: count(DISTINCT …)
SELECT count(DISTINCT s.livestream_id) FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== order_by: ORDER BY a column of the session
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 ORDER BY s.viewer_seconds DESC, c.n;

== top: ORDER BY … LIMIT: the most watched
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 ORDER BY s.viewer_seconds DESC, c.n LIMIT 3;

== limit: LIMIT without ORDER BY
-- requests: 5 to 20
SELECT c.n, s.viewer_seconds FROM (SELECT * FROM clip ORDER BY n) AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id LIMIT 5;

== limit_offset: LIMIT … OFFSET
-- requests: 8 to 24
SELECT c.n, s.viewer_seconds FROM (SELECT * FROM clip ORDER BY n) AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id LIMIT 4 OFFSET 4;

== window_rank: rank() over the sessions
SELECT c.n, rank() OVER (PARTITION BY c.customer ORDER BY s.viewer_seconds DESC) FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== window_running: a running total
SELECT c.n, sum(s.viewer_seconds) OVER (ORDER BY c.n) FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== window_lag: lag(): the change from clip to clip
SELECT c.n, s.viewer_seconds - lag(s.viewer_seconds) OVER (ORDER BY c.n) FROM clip AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== union_all: UNION ALL of two joins
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE c.n < 13
UNION ALL
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE c.n > 12;

== union: UNION
SELECT s.livestream_id FROM pair AS p JOIN rtk_livestream_session AS s ON s.session_id = p.a
UNION
SELECT s.livestream_id FROM pair AS p JOIN rtk_livestream_session AS s ON s.session_id = p.b;

== except: EXCEPT
SELECT session_id FROM clip EXCEPT
SELECT s.id FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== intersect: INTERSECT
SELECT session_id FROM clip INTERSECT
SELECT s.id FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE s.viewer_seconds > 90;

== right_join: RIGHT JOIN of your tables, LEFT JOIN of the API
SELECT k.name, c.n, s.viewer_seconds FROM clip AS c RIGHT JOIN customer AS k ON k.name = c.customer
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== full_join: FULL JOIN of what a list gives with a table of yours
SELECT c.n, s.viewer_seconds FROM (SELECT id, viewer_seconds FROM rtk_livestream_session
   WHERE session_id IN (SELECT session_id FROM clip)) AS s FULL JOIN clip AS c ON s.id = c.session_id;

== lists: livestreams and the sessions of each
-- requests: 13
SELECT l.name, s.viewer_seconds FROM rtk_livestreams AS l
  JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id;

== lists_left: livestreams LEFT JOIN their sessions, counted
-- requests: 13
SELECT l.name, count(s.id), sum(s.viewer_seconds) FROM rtk_livestreams AS l
  LEFT JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id GROUP BY l.name;

== lists_in: the sessions of all livestreams by IN
-- requests: 13
SELECT for_livestream_id, id FROM rtk_livestream_sessions WHERE for_livestream_id IN (SELECT id FROM rtk_livestreams);

== lists_with_list: livestreams and sessions, with a list beside the equality
-- requests: 13
SELECT l.name, s.viewer_seconds FROM rtk_livestreams AS l
  LEFT JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id
   AND s.for_livestream_id IN (SELECT id FROM rtk_livestreams);

== lists_local: livestreams, their sessions, a table of yours
-- requests: 13
SELECT l.name, c.n, s.viewer_seconds FROM rtk_livestreams AS l
  JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id JOIN clip AS c ON c.session_id = s.id;

== lists_session: livestreams, their sessions, each session
-- requests: 13
SELECT l.name, d.viewer_seconds FROM rtk_livestreams AS l
  JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id JOIN rtk_livestream_session AS d ON d.session_id = s.id;

== local_lists: a table of livestreams and their sessions
-- requests: 12
SELECT t.title, s.viewer_seconds FROM stream AS t JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = t.livestream_id;

== local_lists_session: a table of livestreams, their sessions, each session
-- requests: 12
SELECT t.title, d.ingest_seconds FROM stream AS t JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = t.livestream_id
  LEFT JOIN rtk_livestream_session AS d ON d.session_id = s.id;

== list_scalar: the latest session of each livestream, by a subquery
-- requests: 12
SELECT t.title, (SELECT max(s.started_time) FROM rtk_livestream_sessions AS s WHERE s.for_livestream_id = t.livestream_id)
  FROM stream AS t;

== list_scalar_limit: the latest session of each livestream, ORDER BY … LIMIT 1
-- requests: 12
SELECT t.title, (SELECT s.id FROM rtk_livestream_sessions AS s WHERE s.for_livestream_id = t.livestream_id
   ORDER BY s.started_time DESC LIMIT 1) FROM stream AS t;

== list_exists: livestreams that had a long session
-- requests: 12
SELECT t.title FROM stream AS t WHERE EXISTS (SELECT 1 FROM rtk_livestream_sessions AS s
  WHERE s.for_livestream_id = t.livestream_id AND s.ingest_seconds > 1000);

== livestream: a livestream for each row
-- requests: 12
SELECT t.title, l.status FROM stream AS t JOIN rtk_livestream AS l ON l.livestream_id = t.livestream_id;

== active: what each livestream shows now
-- requests: 12
SELECT t.title, a.viewer_seconds FROM stream AS t
  LEFT JOIN rtk_active_livestream_session AS a ON a.for_livestream_id = t.livestream_id;

== active_of_list: livestreams and what each shows now
-- requests: 13
SELECT l.name, a.id FROM rtk_livestreams AS l LEFT JOIN rtk_active_livestream_session AS a ON a.for_livestream_id = l.id;

== meetings: meeting sessions and their livestream sessions
-- requests: 13
SELECT m.meeting_display_name, s.viewer_seconds FROM rtk_meeting_sessions AS m
  JOIN rtk_meeting_session_livestreams AS s ON s.meeting_session_id = m.id;

== two_kinds: sessions and livestreams of one row
SELECT p.n, s.viewer_seconds, l.name FROM pair AS p JOIN rtk_livestream_session AS s ON s.session_id = p.a
  JOIN stream AS t ON t.title = 'stream ' || p.n JOIN rtk_livestream AS l ON l.livestream_id = t.livestream_id;

== apps: an app and an id in each row, 20 apps
-- requests: 40
SELECT a.app, s.viewer_seconds FROM app_clip AS a
  JOIN rtk_livestream_session AS s ON s.app = a.app AND s.session_id = a.session_id;

== apps_argument: an app and an id in each row, as arguments
-- requests: 40
-- table: SELECT a.app, s.viewer_seconds FROM app_clip AS a JOIN rtk_livestream_session AS s ON s.app = a.app AND s.session_id = a.session_id;
SELECT a.app, s.viewer_seconds FROM app_clip AS a JOIN rtk_livestream_session('ACCOUNT', a.app, a.session_id) AS s;

== apps_left: an app and an id in each row, LEFT JOIN and GROUP BY
-- requests: 40
SELECT a.app, sum(s.viewer_seconds) FROM app_clip AS a
  LEFT JOIN rtk_livestream_session AS s ON s.app = a.app AND s.session_id = a.session_id GROUP BY a.app;

== apps_scalar: a scalar subquery with app and id
-- requests: 40
SELECT a.app, (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.app = a.app AND s.session_id = a.session_id)
  FROM app_clip AS a;

== app_lists: the livestreams of each app
-- requests: 6
SELECT a.owner, l.name FROM app AS a JOIN rtk_livestreams AS l ON l.app = a.app;

== app_lists_argument: the livestreams of each app, as an argument
-- requests: 6
-- table: SELECT a.owner, l.name FROM app AS a JOIN rtk_livestreams AS l ON l.app = a.app;
SELECT a.owner, l.name FROM app AS a JOIN rtk_livestreams('ACCOUNT', a.app) AS l;

== app_in: the livestreams of some apps by IN
-- requests: 6
SELECT app, count(*) FROM rtk_livestreams WHERE app IN (SELECT app FROM app) GROUP BY app;

== app_in_values: the livestreams of apps written out
-- requests: 5
SELECT app, count(*) FROM rtk_livestreams WHERE app IN ('app-1', 'app-2', 'app-3', 'app-4', 'app-5') GROUP BY app;

== app_in_sessions: the same ids in some apps
-- requests: 72
SELECT s.app, count(*) FROM rtk_livestream_session AS s
 WHERE s.app IN (SELECT app FROM app) AND s.session_id IN (SELECT a FROM pair) GROUP BY s.app;

== app_lists_sessions: apps, their livestreams, the sessions of each
-- requests: 78
SELECT a.owner, l.name, s.viewer_seconds FROM app AS a JOIN rtk_livestreams AS l ON l.app = a.app
  JOIN rtk_livestream_sessions AS s ON s.app = a.app AND s.for_livestream_id = l.id;

== insert_select: INSERT … SELECT
CREATE TABLE saved(n, seconds);
INSERT INTO saved SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT * FROM saved;

== insert_new: INSERT … SELECT of what is new (NOT IN)
-- requests: 12
INSERT INTO known SELECT DISTINCT c.session_id, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.session_id NOT IN (SELECT session_id FROM known);
SELECT * FROM known;

== insert_ignore: INSERT OR IGNORE
INSERT OR IGNORE INTO known SELECT c.session_id, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT * FROM known;

== replace: REPLACE INTO
REPLACE INTO known SELECT c.session_id, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT * FROM known;

== upsert: INSERT … ON CONFLICT DO UPDATE
INSERT INTO known SELECT c.session_id, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE true
  ON CONFLICT (session_id) DO UPDATE SET seconds = excluded.seconds;
SELECT * FROM known;

== insert_returning: INSERT … SELECT … RETURNING
CREATE TABLE saved(n, seconds);
INSERT INTO saved SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id RETURNING n, seconds;

== insert_in: INSERT … SELECT with IN
INSERT OR REPLACE INTO known SELECT session_id, viewer_seconds FROM rtk_livestream_session
 WHERE session_id IN (SELECT session_id FROM clip);
SELECT * FROM known;

== insert_with: WITH … INSERT
CREATE TABLE saved(n, seconds);
WITH w AS (SELECT n, session_id FROM clip)
INSERT INTO saved SELECT w.n, s.viewer_seconds FROM w LEFT JOIN rtk_livestream_session AS s ON s.session_id = w.session_id;
SELECT * FROM saved;

== insert_lists: INSERT … SELECT from livestreams and their sessions
-- requests: 13
CREATE TABLE saved(name, id);
INSERT INTO saved SELECT l.name, s.id FROM rtk_livestreams AS l
  JOIN rtk_livestream_sessions AS s ON s.for_livestream_id = l.id;
SELECT * FROM saved;

== insert_values: INSERT … VALUES with subqueries
-- requests: 4
CREATE TABLE saved(seconds);
INSERT INTO saved VALUES
  ((SELECT viewer_seconds FROM rtk_livestream_session WHERE session_id = '00000000-0000-4000-8000-000000000001')),
  ((SELECT viewer_seconds FROM rtk_livestream_session WHERE session_id = '00000000-0000-4000-8000-000000000002')),
  ((SELECT viewer_seconds FROM rtk_livestream_session WHERE session_id = '00000000-0000-4000-8000-000000000003')),
  ((SELECT viewer_seconds FROM rtk_livestream_session WHERE session_id = '00000000-0000-4000-8000-000000000004'));
SELECT * FROM saved;

== create_table_as: CREATE TABLE … AS
CREATE TABLE saved AS SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT * FROM saved;

== create_temp_table_as: CREATE TEMP TABLE … AS, with a scalar subquery
CREATE TEMP TABLE saved AS SELECT c.n,
  (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id) AS seconds FROM clip AS c;
SELECT * FROM saved;

== update_from: UPDATE … FROM
-- requests: 12
UPDATE known SET seconds = s.viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = known.session_id;
SELECT * FROM known;

== update_from_join: UPDATE … FROM a join
-- requests: 12
UPDATE known SET seconds = s.viewer_seconds + c.n FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.session_id = known.session_id AND c.n < 13;
SELECT * FROM known;

== update_set: UPDATE … SET x = (SELECT …)
-- requests: 12
UPDATE known SET seconds = (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = known.session_id);
SELECT * FROM known;

== update_set_row: UPDATE … SET (x, y) = (SELECT …)
ALTER TABLE clip ADD COLUMN viewers;
UPDATE clip SET (viewers, day) = (SELECT viewer_seconds, substr(started_time, 1, 10) FROM rtk_livestream_session AS s
  WHERE s.session_id = clip.session_id);
SELECT * FROM clip;

== update_where: UPDATE … WHERE EXISTS
-- requests: 12
UPDATE known SET seconds = 1 WHERE EXISTS (SELECT 1 FROM rtk_livestream_session AS s
  WHERE s.session_id = known.session_id AND s.viewer_seconds > 60);
SELECT * FROM known;

== update_returning: UPDATE … RETURNING
-- requests: 12
UPDATE known SET seconds = (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = known.session_id)
  RETURNING *;

== delete: DELETE … WHERE NOT EXISTS
DELETE FROM clip WHERE NOT EXISTS (SELECT 1 FROM rtk_livestream_session AS s WHERE s.session_id = clip.session_id);
SELECT * FROM clip;

== delete_in: DELETE … WHERE id IN (SELECT id FROM the API)
DELETE FROM known WHERE session_id IN (SELECT s.id FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE s.viewer_seconds > 60);
SELECT * FROM known;

== delete_scalar: DELETE … WHERE a scalar subquery, RETURNING
DELETE FROM clip WHERE (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = clip.session_id) < 100
  RETURNING n;

== trigger: a TEMP trigger that asks for each new row
-- serial: the trigger is a statement of its own for each row
CREATE TABLE saved(n, seconds);
CREATE TEMP TRIGGER ask AFTER INSERT ON saved BEGIN
  UPDATE saved SET seconds = (SELECT viewer_seconds FROM rtk_livestream_session
    WHERE session_id = (SELECT session_id FROM clip WHERE n = new.n)) WHERE n = new.n; END;
INSERT INTO saved(n) SELECT n FROM clip;
SELECT * FROM saved;

== trigger_beside: INSERT … SELECT into a table with a trigger of its own
CREATE TABLE saved(n, seconds);
CREATE TABLE audit(n);
CREATE TRIGGER audited AFTER INSERT ON saved BEGIN INSERT INTO audit VALUES (new.n); END;
INSERT INTO saved SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT n FROM audit UNION ALL SELECT seconds FROM saved;

== instead_of: INSERT into a view with an INSTEAD OF trigger
CREATE TABLE saved(n, seconds);
CREATE TEMP VIEW inbox AS SELECT n, seconds FROM saved;
CREATE TEMP TRIGGER receive INSTEAD OF INSERT ON inbox BEGIN INSERT INTO saved VALUES (new.n, new.seconds); END;
INSERT INTO inbox SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT * FROM saved;

== transaction: within BEGIN … COMMIT, after a change
BEGIN;
INSERT INTO customer VALUES ('customer 9', 'FR');
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
COMMIT;

== parameter: a bound parameter in WHERE
-- requests: 12
.parameter set ?1 3
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.n BETWEEN ?1 AND ?1 + 11;

== parameter_named: named parameters
-- requests: 6
.parameter set :customer "'customer 2'"
.parameter set @least 50
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.customer = :customer AND s.viewer_seconds > @least;

== parameter_insert: a bound parameter in INSERT … SELECT
-- requests: 12
.parameter set :from 12
CREATE TABLE saved(n, seconds);
INSERT INTO saved SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE c.n BETWEEN :from + 1 AND 24;
SELECT * FROM saved;

== parameter_json: a bound JSON array of ids
-- requests: 5
.parameter set :ids "'[1,2,3,4,5]'"
SELECT e.value, s.viewer_seconds FROM json_each(:ids) AS e
  JOIN rtk_livestream_session AS s ON s.session_id = printf('00000000-0000-4000-8000-%012x', e.value);

== parameter_list: bound ids in IN
-- requests: 5
.parameter set ?1 "'00000000-0000-4000-8000-000000000001'"
.parameter set ?2 "'00000000-0000-4000-8000-000000000002'"
.parameter set ?3 "'00000000-0000-4000-8000-000000000003'"
.parameter set ?4 "'00000000-0000-4000-8000-000000000004'"
.parameter set ?5 "'00000000-0000-4000-8000-000000000005'"
SELECT id, viewer_seconds FROM rtk_livestream_session WHERE session_id IN (?1, ?2, ?3, ?4, ?5);

== date_now: date('now') in WHERE
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE coalesce(c.day, '') < date('now', '-7 days');

== current_timestamp: current_timestamp
SELECT c.n, s.viewer_seconds, s.started_time < current_timestamp FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== current_date: current_date and current_time
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE coalesce(c.day, '') < current_date AND current_time <> '';

== changes: changes(), total_changes(), last_insert_rowid()
SELECT c.n, changes() > 0, total_changes() > 0, last_insert_rowid() > 0, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== sqlite_version: sqlite_version() in a report
SELECT c.n, sqlite_version() > '3', s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== like: LIKE, GLOB and string functions
SELECT c.n, upper(substr(s.id, -4)) FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE c.customer LIKE 'customer%' AND s.id GLOB '0000*';

== collate: COLLATE NOCASE
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN customer AS k ON k.name = upper(c.customer) COLLATE NOCASE
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== json_column: JSON columns of your own
-- requests: 12
SELECT json_extract(x.doc, '$.n'), s.viewer_seconds FROM (SELECT json_object('n', n, 'id', a) AS doc FROM pair) AS x
  JOIN rtk_livestream_session AS s ON s.session_id = json_extract(x.doc, '$.id');

== random: random() in WHERE
-- serial: random() changes from run to run
SELECT c.n, s.viewer_seconds FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
 WHERE random() IS NOT NULL;

== random_order: ORDER BY random() LIMIT: a sample
-- serial: random() changes from run to run
-- requests: 8
SELECT count(*) FROM (SELECT session_id FROM clip WHERE n < 24 ORDER BY random() LIMIT 8) AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== random_in: a random sample by IN
-- since: 3.38
-- requests: 8
SELECT count(*) FROM rtk_livestream_session
 WHERE session_id IN (SELECT session_id FROM clip WHERE n < 24 ORDER BY random() LIMIT 8);

== recursive: a recursive CTE of numbers
-- requests: 23
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 23)
SELECT c.n, s.viewer_seconds FROM c JOIN rtk_livestream_session AS s ON s.session_id = printf('00000000-0000-4000-8000-%012x', c.n);

== recursive_limit: a recursive CTE that its LIMIT ends
-- requests: 20
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 20)
SELECT c.n, s.viewer_seconds FROM c JOIN rtk_livestream_session AS s ON s.session_id = printf('00000000-0000-4000-8000-%012x', c.n);

== endless: an endless recursion that the LIMIT of the query ends
-- requests: 12 to 48
-- table: SELECT n, s.viewer_seconds FROM number JOIN rtk_livestream_session AS s USING (session_id) WHERE n <= 12;
WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c)
SELECT c.n, s.viewer_seconds FROM c LEFT JOIN rtk_livestream_session AS s
  ON s.session_id = printf('00000000-0000-4000-8000-%012x', c.n) LIMIT 12;

== calendar: a calendar LEFT JOIN the sessions of each day
WITH RECURSIVE calendar(day) AS (SELECT '2024-01-01' UNION ALL SELECT date(day, '+1 day') FROM calendar WHERE day < '2024-01-10')
SELECT k.day, count(s.id), sum(s.viewer_seconds) FROM calendar AS k LEFT JOIN clip AS c ON c.day = k.day
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY k.day;

== calendar_series: a calendar by generate_series
SELECT date('2024-01-01', '+' || k.value || ' days') AS d, sum(s.viewer_seconds) FROM generate_series(0, 9) AS k
  LEFT JOIN clip AS c ON c.day = date('2024-01-01', '+' || k.value || ' days')
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY d;

== tree: a recursive tree walk
-- requests: 12
CREATE TABLE folder(id, parent, session_id);
INSERT INTO folder SELECT n, n / 2, a FROM pair;
WITH RECURSIVE below(id, session_id) AS (SELECT id, session_id FROM folder WHERE parent = 0
  UNION SELECT f.id, f.session_id FROM folder AS f JOIN below AS b ON f.parent = b.id)
SELECT b.id, s.viewer_seconds FROM below AS b JOIN rtk_livestream_session AS s ON s.session_id = b.session_id;

== series: generate_series
-- requests: 12
SELECT g.value, s.viewer_seconds FROM generate_series(1, 12) AS g
  JOIN rtk_livestream_session AS s ON s.session_id = printf('00000000-0000-4000-8000-%012x', g.value);

== fts5: full-text search (FTS5)
-- requests: 6
CREATE VIRTUAL TABLE note USING fts5(body, session_id UNINDEXED);
INSERT INTO note SELECT customer || ' wrote', session_id FROM clip WHERE n < 24;
SELECT s.viewer_seconds FROM note JOIN rtk_livestream_session AS s ON s.session_id = note.session_id WHERE note MATCH '2';

== rtree: R-Tree
-- requests: 10
CREATE VIRTUAL TABLE place USING rtree(n, low, high);
INSERT INTO place SELECT n, n, n + 1 FROM clip;
SELECT c.n, s.viewer_seconds FROM place AS p JOIN clip AS c ON c.n = p.n
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE p.low > 2 AND p.high < 14;

== pragma: a pragma table beside it
-- requests: 12
SELECT i.name, p.n, s.viewer_seconds FROM pragma_table_info('pair') AS i JOIN pair AS p
  JOIN rtk_livestream_session AS s ON s.session_id = p.a WHERE i.name = 'a';

== dbstat: dbstat beside it
-- requests: 12
SELECT p.n, s.viewer_seconds FROM (SELECT count(*) > 0 AS has FROM dbstat WHERE name = 'pair') AS d JOIN pair AS p ON d.has
  JOIN rtk_livestream_session AS s ON s.session_id = p.a;

== sqlite_schema: sqlite_master beside it
-- requests: 12
SELECT m.name, p.n, s.viewer_seconds FROM sqlite_master AS m JOIN pair AS p
  JOIN rtk_livestream_session AS s ON s.session_id = p.a WHERE m.name = 'pair';

== attached: ids in an attached database
ATTACH ':memory:' AS crm;
CREATE TABLE crm.visit AS SELECT n, session_id FROM clip;
SELECT v.n, s.viewer_seconds FROM crm.visit AS v JOIN rtk_livestream_session AS s ON s.session_id = v.session_id;

== attached_write: written to an attached database
ATTACH ':memory:' AS crm;
CREATE TABLE crm.saved(n, seconds);
INSERT INTO crm.saved SELECT c.n, s.viewer_seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT * FROM crm.saved;

== temp_table: ids in a TEMP table
CREATE TEMP TABLE visit AS SELECT n, session_id FROM clip;
SELECT v.n, s.viewer_seconds FROM visit AS v JOIN rtk_livestream_session AS s ON s.session_id = v.session_id;

== without_rowid: ids in a WITHOUT ROWID table
CREATE TABLE visit(session_id TEXT PRIMARY KEY) WITHOUT ROWID;
INSERT INTO visit SELECT DISTINCT session_id FROM clip WHERE session_id IS NOT NULL;
SELECT v.session_id, s.viewer_seconds FROM visit AS v LEFT JOIN rtk_livestream_session AS s ON s.session_id = v.session_id;

== generated_column: ids in a generated column
-- requests: 12
CREATE TABLE visit(n INTEGER, id AS (printf('00000000-0000-4000-8000-%012x', n)));
INSERT INTO visit SELECT n FROM pair;
SELECT v.n, s.viewer_seconds FROM visit AS v JOIN rtk_livestream_session AS s ON s.session_id = v.id;

== errors: sessions that failed, by customer
SELECT k.country, s.err_message FROM clip AS c JOIN customer AS k ON k.name = c.customer
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id WHERE s.err_message IS NOT NULL;

== bucket: watch time in classes
SELECT CASE WHEN s.viewer_seconds < 100 THEN 'short' WHEN s.viewer_seconds < 200 THEN 'middle' ELSE 'long' END AS class,
       count(*) FROM clip AS c JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY class;

== share: each clip's share of all watch time
SELECT c.n, round(100.0 * s.viewer_seconds / sum(s.viewer_seconds) OVER (), 1) FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;

== compare_days: one day against the day before
WITH d AS (SELECT c.day, sum(s.viewer_seconds) AS seconds FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id GROUP BY c.day)
SELECT a.day, a.seconds - b.seconds FROM d AS a LEFT JOIN d AS b ON b.day = date(a.day, '-1 day');

== limit_scalar: the first rows, with a subquery in SELECT
-- requests: 5 to 20
SELECT n, (SELECT viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id)
  FROM clip AS c ORDER BY n LIMIT 5;

== app_lists_many: the livestreams of each of 20 apps
-- requests: 20
SELECT a.app, count(l.id) FROM (SELECT DISTINCT app FROM app_clip) AS a LEFT JOIN rtk_livestreams AS l ON l.app = a.app
 GROUP BY a.app;

== app_clip_list: an app and an id in each row, with a list of ids beside the equality
-- requests: 40
SELECT a.app, s.viewer_seconds FROM app_clip AS a JOIN rtk_livestream_session AS s
  ON s.app = a.app AND s.session_id = a.session_id AND s.session_id IN (SELECT session_id FROM app_clip);

== filter_of_row: a filter that is sent, from each row
-- requests: 4
SELECT v.column1, count(l.id) FROM (VALUES ('LIVE'), ('IDLE'), ('ERRORED'), ('INVOKED')) AS v
  LEFT JOIN rtk_livestreams AS l ON l.status = v.column1 GROUP BY 1;

== filter_in: IN with values of a filter that is sent
-- requests: 4
SELECT status, count(*) FROM rtk_livestreams WHERE status IN ('LIVE', 'IDLE', 'ERRORED', 'INVOKED') GROUP BY 1;

== on_condition: LEFT JOIN with a condition on your table in ON
-- requests: 24, though 12 would do: SQLite reads the session before it looks at your condition
SELECT c.n, s.viewer_seconds FROM clip AS c
  LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id AND c.n <= 12;

== exists_or: EXISTS … OR EXISTS
SELECT p.n FROM pair AS p
 WHERE EXISTS (SELECT 1 FROM rtk_livestream_session AS s WHERE s.session_id = p.a AND s.viewer_seconds > 1000)
    OR EXISTS (SELECT 1 FROM rtk_livestream_session AS s WHERE s.session_id = p.b AND s.viewer_seconds > 200);

== nested: a subquery in a subquery
SELECT k.name, (SELECT count(*) FROM clip AS c WHERE c.customer = k.name
   AND (SELECT s.viewer_seconds FROM rtk_livestream_session AS s WHERE s.session_id = c.session_id) > 50) FROM customer AS k;

== row_value: a row value compared with a subquery
SELECT c.n FROM clip AS c WHERE (c.session_id, 1) = (SELECT s.id, s.viewer_seconds > 50 FROM rtk_livestream_session AS s
  WHERE s.session_id = c.session_id);

== insert_timestamp: INSERT … SELECT with current_timestamp as the time of the copy
CREATE TABLE saved(n, seconds, at);
INSERT INTO saved SELECT c.n, s.viewer_seconds, current_timestamp FROM clip AS c
  JOIN rtk_livestream_session AS s ON s.session_id = c.session_id;
SELECT n, seconds, at > '2024' FROM saved;

== update_case: UPDATE … SET x = CASE … (SELECT …)
-- requests: 12
UPDATE known SET seconds = CASE WHEN seconds = 0 THEN coalesce((SELECT viewer_seconds FROM rtk_livestream_session AS s
  WHERE s.session_id = known.session_id), -1) ELSE seconds END;
SELECT * FROM known;

== update_cte: WITH … UPDATE … FROM the CTE
-- requests: 12
WITH fresh AS (SELECT k.session_id, s.viewer_seconds FROM known AS k
  JOIN rtk_livestream_session AS s ON s.session_id = k.session_id)
UPDATE known SET seconds = f.viewer_seconds FROM fresh AS f WHERE f.session_id = known.session_id;
SELECT * FROM known;

== delete_cte: WITH … DELETE
WITH gone AS (SELECT c.n FROM clip AS c LEFT JOIN rtk_livestream_session AS s ON s.session_id = c.session_id
   WHERE s.id IS NULL)
DELETE FROM clip WHERE n IN (SELECT n FROM gone);
SELECT n FROM clip;

== insert_app: INSERT … SELECT, an app and an id in each row
-- requests: 40
CREATE TABLE saved(app, seconds);
INSERT INTO saved SELECT a.app, s.viewer_seconds FROM app_clip AS a
  JOIN rtk_livestream_session AS s ON s.app = a.app AND s.session_id = a.session_id;
SELECT * FROM saved;

== weeks: the totals of each week of a calendar
-- requests: 6
-- table: WITH RECURSIVE week(day) AS (SELECT '2024-01-01' UNION ALL SELECT date(day, '+7 days') FROM week WHERE day < '2024-02-05') SELECT w.day, sum(a.count) FROM week AS w JOIN rtk_livestream_analytics AS a ON a.date BETWEEN w.day AND date(w.day, '+6 days') GROUP BY 1;
WITH RECURSIVE week(day) AS (SELECT '2024-01-01' UNION ALL SELECT date(day, '+7 days') FROM week WHERE day < '2024-02-05')
SELECT w.day, sum(a.count) FROM week AS w JOIN rtk_livestream_analytics AS a
  ON a.start_time = strftime('%s', w.day) AND a.end_time = strftime('%s', w.day, '+6 days') GROUP BY 1;

