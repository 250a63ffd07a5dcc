-- data: moderate, extreme
-- files: many

SELECT id, i8 = i16, i32 < i64, i64 >= i32, i8 <=> i8, f32 = f64, f64 < f32, f64 <=> f64, f32 >= f64, f64 > 1.5, d9 = d18, d18 < d38, d38 >= d9, d9 <=> d38, b = (i8 > 0), b > false, d9 > 3, d38 = 0 FROM t;

SELECT id, greatest(i8, i16, i64), least(i32, i64, 7), greatest(f32, f64), least(f64, 0), greatest(d9, d18, d38), least(d9, 1), greatest(b, i8 > 3), least(i8, NULL), greatest(f64, d9) FROM t;

SELECT id, i8 IN (1, 2, 3), i32 IN (1, NULL, -1), i64 IN (0, i32, i8), i16 NOT IN (0, 1, NULL), f64 IN (0, -2.5, double('NaN')), f32 IN (0, 1.5, NULL), d9 IN (0.01, -0.01, d18), d38 IN (0, -1.5, NULL), b IN (true, NULL) FROM t;

SELECT id, i8 IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 126), i64 IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, -9223372036854775808), i32 NOT IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, NULL), f64 IN (-0.0D, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, double('NaN')), d9 IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0.05), d38 IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 18446744073709551616) FROM t;

SELECT id FROM t WHERE i32 BETWEEN -100 AND 100 OR f64 <> f64 OR d18 BETWEEN d9 AND d38;

SELECT i8 <=> NULL, f64 = NULL, count(*) FROM t GROUP BY 1, 2;
