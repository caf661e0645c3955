"""What a station says of its dispenser is read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from cardwriter.script import ScriptError
from inventory.services.dispensers import DispenserSeen

SEEN: dict[str, Any] = {"card": "gate", "stacker": "few", "bin_full": True, "in_bin": 2, "stop": "bin_full"}


def test_dispenser_is_read_as_it_was_told_even_when_it_does_not_answer() -> None:
    assert DispenserSeen.from_wire(SEEN | {"error": "bin_full"}) == DispenserSeen(**SEEN)
    mute = dict.fromkeys(("card", "stacker", "bin_full", "in_bin")) | {"stop": "dispenser_failed"}
    assert DispenserSeen.from_wire(mute).stop == "dispenser_failed"


@pytest.mark.parametrize(
    "wrong", [{"card": "moon"}, {"stacker": 3}, {"bin_full": "no"}, {"in_bin": -1}, {"stop": "tired"}], ids=str
)
def test_dispenser_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ScriptError):
        DispenserSeen.from_wire(SEEN | wrong)
