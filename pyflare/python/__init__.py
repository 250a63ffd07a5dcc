"""Plain Python functions in kernels: translated from bytecode, with Python's meaning and Spark's rule for results.

`frontend` reads a function, `flow` follows its paths with the types that values have on them, `operators` and
`functions` know what may be done to values, `result` what Spark makes of what is returned. Nothing is hoped: what is
not on these lists is refused with a reason, and a row that needs more (an overflow, an exception) sends the query to
Spark.
"""
