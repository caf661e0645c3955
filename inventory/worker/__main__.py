"""Start the worker: `python -m inventory.worker`."""

from __future__ import annotations

from inventory.settings import Settings
from inventory.worker.main import main

if __name__ == "__main__":
    main(Settings())
