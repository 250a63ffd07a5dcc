-- Join type × key type × where nulls are × whether keys come again × a condition beside the keys, on small tables:
-- j_unique (no nulls, no key twice), j_nulls (nulls, and keys that come again), j_void (only nulls), j_empty (no rows).

CREATE TEMPORARY VIEW j_numbers AS
  SELECT 'unique' AS what, id, id AS n FROM range(12)
  UNION ALL SELECT 'nulls', id, if(id % 5 = 1, NULL, id % 8) FROM range(24)
  UNION ALL SELECT 'void', id, NULL FROM range(5);

CREATE TEMPORARY VIEW j_rows AS SELECT what, id,
  smallint(n - 3) AS k16,
  int(n - 3) AS k32,
  n - 3 AS k64,
  if(n = 0, '', concat('k', n - 3)) AS s,
  cast((n - 3) * 1.25 AS DECIMAL(9, 2)) AS d9,
  cast((n - 3) * 1000000000000000000.125BD AS DECIMAL(25, 3)) AS d25,
  date_add(DATE'1970-01-01', int(n - 3)) AS dt,
  CASE n WHEN 0 THEN double('NaN') WHEN 1 THEN -0.0D WHEN 2 THEN 0.0D ELSE double(n - 3) END AS f64,
  CASE n WHEN 0 THEN float('NaN') WHEN 1 THEN float(-0.0D) WHEN 2 THEN float(0) ELSE float(n - 3) END AS f32,
  n % 2 = 0 AS b,
  timestamp_micros((n - 3) * 3600000000) AS ts,
  int(id % 4) AS v
  FROM j_numbers;

CREATE TABLE j_unique USING parquet AS SELECT * FROM j_rows WHERE what = 'unique';

CREATE TABLE j_nulls USING parquet AS SELECT * FROM j_rows WHERE what = 'nulls';

CREATE TABLE j_void USING parquet AS SELECT * FROM j_rows WHERE what = 'void';

CREATE TABLE j_empty USING parquet AS SELECT * FROM j_rows WHERE what = 'none';

-- Inner --------------------------------------------------------------------------------------------------------------

SELECT a.id, a.k16, b.id, b.k16 FROM j_unique a JOIN j_nulls b ON a.k16 = b.k16;

SELECT a.id, a.k16, b.id, b.k16 FROM j_void a JOIN j_nulls b ON a.k16 = b.k16 AND a.v < b.v;

SELECT a.id, a.k32, b.id, b.k32 FROM j_nulls a JOIN j_unique b ON a.k32 = b.k32;

SELECT a.id, a.k32, b.id, b.k32 FROM j_unique a JOIN j_empty b ON a.k32 = b.k32 AND a.v < b.v;

SELECT a.id, a.k64, b.id, b.k64 FROM j_nulls a JOIN j_nulls b ON a.k64 = b.k64;

SELECT a.id, a.k64, b.id, b.k64 FROM j_empty a JOIN j_nulls b ON a.k64 = b.k64 AND a.v < b.v;

SELECT a.id, a.s, b.id, b.s FROM j_unique a JOIN j_unique b ON a.s = b.s;

SELECT a.id, a.s, b.id, b.s FROM j_unique a JOIN j_nulls b ON a.s = b.s AND a.v < b.v;

SELECT a.id, a.d9, b.id, b.d9 FROM j_nulls a JOIN j_void b ON a.d9 = b.d9;

SELECT a.id, a.d9, b.id, b.d9 FROM j_nulls a JOIN j_unique b ON a.d9 = b.d9 AND a.v < b.v;

SELECT a.id, a.d25, b.id, b.d25 FROM j_void a JOIN j_nulls b ON a.d25 = b.d25;

SELECT a.id, a.d25, b.id, b.d25 FROM j_nulls a JOIN j_nulls b ON a.d25 = b.d25 AND a.v < b.v;

SELECT a.id, a.dt, b.id, b.dt FROM j_unique a JOIN j_empty b ON a.dt = b.dt;

SELECT a.id, a.dt, b.id, b.dt FROM j_unique a JOIN j_unique b ON a.dt = b.dt AND a.v < b.v;

SELECT a.id, a.f64, b.id, b.f64 FROM j_empty a JOIN j_nulls b ON a.f64 = b.f64;

SELECT a.id, a.f64, b.id, b.f64 FROM j_nulls a JOIN j_void b ON a.f64 = b.f64 AND a.v < b.v;

SELECT a.id, a.f32, b.id, b.f32 FROM j_unique a JOIN j_nulls b ON a.f32 = b.f32;

SELECT a.id, a.f32, b.id, b.f32 FROM j_void a JOIN j_nulls b ON a.f32 = b.f32 AND a.v < b.v;

SELECT a.id, a.b, b.id, b.b FROM j_nulls a JOIN j_unique b ON a.b = b.b;

SELECT a.id, a.b, b.id, b.b FROM j_unique a JOIN j_empty b ON a.b = b.b AND a.v < b.v;

SELECT a.id, a.ts, b.id, b.ts FROM j_nulls a JOIN j_nulls b ON a.ts = b.ts;

SELECT a.id, a.ts, b.id, b.ts FROM j_empty a JOIN j_nulls b ON a.ts = b.ts AND a.v < b.v;

-- Left outer ---------------------------------------------------------------------------------------------------------

SELECT a.id, a.k16, b.id, b.k16 FROM j_unique a LEFT JOIN j_unique b ON a.k16 = b.k16;

SELECT a.id, a.k16, b.id, b.k16 FROM j_unique a LEFT JOIN j_nulls b ON a.k16 = b.k16 AND a.v < b.v;

SELECT a.id, a.k32, b.id, b.k32 FROM j_nulls a LEFT JOIN j_void b ON a.k32 = b.k32;

SELECT a.id, a.k32, b.id, b.k32 FROM j_nulls a LEFT JOIN j_unique b ON a.k32 = b.k32 AND a.v < b.v;

SELECT a.id, a.k64, b.id, b.k64 FROM j_void a LEFT JOIN j_nulls b ON a.k64 = b.k64;

SELECT a.id, a.k64, b.id, b.k64 FROM j_nulls a LEFT JOIN j_nulls b ON a.k64 = b.k64 AND a.v < b.v;

SELECT a.id, a.s, b.id, b.s FROM j_unique a LEFT JOIN j_empty b ON a.s = b.s;

SELECT a.id, a.s, b.id, b.s FROM j_unique a LEFT JOIN j_unique b ON a.s = b.s AND a.v < b.v;

SELECT a.id, a.d9, b.id, b.d9 FROM j_empty a LEFT JOIN j_nulls b ON a.d9 = b.d9;

SELECT a.id, a.d9, b.id, b.d9 FROM j_nulls a LEFT JOIN j_void b ON a.d9 = b.d9 AND a.v < b.v;

SELECT a.id, a.d25, b.id, b.d25 FROM j_unique a LEFT JOIN j_nulls b ON a.d25 = b.d25;

SELECT a.id, a.d25, b.id, b.d25 FROM j_void a LEFT JOIN j_nulls b ON a.d25 = b.d25 AND a.v < b.v;

SELECT a.id, a.dt, b.id, b.dt FROM j_nulls a LEFT JOIN j_unique b ON a.dt = b.dt;

SELECT a.id, a.dt, b.id, b.dt FROM j_unique a LEFT JOIN j_empty b ON a.dt = b.dt AND a.v < b.v;

SELECT a.id, a.f64, b.id, b.f64 FROM j_nulls a LEFT JOIN j_nulls b ON a.f64 = b.f64;

SELECT a.id, a.f64, b.id, b.f64 FROM j_empty a LEFT JOIN j_nulls b ON a.f64 = b.f64 AND a.v < b.v;

SELECT a.id, a.f32, b.id, b.f32 FROM j_unique a LEFT JOIN j_unique b ON a.f32 = b.f32;

SELECT a.id, a.f32, b.id, b.f32 FROM j_unique a LEFT JOIN j_nulls b ON a.f32 = b.f32 AND a.v < b.v;

SELECT a.id, a.b, b.id, b.b FROM j_nulls a LEFT JOIN j_void b ON a.b = b.b;

SELECT a.id, a.b, b.id, b.b FROM j_nulls a LEFT JOIN j_unique b ON a.b = b.b AND a.v < b.v;

SELECT a.id, a.ts, b.id, b.ts FROM j_void a LEFT JOIN j_nulls b ON a.ts = b.ts;

SELECT a.id, a.ts, b.id, b.ts FROM j_nulls a LEFT JOIN j_nulls b ON a.ts = b.ts AND a.v < b.v;

-- Right outer --------------------------------------------------------------------------------------------------------

SELECT a.id, a.k16, b.id, b.k16 FROM j_unique a RIGHT JOIN j_empty b ON a.k16 = b.k16;

SELECT a.id, a.k16, b.id, b.k16 FROM j_unique a RIGHT JOIN j_unique b ON a.k16 = b.k16 AND a.v < b.v;

SELECT a.id, a.k32, b.id, b.k32 FROM j_empty a RIGHT JOIN j_nulls b ON a.k32 = b.k32;

SELECT a.id, a.k32, b.id, b.k32 FROM j_nulls a RIGHT JOIN j_void b ON a.k32 = b.k32 AND a.v < b.v;

SELECT a.id, a.k64, b.id, b.k64 FROM j_unique a RIGHT JOIN j_nulls b ON a.k64 = b.k64;

SELECT a.id, a.k64, b.id, b.k64 FROM j_void a RIGHT JOIN j_nulls b ON a.k64 = b.k64 AND a.v < b.v;

SELECT a.id, a.s, b.id, b.s FROM j_nulls a RIGHT JOIN j_unique b ON a.s = b.s;

SELECT a.id, a.s, b.id, b.s FROM j_unique a RIGHT JOIN j_empty b ON a.s = b.s AND a.v < b.v;

SELECT a.id, a.d9, b.id, b.d9 FROM j_nulls a RIGHT JOIN j_nulls b ON a.d9 = b.d9;

SELECT a.id, a.d9, b.id, b.d9 FROM j_empty a RIGHT JOIN j_nulls b ON a.d9 = b.d9 AND a.v < b.v;

SELECT a.id, a.d25, b.id, b.d25 FROM j_unique a RIGHT JOIN j_unique b ON a.d25 = b.d25;

SELECT a.id, a.d25, b.id, b.d25 FROM j_unique a RIGHT JOIN j_nulls b ON a.d25 = b.d25 AND a.v < b.v;

SELECT a.id, a.dt, b.id, b.dt FROM j_nulls a RIGHT JOIN j_void b ON a.dt = b.dt;

SELECT a.id, a.dt, b.id, b.dt FROM j_nulls a RIGHT JOIN j_unique b ON a.dt = b.dt AND a.v < b.v;

SELECT a.id, a.f64, b.id, b.f64 FROM j_void a RIGHT JOIN j_nulls b ON a.f64 = b.f64;

SELECT a.id, a.f64, b.id, b.f64 FROM j_nulls a RIGHT JOIN j_nulls b ON a.f64 = b.f64 AND a.v < b.v;

SELECT a.id, a.f32, b.id, b.f32 FROM j_unique a RIGHT JOIN j_empty b ON a.f32 = b.f32;

SELECT a.id, a.f32, b.id, b.f32 FROM j_unique a RIGHT JOIN j_unique b ON a.f32 = b.f32 AND a.v < b.v;

SELECT a.id, a.b, b.id, b.b FROM j_empty a RIGHT JOIN j_nulls b ON a.b = b.b;

SELECT a.id, a.b, b.id, b.b FROM j_nulls a RIGHT JOIN j_void b ON a.b = b.b AND a.v < b.v;

SELECT a.id, a.ts, b.id, b.ts FROM j_unique a RIGHT JOIN j_nulls b ON a.ts = b.ts;

SELECT a.id, a.ts, b.id, b.ts FROM j_void a RIGHT JOIN j_nulls b ON a.ts = b.ts AND a.v < b.v;

-- Full outer ---------------------------------------------------------------------------------------------------------

SELECT a.id, a.k16, b.id, b.k16 FROM j_nulls a FULL JOIN j_unique b ON a.k16 = b.k16;

SELECT a.id, a.k16, b.id, b.k16 FROM j_unique a FULL JOIN j_empty b ON a.k16 = b.k16 AND a.v < b.v;

SELECT a.id, a.k32, b.id, b.k32 FROM j_nulls a FULL JOIN j_nulls b ON a.k32 = b.k32;

SELECT a.id, a.k32, b.id, b.k32 FROM j_empty a FULL JOIN j_nulls b ON a.k32 = b.k32 AND a.v < b.v;

SELECT a.id, a.k64, b.id, b.k64 FROM j_unique a FULL JOIN j_unique b ON a.k64 = b.k64;

SELECT a.id, a.k64, b.id, b.k64 FROM j_unique a FULL JOIN j_nulls b ON a.k64 = b.k64 AND a.v < b.v;

SELECT a.id, a.s, b.id, b.s FROM j_nulls a FULL JOIN j_void b ON a.s = b.s;

SELECT a.id, a.s, b.id, b.s FROM j_nulls a FULL JOIN j_unique b ON a.s = b.s AND a.v < b.v;

SELECT a.id, a.d9, b.id, b.d9 FROM j_void a FULL JOIN j_nulls b ON a.d9 = b.d9;

SELECT a.id, a.d9, b.id, b.d9 FROM j_nulls a FULL JOIN j_nulls b ON a.d9 = b.d9 AND a.v < b.v;

SELECT a.id, a.d25, b.id, b.d25 FROM j_unique a FULL JOIN j_empty b ON a.d25 = b.d25;

SELECT a.id, a.d25, b.id, b.d25 FROM j_unique a FULL JOIN j_unique b ON a.d25 = b.d25 AND a.v < b.v;

SELECT a.id, a.dt, b.id, b.dt FROM j_empty a FULL JOIN j_nulls b ON a.dt = b.dt;

SELECT a.id, a.dt, b.id, b.dt FROM j_nulls a FULL JOIN j_void b ON a.dt = b.dt AND a.v < b.v;

SELECT a.id, a.f64, b.id, b.f64 FROM j_unique a FULL JOIN j_nulls b ON a.f64 = b.f64;

SELECT a.id, a.f64, b.id, b.f64 FROM j_void a FULL JOIN j_nulls b ON a.f64 = b.f64 AND a.v < b.v;

SELECT a.id, a.f32, b.id, b.f32 FROM j_nulls a FULL JOIN j_unique b ON a.f32 = b.f32;

SELECT a.id, a.f32, b.id, b.f32 FROM j_unique a FULL JOIN j_empty b ON a.f32 = b.f32 AND a.v < b.v;

SELECT a.id, a.b, b.id, b.b FROM j_nulls a FULL JOIN j_nulls b ON a.b = b.b;

SELECT a.id, a.b, b.id, b.b FROM j_empty a FULL JOIN j_nulls b ON a.b = b.b AND a.v < b.v;

SELECT a.id, a.ts, b.id, b.ts FROM j_unique a FULL JOIN j_unique b ON a.ts = b.ts;

SELECT a.id, a.ts, b.id, b.ts FROM j_unique a FULL JOIN j_nulls b ON a.ts = b.ts AND a.v < b.v;

-- Left semi ----------------------------------------------------------------------------------------------------------

SELECT a.id, a.k16 FROM j_nulls a LEFT SEMI JOIN j_void b ON a.k16 = b.k16;

SELECT a.id, a.k16 FROM j_nulls a LEFT SEMI JOIN j_unique b ON a.k16 = b.k16 AND a.v < b.v;

SELECT a.id, a.k32 FROM j_void a LEFT SEMI JOIN j_nulls b ON a.k32 = b.k32;

SELECT a.id, a.k32 FROM j_nulls a LEFT SEMI JOIN j_nulls b ON a.k32 = b.k32 AND a.v < b.v;

SELECT a.id, a.k64 FROM j_unique a LEFT SEMI JOIN j_empty b ON a.k64 = b.k64;

SELECT a.id, a.k64 FROM j_unique a LEFT SEMI JOIN j_unique b ON a.k64 = b.k64 AND a.v < b.v;

SELECT a.id, a.s FROM j_empty a LEFT SEMI JOIN j_nulls b ON a.s = b.s;

SELECT a.id, a.s FROM j_nulls a LEFT SEMI JOIN j_void b ON a.s = b.s AND a.v < b.v;

SELECT a.id, a.d9 FROM j_unique a LEFT SEMI JOIN j_nulls b ON a.d9 = b.d9;

SELECT a.id, a.d9 FROM j_void a LEFT SEMI JOIN j_nulls b ON a.d9 = b.d9 AND a.v < b.v;

SELECT a.id, a.d25 FROM j_nulls a LEFT SEMI JOIN j_unique b ON a.d25 = b.d25;

SELECT a.id, a.d25 FROM j_unique a LEFT SEMI JOIN j_empty b ON a.d25 = b.d25 AND a.v < b.v;

SELECT a.id, a.dt FROM j_nulls a LEFT SEMI JOIN j_nulls b ON a.dt = b.dt;

SELECT a.id, a.dt FROM j_empty a LEFT SEMI JOIN j_nulls b ON a.dt = b.dt AND a.v < b.v;

SELECT a.id, a.f64 FROM j_unique a LEFT SEMI JOIN j_unique b ON a.f64 = b.f64;

SELECT a.id, a.f64 FROM j_unique a LEFT SEMI JOIN j_nulls b ON a.f64 = b.f64 AND a.v < b.v;

SELECT a.id, a.f32 FROM j_nulls a LEFT SEMI JOIN j_void b ON a.f32 = b.f32;

SELECT a.id, a.f32 FROM j_nulls a LEFT SEMI JOIN j_unique b ON a.f32 = b.f32 AND a.v < b.v;

SELECT a.id, a.b FROM j_void a LEFT SEMI JOIN j_nulls b ON a.b = b.b;

SELECT a.id, a.b FROM j_nulls a LEFT SEMI JOIN j_nulls b ON a.b = b.b AND a.v < b.v;

SELECT a.id, a.ts FROM j_unique a LEFT SEMI JOIN j_empty b ON a.ts = b.ts;

SELECT a.id, a.ts FROM j_unique a LEFT SEMI JOIN j_unique b ON a.ts = b.ts AND a.v < b.v;

-- Left anti ----------------------------------------------------------------------------------------------------------

SELECT a.id, a.k16 FROM j_empty a LEFT ANTI JOIN j_nulls b ON a.k16 = b.k16;

SELECT a.id, a.k16 FROM j_nulls a LEFT ANTI JOIN j_void b ON a.k16 = b.k16 AND a.v < b.v;

SELECT a.id, a.k32 FROM j_unique a LEFT ANTI JOIN j_nulls b ON a.k32 = b.k32;

SELECT a.id, a.k32 FROM j_void a LEFT ANTI JOIN j_nulls b ON a.k32 = b.k32 AND a.v < b.v;

SELECT a.id, a.k64 FROM j_nulls a LEFT ANTI JOIN j_unique b ON a.k64 = b.k64;

SELECT a.id, a.k64 FROM j_unique a LEFT ANTI JOIN j_empty b ON a.k64 = b.k64 AND a.v < b.v;

SELECT a.id, a.s FROM j_nulls a LEFT ANTI JOIN j_nulls b ON a.s = b.s;

SELECT a.id, a.s FROM j_empty a LEFT ANTI JOIN j_nulls b ON a.s = b.s AND a.v < b.v;

SELECT a.id, a.d9 FROM j_unique a LEFT ANTI JOIN j_unique b ON a.d9 = b.d9;

SELECT a.id, a.d9 FROM j_unique a LEFT ANTI JOIN j_nulls b ON a.d9 = b.d9 AND a.v < b.v;

SELECT a.id, a.d25 FROM j_nulls a LEFT ANTI JOIN j_void b ON a.d25 = b.d25;

SELECT a.id, a.d25 FROM j_nulls a LEFT ANTI JOIN j_unique b ON a.d25 = b.d25 AND a.v < b.v;

SELECT a.id, a.dt FROM j_void a LEFT ANTI JOIN j_nulls b ON a.dt = b.dt;

SELECT a.id, a.dt FROM j_nulls a LEFT ANTI JOIN j_nulls b ON a.dt = b.dt AND a.v < b.v;

SELECT a.id, a.f64 FROM j_unique a LEFT ANTI JOIN j_empty b ON a.f64 = b.f64;

SELECT a.id, a.f64 FROM j_unique a LEFT ANTI JOIN j_unique b ON a.f64 = b.f64 AND a.v < b.v;

SELECT a.id, a.f32 FROM j_empty a LEFT ANTI JOIN j_nulls b ON a.f32 = b.f32;

SELECT a.id, a.f32 FROM j_nulls a LEFT ANTI JOIN j_void b ON a.f32 = b.f32 AND a.v < b.v;

SELECT a.id, a.b FROM j_unique a LEFT ANTI JOIN j_nulls b ON a.b = b.b;

SELECT a.id, a.b FROM j_void a LEFT ANTI JOIN j_nulls b ON a.b = b.b AND a.v < b.v;

SELECT a.id, a.ts FROM j_nulls a LEFT ANTI JOIN j_unique b ON a.ts = b.ts;

SELECT a.id, a.ts FROM j_unique a LEFT ANTI JOIN j_empty b ON a.ts = b.ts AND a.v < b.v;

-- NOT IN -------------------------------------------------------------------------------------------------------------

SELECT a.id, a.k16 FROM j_nulls a WHERE a.k16 NOT IN (SELECT b.k16 FROM j_nulls b);

SELECT a.id, a.k16 FROM j_empty a WHERE a.k16 NOT IN (SELECT b.k16 FROM j_nulls b WHERE a.v < b.v);

SELECT a.id, a.k32 FROM j_unique a WHERE a.k32 NOT IN (SELECT b.k32 FROM j_unique b);

SELECT a.id, a.k32 FROM j_unique a WHERE a.k32 NOT IN (SELECT b.k32 FROM j_nulls b WHERE a.v < b.v);

SELECT a.id, a.k64 FROM j_nulls a WHERE a.k64 NOT IN (SELECT b.k64 FROM j_void b);

SELECT a.id, a.k64 FROM j_nulls a WHERE a.k64 NOT IN (SELECT b.k64 FROM j_unique b WHERE a.v < b.v);

SELECT a.id, a.s FROM j_void a WHERE a.s NOT IN (SELECT b.s FROM j_nulls b);

SELECT a.id, a.s FROM j_nulls a WHERE a.s NOT IN (SELECT b.s FROM j_nulls b WHERE a.v < b.v);

SELECT a.id, a.d9 FROM j_unique a WHERE a.d9 NOT IN (SELECT b.d9 FROM j_empty b);

SELECT a.id, a.d9 FROM j_unique a WHERE a.d9 NOT IN (SELECT b.d9 FROM j_unique b WHERE a.v < b.v);

SELECT a.id, a.d25 FROM j_empty a WHERE a.d25 NOT IN (SELECT b.d25 FROM j_nulls b);

SELECT a.id, a.d25 FROM j_nulls a WHERE a.d25 NOT IN (SELECT b.d25 FROM j_void b WHERE a.v < b.v);

SELECT a.id, a.dt FROM j_unique a WHERE a.dt NOT IN (SELECT b.dt FROM j_nulls b);

SELECT a.id, a.dt FROM j_void a WHERE a.dt NOT IN (SELECT b.dt FROM j_nulls b WHERE a.v < b.v);

SELECT a.id, a.f64 FROM j_nulls a WHERE a.f64 NOT IN (SELECT b.f64 FROM j_unique b);

SELECT a.id, a.f64 FROM j_unique a WHERE a.f64 NOT IN (SELECT b.f64 FROM j_empty b WHERE a.v < b.v);

SELECT a.id, a.f32 FROM j_nulls a WHERE a.f32 NOT IN (SELECT b.f32 FROM j_nulls b);

SELECT a.id, a.f32 FROM j_empty a WHERE a.f32 NOT IN (SELECT b.f32 FROM j_nulls b WHERE a.v < b.v);

SELECT a.id, a.b FROM j_unique a WHERE a.b NOT IN (SELECT b.b FROM j_unique b);

SELECT a.id, a.b FROM j_unique a WHERE a.b NOT IN (SELECT b.b FROM j_nulls b WHERE a.v < b.v);

SELECT a.id, a.ts FROM j_nulls a WHERE a.ts NOT IN (SELECT b.ts FROM j_void b);

SELECT a.id, a.ts FROM j_nulls a WHERE a.ts NOT IN (SELECT b.ts FROM j_unique b WHERE a.v < b.v);

-- EXISTS beside another condition ------------------------------------------------------------------------------------

SELECT a.id, a.k16 FROM j_void a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.k16 = b.k16);

SELECT a.id, a.k16 FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.k16 = b.k16 AND a.v < b.v);

SELECT a.id, a.k32 FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_empty b WHERE a.k32 = b.k32);

SELECT a.id, a.k32 FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_unique b WHERE a.k32 = b.k32 AND a.v < b.v);

SELECT a.id, a.k64 FROM j_empty a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.k64 = b.k64);

SELECT a.id, a.k64 FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_void b WHERE a.k64 = b.k64 AND a.v < b.v);

SELECT a.id, a.s FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.s = b.s);

SELECT a.id, a.s FROM j_void a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.s = b.s AND a.v < b.v);

SELECT a.id, a.d9 FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_unique b WHERE a.d9 = b.d9);

SELECT a.id, a.d9 FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_empty b WHERE a.d9 = b.d9 AND a.v < b.v);

SELECT a.id, a.d25 FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.d25 = b.d25);

SELECT a.id, a.d25 FROM j_empty a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.d25 = b.d25 AND a.v < b.v);

SELECT a.id, a.dt FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_unique b WHERE a.dt = b.dt);

SELECT a.id, a.dt FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.dt = b.dt AND a.v < b.v);

SELECT a.id, a.f64 FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_void b WHERE a.f64 = b.f64);

SELECT a.id, a.f64 FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_unique b WHERE a.f64 = b.f64 AND a.v < b.v);

SELECT a.id, a.f32 FROM j_void a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.f32 = b.f32);

SELECT a.id, a.f32 FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.f32 = b.f32 AND a.v < b.v);

SELECT a.id, a.b FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_empty b WHERE a.b = b.b);

SELECT a.id, a.b FROM j_unique a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_unique b WHERE a.b = b.b AND a.v < b.v);

SELECT a.id, a.ts FROM j_empty a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_nulls b WHERE a.ts = b.ts);

SELECT a.id, a.ts FROM j_nulls a WHERE a.id = 1 OR EXISTS (SELECT 1 FROM j_void b WHERE a.ts = b.ts AND a.v < b.v);
