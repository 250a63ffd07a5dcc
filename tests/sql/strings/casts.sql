-- data: moderate, extreme
-- files: many, one
-- ansi: both

CREATE TABLE numerals USING parquet AS SELECT * FROM VALUES
  ('0'), ('-0'), ('+5'), ('  42\t'), ('007'), ('2147483647'), ('-2147483648'), ('9223372036854775807'), ('-9223372036854775808'), ('127'), ('-128'), ('32767')
  AS v(s);
CREATE TABLE malformed USING parquet AS SELECT id, s FROM (SELECT id, explode(array('', ' ', '-', '+', '.', '-.', '1.', '.5', '1.9', '-1.9', '1.5.2', '1e3', '1e', '1e+', '0x1F', '12a', 'a12', '1 2', '--1',
  '\u0001 7 \u007f', '2147483648', '-2147483649', '9223372036854775808', '-9223372036854775809', '99999999999999999999', '128', '-129', '32768', '1_000', '1,000', 'true', '１２')) s FROM range(1)) WHERE s IS NOT NULL;
CREATE TABLE booleans USING parquet AS SELECT * FROM VALUES ('t'), ('TRUE'), (' yes '), ('y'), ('1'), ('f'), ('False'), ('no'), ('N\n'), ('0'), (NULL) AS v(s);
CREATE TABLE doubles USING parquet AS SELECT * FROM VALUES
  ('0'), ('-0'), ('1.5'), ('.5'), ('5.'), ('1e3'), ('1E-3'), ('+1.25e+2'), (' 3.14 '), ('0.1'), ('1e400'), ('-1e400'), ('1e-400'), ('4.9e-324'), ('2.2250738585072011e-308'), ('1.7976931348623157e308'),
  ('123456789012345678901234567890'), ('9007199254740993'), ('0.30000000000000004'), ('3.4028235e38'), ('3.4028236e38'), ('1.1754944e-38'), ('16777217'), ('inf'), ('-INF'), ('+Infinity'), ('NaN'), ('nan'), ('-NaN'), ('1.17549429e-38'), ('8.5e-46')
  AS v(s);
CREATE TABLE decimals USING parquet AS SELECT * FROM VALUES
  ('0'), ('-0.00'), ('1.005'), ('1.015'), ('-1.005'), ('0.004999'), ('99.995'), ('1e1'), ('12e-1'), ('.5'), ('5.'), (' 7 '), ('+3.14159'), ('0.0000000000000000000000000000000000000000001'), ('1E-50'), ('00000000000000000000000000000000000000000000012.5'), (NULL)
  AS v(s);

SELECT s, CAST(s AS BIGINT) FROM numerals;

SELECT s, try_cast(s AS TINYINT), try_cast(s AS SMALLINT), try_cast(s AS INT), try_cast(s AS BIGINT), try_cast(s AS BOOLEAN) FROM numerals;

SELECT s, try_cast(s AS TINYINT), try_cast(s AS SMALLINT), try_cast(s AS INT), try_cast(s AS BIGINT), try_cast(s AS BOOLEAN) FROM malformed;

-- ansi: off
SELECT s, CAST(s AS TINYINT), CAST(s AS SMALLINT), CAST(s AS INT), CAST(s AS BIGINT), CAST(s AS BOOLEAN) FROM malformed;

-- ansi: off
SELECT id, CAST(num AS TINYINT), CAST(num AS SMALLINT), CAST(num AS INT), CAST(num AS BIGINT), CAST(num AS BOOLEAN), CAST(s AS INT) FROM t;

SELECT id, try_cast(num AS TINYINT), try_cast(num AS SMALLINT), try_cast(num AS INT), try_cast(num AS BIGINT), try_cast(num AS DECIMAL(5, 1)) FROM t;

-- data: moderate
SELECT id, CAST(num AS TINYINT), CAST(num AS SMALLINT), CAST(num AS INT), CAST(num AS BIGINT), CAST(num AS DECIMAL(10, 2)), CAST(num AS DOUBLE), CAST(num AS FLOAT) FROM t;

-- data: extreme
-- raises: CAST_INVALID_INPUT
SELECT CAST(num AS INT) FROM t;

-- data: extreme
-- raises: CAST_INVALID_INPUT
SELECT CAST(s AS BOOLEAN) FROM t;

-- data: extreme
-- raises: CAST_INVALID_INPUT
SELECT CAST(num AS DECIMAL(20, 2)) FROM t;

-- data: extreme
-- raises: CAST_INVALID_INPUT
SELECT CAST(num AS DOUBLE) FROM t;

SELECT s, CAST(s AS BOOLEAN), NOT CAST(s AS BOOLEAN) FROM booleans;

SELECT s, CAST(s AS DOUBLE), CAST(s AS FLOAT), try_cast(s AS DOUBLE) FROM doubles;

SELECT id, try_cast(num AS DOUBLE), try_cast(num AS FLOAT) FROM t;

-- fallback: allowed
SELECT s, try_cast(s AS DOUBLE), try_cast(s AS FLOAT) FROM malformed;

-- fallback: allowed
SELECT try_cast(s || 'd' AS DOUBLE), try_cast('0x' || s || 'p1' AS DOUBLE) FROM doubles;

SELECT s, CAST(s AS DECIMAL(4, 2)), CAST(s AS DECIMAL(38, 10)), CAST(s AS DECIMAL(38, 38)) IS NULL FROM decimals WHERE s NOT LIKE '%12.5' AND s NOT LIKE '99%' AND length(s) < 9 AND s NOT IN ('1e1', '12e-1', '5.', ' 7 ', '+3.14159', '1.005', '1.015', '-1.005');

SELECT s, try_cast(s AS DECIMAL(4, 2)), try_cast(s AS DECIMAL(18, 0)), try_cast(s AS DECIMAL(38, 10)), try_cast(s AS DECIMAL(38, 38)), try_cast(s AS DECIMAL(1, 0)) FROM decimals;

SELECT try_cast(s AS DECIMAL(4, 2)), try_cast(s AS DECIMAL(38, 10)), try_cast(repeat('9', 38) || s AS DECIMAL(38, 0)), try_cast('0.' || repeat('9', 38) || s AS DECIMAL(38, 38)) FROM malformed WHERE s <> '１２';

-- fallback: allowed
SELECT s, try_cast(s AS DECIMAL(4, 2)), try_cast(s || 'e99999' AS DECIMAL(4, 2)) FROM malformed;

-- raises: NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION
SELECT CAST(s AS DECIMAL(2, 2)) FROM decimals WHERE s = '1e1';

SELECT id, CAST(i8 AS STRING), CAST(i16 AS STRING), CAST(i32 AS STRING), CAST(i64 AS STRING), CAST(b AS STRING), CAST(d9 AS STRING), CAST(d18 AS STRING), CAST(d38 AS STRING) FROM t;

SELECT CAST(CAST(s AS DECIMAL(38, 30)) AS STRING), CAST(CAST(s AS DECIMAL(20, 18)) AS STRING), CAST(CAST(s AS DECIMAL(9, 8)) AS STRING) FROM VALUES ('0'), ('0.00000001'), ('-0.000000123'), ('0.0000000000000000000000000001'), ('1.5'), ('-9.99999999') AS v(s);

SELECT id, 'n=' || i32 || ', ' || d9 || ', ' || b, concat_ws('-', i8, i64), length(CAST(i64 AS STRING)), try_cast(CAST(i64 AS STRING) AS BIGINT) <=> i64, try_cast(CAST(d38 AS STRING) AS DECIMAL(38, 10)) <=> d38 FROM t;

SELECT CAST(i32 AS STRING) k, count(*), min(CAST(i64 AS STRING)), max(CAST(d9 AS STRING)) FROM t GROUP BY CAST(i32 AS STRING);

SELECT id, CAST(s AS BINARY), CAST(CAST(k AS BINARY) AS STRING), CAST(s AS BINARY) = CAST(k AS BINARY), CAST(bin AS STRING) = s, CAST(k AS STRING) FROM t;

-- fallback: cast from double to string is not supported
SELECT id, CAST(f64 AS STRING) FROM t WHERE id < 0;

SELECT sum(CAST(num AS INT)), count(*) FROM t WHERE num RLIKE '7$' AND length(num) <= 3;
