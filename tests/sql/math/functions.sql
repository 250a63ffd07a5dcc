-- data: moderate, extreme
-- files: many
-- ansi: both

CREATE TABLE angles USING parquet AS SELECT id, (id - 600) / 97 x, pow(1.1, id - 600) y, (id - 600) / 600 z FROM range(1201);

SELECT id, sqrt(f64), cbrt(f64), exp(f64), expm1(f64), ln(f64), log2(f64), log10(f64), log1p(f64), signum(f64), rint(f64), degrees(f64), radians(f64) FROM t;

SELECT id, sinh(f64), cosh(f64), tanh(f64), asin(f64), acos(f64), atan(f64), asinh(f64), acosh(f64), atanh(f64) FROM t;

SELECT id, power(f64, f32), power(f64, 2), power(f64, 0.5), power(i8, i8), hypot(f64, f32), atan2(f64, f32), atan2(i8, i16), log(f64, f32), log(2, i32), log(f64), e() * f64, pi() + f64 FROM t;

SELECT id, sqrt(i32), exp(i8), ln(d9), sign(d38), signum(i64), power(d9, 3), cbrt(f32), log10(i64), degrees(f32) FROM t;

SELECT id, factorial(i8), factorial(pmod(i32, 30)), width_bucket(f64, -1000, 1000, 20), width_bucket(f64, 1000, -1000, 7), width_bucket(f32, f64, 10, i64), width_bucket(d9, 0, 100, 5) FROM t WHERE i32 > -2147483648;

SELECT id, exp(x), expm1(x), ln(y), log10(y), log2(y), log1p(z), log1p(y), sqrt(y), cbrt(x), cbrt(y), sinh(x), cosh(x), tanh(x), tanh(z) FROM angles;

SELECT id, asin(z), acos(z), atan(x), atan(y), atan2(x, z), atan2(z, y), power(y, z), power(x, 3), power(y, x), hypot(x, y), atanh(z), asinh(x), acosh(y) FROM angles;

-- fallback: depends on the JVM
SELECT sin(f64), cos(f64), tan(f64), cot(f64), sec(f64), csc(f64) FROM t;
