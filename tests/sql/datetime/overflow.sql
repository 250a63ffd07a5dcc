-- data: extreme
-- ansi: both
-- zones: America/New_York

-- raises: java.lang.ArithmeticException
SELECT timestamp_seconds(i64) FROM t;

-- raises: java.lang.ArithmeticException
SELECT timestamp_millis(i64) FROM t;

SELECT timestamp_seconds(f64), timestamp_seconds(f32) FROM t;

-- raises: java.lang.ArithmeticException
SELECT timestamp_micros(i64) + INTERVAL 1 MICROSECOND FROM t;

-- raises: java.lang.ArithmeticException
SELECT timestamp_micros(i64) + INTERVAL 1 DAY FROM t;

-- raises: java.lang.ArithmeticException
SELECT timestamp_micros(i64) - INTERVAL 1 MONTH FROM t;

-- raises: java.lang.ArithmeticException
SELECT timestamp_micros(i64) - TIMESTAMP'2020-01-01 00:00:00' FROM t;

-- raises: java.lang.ArithmeticException
SELECT date_trunc('HOUR', timestamp_micros(i64)) FROM t;

SELECT date_trunc('SECOND', timestamp_micros(i64)), date_trunc('MILLISECOND', timestamp_micros(i64)) FROM t;

-- raises: java.lang.ArithmeticException
SELECT date_trunc('YEAR', timestamp_micros(i64)) FROM t;

-- raises: DATETIME_OVERFLOW
SELECT timestampadd(HOUR, i64, ts) FROM t;

-- raises: DATETIME_OVERFLOW
SELECT timestampadd(DAY, i64, ts) FROM t;

-- raises: DATETIME_OVERFLOW
SELECT timestampadd(YEAR, i32, ts) FROM t;

-- raises: java.lang.ArithmeticException
SELECT date_from_unix_date(i32) - DATE'2000-01-01' FROM t;

SELECT timestampdiff(YEAR, timestamp_micros(i64), ts), timestampdiff(DAY, timestamp_micros(i64), ts),
  timestampdiff(MILLISECOND, ts, timestamp_micros(i64)), months_between(timestamp_micros(i64 DIV 2), ts)
FROM t;
