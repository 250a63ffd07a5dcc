-- data: moderate, extreme
-- files: many
-- zones: America/Los_Angeles, +05:30

-- zones: UTC, America/Los_Angeles, Europe/Paris
SELECT ts, date_trunc('year', ts), date_trunc('QUARTER', ts), date_trunc('mon', ts), date_trunc('Week', ts),
  date_trunc('dd', ts), date_trunc('fortnight', ts)
FROM t;

SELECT ts, date_trunc('HOUR', ts), date_trunc('minute', ts), date_trunc('SECOND', ts), date_trunc('MILLISECOND', ts),
  date_trunc('MICROSECOND', ts), date_trunc('hour', tn), date_trunc('month', dt)
FROM t;

SELECT ts + INTERVAL 1 MONTH, ts - INTERVAL '10-11' YEAR TO MONTH, tn + INTERVAL 1 YEAR, tn - INTERVAL 1 MONTH FROM t;

SELECT ts + INTERVAL 1 DAY, ts - INTERVAL 5 DAYS 3 HOURS, tn + INTERVAL 25 HOURS, dt + INTERVAL 90 MINUTES FROM t;

SELECT ts - TIMESTAMP'2020-06-01 00:00:00', ts - dt, tn - TIMESTAMP_NTZ'1999-12-31 23:59:59.999999' FROM t;

SELECT extract(DAY FROM d), extract(HOUR FROM d), extract(MINUTE FROM d), extract(SECOND FROM d)
FROM (SELECT ts - TIMESTAMP'2001-01-01 00:00:00' AS d FROM t);

SELECT ts + make_interval(1, 2, 3, 4, 5, 6, 7.5), tn + make_interval(0, -1, 0, 1, -1) FROM t;

SELECT months_between(ts, TIMESTAMP'2010-01-31 12:00:00'), months_between(ts, dt, false), months_between(ts, dt, b)
FROM t;

SELECT timestampadd(MICROSECOND, i8, ts), timestampadd(MILLISECOND, i16, ts), timestampadd(SECOND, i8, tn),
  timestampadd(MINUTE, i16, ts), timestampadd(HOUR, i8, ts)
FROM t;

SELECT timestampadd(DAY, i8, ts), timestampadd(WEEK, i8, ts), timestampadd(MONTH, i16, ts), timestampadd(QUARTER, i8, tn),
  timestampadd(YEAR, i8, ts)
FROM t;

SELECT timestampdiff(MICROSECOND, ts, tn), timestampdiff(MILLISECOND, ts, dt), timestampdiff(SECOND, tn, ts),
  timestampdiff(MINUTE, ts, dt), timestampdiff(HOUR, ts, dt)
FROM t;

SELECT timestampdiff(DAY, ts, dt), timestampdiff(WEEK, dt, ts), timestampdiff(MONTH, ts, dt), timestampdiff(QUARTER, ts, tn),
  timestampdiff(YEAR, tn, ts)
FROM t;

-- data: moderate
-- ansi: both
SELECT make_timestamp(2000 + i8, 1 + g, 28, g, 59 - g, d9 / 100), make_timestamp(2024, 3, 31, g, 30, 60) FROM t
WHERE d9 >= 0 AND d9 < 6000;

-- data: moderate
SELECT make_timestamp(2000 + i8, 11, 1 + g, g, 30, 1.5, 'America/New_York'), make_timestamp_ntz(2000 + i8, 2, 29 - g, 1, 2, 3)
FROM t WHERE g > 0;

SELECT from_utc_timestamp(ts, 'Asia/Kolkata'), to_utc_timestamp(ts, 'Australia/Lord_Howe'), from_utc_timestamp(ts, '-8:00'),
  convert_timezone('America/New_York', 'Europe/Paris', tn), convert_timezone('Asia/Tokyo', tn)
FROM t;

SELECT unix_micros(ts), unix_millis(ts), unix_seconds(ts), unix_timestamp(ts), unix_timestamp(tn), to_unix_timestamp(dt)
FROM t;

SELECT timestamp_seconds(i32), timestamp_millis(i32), timestamp_micros(i64), timestamp_seconds(d9), timestamp_seconds(i8)
FROM t;
