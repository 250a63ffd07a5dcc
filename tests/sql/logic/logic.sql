-- data: moderate, extreme
-- files: many

SELECT id, b AND i8 > 0, b OR i8 > 0, NOT b, b AND NOT b, b OR NULL, b AND NULL, NOT (b OR f64 > 0), b <=> (i8 > 0), b IS TRUE, b IS NOT FALSE, b IS NULL, i8 IS NOT NULL, b = NULL FROM t;

SELECT id, isnan(f64), isnan(f32), nanvl(f64, f32), nanvl(f32, 0), nanvl(f64, NULL), f64 IS NULL OR isnan(f64) FROM t;

SELECT id, IF(b, i8, i16), IF(b, NULL, i32), IF(i8 > 0, d9, d38), IF(b, f32, f64), coalesce(i8, i16, i32), coalesce(d9, d18, 0), coalesce(NULL, f32, f64), nvl(i64, -1), nvl2(i8, i16, i32), nullif(i8, 1), nullif(f64, 0), equal_null(i8, i16) FROM t;

SELECT id, CASE WHEN b THEN i8 WHEN i16 > 0 THEN i32 END, CASE WHEN b THEN 1 WHEN NOT b THEN 2.5 ELSE d9 END, CASE i8 WHEN 1 THEN i16 WHEN i16 THEN i32 ELSE NULL END, CASE WHEN f64 > 0 THEN f32 ELSE f64 END, CASE WHEN i8 IS NULL THEN NULL ELSE b END FROM t;

SELECT id, CASE WHEN i32 = 0 THEN NULL ELSE 1000 DIV i32 END, IF(i8 = 0, -1, i16 % i8), i8 <> 0 AND i16 % i8 = 0, i8 = 0 OR 10 % i8 > 1, coalesce(i8, 1 DIV 0), IF(i64 BETWEEN -100 AND 100, CAST(i64 AS TINYINT), NULL) FROM t WHERE i8 IS NOT NULL;

SELECT id FROM t WHERE b AND (i8 > 0 OR i16 IS NULL) AND NOT (f64 > 100 AND b);
