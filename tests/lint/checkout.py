"""The files of this checkout, as git sees them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from functools import cache

from tests.conftest import ROOT

BINARY = (".png", ".jpg", ".woff", ".woff2", ".ico", ".gz", ".zip", ".mo")


@cache
def text_files() -> Mapping[str, str]:
    """Give every text file that is or would be committed: path inside the checkout, content."""
    git = ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [path for path in listed.split("\0") if path and not path.endswith(BINARY)]
    return {path: (ROOT / path).read_text(encoding="utf-8") for path in paths if (ROOT / path).is_file()}
