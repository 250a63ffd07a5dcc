"""Python functions of whole columns (`pandas_udf` and its kind), called in the backend as Spark's workers call them.

`functions` says what is called and lets PySpark's own worker code convert arguments and results, `checks` refuses what
needs a real worker, `pace` gives functions back that several workers would be faster at.
"""
