-- data: moderate, extreme
-- ansi: both

SELECT id, dt + 3, dt - 3, date_add(dt, i8), date_sub(dt, i16), date_add(dt, i32), date_sub(dt, i32) FROM t;

SELECT id, date_diff(dt, DATE'2000-01-01'), date_diff(dt, ts), unix_date(dt), dt - DATE'1969-07-20' FROM t;

-- data: extreme
SELECT i32, date_diff(date_from_unix_date(i32), date_from_unix_date(i16 * 65536)) FROM t WHERE i16 > -32768;

SELECT id, add_months(dt, 1), add_months(dt, -13), add_months(dt, i8), add_months(dt, i16) FROM t;

-- raises: ARITHMETIC_OVERFLOW
SELECT add_months(dt, i32) FROM t;

SELECT id, trunc(dt, 'week'), trunc(dt, 'MON'), trunc(dt, 'Quarter'), trunc(dt, 'yy'), trunc(dt, 'day') FROM t;

-- data: extreme
SELECT d, trunc(d, 'WEEK'), trunc(d, 'MM'), trunc(d, 'YEAR'), next_day(d, 'MO'), next_day(d, 'sunday')
FROM (SELECT date_from_unix_date(i32) AS d FROM t);

-- data: extreme
-- raises: ARITHMETIC_OVERFLOW
SELECT trunc(date_from_unix_date(i32), 'QUARTER') FROM t;

SELECT id, next_day(dt, 'Tue'), next_day(dt, 'WE'), next_day(dt, 'thursday'), next_day(dt, NULL) FROM t;

-- raises: ILLEGAL_DAY_OF_WEEK
SELECT next_day(dt, 'xx') FROM t;

-- data: moderate
SELECT id, dt + INTERVAL 1 MONTH, dt - INTERVAL 2 YEAR, dt + INTERVAL '1-2' YEAR TO MONTH, dt - INTERVAL 3 DAY FROM t;

-- data: moderate
SELECT dt + make_interval(1, 2, 3, 4), dt + make_interval(0, 0, 0, -1) FROM t;

-- data: moderate
-- fallback: an interval with a time of day
-- raises: INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION
SELECT dt + make_interval(1, 2, 3, 4, 5) FROM t;

-- data: extreme
-- raises: DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION
SELECT make_date(i16, i8, 5) FROM t;

-- data: moderate
SELECT make_date(2000 + i8, 1 + g, 28), make_date(i32, 2, 28) FROM t;

-- data: extreme
-- raises: ARITHMETIC_OVERFLOW
SELECT make_date(i32, 2, 28) FROM (SELECT i16 * 20000 AS i32 FROM t);
