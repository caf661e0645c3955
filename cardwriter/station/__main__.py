"""`python -m cardwriter.station`."""

from __future__ import annotations

from cardwriter.station.cli import main

main()
