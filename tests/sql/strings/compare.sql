-- data: moderate, extreme
-- files: many, one

CREATE TABLE dict_words USING parquet AS SELECT id % 40 AS id, concat('w', id % 7, repeat('é', id % 3)) AS s FROM range(400);
CREATE TABLE plain_words USING parquet OPTIONS ('parquet.enable.dictionary' 'false') AS SELECT id % 40 AS id, concat('w', id % 9, repeat('é', id % 5)) AS s FROM range(400);

SELECT id, s = k, s < k, s <= k, s > k, s >= k, s <=> k, s <> k, s = 'spark', s < 'b', k > 'a', bin = X'00', bin < X'61', bin <=> bin FROM t;

SELECT id FROM t WHERE s BETWEEN 'a' AND 'q' AND k <> '';

SELECT id, s IN ('spark', 'JVM', 'arrow'), s IN ('', NULL), k IN ('a', 'b', 'äö', '', 'x', 'y', 'z', 'q', 'r', 's', 't', 'u', 'B'), s NOT IN ('spark', 'Flare') FROM t;

-- data: moderate
SELECT id, s || '' IN ('spark', 'JVM', 'arrow', 'Flare', 'numba', '50%', '', 'x_y', 'tensor flow', 'a', 'b', 'c', 'd'), lower(s) IN ('jvm', 'flare', 'x'), s || 'é' IN ('aé', 'sparké', 'b', 'c', 'd', 'e', NULL) FROM t;

SELECT id, bin IN (X'00', X'6162', X''), i32 IN (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, NULL), f64 IN (0.0, 1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), d9 IN (0.00, 0.01, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), dt IN (DATE'2000-01-01', DATE'1970-01-01') FROM t;

SELECT min(s), max(s), min(k), max(k), min(bin), max(bin), first(s, true) IS NULL, count(DISTINCT s), count(DISTINCT bin) FROM t;

SELECT g, min(s), max(s), min(k), max(k), max(bin) FROM t GROUP BY g;

SELECT s, k, count(*) FROM t GROUP BY s, k;

SELECT bin, count(*), max(s) FROM t GROUP BY bin;

SELECT DISTINCT s FROM t;

SELECT s, k, id FROM t ORDER BY s, k DESC NULLS LAST, id;

SELECT bin, id FROM t ORDER BY bin DESC, id LIMIT 30;

SELECT s FROM dict_words UNION ALL SELECT s FROM plain_words UNION ALL SELECT k FROM t UNION ALL SELECT upper(s) FROM plain_words;

SELECT s, count(*) FROM (SELECT s FROM dict_words UNION ALL SELECT s FROM plain_words UNION ALL SELECT 'w1' FROM dict_words WHERE id = 1) GROUP BY s;

SELECT id, s FROM dict_words WHERE s LIKE 'w%é' ORDER BY s, id LIMIT 15;

SELECT a.s, count(*), max(upper(b.s)) FROM dict_words a JOIN plain_words b ON a.s = b.s GROUP BY a.s;

SELECT a.s || 'x', b.s FROM dict_words a JOIN plain_words b ON upper(a.s) = upper(b.s) AND a.id = b.id;

SELECT s, g, count(*), max(s || k) FROM t GROUP BY ROLLUP (g, s);

-- data: moderate
SELECT upper(s), g, count(*) FROM t GROUP BY GROUPING SETS ((upper(s)), (g), ());

SELECT s || 'x' c, k, min(s || k), count(DISTINCT k || 'y') FROM t GROUP BY CUBE (s || 'x', k);

-- fallback: Collate: this expression is not supported
SELECT s COLLATE UTF8_LCASE = 'SPARK' FROM t;

-- fallback: type STRING COLLATE UNICODE_CI is not supported
SELECT CAST(s AS STRING COLLATE UNICODE_CI) c, count(*) FROM t GROUP BY 1;
