-- files: many, one

CREATE TABLE casing USING parquet AS SELECT * FROM VALUES
  (''), ('abc'), ('ABC'), ('aBc xYz 12'), ('äöü ÄÖÜ'), ('éÀ ñÑ'), ('привет МИР'), ('αβγ ΔΕΖ'), ('日本 abc'), ('😀 hello wORLD'), (' two  spaces '), ('tab\tafter'),
  ('`{@['), (NULL), (repeat('Long Text ', 30)), (repeat('ÄäBb ', 40))
  AS v(s);
CREATE TABLE odd_casing USING parquet AS SELECT * FROM VALUES ('ß'), ('İstanbul'), ('ΟΔΟΣ'), ('ŉ'), ('Ω'), ('ﬁne'), ('ǆ'), ('ẞ') AS v(s);

SELECT id, upper(s), lower(s), initcap(s), ucase(k), lcase(k) FROM t;

SELECT s, upper(s), lower(s), initcap(s) FROM casing;

-- fallback: allowed
SELECT s, upper(s), lower(s), initcap(s) FROM odd_casing;

-- data: extreme
-- fallback: allowed
SELECT id, upper(s), lower(s), initcap(s), ucase(k), lcase(k) FROM t;

SELECT upper(s), count(*), min(lower(s)), max(upper(s)), first(upper(s)) FROM t GROUP BY upper(s);

SELECT upper(k), g, count(*) FROM t GROUP BY upper(k), g;

SELECT count(DISTINCT upper(s)), count(DISTINCT lower(k)), max(upper(s)), min(upper(k)) FROM t;

SELECT id, s FROM t WHERE upper(s) = 'SPARK' OR lower(k) = 'b' OR upper(s) LIKE '%ARROW%';

SELECT id, s FROM t ORDER BY upper(s), lower(k), id LIMIT 50;
