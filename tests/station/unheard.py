"""A station that nobody hears any more: what read its output has ended."""

from __future__ import annotations

import os

from cardwriter.station.cli import main

_STDOUT = 1

if __name__ == "__main__":
    hearer, mouth = os.pipe()
    os.close(hearer)
    os.dup2(mouth, _STDOUT)
    main()
