-- data: moderate
-- files: many, empty
-- aqe: both

-- Correlated subqueries become joins, most of them with aggregates

SELECT id, i32 FROM t a WHERE i32 > (SELECT avg(i32) FROM t b WHERE b.k = a.k);

SELECT id, (SELECT max(b.dt) FROM t b WHERE b.g = a.g AND b.b) AS latest FROM t a;

SELECT id, (SELECT count(*) FROM t b WHERE b.k = a.k AND b.id < 100) AS n FROM t a;

SELECT id, (SELECT sum(b.d9) FROM t b WHERE b.i8 = a.i8 AND b.k = a.k) AS total FROM t a WHERE id < 100;

SELECT id FROM t a WHERE k IN (SELECT k FROM t b WHERE b.g = a.g AND b.id < 20);

SELECT id FROM t a WHERE i8 NOT IN (SELECT i8 FROM t b WHERE b.g = a.g AND b.id < 50);

SELECT id FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE b.g = a.g AND b.dt > a.dt) AND NOT EXISTS (SELECT 1 FROM t b WHERE b.i8 = a.i8 AND b.id < 20);

SELECT id FROM t a WHERE i8 IN (SELECT i8 FROM t WHERE id < 20) OR dt IN (SELECT dt FROM t WHERE id < 50) OR k NOT IN (SELECT k FROM t WHERE id < 3);

SELECT id, k FROM t WHERE (k, g) IN (SELECT k, g FROM t GROUP BY k, g HAVING count(*) > 28);

SELECT id FROM t WHERE i32 > (SELECT max(i16) FROM t WHERE id < 50) OR i32 < (SELECT min(i16) FROM t WHERE id < 50);

-- Several subqueries over the same rows, which Spark merges into one that gives a struct

-- data: moderate, extreme
SELECT id, (SELECT max(s) FROM t), (SELECT min(d38) FROM t), (SELECT count(*) FROM t), (SELECT max(b) FROM t) FROM t;

-- data: moderate, extreme
SELECT id, (SELECT min(f64) FROM t), (SELECT max(dt) FROM t), (SELECT max(f32) FROM t) FROM t WHERE i8 < (SELECT max(i8) FROM t);

SELECT CASE WHEN (SELECT count(*) FROM t WHERE id < 500) > 10 THEN (SELECT max(i16) FROM t WHERE id < 500) ELSE (SELECT min(i64) FROM t WHERE id < 500) END, count(*) FROM t;

SELECT g, count(*) FROM t WHERE i32 BETWEEN (SELECT min(i16) FROM t WHERE id < 50) AND (SELECT max(i16) FROM t WHERE id < 50) GROUP BY g;

-- Texts that outlive their subquery, and a negative zero

-- data: moderate, extreme
SELECT id, (SELECT max(s) FROM t WHERE id > 10) AS latest FROM t;

SELECT (SELECT max(s) FROM t WHERE id > 10) AS latest, count(*), min(concat(k, (SELECT min(s) FROM t WHERE s > 'a'))) FROM t GROUP BY 1;

SELECT id, (SELECT count(*) * -0.0D FROM t) FROM t;

-- Grouping sets over joined rows, and several DISTINCT aggregates

SELECT a.g, b.k, a.b, count(*), sum(b.d9), grouping_id() FROM t a JOIN t b ON a.id = b.id + 1 GROUP BY CUBE (a.g, b.k, a.b);

SELECT a.g, b.dt, count(b.id), min(b.s) FROM t a LEFT JOIN (SELECT * FROM t WHERE id < 60) b ON a.id = b.id GROUP BY GROUPING SETS ((a.g), (b.dt), (a.g, b.dt), ());

SELECT a.g, count(DISTINCT b.k), count(DISTINCT b.i8, b.b), sum(DISTINCT b.i16), avg(DISTINCT b.i8), count(*) FROM t a JOIN t b ON a.id = b.id GROUP BY a.g;

SELECT a.k, count(DISTINCT b.s), count(DISTINCT b.d38) FILTER (WHERE a.b), max(b.dt) FROM t a FULL JOIN (SELECT * FROM t WHERE id % 4 = 0) b ON a.id + 1 = b.id GROUP BY ROLLUP (a.k);

SELECT DISTINCT a.g, b.k, b.d9 FROM t a RIGHT JOIN t b ON a.id = b.id AND a.b;
