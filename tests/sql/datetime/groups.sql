-- data: moderate, extreme
-- files: many, empty
-- zones: America/Los_Angeles

SELECT year(dt) AS y, count(*), min(dt), max(dt), min(ts), max(tn) FROM t GROUP BY year(dt) ORDER BY y;

SELECT month(ts) AS m, hour(ts) AS h, count(*), max(ts) FROM t GROUP BY month(ts), hour(ts) ORDER BY m, h;

SELECT date_trunc('MONTH', ts) AS month, count(*), sum(d9) FROM t GROUP BY date_trunc('MONTH', ts) ORDER BY month;

SELECT trunc(dt, 'YEAR'), dayname(dt), count(*) FROM t GROUP BY trunc(dt, 'YEAR'), dayname(dt);

SELECT dt, ts, tn FROM t ORDER BY dt DESC NULLS LAST, ts, tn;

SELECT min(dt), max(dt), min(ts), max(ts), min(tn), max(tn), count(DISTINCT dt), count(DISTINCT ts) FROM t;

SELECT k, max(ts - TIMESTAMP'2000-01-01 00:00:00') AS longest FROM t GROUP BY k;

SELECT dt, count(*) FROM t WHERE dt >= DATE'1995-01-01' AND dt < DATE'1995-01-01' + INTERVAL 1 YEAR GROUP BY dt;

SELECT max(dt - DATE'2000-01-01') AS longest FROM t WHERE ts < TIMESTAMP'2020-01-01 00:00:00' - INTERVAL 90 DAYS;

-- data: extreme
SELECT d, count(*) FROM (SELECT date_from_unix_date(i32) AS d FROM t) GROUP BY d ORDER BY d DESC;

-- data: extreme
SELECT min(d), max(d), min(u), max(u) FROM (SELECT date_from_unix_date(i32) AS d, timestamp_micros(i64) AS u FROM t);

-- data: extreme
SELECT u, dt FROM (SELECT timestamp_micros(i64) AS u, ts, dt FROM t) WHERE u > ts ORDER BY u, dt NULLS LAST;
