from __future__ import annotations

import pytest

from cardwriter.script import Purpose
from tests.cards.hall import Hall, adm_tries, card_of, imsi_on

pytestmark = [pytest.mark.database, pytest.mark.anyio]
BLANK = b"\xff" * 9


async def test_a_blank_card_becomes_a_proven_one(hall: Hall) -> None:
    """REQ-HW-03, REQ-HW-04, REQ-HW-12: identify, write, read back and prove; the identity is kept with the card."""
    card = card_of(0)
    await hall.insert(card)
    job = await hall.job(await hall.sell(0))
    assert (job["state"], job["failure"], job["next_step"]) == ("verified", None, "confirm_sale")
    assert await hall.states(0) == ("WRITTEN", "BOUND", 1)
    assert imsi_on(card) != BLANK
    assert adm_tries(card) == 3
    identity = await hall.one("SELECT state, hlr_code, slot, number_item_no FROM sim_identity WHERE city_id = :city")
    assert tuple(identity) == ("VERIFIED", "LJ1", 1, None)
    purposes = [script.purpose for script in hall.sent]
    assert purposes == [Purpose.IDENTIFY, Purpose.IDENTIFY, Purpose.WRITE, Purpose.VERIFY, Purpose.IDENTIFY]
