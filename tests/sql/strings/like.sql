-- data: moderate, extreme
-- files: many, one

CREATE TABLE like_words USING parquet AS SELECT * FROM VALUES
  ('', ''), ('a', '%'), ('abc', 'a_c'), ('a%c', 'a\\%c'), ('a_c', 'a\\_c'), ('a\\c', 'a\\\\c'), ('héllo', 'h_llo'),
  ('日本語', '__語'), ('😀x', '_x'), ('x\ny', 'x_y'), (NULL, '%'), ('abc', NULL), ('ab', 'abc%'), ('aab', '%ab'),
  ('mississippi', '%iss%ip%'), ('aaa', '%a%a%a%'), ('aa', '%a%a%a%'), ('abab', '%ab%ab'), ('aXbXc', 'a%b%c')
  AS v(s, p);
CREATE TABLE like_plain USING parquet OPTIONS ('parquet.enable.dictionary' 'false') AS SELECT * FROM like_words;

SELECT id, s LIKE '%a%', s LIKE 'a%', s LIKE '%r', s LIKE 'spark', s LIKE '', s LIKE '%', s LIKE '%%' FROM t;

SELECT id, s LIKE '%spark%arrow%', s LIKE 's%w', s LIKE 'J%M%', s LIKE '%x_y%', s LIKE '%x\\_y%', s LIKE '%\\%%' FROM t;

SELECT id, s LIKE '____', s LIKE '_%', s LIKE '%ünï%', s LIKE '%_ï', s LIKE 'a\\\\b%', s NOT LIKE '%a%', k LIKE 'ä_' FROM t;

SELECT id, s LIKE 'a/%b' ESCAPE '/', s LIKE '%/_%' ESCAPE '/', s LIKE '50/%' ESCAPE '/', s LIKE 'x%%' ESCAPE '%' FROM t;

SELECT id FROM t WHERE s LIKE '%park%' AND s NOT LIKE '%numba%';

SELECT id, s LIKE ALL ('%a%', '%r%w%'), s LIKE ANY ('%x%y%', '_'), s NOT LIKE ALL ('%a%r%', '%z%'), s NOT LIKE ANY ('%a%r%', '%p_d%') FROM t;

-- data: moderate
SELECT id, s ILIKE '%ARROW%', s ILIKE 'J%m' FROM t;

SELECT s, p, s LIKE p, s LIKE '%a%b%', s LIKE 'a%b%c', s LIKE 'a_c', s LIKE '%iss%ip%i', s LIKE '%aa%aa%' FROM like_words;

SELECT s, p, s LIKE p, s LIKE '%a%b%', s LIKE 'a%b%c', s LIKE 'a_c', s LIKE '%iss%ip%i', s LIKE '%aa%aa%' FROM like_plain;

SELECT s, s LIKE '%本%', s LIKE '_本%', s LIKE '%x', s LIKE 'h%o', s LIKE CAST(NULL AS STRING) FROM like_plain;

-- raises: INVALID_FORMAT.ESC_IN_THE_MIDDLE
-- fallback: a pattern that Spark does not accept
SELECT s LIKE 'a\\bc_' FROM like_plain;

-- raises: INVALID_FORMAT.ESC_IN_THE_MIDDLE
SELECT s LIKE concat('a\\b', s) FROM (SELECT max(s) AS s FROM like_plain);

SELECT id, s RLIKE 'par', s RLIKE '^Fl', s RLIKE 'w$', s RLIKE '^spark$', s RLIKE 'JVM|ünï', s RLIKE '.*tensor.*', s RLIKE '' FROM t;

SELECT s, s RLIKE 'c$', s RLIKE '^x', s RLIKE 'ippi$|^a', s RLIKE '語$', s RLIKE 'y$' FROM like_plain;

-- fallback: regular expressions are not supported
SELECT s RLIKE 'a+b' FROM like_plain;

-- fallback: regular expressions are not supported
SELECT s RLIKE '^.*b' FROM like_plain;
