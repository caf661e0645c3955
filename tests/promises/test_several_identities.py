"""A card with several identities goes through its life with all of them or with none."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.auc import AucAnswer
from inventory.domain.errors import CardNotVerified
from inventory.domain.fees import Business
from inventory.domain.replacement import ReplaceReason
from inventory.services.auc_answers import NetworkAnswer, read_waiting, take_answers
from inventory.services.auditing import audit
from inventory.store import auc, crossing
from inventory.store.selection import ByName
from tests.builders_stock import CITY, HLR, NOW, TOWN, add_identity, finish_card
from tests.promises.conftest import NUMBERS, Counter, fresh
from tests.promises.test_completion import WAITS
from tests.promises.test_ending import change, rows

pytestmark = [pytest.mark.database, pytest.mark.anyio]
TWIN, SPARE = "89860026000000000003", "89860026000000000004"
IDENTITIES = """
    SELECT i.slot, n.number, i.auc, d.state FROM sim_identity i
    JOIN subscription_data d ON d.imsi = i.imsi LEFT JOIN number n ON n.item_no = i.number_item_no
    WHERE i.item_no = {item} ORDER BY i.slot
"""


@pytest.fixture
async def twin(counter: Counter) -> Counter:
    """Have two finished cards in stock, with two identities each."""
    async with counter.database.session() as session, session.begin():
        for item, data in ((3, 900), (4, 910)):
            await finish_card(session, item, data_no=data)
            await add_identity(session, item, data_no=data + 1)
    return counter


async def sold(counter: Counter) -> None:
    """Sell the first number on the first of the two."""
    await counter.confirm((await counter.hold(NUMBERS[0], iccid=TWIN)).body["hold"])


async def sound(counter: Counter) -> bool:
    """Whether the audit finds nothing."""
    async with counter.database.session() as session:
        return (await audit(session, now=counter.now)).findings == []


async def test_sale_puts_all_identities_into_service(twin: Counter) -> None:
    """REQ-SIM-19: one sale, all slots serve the number and are known to the network."""
    await sold(twin)
    assert await rows(twin, IDENTITIES.format(item=3)) == [
        (1, NUMBERS[0], "confirmed", "BOUND"),
        (2, NUMBERS[0], "confirmed", "BOUND"),
    ]
    assert await sound(twin)


@pytest.mark.parametrize("spoilt", ["state = 'LEASED'", "number_item_no = 5"])
@pytest.mark.parametrize("slot", [1, 2])
async def test_one_identity_that_may_not_serve_keeps_the_card_from_sale(twin: Counter, spoilt: str, slot: int) -> None:
    """REQ-SIM-19: all or none."""
    hold = (await twin.hold(NUMBERS[0], iccid=TWIN)).body["hold"]
    await change(twin, f"UPDATE sim_identity SET {spoilt} WHERE item_no = 3 AND slot = {slot}")
    with pytest.raises(CardNotVerified):
        await twin.confirm(hold)
    assert await rows(twin, "SELECT state FROM number WHERE item_no = 0") == [("HELD",)]
    assert await rows(twin, "SELECT DISTINCT auc FROM sim_identity WHERE item_no = 3") == [("none",)]


async def test_replaced_card_retires_with_all_its_identities(twin: Counter) -> None:
    """REQ-SIM-19: the old card's identities end together, the new one's begin together."""
    await sold(twin)
    wish: dict[str, Any] = {"business": Business.REPLACE_SIM, "replace_reason": ReplaceReason.BROKEN}
    await twin.confirm((await twin.hold(NUMBERS[0], iccid=SPARE, **wish)).body["hold"])
    assert await rows(twin, IDENTITIES.format(item=3)) == [
        (1, None, "deleted", "RETIRED"),
        (2, None, "deleted", "RETIRED"),
    ]
    assert await rows(twin, IDENTITIES.format(item=4)) == [
        (1, NUMBERS[0], "confirmed", "BOUND"),
        (2, NUMBERS[0], "confirmed", "BOUND"),
    ]
    assert await sound(twin)


async def test_release_leaves_the_card_as_the_factory_made_it(twin: Counter) -> None:
    """REQ-SIM-19: a hold takes the card, not a slot of it."""
    before = await rows(twin, IDENTITIES.format(item=3))
    await twin.release((await twin.hold(NUMBERS[0], iccid=TWIN)).body["hold"])
    assert await rows(twin, IDENTITIES.format(item=3)) == before
    assert await sound(twin)


KEYS_IN_STOCK = (
    """INSERT INTO transport_key (index, algorithm, wrapped, kcv) VALUES ('V', 'AES-128-ECB', '', '')""",
    """INSERT INTO card_secret (city_id, item_no, generation, transport_key_index, ki, opc, adm1)
       SELECT city_id, item_no, generation, 'V', decode(repeat('00', 16), 'hex'), decode(repeat('00', 16), 'hex'), ''
       FROM sim WHERE item_no = 3""",
)


async def test_network_is_told_of_a_card_whole(twin: Counter) -> None:
    """REQ-SIM-19: an export that has room for one identity more takes both of the card."""
    for statement in KEYS_IN_STOCK:
        await change(twin, statement)
    products = [row[0] for row in await rows(twin, "SELECT DISTINCT kind_code FROM sim")]
    export: dict[str, Any] = {"form": "csv", "transport_key_index": "V", "hlr_code": HLR, "kinds": products}
    async with twin.database.session() as session, session.begin():
        _, count = await auc.add_export(session, **export, city_id=CITY, most=1, staff_no="T", approver="U", now=NOW)
    assert count == 2
    assert await rows(twin, "SELECT slot, auc FROM sim_identity WHERE item_no = 3 ORDER BY slot") == [
        (1, "sent"),
        (2, "sent"),
    ]


async def test_sale_that_waits_is_complete_when_the_network_knows_all_identities(twin: Counter) -> None:
    """REQ-SIM-19, REQ-AUC-01: the word on one slot does not put the card into service."""
    await change(twin, WAITS)
    await sold(twin)
    imsis = [row[0] for row in await rows(twin, "SELECT imsi FROM sim_identity WHERE item_no = 3 ORDER BY slot")]
    admin = TOWN.caller(TOWN.city, role=Role.CITY_ADMIN)
    completed = []
    for imsi in reversed(imsis):
        async with twin.database.session() as session:
            waiting, _ = await read_waiting(session, admin)
            answer = NetworkAnswer(imsi, AucAnswer.CONFIRMED)
            done = await take_answers(session, admin, fresh(), [answer], now=NOW)
        completed.append((len(waiting), done.body["completed"]))
        assert await sound(twin)
    assert completed == [(1, 0), (1, 1)]
    assert await rows(twin, "SELECT state FROM sim WHERE item_no = 3") == [("IN_USE",)]


async def test_card_of_one_citys_hlr_goes_to_no_other_whatever_its_slot(twin: Counter) -> None:
    """REQ-SIM-19, REQ-STK-04: an identity behind the first keeps its card in the city too."""
    await change(twin, "DELETE FROM sim_identity WHERE item_no = 3 AND slot = 1")
    await change(twin, "UPDATE sim SET hlr_code = NULL WHERE item_no = 3")
    async with twin.database.session() as session:
        staying = await crossing.staying(
            session, ByName((TWIN,)), city_id=CITY, to_city=530100, good_on=NOW.date(), limit=9
        )
    assert [(name, why) for name, _, why in staying] == [(TWIN, "of_its_city")]
