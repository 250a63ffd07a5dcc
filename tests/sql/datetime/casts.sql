-- data: moderate, extreme
-- files: many
-- zones: UTC, America/Los_Angeles, Asia/Kolkata
-- ansi: both

SELECT CAST(dt AS TIMESTAMP), CAST(dt AS TIMESTAMP_NTZ), CAST(ts AS DATE), CAST(tn AS DATE), CAST(ts AS TIMESTAMP_NTZ),
  CAST(tn AS TIMESTAMP), try_cast(dt AS TIMESTAMP)
FROM t;

SELECT CAST(ts AS BIGINT), CAST(ts AS DOUBLE), CAST(ts AS FLOAT), CAST(ts AS DECIMAL(20, 6)), CAST(ts AS DECIMAL(38, 10)),
  CAST(ts AS DECIMAL(14, 2)), CAST(ts AS DECIMAL(12, 0)), try_cast(ts AS INT), try_cast(ts AS SMALLINT)
FROM t;

SELECT dt = ts, dt < tn, ts >= tn, dt <=> CAST(ts AS DATE), dt IN (DATE'2000-02-29', DATE'1970-01-01'), ts > '2010-01-01'
FROM t;

SELECT id FROM t WHERE ts BETWEEN '2000-01-01' AND '2020-01-01' AND dt < ts AND year(ts) > year(dt);

-- data: extreme
-- zones: America/Los_Angeles
-- raises: CAST_OVERFLOW
SELECT CAST(ts AS INT), CAST(ts AS SMALLINT), CAST(ts AS TINYINT) FROM t;

-- data: extreme
-- zones: America/Los_Angeles
SELECT CAST(i64 AS TIMESTAMP), CAST(i32 AS TIMESTAMP), CAST(i8 AS TIMESTAMP), CAST(d9 AS TIMESTAMP), CAST(d18 AS TIMESTAMP)
FROM t;

-- data: extreme
-- zones: America/Los_Angeles
-- raises: CAST_INVALID_INPUT
SELECT CAST(f64 AS TIMESTAMP), CAST(f32 AS TIMESTAMP) FROM t;

SELECT try_cast(f64 AS TIMESTAMP), try_cast(f32 AS TIMESTAMP), CAST(CAST(i16 AS DOUBLE) / 7 AS TIMESTAMP) FROM t;

-- ansi: off
SELECT CAST(dt AS INT), CAST(dt AS DOUBLE), CAST(dt AS BOOLEAN), CAST(dt AS DECIMAL(10, 2)), CAST(ts AS BOOLEAN),
  CAST(b AS TIMESTAMP)
FROM t;

-- data: extreme
-- zones: America/Los_Angeles
-- raises: java.lang.ArithmeticException
SELECT CAST(date_from_unix_date(i32) AS TIMESTAMP) FROM t;

-- data: extreme
-- zones: UTC, America/Los_Angeles
SELECT try_cast(date_from_unix_date(i32) AS TIMESTAMP), try_cast(timestamp_micros(i64) AS TIMESTAMP_NTZ),
  try_cast(date_from_unix_date(i32) AS TIMESTAMP_NTZ), try_cast(timestamp_micros(i64) AS INT)
FROM t;

-- data: extreme
-- zones: UTC, America/Los_Angeles
SELECT CAST(timestamp_micros(i64) AS DATE), CAST(timestamp_micros(i64) AS BIGINT), CAST(timestamp_micros(i64) AS DOUBLE),
  CAST(timestamp_micros(i64) AS DECIMAL(20, 6))
FROM t;
