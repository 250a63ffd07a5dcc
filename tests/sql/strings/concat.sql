-- data: moderate, extreme
-- files: many, one

SELECT id, s || k, concat(s, '-', k), concat(s), s || '', '<' || s || '>', concat(bin, bin), concat(bin, X'00', bin, bin), 'x' || NULL FROM t;

SELECT id, concat_ws(',', s, k), concat_ws('', s, 'x', k), concat_ws(k, 'a', s, 'b'), concat_ws(',', s), concat_ws(','), concat_ws(', ', k, CAST(NULL AS STRING), 'end') FROM t;

SELECT id, concat_ws(s, k, num, day, num), concat(s, k, num, day, repeat('é', 20)) FROM t;

SELECT id, repeat(s, 3), repeat(k, g), repeat(s, 0), repeat(s, -1), repeat('', 5), length(repeat(s, 2000)) FROM t;

SELECT id, space(g), '|' || space(i8) || '|', reverse(s), reverse(k), reverse(s || k) FROM t WHERE i8 < 50 OR i8 IS NULL;

SELECT max(s || k), min(s || k), count(DISTINCT s || k) FROM t;

SELECT g, max(repeat(s, 50)), min(k || s) FROM t GROUP BY g;

SELECT s || k AS sk, g, count(*) FROM t GROUP BY s || k, g;

-- data: moderate
SELECT id, CASE WHEN g = 1 THEN s WHEN g = 2 THEN upper(k) WHEN g = 3 THEN 'literal' WHEN g = 4 THEN NULL ELSE concat(k, 'x') END FROM t;

-- data: moderate
SELECT id, coalesce(s, k), coalesce(s || k, 'none'), nullif(s, k), nullif(lower(s), s), if(b, s || 'y', k), nvl2(s, k || '!', 'null'), ifnull(k, s) FROM t;

-- data: moderate
SELECT id, greatest(s, k, 'm'), least(s || 'a', k), greatest(s, upper(s)) FROM t;

SELECT k || s FROM t WHERE length(k || s) > 10 ORDER BY k || s DESC, id LIMIT 20;

SELECT count(*), sum(length(repeat(s, 500) || k)) FROM t;

SELECT sum(n), count(DISTINCT v) FROM (SELECT length(repeat(s || 'é', 3000)) n, repeat(s, 1000) v FROM t);
