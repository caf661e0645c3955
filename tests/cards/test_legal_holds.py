"""An outside order comes while a card is being written: the card is settled, then its kit ends."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from cardwriter.script import Purpose
from inventory.access.permissions import Role
from inventory.domain.errors import LegalHold
from inventory.services.legal_holds import PlaceWish, place
from inventory.store.selection import ByName
from tests.builders_stock import TOWN
from tests.cards.hall import Hall, card_of, fresh
from tests.cards.test_settling import broken, state, until
from tests.cards.test_unknown_cards import unanswered

pytestmark = [pytest.mark.database, pytest.mark.anyio]
NUMBER, CARD = ("number", "13888810000"), ("sim", "89860026000000000000")


async def placed(hall: Hall, resource: str, item: str) -> dict[str, Any]:
    """Put an item under an order."""
    wish = PlaceWish(
        resource=resource, selection=ByName((item,)), reference="7", authority="法院", reason="协查",
        given_on=date(2026, 11, 20),
    )  # fmt: skip
    async with hall.database.session() as session:
        admin = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN)
        return (await place(session, admin, fresh(), wish, now=hall.now)).body


async def kit(hall: Hall) -> tuple[Any, ...]:
    """Give the state of the kit, why it ended, and the state of its number."""
    return tuple(
        await hall.one(
            "SELECT h.state, h.close_reason, n.state FROM hold h JOIN number n USING (city_id)"
            " WHERE n.item_no = 0 AND city_id = :city"
        )
    )


ENDED = ("RELEASED", "legal_hold", "UNUSED")


@pytest.mark.parametrize(
    ("purpose", "ends", "left"),
    [
        (Purpose.IDENTIFY, "nothing_written", ("AVAILABLE", "FREE", None)),
        (Purpose.WRITE, "verified", ("AVAILABLE", "BOUND", None)),
    ],
)
@pytest.mark.parametrize("item", [NUMBER, CARD], ids=["number", "card"])
async def test_kit_ends_with_the_job_that_an_order_met(
    hall: Hall, item: tuple[str, str], purpose: Purpose, ends: str, left: tuple[str, str, None]
) -> None:
    """REQ-LGL-01, REQ-RSV-19: what is being written is written to its end, what is not begun is not written."""
    await hall.insert(card_of(0))
    job, order = await until(hall, purpose)
    assert (await placed(hall, *item))["kits_waiting"] == 1
    assert (await kit(hall))[0] == "ACTIVE"

    await hall.work([order])

    assert await state(hall, job) == ends
    assert await kit(hall) == ENDED
    assert await hall.states(0) == left
    assert await broken(hall) == set()


async def test_kit_with_an_unknown_card_ends_once_the_card_is_read(hall: Hall) -> None:
    """REQ-LGL-01, REQ-RSV-15: nobody may take another card for a number under an order meanwhile."""
    card, hold = await unanswered(hall)
    await placed(hall, *NUMBER)
    with pytest.raises(LegalHold):
        await hall.take_card(hold, 1)
    assert (await kit(hall))[0] == "ACTIVE"

    await hall.insert(card)

    assert await kit(hall) == ENDED
    assert await hall.states(0) == ("AVAILABLE", "FREE", None)
    assert await broken(hall) == set()


async def test_unknown_card_under_an_order_leaves_its_kit_which_goes_on(hall: Hall) -> None:
    """REQ-LGL-01, REQ-RSV-16: a seized card that nobody can read does not keep the customer's number for ever."""
    _, hold = await unanswered(hall)
    await placed(hall, *CARD)

    await hall.take_card(hold, 1)

    assert (await kit(hall))[0] == "ACTIVE"
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", None)
    assert await broken(hall) == set()
