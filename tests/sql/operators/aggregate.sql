-- data: moderate
-- files: one, many, empty
-- aqe: both

SELECT count(*), count(i32), sum(i32), min(i32), max(i32), avg(i32) FROM t;

SELECT g, count(*), count(s), sum(i64), min(dt), max(ts) FROM t GROUP BY g;

SELECT k, g, sum(d9), avg(d18), max(d38) FROM t GROUP BY k, g ORDER BY k, g;

-- floats: close
SELECT g, sum(f64), avg(f32), stddev(f64), var_pop(f32) FROM t GROUP BY g;

SELECT count(DISTINCT k), count(DISTINCT g) FROM t;

SELECT g, sum(i32) FILTER (WHERE b), count(*) FILTER (WHERE i8 > 0) FROM t GROUP BY g HAVING count(*) > 3;

SELECT g, k, count(*), sum(i32), grouping_id() FROM t GROUP BY ROLLUP (g, k) ORDER BY g, k, grouping_id();

SELECT g, b, max(dt), grouping(g) FROM t GROUP BY CUBE (g, b);

SELECT k, count(DISTINCT g), count(DISTINCT i8), sum(i32), count(*) FROM t GROUP BY k;

SELECT g, count(DISTINCT k) FILTER (WHERE b), count(DISTINCT i16), min(id) FROM t GROUP BY g;
