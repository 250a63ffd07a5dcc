-- data: moderate, extreme
-- files: many, empty

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.s = b.s;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.d38 = b.d38;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.d18 = b.d18 AND a.dt = b.dt;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.f64 = b.f64;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.f32 = b.f32 AND a.b = b.b;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.ts = b.ts;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.bin = b.bin;

SELECT count(*), min(a.id), max(b.id) FROM t a JOIN t b ON a.i64 = b.i64 AND a.g = b.g AND a.k = b.k;

SELECT a.g, count(*), sum(b.d9) FROM t a JOIN t b ON a.g <=> b.g AND a.k <=> b.k GROUP BY a.g;
