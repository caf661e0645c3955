"""What people, scanners and links call a card."""

from __future__ import annotations

import pytest

from inventory.domain.errors import InvalidIdentifier
from inventory.domain.kinds import SIM
from inventory.services.selecting import item_name
from tests.services.files import iccid


@pytest.mark.parametrize("mark", ["", "~1~", "~m12~"], ids=["in stock", "given back", "sent to another city"])
@pytest.mark.parametrize(
    "name",
    [iccid(1), f"{1:020X}", "8986002600000001", "98AB000000000001"],
    ids=["ICCID", "serial", "serial 89", "serial 98"],
)
def test_card_is_named_with_the_mark_under_which_it_is_kept(mark: str, name: str) -> None:
    """REQ-SIM-08: a card that left is looked at by what the lines of its documents link to."""
    assert item_name(SIM, mark + name.lower()) == mark + name


@pytest.mark.parametrize(
    "name",
    [f"~x~{iccid(1)}", f"~m~{iccid(1)}", "~1~", f"~1~~2~{iccid(1)}", "~1~" * 2000 + iccid(1)],
    ids=["no generation", "no document", "no name", "two marks", "a thousand marks"],
)
def test_what_is_no_mark_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdentifier):
        item_name(SIM, name)
