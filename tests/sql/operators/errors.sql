-- data: extreme
-- ansi: both

-- raises: ARITHMETIC_OVERFLOW
SELECT id, i64 + 1 FROM t;

-- raises: DIVIDE_BY_ZERO
SELECT id, i32 / i8 FROM t;

-- raises: CAST_OVERFLOW
SELECT id, cast(i32 AS tinyint) FROM t;

-- raises: CAST_INVALID_INPUT
SELECT id, cast(num AS int) FROM t;

-- raises: ARITHMETIC_OVERFLOW
SELECT sum(i64) FROM t;
