"""Makes `python3 -m planera_lab` the same as `lab/lab`."""

from __future__ import annotations

import sys

from planera_lab.cli import main

sys.exit(main(sys.argv[1:]))
