"""The promise and the card together: hold, write, confirm; and what the audit says of every way it can end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from cardwriter.script import Purpose
from inventory.domain.errors import CardBeingWritten, CardNotVerified, DomainError
from inventory.domain.fees import Business
from inventory.domain.replacement import ReplaceReason
from inventory.services import expiry
from inventory.services.auditing import audit
from inventory.services.orders import Run
from tests.cards.hall import CardKeys, Hall, card_of
from tests.promises.conftest import Counter

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def held(hall: Hall, item_no: int = 0) -> tuple[Counter, str]:
    """Hold the n-th number and card with the real statement."""
    counter = Counter(hall.database, hall.caller, hall.now)
    answer = await counter.hold(f"138888{10000 + item_no:05d}", iccid=f"8986002600{item_no:010d}")
    return counter, str(answer.body["hold"])


async def quiet(hall: Hall) -> None:
    """Fail with what the audit has found, if it has found anything."""
    async with hall.database.session() as session:
        done = await audit(session, now=hall.now)
    assert done.findings == []


async def write(hall: Hall, hold: str, *, until: Purpose | None = None) -> str:
    """Write the kit's card: to the end, or until the script of this purpose has run unheard."""
    started = await hall.start(hold)
    orders = await hall.take_up()
    while runs := [order for order in orders if isinstance(order, Run)]:
        reported = hall.run(runs[0])
        if runs[0].script.purpose is until:
            break
        orders = await hall.report(reported)
    return str(started.body["id"])


async def test_a_held_blank_card_becomes_a_working_line(hall: Hall) -> None:
    """REQ-HW-04: hold, write, prove, confirm; the card, the number and the identity belong together at the end."""
    counter, hold = await held(hall)
    await hall.insert(card_of(0))
    with pytest.raises(CardNotVerified):
        await counter.confirm(hold)
    await write(hall, hold)
    await counter.confirm(hold)
    row = await hall.one(
        "SELECT s.state, n.state, i.state, i.number_item_no, d.state FROM sim s"
        " JOIN sim_identity i ON i.city_id = s.city_id AND i.item_no = s.item_no"
        " JOIN number n ON n.city_id = s.city_id AND n.item_no = i.number_item_no"
        " JOIN subscription_data d ON d.city_id = s.city_id AND d.sim_item_no = s.item_no"
        " WHERE s.city_id = :city AND s.item_no = 0"
    )
    assert tuple(row) == ("IN_USE", "IN_USE", "VERIFIED", 0, "BOUND")
    await quiet(hall)


@pytest.mark.parametrize("until", [None, Purpose.IDENTIFY, Purpose.WRITE, Purpose.VERIFY])
async def test_a_kit_with_an_open_job_is_neither_released_nor_confirmed_nor_swept(
    hall: Hall, until: Purpose | None
) -> None:
    """REQ-RSV-15: from the job's beginning to its end, and while its card is unknown."""
    counter, hold = await held(hall)
    await hall.insert(card_of(0))
    if until is None:
        await hall.start(hold)
    else:
        await write(hall, hold, until=until)
    with pytest.raises(CardBeingWritten):
        await counter.release(hold)
    with pytest.raises(DomainError):
        await counter.confirm(hold)
    hall.later(hours=9)
    async with hall.database.autocommit() as connection:
        await expiry.sweep(connection, now=hall.now)
    assert (await hall.one("SELECT state FROM hold WHERE city_id = :city"))[0] == "ACTIVE"
    await quiet(hall)


@pytest.mark.parametrize(
    ("inside", "ends"), [(CardKeys.of(0), "verified"), (replace(CardKeys.of(0), opc=CardKeys.of(4).opc), "damaged")]
)
async def test_the_audit_is_quiet_before_and_after_an_unknown_card_is_settled(
    hall: Hall, inside: CardKeys, ends: str
) -> None:
    counter, hold = await held(hall)
    card = card_of(0, inside)
    await hall.insert(card)
    job = await write(hall, hold, until=Purpose.WRITE)
    for filed in hall.journal.unacknowledged():
        hall.journal.acknowledge(filed.report.script_id)
    hall.source.remove()
    await hall.reconnect()
    assert (await hall.job(job))["state"] == "unknown"
    await quiet(hall)
    await hall.insert(card)
    assert (await hall.job(job))["state"] == ends
    await quiet(hall)
    await (counter.release(hold) if ends == "damaged" else counter.confirm(hold))
    await quiet(hall)


async def test_after_nothing_was_written_the_same_kit_is_written_again(hall: Hall) -> None:
    """REQ-HW-05: the job's end gives card and data back to the kit, which sells in the end."""
    counter, hold = await held(hall)
    started = await hall.start(hold)
    await hall.work(await hall.take_up())
    assert (await hall.job(started.body["id"]))["failure"] == "not_inserted"
    await hall.insert(card_of(0))
    await write(hall, hold)
    await counter.confirm(hold)
    await quiet(hall)


async def test_a_damaged_card_leaves_its_kit_at_release_and_its_imsi_stays_in_quarantine(hall: Hall) -> None:
    """REQ-HW-08: number and kit are free again, the spoiled card and its IMSI are not."""
    counter, hold = await held(hall)
    await hall.insert(card_of(0, replace(CardKeys.of(0), k=CardKeys.of(4).k)))
    await write(hall, hold)
    with pytest.raises(CardNotVerified):
        await counter.confirm(hold)
    await counter.release(hold)
    async with hall.database.session() as session, session.begin():
        row = (
            await session.execute(
                text(
                    "SELECT s.state, s.hold_id, n.state, d.state FROM sim s, number n, subscription_data d"
                    " WHERE s.item_no = 0 AND n.item_no = 0 AND d.sim_item_no = 0"
                )
            )
        ).one()
    assert tuple(row) == ("DAMAGED", None, "UNUSED", "QUARANTINED")
    await quiet(hall)


async def test_a_new_card_is_written_for_a_number_in_use_and_takes_the_old_ones_place(hall: Hall) -> None:
    """REQ-FLOW-03, REQ-FLOW-13: the same writing and proof; until the end the old card serves the number."""
    counter, hold = await held(hall, 1)
    await hall.insert(card_of(1))
    await write(hall, hold)
    await counter.confirm(hold)
    asked: dict[str, Any] = {"business": Business.REPLACE_SIM, "replace_reason": ReplaceReason.EXCHANGE}
    order = str((await counter.hold("13888810001", iccid="89860026000000000002", **asked)).body["hold"])
    await hall.insert(card_of(2))
    await write(hall, order)
    await quiet(hall)
    await counter.confirm(order, old_card_handed_in=True)
    row = await hall.one(
        "SELECT n.state, i.item_no, o.state, d.state FROM number n, sim_identity i, sim o, subscription_data d"
        " WHERE n.city_id = :city AND n.item_no = 1 AND i.number_item_no = 1 AND o.item_no = 1 AND d.sim_item_no = 1"
    )
    assert tuple(row) == ("IN_USE", 2, "REPLACED", "RETIRED")
    await quiet(hall)
