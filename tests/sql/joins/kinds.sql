-- data: moderate
-- files: many
-- aqe: both

SELECT a.id, b.id, a.k, b.i32 FROM t a JOIN t b ON a.k = b.k WHERE a.id < 60 AND b.id < 80;

SELECT a.id, b.id, b.s FROM t a LEFT JOIN (SELECT * FROM t WHERE id % 3 = 0) b ON a.id = b.id;

SELECT a.id, a.s, b.id FROM (SELECT * FROM t WHERE id % 3 = 0) a RIGHT JOIN t b ON a.id = b.id;

SELECT a.id, a.g, b.id, b.g FROM (SELECT * FROM t WHERE id < 300) a FULL OUTER JOIN (SELECT * FROM t WHERE id > 200) b ON a.id = b.id;

SELECT count(*), sum(a.i32), sum(b.i32) FROM t a FULL OUTER JOIN t b ON a.k = b.k AND a.id < b.id AND a.b;

SELECT id, k FROM t WHERE k IN (SELECT k FROM t WHERE id < 5);

SELECT id, k FROM t a WHERE EXISTS (SELECT 1 FROM t b WHERE a.k = b.k AND b.id > a.id + 900);

SELECT id, k FROM t a WHERE NOT EXISTS (SELECT 1 FROM t b WHERE a.k = b.k AND b.i32 > a.i32);

SELECT id, i32 FROM t WHERE i32 NOT IN (SELECT i32 FROM t WHERE id < 20 AND i32 IS NOT NULL);

SELECT id, i32 FROM t WHERE i32 NOT IN (SELECT i32 FROM t WHERE id < 50);

SELECT id, i32 FROM t WHERE i32 NOT IN (SELECT i32 FROM t WHERE id < 0);

SELECT id, k FROM t a WHERE k IN (SELECT k FROM t WHERE id < 3) OR b;

SELECT a.id, b.id FROM t a CROSS JOIN t b WHERE a.id < 10 AND b.id BETWEEN 20 AND 30;

SELECT a.id, b.id FROM t a JOIN t b ON a.i32 < b.i16 WHERE a.id < 40 AND b.id < 40;

SELECT a.id, b.id, b.dt FROM t a LEFT JOIN (SELECT * FROM t WHERE id < 100) b ON a.i32 > b.i16 AND a.g = b.g WHERE a.id < 50;

SELECT a.id, a.g, b.id, b.s FROM (SELECT * FROM t WHERE id < 30) a FULL OUTER JOIN (SELECT * FROM t WHERE id < 20) b ON a.id + 1 = b.id * 2;

SELECT a.id, b.id FROM (SELECT * FROM t WHERE id < 30) a LEFT JOIN (SELECT * FROM t WHERE id < 20) b ON a.id + 1 = b.id * 2;
