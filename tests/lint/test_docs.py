"""What the code offers is named in docs/: the pages made from the code are fresh."""

from __future__ import annotations

import pytest

from inventory.cli.docs import PAGES
from tests.conftest import ROOT


@pytest.mark.parametrize("path", PAGES)
def test_generated_page_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run ./haoka docs"
