"""Cities that wait for the network's word: a sale is COMPLETING until the identity is confirmed (N8b)."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.auc import AucAnswer
from inventory.domain.errors import CardNotVerified, NetworkNotReady
from inventory.domain.fees import Business
from inventory.domain.identifiers import parse_iccid, parse_number
from inventory.domain.replacement import ReplaceReason
from inventory.services.activation import ActivateWish, activate
from inventory.services.auc_answers import NetworkAnswer, read_waiting, take_answers
from inventory.services.auditing import audit
from inventory.services.sales import ConfirmWish, RealName
from tests.builders_stock import NOW, TOWN, finish_card, write_card
from tests.promises.conftest import KEYS, NUMBERS, Counter, fresh
from tests.promises.test_ending import change, rows

pytestmark = [pytest.mark.database, pytest.mark.anyio]
ADMIN = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN)
CARD = "89860026000000000000"
WAITS = """
INSERT INTO city_policy (city_id, name, value, changed_at, changed_by)
SELECT city_id, 'completion', 'by_network', now(), 'T' FROM organisation WHERE level = 'CITY'
"""
_LINE = """SELECT n.state, s.state, i.auc, n.holder_id = s.holder_id, n.version, s.version
           FROM sim_identity i JOIN number n ON n.item_no = i.number_item_no JOIN sim s ON s.item_no = i.item_no"""


async def test_card_of_a_line_is_replaced_only_once_the_network_knows_the_new_one(counter: Counter) -> None:
    """REQ-AUC-01, REQ-FLOW-03: until then the old card works."""
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 0, data_no=900)
        await finish_card(session, 1, data_no=901)
    await counter.confirm((await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"])
    await change(counter, WAITS)
    asked: dict[str, Any] = {"business": Business.REPLACE_SIM, "replace_reason": ReplaceReason.BROKEN}
    order = (await counter.hold(NUMBERS[0], iccid=CARD[:-1] + "1", **asked)).body["hold"]
    for handed_in in (False, True):
        with pytest.raises(NetworkNotReady):
            await counter.confirm(order, old_card_handed_in=handed_in)
    await knows(counter, "confirmed")
    assert (await counter.confirm(order)).body["line"] == "IN_USE"
    await quiet(counter)


@pytest.fixture
async def written(counter: Counter) -> str:
    """Hold a kit in a city that waits, and leave its card written and proven."""
    await change(counter, WAITS)
    hold = str((await counter.hold(NUMBERS[0], iccid=CARD)).body["hold"])
    async with counter.database.session() as session, session.begin():
        await write_card(session, 1)
    return hold


async def knows(counter: Counter, auc: str) -> None:
    """Let the network have been told of every identity, or have answered."""
    await change(counter, f"UPDATE sim_identity SET auc = '{auc}'")


async def said(counter: Counter, answer: AucAnswer) -> dict[str, Any]:
    """Take in one answer about the first identity."""
    [(imsi,)] = await rows(counter, "SELECT imsi FROM sim_identity")
    async with counter.database.session() as session:
        return (await take_answers(session, ADMIN, fresh(), [NetworkAnswer(imsi, answer)], now=NOW)).body


async def line(counter: Counter) -> tuple[Any, ...]:
    """Give the states of number, card and identity, whether one holds both, and both versions."""
    [row] = await rows(counter, _LINE)
    return tuple(row)


async def quiet(counter: Counter) -> None:
    """Fail with what the audit has found, if it has found anything."""
    async with counter.database.session() as session:
        assert (await audit(session, now=NOW)).findings == []


async def test_a_sale_waits_for_the_networks_word_and_is_complete_with_it(counter: Counter, written: str) -> None:
    """REQ-AUC-01, REQ-EVT-01: both have the customer at once; each move has its own event."""
    await knows(counter, "sent")
    sold = await counter.confirm(written)
    assert (sold.body["state"], sold.body["line"]) == ("CONFIRMED", "COMPLETING")
    assert (await line(counter))[:4] == ("COMPLETING", "COMPLETING", "sent", True)
    await quiet(counter)
    done = await said(counter, AucAnswer.CONFIRMED)
    assert (done["confirmed"], done["completed"]) == (1, 1)
    assert await line(counter) == ("IN_USE", "IN_USE", "confirmed", True, 3, 5)
    await quiet(counter)
    assert (await said(counter, AucAnswer.CONFIRMED))["completed"] == 0


async def test_what_the_network_refused_is_listed_and_may_be_confirmed_once_mended(
    counter: Counter, written: str
) -> None:
    await knows(counter, "sent")
    await counter.confirm(written)
    await said(counter, AucAnswer.FAILED)
    async with counter.database.session() as session:
        waiting, count = await read_waiting(session, ADMIN)
    assert [(one.number, one.iccid, one.auc, count) for one in waiting] == [(NUMBERS[0], CARD, "failed", 1)]
    assert (await line(counter))[:2] == ("COMPLETING", "COMPLETING")
    await said(counter, AucAnswer.CONFIRMED)
    async with counter.database.session() as session:
        assert await read_waiting(session, ADMIN) == ([], 0)
    await quiet(counter)


async def test_a_card_that_was_confirmed_before_is_sold_at_once(counter: Counter, written: str) -> None:
    await knows(counter, "confirmed")
    assert (await counter.confirm(written)).body["line"] == "IN_USE"
    assert (await line(counter))[:3] == ("IN_USE", "IN_USE", "confirmed")


async def test_completion_may_be_reported_of_a_sold_card_that_nobody_told_the_network_of(
    counter: Counter, written: str
) -> None:
    """A finished card's vendor told it; before the sale such an answer is refused."""
    assert (await said(counter, AucAnswer.CONFIRMED))["refused"] == [{"row": 1, "code": "is_none"}]
    await counter.confirm(written)
    assert (await said(counter, AucAnswer.CONFIRMED))["completed"] == 1
    await quiet(counter)


async def test_activation_says_that_the_line_waits(counter: Counter, written: str) -> None:
    """REQ-SIM-18."""
    sale = ConfirmWish(quote_accepted=1, real_name=RealName(NOW, "hall", "passed"))
    wish = ActivateWish(iccid=parse_iccid(CARD).iccid, number=parse_number(NUMBERS[0]), sale=sale)
    states = []
    for answer in (None, AucAnswer.CONFIRMED):
        if answer is not None:
            await said(counter, answer)
        async with counter.database.autocommit() as connection:
            done = await activate(
                connection, counter.caller, fresh(), wish, keys=KEYS, key=counter.key(written), now=NOW
            )
        states.append((done.body["state"], done.replayed))
    assert states == [("COMPLETING", False), ("IN_USE", True)]


async def test_an_identity_that_serves_a_number_is_not_taken_for_deleted(counter: Counter, written: str) -> None:
    """Neither while the sale waits nor once it is complete."""
    await knows(counter, "sent")
    await counter.confirm(written)
    for _ in range(2):
        assert (await said(counter, AucAnswer.DELETED))["refused"] == [{"row": 1, "code": "serves_number"}]
        await said(counter, AucAnswer.CONFIRMED)
    assert (await line(counter))[:3] == ("IN_USE", "IN_USE", "confirmed")


async def test_a_finished_card_whose_identity_the_network_has_deleted_is_not_sold(counter: Counter) -> None:
    """REQ-AUC-01: it could not be used."""
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900)
    hold = str((await counter.hold(NUMBERS[0], iccid="89860026000000000003")).body["hold"])
    await knows(counter, "sent")
    assert (await said(counter, AucAnswer.DELETED))["deleted"] == 1
    with pytest.raises(CardNotVerified):
        await counter.confirm(hold)
    assert await rows(counter, "SELECT count(*) FROM number WHERE state = 'IN_USE'") == [(0,)]


async def test_a_sale_that_waits_without_its_card_is_found_by_the_audit(counter: Counter, written: str) -> None:
    await knows(counter, "sent")
    await counter.confirm(written)
    await change(counter, "UPDATE sim_identity SET auc = 'confirmed'")
    async with counter.database.session() as session:
        found = {finding["check"] for finding in (await audit(session, now=NOW)).findings}
    assert "line_incomplete" in found
