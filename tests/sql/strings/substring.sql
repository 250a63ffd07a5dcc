-- data: moderate, extreme
-- files: many, one

CREATE TABLE cuts USING parquet AS SELECT * FROM VALUES
  ('', 1, 1), ('abc', 0, 2), ('abc', -2, 5), ('abc', -5, 4), ('abc', 5, 1), ('héllo wörld', 2, 3), ('日本語', -2, 1), ('😀x😀', 2, 2),
  ('abc', 2147483647, 2147483647), ('abc', -2147483648, 2147483647), ('abc', -2147483648, 3), ('abc', 2, -1), ('abc', 1, -2147483648),
  (NULL, 1, 1), ('abc', NULL, 1), ('abc', 1, NULL), (repeat('lang ', 20), 30, 40), (repeat('ä', 50), -7, 3)
  AS v(s, p, n);

SELECT id, substring(s, 2, 3), substring(s, 3), substr(s, -3, 2), substring(s, 0, 1), substring(s, -100, 98) FROM t;

SELECT id, substring(bin, 2, 3), substring(bin, 3), substring(bin, -3, 2), substring(bin, 0, 1), substring(bin, -100, 98) FROM t;

SELECT id, left(s, 2), right(s, 2), left(s, 0), right(s, -1), left(bin, 2), substring(s, i8, i16), left(s, i32), right(s, i8) FROM t;

SELECT s, p, n, substring(s, p, n), substring(s, p), substring(CAST(s AS BINARY), p, n) FROM cuts;

SELECT substring(k, 1, 1) c, count(*), max(substring(s, 2)) FROM t GROUP BY substring(k, 1, 1);

SELECT id, substring_index(s, ' ', 1), substring_index(s, ' ', -1), substring_index(s, 'a', 2), substring_index(s, 'r', -2), substring_index(s, '', 1), substring_index(s, 'spark', 0), substring_index(s, ' ', g) FROM t;

SELECT substring_index('aaaa', substring(s, 1, 0) || 'aa', 2), substring_index(s || 'aaaa', 'aa', -2) FROM t;

SELECT id, overlay(s PLACING 'XY' FROM 2), overlay(s PLACING '' FROM 2 FOR 2), overlay(s PLACING k FROM g FOR 1), overlay(bin PLACING X'00ff' FROM 2 FOR 1) FROM t WHERE g >= 0;

SELECT id, elt(1, s, k), elt(g, s, k, 'third') FROM t WHERE g BETWEEN 1 AND 3;

-- ansi: off
SELECT id, elt(g, s, k, 'third') FROM t;

-- raises: INVALID_ARRAY_INDEX
SELECT id, elt(g, s, k) FROM t;
