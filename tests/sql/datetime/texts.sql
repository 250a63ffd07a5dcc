-- data: moderate, extreme
-- files: many
-- zones: America/Los_Angeles, +05:30

SELECT CAST(dt AS STRING), CAST(ts AS STRING), CAST(tn AS STRING), dt || '/' || ts FROM t;

-- data: extreme
SELECT CAST(date_from_unix_date(i32) AS STRING), CAST(timestamp_micros(i64) AS STRING) FROM t;

SELECT date_format(ts, 'yyyy-MM-dd HH:mm:ss.SSSSSS'), date_format(ts, "d/M/y 'at' h''mm a"), date_format(dt, 'E, dd MMM yyyy'),
  date_format(tn, 'yyyyMMdd'), date_format(ts, 'hh:m:s.S')
FROM t;

SELECT from_unixtime(i32), from_unixtime(i64, 'yyyy-MM-dd HH'), from_unixtime(id * 86399, 'dd.MM.yyyy') FROM t;

-- data: moderate
-- ansi: both
SELECT CAST(day AS DATE), to_date(day), CAST(day AS TIMESTAMP), to_timestamp(day), CAST(day AS TIMESTAMP_NTZ), year(day),
  to_date(day, 'yyyy-MM-dd'), to_timestamp(day, 'yyyy-MM-dd'), unix_timestamp(day, 'yyyy-MM-dd')
FROM t;

-- data: moderate
SELECT to_timestamp(text, 'MM/dd/yyyy HH:mm:ss.SSS'), unix_timestamp(text, 'MM/dd/yyyy HH:mm:ss.SSS')
FROM (SELECT date_format(ts, 'MM/dd/yyyy HH:mm:ss.SSS') AS text FROM t);

-- data: extreme
-- ansi: off
SELECT day, CAST(day AS DATE), try_cast(day AS DATE), CAST(day AS TIMESTAMP), CAST(day AS TIMESTAMP_NTZ) FROM t;

-- data: extreme
SELECT num, try_cast(num AS DATE), try_cast(s AS DATE) FROM t;

-- data: extreme
-- raises: CAST_INVALID_INPUT
SELECT CAST(day AS DATE) FROM t;

-- data: extreme
-- raises: CAST_INVALID_INPUT
SELECT CAST(day AS TIMESTAMP) FROM t;

SELECT count(*) FROM t WHERE CAST(dt AS STRING) LIKE '2%' OR CAST(ts AS STRING) > '2001';

SELECT date_format(ts, 'yyyy-MM') AS month, count(*) FROM t GROUP BY date_format(ts, 'yyyy-MM') ORDER BY month;

-- fallback: the pattern G is not supported
SELECT date_format(ts, 'G') FROM t;
