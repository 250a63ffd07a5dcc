-- data: moderate
-- files: many, empty
-- ansi: both

CREATE TABLE large_terms USING parquet AS SELECT id, id % 5 g, CAST(pow(-1, id) * 4.5e37 AS DECIMAL(38, 0)) w, CAST(id * 1e28 AS DECIMAL(38, 4)) d, IF(id % 5 = 1, 9223372036854775807, id) l, CAST(id * 1e13 AS DECIMAL(18, 4)) n, CAST(id / 97 AS DECIMAL(38, 36)) p FROM range(60);

SELECT sum(d9), avg(d9), sum(d18), avg(d18), sum(d38), avg(d38), sum(i64), avg(i64), avg(i8) FROM t;

SELECT g, sum(d9), avg(d9), sum(d18), avg(d18), sum(d38), avg(d38), sum(i64), avg(i64), sum(i8) FROM t GROUP BY g;

SELECT g, try_sum(d18), try_avg(d38), try_sum(i64), try_sum(i32) FROM t GROUP BY g;

SELECT g, sum(d), avg(d), sum(n), avg(n), avg(p), sum(p) FROM large_terms GROUP BY g;

-- ansi: off
SELECT g, sum(l), avg(l) FROM large_terms GROUP BY g;

-- fallback: allowed
SELECT try_sum(w), try_avg(w), try_sum(l) FROM large_terms;

-- ansi: on
-- raises: ARITHMETIC_OVERFLOW
SELECT g, sum(l) FROM large_terms GROUP BY g;

-- ansi: on
-- raises: NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION
SELECT id < 30, avg(CAST(d * 100 AS DECIMAL(38, 4))) FROM large_terms GROUP BY 1;
