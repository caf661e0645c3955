"""Stock that comes in by a command and without a file."""

from __future__ import annotations

from io import StringIO

import pytest

from inventory.cli import main
from tests.cli.answers import answered
from tests.services.files import iccid

pytestmark = pytest.mark.database


@pytest.mark.usefixtures("shell")
def test_stock_comes_in_without_a_file(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """REQ-NUM-02, REQ-SIM-02: segments, ranges, single items, and what is typed or scanned."""
    cards = ("--kind", "card_list", "--card-kind", "4G-P")
    taken = answered(capsys, "segments", "take", "1388801-1388802", "--hlr", "LJ1")
    ranged = answered(capsys, "load", "--item", f"{iccid(10)}-{iccid(13)}", "--item", iccid(20), *cards)
    monkeypatch.setattr("sys.stdin", StringIO(f"{iccid(30)}\n{iccid(31)}\n"))
    typed = answered(capsys, "load", "-", *cards)
    listed = answered(capsys, "items", "sim", "--from", iccid(10), "--to", iccid(31))["items"]

    assert (taken["segments"], taken["numbers"]) == (2, 20_000)
    assert (ranged["rows"], typed["rows"]) == (5, 2)
    assert [line["item"] for line in listed] == [iccid(n) for n in (10, 11, 12, 13, 20, 30, 31)]
    assert main(["load", "--item", f"{iccid(9)}-{iccid(8)}", *cards]) == 2
    assert "the first comes before the last" in capsys.readouterr().err
    assert main(["load", *cards]) == 2
    assert "not both" in capsys.readouterr().err
