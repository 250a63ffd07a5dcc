-- data: moderate, extreme
-- files: many

CREATE TABLE halves USING parquet AS SELECT id, (id - 500) / 8 x, CAST((id - 500) / 8 AS FLOAT) y, (id - 500) / 1000 z, (id - 500) * 1.015D w FROM range(1001);

-- ansi: off
SELECT id, round(i8), round(i8, -1), round(i16, -2), round(i32, -3), round(i32, -9), round(i64, -1), round(i64, -18), round(i64, 3), bround(i8, -1), bround(i32, -2), bround(i64, -4), round(i32, -20), round(i32, NULL) FROM t;

-- ansi: both
SELECT id, round(d9), round(d9, 1), round(d18, 2), round(d38, 4), round(d38), bround(d9, 1), bround(d18), bround(d38, 9), round(d9, -2), round(d18, -3), bround(d9, -1), round(d9, 5), round(d38, -1) FROM t WHERE abs(d9) < 1000000 AND d38 < 1e20 AND d38 > -1e20;

-- ansi: both
SELECT id, ceil(f64), floor(f64), ceil(f32), floor(f32), ceil(i32), floor(i64), ceil(d9), floor(d9), ceil(d18), floor(d18), ceil(d38), floor(d38), ceil(d9, 1), floor(d9, 1), ceil(d38, 4), floor(d38, 4), ceil(d9, -2), floor(d18, -3), ceil(i32, -1) FROM t;

-- ansi: both
SELECT id, round(x), round(x, 1), round(x, 2), bround(x), bround(x, 1), bround(x, 2), round(y), round(y, 1), bround(y, 2), round(x, -1), bround(x, -1), round(z, 2), bround(z, 2), round(w, 2), round(w, 10), bround(w, 1), round(w, -2), round(y, -1) FROM halves;

-- data: moderate
SELECT id, round(f64), round(f64, 1), round(f64, 2), bround(f64, 2), round(f32, 1), round(f64 / 3, 4), round(f64, -2), round(f64 * 1e-7, 9), bround(f32 / 7, 3) FROM t;

-- data: extreme
SELECT id, round(f32), round(f32, 3), bround(f32, 1) FROM t;

-- data: extreme
-- raises: NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION
SELECT round(CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)) - id, -9) FROM t;

-- data: extreme
-- raises: ARITHMETIC_OVERFLOW
SELECT round(i8, -1), round(i64, -2) FROM t;
