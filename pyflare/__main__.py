"""`python -m pyflare` is the command `pyflare`."""

import sys

from pyflare.cli import main

sys.exit(main())
