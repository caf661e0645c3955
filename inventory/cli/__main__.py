"""`python -m inventory.cli`."""

from __future__ import annotations

import sys

from inventory.cli import main

sys.exit(main())
