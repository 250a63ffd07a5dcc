-- data: moderate, extreme
-- files: many, empty

-- Keys of two types, one cast to the other's

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.i8 = b.i16;

SELECT count(*), min(a.id), max(b.id) FROM t a LEFT JOIN t b ON a.i32 = b.i64;

SELECT count(*), count(a.id), count(b.id) FROM t a FULL JOIN t b ON a.i16 = b.d9;

SELECT id FROM t a LEFT ANTI JOIN t b ON a.d9 = b.d18;

SELECT id FROM t a LEFT SEMI JOIN t b ON a.d38 = b.i8;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.f32 = b.f64;

SELECT count(*), count(b.id) FROM t a LEFT JOIN t b ON a.i16 = b.f64;

SELECT count(*), count(b.id) FROM t a LEFT JOIN t b ON a.ts = b.dt;

SELECT id FROM t a WHERE i8 NOT IN (SELECT i32 FROM t WHERE id < 9 AND i32 IS NOT NULL);

SELECT id FROM t a WHERE a.b OR i8 IN (SELECT d18 FROM t WHERE id < 90);

-- Computed keys, on either side and on both

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON upper(a.k) = concat(b.k, '') AND a.id % 7 = b.id;

SELECT a.id, a.k, b.id, b.k FROM (SELECT * FROM t WHERE id < 30) a FULL JOIN (SELECT * FROM t WHERE id < 20) b ON substring(a.k, 1, 1) = lower(b.k);

SELECT a.id, b.id, b.s FROM (SELECT * FROM t WHERE id < 30) a RIGHT JOIN (SELECT * FROM t WHERE id < 20) b ON coalesce(a.g, 1) = b.g + 1;

SELECT id, dt FROM t a LEFT SEMI JOIN t b ON year(a.dt) = year(b.dt) AND a.id + 1 = b.id;

SELECT id, f64 FROM t a LEFT ANTI JOIN t b ON a.f64 * 0 = b.f64;

SELECT id FROM t a WHERE id < 40 AND (a.b OR EXISTS (SELECT 1 FROM t b WHERE a.id % 5 = b.g * 2 AND b.i8 > a.i8));

SELECT a.id, b.id FROM t a FULL JOIN t b ON a.d9 * 2 = b.d9 + b.d9 AND a.id = b.id;

-- Several keys of several types, nulls that are equal, and the same column twice

SELECT count(*), sum(a.id), sum(b.id) FROM t a FULL JOIN t b ON a.k = b.k AND a.dt = b.dt AND a.b = b.b;

SELECT count(*), sum(a.id), sum(b.id) FROM t a LEFT JOIN t b ON a.s <=> b.s AND a.d38 <=> b.d38;

SELECT count(*), sum(a.id), sum(b.id) FROM t a RIGHT JOIN t b ON a.f64 <=> b.f64 AND a.ts = b.ts AND a.g <=> b.g;

SELECT id FROM t a LEFT ANTI JOIN t b ON a.bin <=> b.bin AND a.id = b.id + 1;

SELECT count(*), sum(a.id) FROM t a JOIN t b ON a.i32 = b.i32 AND a.i32 = b.i64;

SELECT id FROM t a WHERE (a.i8, a.k) NOT IN (SELECT b.i8, b.k FROM t b WHERE b.id BETWEEN 5 AND 8);

-- Joins of joins, and groups of joined rows

SELECT a.id, b.id, c.id FROM (SELECT * FROM t WHERE id < 20) a LEFT JOIN (SELECT * FROM t WHERE id < 40) b ON a.k = b.k LEFT JOIN (SELECT * FROM t WHERE id < 10) c ON b.i8 = c.i8 AND a.id > c.id;

SELECT a.id, b.id, c.id FROM (SELECT * FROM t WHERE id < 20) a FULL JOIN (SELECT * FROM t WHERE id BETWEEN 10 AND 40) b ON a.id = b.id FULL JOIN (SELECT * FROM t WHERE id BETWEEN 15 AND 50) c ON b.id = c.id;

SELECT a.k, b.b, count(*), count(DISTINCT b.dt), max(b.s) FROM t a LEFT JOIN t b ON a.id = b.id + 3 GROUP BY a.k, b.b;

SELECT b.g, a.dt, count(*), sum(a.d9) FROM t a RIGHT JOIN (SELECT * FROM t WHERE id % 3 = 0) b ON a.id = b.id * 2 GROUP BY ROLLUP (b.g, a.dt);
