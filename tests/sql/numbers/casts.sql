-- data: moderate, extreme
-- files: many

CREATE TABLE exact_numbers USING parquet AS SELECT id, CAST(d AS DECIMAL(38, 20)) wide, CAST(d AS DECIMAL(18, 9)) narrow, CAST(d AS DOUBLE) f FROM (SELECT id, explode(array(0, 1, -1, 0.5, -0.5, 1.5, 2.5, 0.499999999, 127.4, 127.9, 128, -128.9, -129, 32767.999999, 32768, 2147483647.5, -2147483648.5, 123456789.123456789)) d FROM range(1));
CREATE TABLE doubles_of_note USING parquet AS SELECT * FROM VALUES (0.1D), (0.30000000000000004D), (1.005D), (2.675D), (1.0E-10D), (123456.789D), (9007199254740991D), (4503599627370497.5D), (1.0E15D), (0.125D), (-2.5D), (1.0E22D), (100D), (1.0E-40D), (double('NaN')), (double('Infinity')), (double('-Infinity')), (-0.0D), (NULL) AS v(x);

-- ansi: off
SELECT id, CAST(b AS TINYINT), CAST(b AS BIGINT), CAST(b AS FLOAT), CAST(b AS DOUBLE), CAST(b AS DECIMAL(1, 0)), CAST(b AS DECIMAL(1, 1)), CAST(i8 AS BOOLEAN), CAST(i64 AS BOOLEAN), CAST(f32 AS BOOLEAN), CAST(f64 AS BOOLEAN), CAST(d9 AS BOOLEAN), CAST(d38 AS BOOLEAN) FROM t;

-- ansi: off
SELECT id, CAST(i64 AS INT), CAST(i64 AS SMALLINT), CAST(i64 AS TINYINT), CAST(i32 AS SMALLINT), CAST(i32 AS TINYINT), CAST(i16 AS TINYINT), CAST(i8 AS BIGINT), CAST(i64 AS FLOAT), CAST(i64 AS DOUBLE), CAST(i32 AS FLOAT) FROM t;

SELECT id, try_cast(i64 AS INT), try_cast(i64 AS SMALLINT), try_cast(i64 AS TINYINT), try_cast(i32 AS SMALLINT), try_cast(i16 AS TINYINT), try_cast(i64 AS DECIMAL(18, 0)), try_cast(i64 AS DECIMAL(20, 1)), try_cast(i32 AS DECIMAL(9, 0)), try_cast(i8 AS DECIMAL(2, 0)), try_cast(i64 AS DECIMAL(38, 19)) FROM t;

-- ansi: off
SELECT id, CAST(f64 AS TINYINT), CAST(f64 AS SMALLINT), CAST(f64 AS INT), CAST(f64 AS BIGINT), CAST(f32 AS TINYINT), CAST(f32 AS INT), CAST(f32 AS BIGINT), CAST(f64 AS FLOAT), CAST(f32 AS DOUBLE) FROM t;

SELECT id, try_cast(f64 AS TINYINT), try_cast(f64 AS SMALLINT), try_cast(f64 AS INT), try_cast(f64 AS BIGINT), try_cast(f32 AS TINYINT), try_cast(f32 AS SMALLINT), try_cast(f32 AS INT), try_cast(f32 AS BIGINT) FROM t;

-- ansi: off
SELECT id, CAST(d9 AS TINYINT), CAST(d18 AS INT), CAST(d38 AS TINYINT), CAST(d38 AS SMALLINT), CAST(d38 AS INT), CAST(d38 AS BIGINT), CAST(d9 AS FLOAT), CAST(d9 AS DOUBLE), CAST(d18 AS FLOAT), CAST(d18 AS DOUBLE), CAST(d38 AS FLOAT), CAST(d38 AS DOUBLE) FROM t;

SELECT id, try_cast(d9 AS TINYINT), try_cast(d18 AS INT), try_cast(d38 AS BIGINT), try_cast(d38 AS DECIMAL(18, 4)), try_cast(d38 AS DECIMAL(38, 20)), try_cast(d38 AS DECIMAL(38, 0)), try_cast(d18 AS DECIMAL(9, 2)), try_cast(d9 AS DECIMAL(9, 9)), try_cast(d9 AS DECIMAL(5, 0)) FROM t;

-- fallback: allowed
SELECT id, try_cast(d38 AS TINYINT), try_cast(d38 AS INT) FROM t;

SELECT id, try_cast(wide AS INT), try_cast(wide AS TINYINT), try_cast(narrow AS SMALLINT), try_cast(narrow AS BIGINT), try_cast(f AS INT), try_cast(f AS TINYINT), CAST(wide AS DOUBLE), CAST(wide AS FLOAT), CAST(narrow AS FLOAT), CAST(wide AS DECIMAL(20, 1)) FROM exact_numbers;

-- ansi: both
SELECT x, CAST(IF(abs(x) < 100, x, NULL) AS DECIMAL(5, 2)), CAST(IF(abs(x) < 1e18, x, NULL) AS DECIMAL(38, 18)), CAST(IF(abs(x) < 1e18, x, NULL) AS DECIMAL(18, 0)), try_cast(x AS DECIMAL(10, 4)), try_cast(CAST(IF(abs(x) < 1e10, x, NULL) AS FLOAT) AS DECIMAL(38, 20)) FROM doubles_of_note;

-- raises: CAST_OVERFLOW
SELECT CAST(i64 AS INT) FROM t;

-- data: extreme
-- raises: CAST_OVERFLOW
SELECT CAST(f64 AS BIGINT) FROM t;

-- data: extreme
-- raises: NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION
SELECT CAST(d38 AS DECIMAL(18, 4)) FROM t;

-- data: extreme
-- raises: NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION
SELECT CAST(i64 AS DECIMAL(10, 0)) FROM t;

-- data: extreme
-- raises: CAST_OVERFLOW
SELECT CAST(d38 AS TINYINT) FROM t;
