"""Activation names card and number: of written cards and of those that came with an identity, as often as asked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from inventory.domain.errors import (
    CardNotVerified,
    DomainError,
    HlrMismatch,
    HoldKeyWrong,
    IdempotencyMismatch,
    NotFound,
    NotHeldTogether,
    RealNameReferenceMissing,
)
from inventory.domain.identifiers import parse_any_number, parse_iccid
from inventory.services.activation import ActivateWish, activate
from inventory.services.once import Answer, WriteKey
from inventory.services.sales import ConfirmWish, RealName
from tests.builders_stock import finish_card, write_card
from tests.promises.conftest import KEYS, NUMBERS, Counter, fresh
from tests.promises.test_ending import change, rows

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARD, PRESET = "89860026000000000000", "89860026000000000003"


async def activated(
    counter: Counter, card: str, number: str, hold: str | None, *, write: WriteKey | None = None, **said: Any
) -> Answer:
    """Activate as a caller with the key of the hold, if it has one."""
    sale = ConfirmWish(**{"quote_accepted": 1, "real_name": RealName(counter.now, "hall", "passed"), **said})
    wish = ActivateWish(iccid=parse_iccid(card).iccid, number=parse_any_number(number), sale=sale)
    key = None if hold is None else counter.key(hold)
    async with counter.database.autocommit() as connection:
        return await activate(connection, counter.caller, write or fresh(), wish, keys=KEYS, key=key, now=counter.now)


async def held(counter: Counter, card: str, *, written: bool = False) -> str:
    hold = str((await counter.hold(NUMBERS[0], iccid=card)).body["hold"])
    if written:
        async with counter.database.session() as session, session.begin():
            await write_card(session, 1)
    return hold


async def test_a_written_card_goes_into_service_once_however_often_it_is_asked_for(counter: Counter) -> None:
    """REQ-SIM-18: apart from writing, idempotent: the same key, another key, and somebody without the kit's key."""
    hold, write = await held(counter, CARD, written=True), fresh()
    first = await activated(counter, CARD, NUMBERS[0], hold, write=write)
    again = [
        await activated(counter, CARD, NUMBERS[0], hold, write=write),
        await activated(counter, CARD, NUMBERS[0], hold),
        await activated(counter, CARD, NUMBERS[0], None),
    ]
    assert first.body == {"iccid": CARD, "number": NUMBERS[0], "state": "IN_USE"}
    assert [(one.body, one.replayed) for one in again] == [(first.body, True)] * 3
    assert not first.replayed
    assert await rows(counter, "SELECT count(*) FROM movement WHERE kind = 'SALE'") == [(2,)]


async def test_a_card_that_came_with_its_identity_is_activated_unwritten(counter: Counter) -> None:
    """REQ-SIM-18: preset cards too."""
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900)
    hold = await held(counter, PRESET)
    assert (await activated(counter, PRESET, NUMBERS[0], hold)).body["state"] == "IN_USE"
    line = """SELECT s.state, n.number FROM sim s JOIN sim_identity i USING (item_no)
              JOIN number n ON n.item_no = number_item_no"""
    assert await rows(counter, line) == [("IN_USE", NUMBERS[0])]


async def test_of_many_at_once_one_sells_and_all_hear_that_the_line_works(counter: Counter) -> None:
    """REQ-SIM-18: idempotent under a race."""
    hold = await held(counter, CARD, written=True)
    answers = await asyncio.gather(*(activated(counter, CARD, NUMBERS[0], hold) for _ in range(3)))
    assert sorted(answer.replayed for answer in answers) == [False, True, True]
    assert await rows(counter, "SELECT count(*) FROM movement WHERE kind = 'SALE'") == [(2,)]


async def test_what_is_no_pair_is_refused_by_name(counter: Counter) -> None:
    hold = await held(counter, CARD, written=True)
    with pytest.raises(NotHeldTogether):
        await activated(counter, CARD, NUMBERS[1], hold)
    with pytest.raises(NotHeldTogether):
        await activated(counter, "89860026000000000001", NUMBERS[1], hold)
    with pytest.raises(NotFound):
        await activated(counter, "89860099990000000001", NUMBERS[0], hold)
    with pytest.raises(HoldKeyWrong):
        await activated(counter, CARD, NUMBERS[0], None)
    with pytest.raises(RealNameReferenceMissing):
        await activated(counter, CARD, NUMBERS[0], hold, real_name=None)
    write = fresh()
    await activated(counter, CARD, NUMBERS[0], hold, write=write)
    with pytest.raises(IdempotencyMismatch):
        await activated(counter, CARD, NUMBERS[1], hold, write=WriteKey(write.key, write.operation, b"other"))


@pytest.mark.parametrize(
    ("spoil", "refusal"),
    [
        ("UPDATE sim SET state = 'HELD' WHERE item_no = 0", CardNotVerified),
        ("UPDATE sim SET state = 'WRITE_UNKNOWN' WHERE item_no = 0", CardNotVerified),
        ("UPDATE sim_identity SET hlr_code = 'LJ2' WHERE item_no = 0", HlrMismatch),
    ],
)
async def test_a_card_that_is_not_proven_or_of_another_hlr_is_not_activated(
    counter: Counter, spoil: str, refusal: type[DomainError]
) -> None:
    """REQ-SIM-17, REQ-SIM-18."""
    hold = await held(counter, CARD, written=True)
    await change(counter, spoil)
    with pytest.raises(refusal):
        await activated(counter, CARD, NUMBERS[0], hold)
