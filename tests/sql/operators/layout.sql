-- data: moderate
-- files: many
-- fallback: depends on how these rows are partitioned

SELECT count(*), sum(id) FROM (SELECT g, id FROM t WHERE id > 10) TABLESAMPLE (20 PERCENT) REPEATABLE (3);

SELECT count(*) FROM (SELECT k, max(id) AS m FROM t GROUP BY k) WHERE rand(7) < 0.5;

SELECT k, randstr(4, 7) AS r FROM (SELECT k, max(id) AS m FROM t GROUP BY k);
