-- data: moderate, extreme
-- files: many, one

CREATE TABLE hex_digits USING parquet AS SELECT * FROM VALUES ('1'), ('abc'), ('0G'), (''), ('FfeE'), (NULL), ('é'), ('12 ') AS v(s);

SELECT id, replace(s, 'a', 'bb'), replace(s, 'ar'), replace(s, ' ', ''), replace(s, '', 'x'), replace(s, 'ü', 'ue'), replace(s, 'zz', 'y'), replace(s, k, '#'), replace('aaaa', 'aa', k) FROM t;

SELECT id, translate(s, 'abc', 'xyz'), translate(s, 'aeiou', ''), translate(s, 'ünï', 'uni'), translate(s, 'spa', 'äöü'), translate(s, 'aab', '12'), translate(s, k, 'ABCDEFGH'), translate(s, '', 'x') FROM t;

SELECT id, lpad(s, 5, 'ab'), rpad(s, 5, 'ab'), lpad(s, 12), rpad(s, 12, 'é日'), lpad(s, 0, 'x'), rpad(s, -1, 'x'), lpad(s, 4, ''), lpad(s, g, k), rpad(k, g, s) FROM t;

SELECT id, lpad(bin, 4, X'0001'), rpad(bin, 4, X'0001'), lpad(bin, 3), rpad(bin, 0), lpad(bin, 5, X'') FROM t;

SELECT id, hex(s), hex(bin), hex(i64), hex(g), bin(i64), bin(g), unhex(num), unhex(hex(s)) = CAST(s AS BINARY), base64(bin), chr(i64), chr(g + 300), char(65) FROM t;

SELECT s, unhex(s) FROM hex_digits;
