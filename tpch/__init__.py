"""TPC-H for PyFlare and its competitors: data, queries, measurements and reports (`python -m tpch.run --help`)."""
