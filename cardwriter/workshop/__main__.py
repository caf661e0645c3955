"""`python -m cardwriter.workshop station|card …`, what `haoka station` and `haoka card` start."""

from __future__ import annotations

from cardwriter.workshop.cli import main

main()
