CREATE TABLE selections USING parquet AS SELECT /*+ REPARTITION(1) */ id, CAST(id % 256 - 128 AS TINYINT) i8, IF(id % 7 = 0, NULL, CAST(id * 37 % 100 AS SMALLINT)) i16, CAST(id * 7919 % 1000 AS INT) i32, IF(id % 2 = 0, 9223372036854775807 - id, id - 9223372036854775808) i64, IF(id % 11 = 0, NULL, CAST(id % 300 / 100 AS DECIMAL(12,2))) d12, CAST(id % 5 * 1e30 AS DECIMAL(38,2)) d38, date_add(DATE'1994-01-01', CAST(id * 31 % 700 AS INT)) dt, id % 3 = 0 b, IF(id % 13 = 0, NULL, element_at(array('MAIL', 'SHIP', 'AIR', 'REG AIR'), CAST(id % 4 AS INT) + 1)) s, IF(id % 17 = 0, CAST('NaN' AS DOUBLE), id / 10D) f64 FROM range(4100);

CREATE TABLE one_block USING parquet AS SELECT /*+ REPARTITION(1) */ * FROM selections WHERE id < 1024;

CREATE TABLE one_row_more USING parquet AS SELECT /*+ REPARTITION(1) */ * FROM selections WHERE id < 1025;

SELECT id, i8, i16 FROM selections WHERE i8 < 127 AND i16 > 90;

SELECT count(*), sum(id) FROM selections WHERE i8 <= 127 AND i8 > -128 AND i16 IS NOT NULL AND b;

SELECT count(*), sum(id) FROM selections WHERE i8 >= 128 OR i8 = -128 OR i8 < -128;

SELECT count(*), sum(id), min(id), max(id) FROM selections WHERE i8 < 32768 AND i16 < 50;

SELECT count(*), sum(id), min(id), max(id) FROM selections WHERE i64 > 9223372036854775000 OR i64 = -9223372036854775807;

SELECT id FROM selections WHERE i64 <= -9223372036854775808 + 1;

SELECT count(*), sum(id) FROM selections WHERE NOT (i16 < 10) AND NOT (i32 BETWEEN 100 AND 900 OR b);

SELECT count(*), sum(id) FROM selections WHERE i16 IN (0, 1, 99, 100, 5000) OR i16 <=> NULL;

SELECT count(*), sum(id) FROM selections WHERE NOT i16 IN (1, 2, NULL);

SELECT count(*), sum(id) FROM selections WHERE i16 IN (1, 2, NULL) OR i32 IN (7, 919, -3);

SELECT count(*), sum(id) FROM selections WHERE i16 < i32 AND i8 < i16 AND d12 > 1.5;

SELECT count(*), sum(id), sum(d12) FROM selections WHERE d12 BETWEEN 0.05 AND 0.07 OR d12 = 2.99 OR d12 > 1e20;

SELECT count(*), sum(id) FROM selections WHERE d12 < 1.505 AND d38 >= 1e30 AND i16 < 60;

SELECT count(*), sum(id) FROM selections WHERE dt >= DATE'1995-01-01' AND dt < DATE'1995-06-01' AND s IN ('MAIL', 'AIR');

SELECT count(*), sum(id) FROM selections WHERE s = 'SHIP' OR s LIKE '%AIR' OR s IS NULL;

SELECT s, count(*), sum(id) FROM selections WHERE NOT s = 'SHIP' AND startswith(s, 'R') GROUP BY s;

SELECT count(*), sum(id) FROM selections WHERE f64 > 300.5 AND i16 < 40;

SELECT count(*), sum(id) FROM selections WHERE f64 <= 300.5 AND NOT f64 = 2.5;

SELECT a.id, b.id FROM selections a JOIN selections b ON a.i32 = b.i32 WHERE a.i16 < 30 AND b.i16 = 7 AND a.id < 200;

SELECT i16, b, count(*), sum(i32) FROM selections WHERE i32 < 500 GROUP BY ROLLUP(i16, b);

SELECT id FROM selections WHERE i16 < 20 AND id % 100 = 3 AND i32 > 10;

-- raises: REMAINDER_BY_ZERO
SELECT id FROM selections WHERE i16 >= 37 AND 10 % (i32 - 919) > 1 AND i32 < 500;

SELECT id FROM selections WHERE i32 < 500 AND 10 % (i32 - 919) > 1;

SELECT count(*), sum(id), max(id) FROM one_block WHERE id >= 1023;

SELECT count(*), sum(id), max(id) FROM one_block WHERE id < 512;

SELECT count(*), sum(id), max(id) FROM one_row_more WHERE id > 1023;

SELECT count(*), sum(id), max(id) FROM one_row_more WHERE i16 >= 0 AND i32 >= 100;
