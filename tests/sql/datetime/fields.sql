-- data: moderate, extreme
-- files: many

SELECT id, year(dt), quarter(dt), month(dt), day(dt), dayofyear(dt), weekofyear(dt), extract(YEAROFWEEK FROM dt) FROM t;

SELECT id, dayofweek(dt), weekday(dt), extract(DOW_ISO FROM dt), monthname(dt), dayname(dt), last_day(dt) FROM t;

-- data: extreme
SELECT d, year(d), quarter(d), month(d), day(d), dayofyear(d), weekofyear(d), extract(YEAROFWEEK FROM d), dayofweek(d),
  weekday(d), monthname(d), dayname(d), last_day(d)
FROM (SELECT date_from_unix_date(i32) AS d FROM t);

-- data: moderate
SELECT d, year(d), quarter(d), month(d), day(d), dayofyear(d), weekofyear(d), extract(YEAROFWEEK FROM d), weekday(d)
FROM (SELECT date_from_unix_date(CAST(id AS INT)) AS d FROM range(-800000, 800000, 97));

-- zones: UTC, America/Los_Angeles, Asia/Kolkata, Europe/Paris, +05:30
SELECT id, year(ts), month(ts), day(ts), hour(ts), minute(ts), second(ts), extract(SECOND FROM ts), hour(tn), second(tn)
FROM t;

-- zones: America/Los_Angeles, Europe/Dublin, Africa/Monrovia, Australia/Lord_Howe, -01:07:15
-- data: moderate
SELECT ts, CAST(ts AS DATE), hour(ts), minute(ts), second(ts), dayofweek(ts)
FROM (SELECT timestamp_micros(id * 86397000003) AS ts FROM range(-120000, 120000, 7));

-- zones: UTC, America/New_York
-- data: extreme
SELECT ts, hour(ts), minute(ts), extract(SECOND FROM ts), CAST(ts AS DATE), year(ts), weekofyear(ts)
FROM (SELECT timestamp_micros(i64) AS ts FROM t);

SELECT hour(dt), minute(tn), year(tn), extract(WEEK FROM tn) FROM t WHERE dt > '1900-01-01';
