"""A card of which nobody knows what is on it, and that answers no reader: two persons declare it dead (S9b)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from cardwriter.script import Purpose
from inventory.access.permissions import Role
from inventory.domain.errors import ApprovalNeeded, ItemNotMovable
from inventory.services.approving import Question, ask, carry_out, grant
from inventory.services.faulty_cards import FaultQuery, read_account
from inventory.services.orders import Run
from inventory.services.status_release import RELEASE_STATUS, ReleaseWish, release_status
from tests.builders_stock import TOWN
from tests.cards.hall import Hall, InSlot, card_of, fresh, imsi_on
from tests.cards.test_bulk import BLANK, Board, agrees, opened, put_in, until

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARD = "89860026000000000000"
MAKER = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN)
SECOND = replace(MAKER, staff_no="LJ0009")


def wish(to_state: str) -> dict[str, Any]:
    return {"resource": "sim", "item": CARD, "to_state": to_state, "reason": "读不出"}


async def declared(hall: Hall, to_state: str) -> Mapping[str, Any]:
    """Let one ask, another grant, and the first one do it."""
    async with hall.database.session() as session:
        question = Question(RELEASE_STATUS, wish(to_state))
        asked = await ask(session, MAKER, fresh(), question, lasts=timedelta(hours=24), now=hall.now)
        approval = str(asked.body["approval"])
        await grant(session, SECOND, fresh(), approval=approval, now=hall.now)
        vault = hall.bench.vault
        return (await carry_out(session, MAKER, fresh(), approval=approval, vault=vault, now=hall.now)).body


@pytest.fixture
async def board(hall: Hall) -> Board:
    """Give a bulk order one of whose cards went dead while it was written, and lies on the table."""
    board = await opened(hall)
    await until(hall, card_of(0), Purpose.WRITE)
    hall.source.remove()
    await hall.reconnect()
    assert await hall.states(0) == ("WRITE_UNKNOWN", "QUARANTINED", None)
    return board


async def test_a_dead_card_is_spoiled_by_the_word_of_two_and_its_data_go_on_no_other_one(
    hall: Hall, board: Board
) -> None:
    """REQ-HW-08, REQ-SIM-12: it is handed in and scrapped like any spoiled card, and stands on the vendor's account."""
    async with hall.database.session() as session:
        with pytest.raises(ApprovalNeeded):
            await release_status(session, MAKER, fresh(), ReleaseWish(**wish("DAMAGED")), now=hall.now)
    done = await declared(hall, "DAMAGED")
    assert (done["to_state"], done["approver"]) == ("DAMAGED", SECOND.staff_no)
    assert await hall.states(0) == ("DAMAGED", "RETIRED", None)
    assert await board.counted() == ("RUNNING", 0, 1, 0, 0)
    async with hall.database.session() as session:
        [row] = await read_account(session, hall.caller, FaultQuery())
    assert (row.fault, row.count) == ("dead", 1)
    await agrees(hall)


async def test_a_card_that_was_declared_dead_and_answers_after_all_is_left_alone(hall: Hall, board: Board) -> None:
    await declared(hall, "DAMAGED")
    await put_in(hall, card := card_of(0))
    assert (await board.reader(), imsi_on(card)) == ((None, "damaged"), BLANK)
    assert await hall.states(0) == ("DAMAGED", "RETIRED", None)


async def test_a_kits_unknown_card_is_swapped_before_anybody_declares_it_dead(hall: Hall) -> None:
    order = await hall.start(await hall.hold(0))
    [run] = await hall.take_up()
    assert isinstance(run, Run)
    hall.source.insert(InSlot(card_of(0)))
    [write] = [order for order in await hall.report(hall.run(run)) if isinstance(order, Run)]
    assert write.script.purpose is Purpose.WRITE
    hall.source.remove()
    await hall.reconnect()
    assert (await hall.job(str(order.body["id"])))["state"] == "unknown"
    with pytest.raises(ItemNotMovable):
        await declared(hall, "DAMAGED")
