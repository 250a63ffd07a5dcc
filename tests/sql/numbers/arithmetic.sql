-- data: moderate, extreme
-- files: many, one

-- ansi: off
SELECT id, i8 + i8, i8 - i16, i16 * i16, i32 + i32, i32 - i8, i32 * i32, i64 + i64, i64 - i32, i64 * i64, -i8, -i16, -i32, -i64, abs(i8), abs(i16), abs(i32), abs(i64), +i32 FROM t;

SELECT id, try_add(i32, i32), try_add(i64, i64), try_subtract(i64, i32), try_subtract(i32, 1), try_multiply(i32, i32), try_multiply(i64, i64), try_add(i8, i8), try_add(i64, 1L) FROM t;

-- ansi: off
SELECT id, i32 / i8, i64 DIV i8, i64 DIV i64, i32 % i8, i64 % i64, i8 % i16, pmod(i32, i8), pmod(i64, i64), pmod(i8, i8), pmod(i16, i32), pmod(i32, -2147483648), pmod(i64, 7) FROM t;

SELECT id, try_divide(i32, i8), try_mod(i32, i8), try_mod(i64, i64), try_divide(f64, f32), i32 % 7, i64 DIV 3, pmod(i32, 5), i32 / 4 FROM t;

-- ansi: off
SELECT id, f64 + f32, f64 - f64, f32 * f32, f64 / f32, f32 / f32, f64 % f32, f32 % f32, f64 % 3, pmod(f64, f32), pmod(f32, f32), pmod(f64, 2.5D), -f64, -f32, abs(f64), abs(f32) FROM t;

SELECT id, f64 + 1, f32 * 2, f64 - f32, f32 + f32, f64 * f64, -f64, abs(f32) FROM t;

-- data: moderate
SELECT id, i8 + i16 * 2 - i32, (i64 + i32) * 3, i32 / 2 + i8 / 3, abs(i64 - i32), -(i32 - 5), (i8 + 200) % 7, i16 DIV 3 FROM t WHERE i32 + i64 > 0;

-- data: extreme
-- raises: ARITHMETIC_OVERFLOW
SELECT i64 * i64 FROM t;

-- data: extreme
-- raises: ARITHMETIC_OVERFLOW
SELECT -i64 FROM t;

-- data: extreme
-- raises: ARITHMETIC_OVERFLOW
SELECT abs(i32) FROM t;

-- data: extreme
-- raises: BINARY_ARITHMETIC_OVERFLOW
SELECT i8 + i8 FROM t;

-- data: extreme
-- raises: REMAINDER_BY_ZERO
SELECT i32 % i8 FROM t;

-- data: extreme
-- raises: ARITHMETIC_OVERFLOW
SELECT i64 DIV i8 FROM t WHERE i8 <> 0;

-- data: extreme
-- raises: DIVIDE_BY_ZERO
SELECT f64 / f32 FROM t;
