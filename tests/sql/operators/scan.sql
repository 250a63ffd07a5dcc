-- data: moderate, extreme
-- files: one, many, spark, empty, row

SELECT * FROM t;

SELECT id, s, bin FROM t WHERE id % 7 = 3;

SELECT id, dt, ts, tn FROM t WHERE dt IS NOT NULL ORDER BY dt, id;

SELECT d9, d18, d38 FROM t WHERE d38 > 0;
