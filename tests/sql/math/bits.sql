-- data: moderate, extreme
-- files: many

SELECT id, i8 & i8, i16 | i8, i32 ^ i16, i64 & i32, ~i8, ~i64, i32 & 255, i64 | -1, bit_count(i8), bit_count(i64), bit_count(b), i32 & -16 FROM t;

SELECT id, shiftleft(i32, 3), shiftleft(i64, i8), shiftleft(i8, 31), shiftright(i32, i8), shiftright(i64, 70), shiftrightunsigned(i32, 1), shiftrightunsigned(i32, i8), shiftrightunsigned(i64, i8), i32 << 2, i64 >> 3, i64 >>> 60 FROM t;

SELECT id, getbit(i8, 7), bit_get(i32, pmod(i8, 32)), getbit(i64, 63), getbit(i16, 0) FROM t;

SELECT g, bit_count(g & 3), count(*) FROM t GROUP BY g, g & 3;

-- raises: INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE
SELECT getbit(i8, i16) FROM t;
