"""Tables for people, whatever stands in them."""

from __future__ import annotations

import pytest

from inventory.cli.tables import show_fields, show_rows

ODD = "[/b] 营业厅 [red] :loop:"


def test_what_a_name_holds_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows({}, [{"name": ODD, "place": None}], ("name", "place"), as_json=False)
    show_fields({"name": ODD}, as_json=False)
    assert capsys.readouterr().out.count(ODD) == 2
