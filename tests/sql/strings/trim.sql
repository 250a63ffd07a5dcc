-- data: moderate, extreme
-- files: many, one

CREATE TABLE edges USING parquet AS SELECT * FROM VALUES
  ('', ''), ('   ', ' '), (' a b ', ' '), ('\t a \n', ' '), ('xxabcxx', 'x'), ('xyabcyx', 'xy'), ('äaä', 'ä'), ('ääxaä', 'äx'), ('日x日', '日'),
  ('😀a😀', '😀'), ('aaa', 'a'), ('abc', ''), (NULL, 'a'), ('a', NULL), ('é', '\u00c3'), (repeat(' ', 100) || 'x' || repeat(' ', 100), ' ')
  AS v(s, c);

SELECT id, trim(s), ltrim(s), rtrim(s), btrim(s), '[' || trim(s) || ']' FROM t;

SELECT id, trim(BOTH 'sa ' FROM s), trim(LEADING 'sFJ' FROM s), trim(TRAILING 'kewo' FROM s), btrim(s, 'ünï'), ltrim('', s) FROM t;

SELECT s, c, trim(BOTH c FROM s), trim(LEADING c FROM s), trim(TRAILING c FROM s), trim(s), length(rtrim(s)) FROM edges;

SELECT trim(s), count(*) FROM t GROUP BY trim(s);
