-- data: moderate, extreme
-- files: many, one

SELECT id, instr(s, 'a'), instr(s, 'ï'), instr(s, ''), instr(s, k), locate('a', s), locate('r', s, 3), locate('', s, 5), locate('a', s, 0), locate('a', s, g), position('x' IN s) FROM t;

SELECT id, length(s), char_length(k), octet_length(s), bit_length(s), length(bin), octet_length(bin), bit_length(bin), length(k || s) FROM t;

SELECT id, ascii(s), ascii(k), ascii(''), find_in_set(k, 'a,b,,B,aa'), find_in_set('spark', replace(s, ' ', ',')), find_in_set(s, k) FROM t;

SELECT id, contains(s, 'ar'), startswith(s, 'sp'), endswith(s, 'r'), contains(s, k), startswith(s, k), endswith(s, k), contains(s, '') FROM t;

SELECT id, contains(bin, X'00'), startswith(bin, X'61'), endswith(bin, bin), contains(bin, X'') FROM t;

SELECT id, is_valid_utf8(s), make_valid_utf8(s), validate_utf8(s), try_validate_utf8(k), encode(s, 'utf-8'), decode(encode(s, 'UTF-8'), 'utf-8') FROM t;

SELECT count(*) FROM t WHERE instr(s, 'park') > 1 AND length(s) > 6;

SELECT sum(length(s)), max(octet_length(s)), avg(length(k)), count(instr(s, k)) FROM t;
