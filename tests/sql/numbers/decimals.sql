-- data: moderate, extreme
-- files: many

CREATE TABLE wide_decimals USING parquet AS SELECT id, CAST(v AS DECIMAL(38, 0)) d0, CAST(v / 7 AS DECIMAL(38, 18)) d18, CAST(pow(-1, id) * id / 1000 AS DECIMAL(38, 38)) d38, CAST(id * 12345.678901 AS DECIMAL(20, 10)) d10 FROM (SELECT id, CAST(pow(-1.7, id) AS DECIMAL(38, 6)) v FROM range(160));
CREATE TABLE digits_of_nines USING parquet AS SELECT CAST(repeat('9', CAST(id AS INT) + 1) AS DECIMAL(38, 0)) d0, CAST(concat('0.', repeat('9', CAST(id AS INT) + 1)) AS DECIMAL(38, 38)) d38, CAST(concat(repeat('4', 18), '.', repeat('9', CAST(id % 19 AS INT) + 1)) AS DECIMAL(38, 19)) d19 FROM range(33);

-- ansi: off
SELECT id, d9 + d9, d9 - d18, d18 + d38, d38 - d38, d9 * d9, d9 * d18, d18 * d18, d18 * d38, d38 * d38, d9 / d9, d9 / d18, d18 / d38, d38 / d38, d38 / d9 FROM t;

-- ansi: off
-- conf: spark.sql.decimalOperations.allowPrecisionLoss=false
SELECT id, d18 + d38, d38 - d38, d18 * d18, d18 * d38, d38 * d38, d9 / d18, d18 / d38, d38 / d38, d38 / d9, d38 % d9 FROM t;

-- ansi: off
SELECT id, d9 % d9, d18 % d9, d9 % d18, d38 % d9, d18 % d38, pmod(d9, d18), pmod(d38, d9), pmod(d18, d38), d9 DIV d9, d18 DIV d9, d38 DIV d18, d9 DIV d38 FROM t;

SELECT id, try_add(d38, d38), try_subtract(d38, d18), try_multiply(d38, d18), try_divide(d38, d9), try_mod(d18, d9), try_add(d18, d18) FROM t;

-- ansi: off
SELECT id, -d9, abs(d9), -d18, abs(d18), d9 + 1, d18 * 3, d9 / 7, d9 + i32, d18 * i64, d9 + f64, d9 > i32, d38 % 10 FROM t;

-- ansi: off
SELECT id, d0 + d18, d18 - d0, d0 + d38, d0 * d18, d18 * d18, d18 * d38, d38 * d38, d0 * d38, d10 * d18, d0 / d18, d18 / d0, d38 / d18, d0 / d38, d10 / d0, d18 / d10 FROM wide_decimals;

-- ansi: off
SELECT id, d0 % d10, d10 % d18, d18 % d10, d10 % d38, d38 % d10, d0 % d0, pmod(d18, d10), pmod(d10, d38), pmod(d38, d10), d10 DIV d18, d18 DIV d10, d10 DIV d38, d38 DIV d18 FROM wide_decimals;

-- ansi: off
SELECT d0 + 1, d0 * d38, d0 * 10, d0 / d38, d19 * d38, d19 + d38, d19 / 3, d0 - d19, d19 * 0.5, CAST(d19 AS DECIMAL(20, 1)), CAST(d38 AS DECIMAL(38, 10)) FROM digits_of_nines;

SELECT -d19, abs(-d19), -d0, -d38, abs(CAST(-d38 AS DECIMAL(38, 38))) FROM digits_of_nines;

-- data: moderate
SELECT id, d9 + d18, d9 * d18, d9 * (1 - d9) * (1 + d9), d18 / 3, d9 / 4 + d18, d38 + d9, (d9 + d18) * 2 - d38 FROM t WHERE d9 * 2 > d18;

-- data: extreme
-- raises: NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION
SELECT d38 * d38 FROM t;

-- data: extreme
-- raises: DIVIDE_BY_ZERO
SELECT d38 / d9 FROM t;

-- data: extreme
-- raises: NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION
SELECT -d38 FROM t;
