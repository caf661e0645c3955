"""Taking a kit: all of it or nothing, at a frozen price, once per key."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, text

from inventory.domain.errors import (
    CardLacksCapability,
    CardUnknown,
    DomainError,
    HlrMismatch,
    IdempotencyMismatch,
    InvalidField,
    MissingField,
    NoDataUnit,
    NoNumberedData,
    NotFound,
    NotSoldInHalls,
    NumberNotFree,
    NumberNotOnSale,
    OutsideScope,
    SaleChannelRefused,
    SimNotFree,
)
from inventory.domain.identifiers import NumberKind
from inventory.domain.search import SearchWish
from inventory.services.kits import SimWish
from inventory.services.promises import read_own_holds
from inventory.services.search import SearchAsk, search_numbers
from inventory.store.schema import Number
from tests.builders_stock import (
    CITY,
    HLR,
    KIND,
    NOW,
    OTHER_HLR,
    RULES,
    TOWN,
    add_data,
    add_numbers,
    add_sims,
    finish_card,
    number_row,
)
from tests.promises.conftest import NUMBERS, Counter, fresh

pytestmark = [pytest.mark.database, pytest.mark.anyio]
CARDS = tuple(f"8986002600{item_no:010d}" for item_no in range(8))


async def rows(counter: Counter, sql: str, **given: Any) -> list[Any]:
    """Give the rows of a query on the little city."""
    async with counter.database.session() as session:
        return list(await session.execute(text(sql), given))


async def change(counter: Counter, sql: str, **given: Any) -> None:
    """Change the tables behind the service's back."""
    async with counter.database.session() as session, session.begin():
        await session.execute(text(sql), given)


async def test_number_card_and_data_unit_are_held_together(counter: Counter) -> None:
    """REQ-RSV-01, REQ-RSV-02, REQ-RSV-17: one call, before any customer data exist."""
    held = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body
    number = await rows(counter, "SELECT state, version, hold_id, hold_until FROM number WHERE hold_id IS NOT NULL")
    sim = await rows(counter, "SELECT state, version, hold_id, hold_until FROM sim WHERE hold_id IS NOT NULL")
    data = await rows(counter, "SELECT state, version, hold_id FROM subscription_data WHERE hold_id IS NOT NULL")
    hold_id = int(held["hold"].rsplit("-", 1)[1])
    until = counter.at(30).now
    assert number == sim == [("HELD", 1, hold_id, until)]
    assert data == [("RESERVED", 1, hold_id)]


async def test_hold_writes_one_event_for_the_kit_and_one_for_each_item(counter: Counter) -> None:
    """REQ-NUM-11: what, from, to, who, through which interface, when, for which order."""
    await counter.hold(NUMBERS[0], iccid=CARDS[0], order_ref="W-17")
    events = await rows(
        counter,
        "SELECT name, version, from_state, to_state, staff_no, interface_no, order_ref FROM event ORDER BY name",
    )
    who = ("LJ0001", "LJ-HALL-01", "W-17")
    assert events == [
        ("data.reserved", 1, "FREE", "RESERVED", *who),
        ("hold.created", None, None, "ACTIVE", *who),
        ("number.held", 1, "UNUSED", "HELD", *who),
        ("sim.held", 1, "AVAILABLE", "HELD", *who),
    ]


async def test_quote_is_frozen_in_the_hold(counter: Counter) -> None:
    """REQ-FEE-04, REQ-FEE-06: card price and number terms stand apart, with rule and version."""
    held = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body
    elements = {element["code"]: element["amount"] for element in held["quote"]["elements"]}
    assert (held["quote"]["rule_set_version"], elements["sim_fee"]) == (1, 1000)
    assert await rows(counter, "SELECT quote FROM hold") == [(held["quote"],)]


async def test_fee_that_a_person_set_is_what_the_hold_quotes(counter: Counter) -> None:
    terms = {"cash_fee": 0, "prepay": 12300, "return_months": 12, "min_monthly": 9900, "commitment_months": 12}
    await change(
        counter,
        """INSERT INTO number_fee (city_id, item_no, cls, rule_set_id, terms, change_no)
           SELECT city_id, item_no, cls, rule_set_id, CAST(:terms AS jsonb), 7 FROM number WHERE number = :number""",
        number=NUMBERS[0],
        terms=json.dumps({**terms, "sale_channel": "all", "waive_role": None}),
    )
    held = (await counter.hold(NUMBERS[0], iccid=CARDS[0])).body
    assert held["quote"]["due_now"] == 12300 + 1000


async def test_card_may_be_wished_for_and_chosen_later(counter: Counter) -> None:
    """REQ-RSV-18: the kit keeps number and data unit for a card that is not there yet."""
    held = (await counter.hold(NUMBERS[0], sim_wish=SimWish(KIND, TOWN.hall))).body
    assert held["sim_wish"] == {"kind_code": KIND, "org_id": TOWN.hall}
    assert await rows(counter, "SELECT count(*) FROM subscription_data WHERE state = 'RESERVED'") == [(1,)]


async def test_blank_that_is_wished_for_gets_data_of_its_sort(counter: Counter) -> None:
    """REQ-RSV-17, REQ-RSV-18: one without an ICCID is promised one with its IMSI; others use up none."""
    columns = "name_zh, name_en, capacity_kb, fee_fen, capabilities, network"
    await change(
        counter,
        f"INSERT INTO card_kind (code, profile, {columns}) SELECT 'serial-4g', 'serial_only', {columns} FROM card_kind",
    )
    await change(counter, "UPDATE subscription_data SET iccid = '8986002700000000000' || data_no WHERE data_no = 2")
    serial_only = SimWish("serial-4g", TOWN.hall)
    held = await counter.hold(NUMBERS[0], sim_wish=serial_only)
    assert await rows(counter, "SELECT data_no FROM subscription_data WHERE state = 'RESERVED'") == [(2,)]
    with pytest.raises(NoNumberedData):
        await counter.hold(NUMBERS[1], sim_wish=serial_only)
    await counter.release(held.body["hold"])
    for number in NUMBERS[1:6]:
        await counter.hold(number, sim_wish=SimWish(KIND, TOWN.hall))
    with pytest.raises(NoDataUnit):
        await counter.hold(NUMBERS[6], sim_wish=SimWish(KIND, TOWN.hall))
    assert await rows(counter, "SELECT data_no FROM subscription_data WHERE state = 'FREE'") == [(2,)]


async def test_finished_card_takes_no_data_unit(counter: Counter) -> None:
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900)
    await counter.hold(NUMBERS[0], iccid=CARDS[3])
    assert await rows(counter, "SELECT data_no FROM hold") == [(None,)]


async def test_card_whose_last_day_is_over_is_refused(counter: Counter) -> None:
    """REQ-SIM-16: an expired card cannot be sold."""
    await change(counter, "UPDATE sim SET expires_on = '2026-11-21' WHERE item_no = 5")
    with pytest.raises(SimNotFree, match="EXPIRED"):
        await counter.hold(chip_serial=f"{5:016X}")
    await change(counter, "UPDATE sim SET expires_on = '2026-11-22' WHERE item_no = 5")
    await counter.hold(chip_serial=f"{5:016X}")


async def test_card_alone_can_be_held_by_its_chip_serial(counter: Counter) -> None:
    held = (await counter.hold(chip_serial=f"{5:016X}")).body
    assert (held["iccid"], held["quote"], held["number"]) == (CARDS[5], None, None)


async def test_clerk_sells_the_numbers_of_its_hall_and_not_those_of_another(counter: Counter) -> None:
    """REQ-NUM-05: numbers stop at the hall, clerks work through holds."""
    other = counter.by(TOWN.caller(TOWN.other_hall))
    with pytest.raises(OutsideScope):
        await other.hold(NUMBERS[0])
    assert (await counter.hold(NUMBERS[0])).body["state"] == "ACTIVE"


async def test_same_key_gets_the_same_answer_again(counter: Counter) -> None:
    write = fresh()
    first = await counter.hold(NUMBERS[0], iccid=CARDS[0], write=write)
    again = await counter.hold(NUMBERS[0], iccid=CARDS[0], write=write)
    assert (again.body, first.replayed, again.replayed) == (first.body, False, True)


async def test_same_key_gets_its_answer_even_after_the_number_is_free_again(counter: Counter) -> None:
    write = fresh()
    first = await counter.hold(NUMBERS[0], write=write)
    await counter.release(first.body["hold"])
    assert (await counter.hold(NUMBERS[0], write=write)).replayed
    assert await rows(counter, "SELECT state FROM number WHERE number = :n", n=NUMBERS[0]) == [("UNUSED",)]


async def test_same_key_for_another_wish_is_refused(counter: Counter) -> None:
    first = fresh(body=1)
    await counter.hold(NUMBERS[0], write=first)
    other = type(first).of(first.key, first.operation, 2)
    with pytest.raises(IdempotencyMismatch):
        await counter.hold(NUMBERS[1], write=other)


async def test_refusal_is_not_stored_under_the_key(counter: Counter) -> None:
    held = await counter.hold(NUMBERS[0])
    write = fresh()
    with pytest.raises(NumberNotFree):
        await counter.hold(NUMBERS[0], write=write)
    await counter.release(held.body["hold"])
    assert not (await counter.hold(NUMBERS[0], write=write)).replayed


async def test_held_number_is_refused_with_state_and_end(counter: Counter) -> None:
    await counter.hold(NUMBERS[0])
    with pytest.raises(NumberNotFree) as refused:
        await counter.hold(NUMBERS[0])
    until = counter.at(30).now
    assert refused.value.params == {"number": NUMBERS[0], "state": "HELD", "held_until": until}


SPOILED: list[tuple[str, type[DomainError]]] = [
    ("UPDATE number SET pool = NULL WHERE number = :number", NumberNotOnSale),
    ("UPDATE number SET pool = 'web' WHERE number = :number", NumberNotOnSale),
    ("UPDATE number SET transit_id = 9 WHERE number = :number", NumberNotOnSale),
    ("UPDATE number SET state = 'FROZEN' WHERE number = :number", NumberNotFree),
    ("UPDATE sim SET pool = NULL WHERE iccid = :iccid", SimNotFree),
    ("UPDATE sim SET transit_id = 9 WHERE iccid = :iccid", SimNotFree),
    ("UPDATE sim SET adm_refused = true WHERE iccid = :iccid", SimNotFree),
    ("UPDATE sim SET state = 'DAMAGED' WHERE iccid = :iccid", SimNotFree),
    ("UPDATE sim SET holder_id = 5 WHERE iccid = :iccid", OutsideScope),
    ("UPDATE number SET holder_id = 5 WHERE number = :number", OutsideScope),
    ("UPDATE subscription_data SET state = 'BOUND'", NoDataUnit),
]


@pytest.mark.parametrize(("spoil", "refusal"), SPOILED)
async def test_kit_with_one_part_not_to_be_had_takes_nothing(
    counter: Counter, spoil: str, refusal: type[DomainError]
) -> None:
    """REQ-RSV-02, REQ-RSV-17: both or neither, and the refusal names the part."""
    given = {"number": NUMBERS[0], "iccid": CARDS[0]}
    await change(counter, spoil, **{name: value for name, value in given.items() if f":{name}" in spoil})
    with pytest.raises(refusal):
        await counter.hold(NUMBERS[0], iccid=CARDS[0])
    taken = "SELECT hold_id FROM {} WHERE hold_id IS NOT NULL"
    for table in ("number", "sim", "subscription_data", "hold"):
        assert await rows(counter, taken.format(table)) == []
    assert await rows(counter, "SELECT * FROM event") == []


async def test_finished_card_of_another_hlr_is_refused(counter: Counter) -> None:
    """REQ-SIM-17: number and card belong to one HLR."""
    async with counter.database.session() as session, session.begin():
        await finish_card(session, 3, data_no=900, hlr_code=OTHER_HLR)
    with pytest.raises(HlrMismatch) as refused:
        await counter.hold(NUMBERS[0], iccid=CARDS[3])
    assert refused.value.params == {"number_hlr": HLR, "sim_hlr": OTHER_HLR}


async def test_class_that_is_not_sold_in_the_channel_is_refused(counter: Counter) -> None:
    lucky = "13888888888"
    assert RULES.terms(RULES.classify(lucky).number_class).sale_channel != "all"
    async with counter.database.session() as session, session.begin():
        await add_numbers(session, [lucky], first_item=500)
    with pytest.raises(SaleChannelRefused):
        await counter.by(TOWN.caller(channel="web")).hold(lucky)


async def test_flow_may_demand_what_the_card_can_do(counter: Counter) -> None:
    """REQ-SIM-14: a flow can demand a capability of the card, in hand or wished for."""
    able = "able-5g"  # of its own: what a product can do is read once in a process
    async with counter.database.session() as session, session.begin():
        await session.execute(
            text(
                "INSERT INTO card_kind (code, name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen)"
                " SELECT :able, name_zh, name_en, profile, capacity_kb, '[\"5G\"]', network, fee_fen FROM card_kind"
                " WHERE code = :kind"
            ),
            {"able": able, "kind": KIND},
        )
    with pytest.raises(CardLacksCapability) as refused:
        await counter.hold(NUMBERS[0], iccid=CARDS[0], capabilities=("5G",))
    assert refused.value.params == {"kind": KIND, "capability": "5G"}
    with pytest.raises(MissingField):
        await counter.hold(NUMBERS[0], capabilities=("5G",))
    held = await counter.hold(NUMBERS[0], sim_wish=SimWish(able, TOWN.hall), capabilities=("5G",))
    assert held.body["sim_wish"]["kind_code"] == able


@pytest.mark.parametrize(
    ("number", "kind", "state"),
    [("10690123", NumberKind.SMS_PORT, "FREE"), ("95588", NumberKind.ACCESS_CODE, "IDLE")],
)
async def test_what_no_hall_sells_is_neither_found_nor_held(
    counter: Counter, number: str, kind: NumberKind, state: str
) -> None:
    """REQ-NUM-15, REQ-NUM-16: ports are rented and codes opened by the city company."""
    row = number_row(NUMBERS[0], 500) | {"number": number, "kind": kind.value, "state": state}
    async with counter.database.session() as session, session.begin():
        await session.execute(insert(Number), [row])
    wish = SearchWish(length=len(number))
    async with counter.database.session() as session:
        found = await search_numbers(session, counter.caller, SearchAsk(wish=wish, kind=kind), now=NOW)
    assert found["numbers"] == []
    with pytest.raises(NotSoldInHalls) as refused:
        await counter.hold(number)
    assert refused.value.params == {"number": number}


async def test_unknown_number_and_card_are_named(counter: Counter) -> None:
    with pytest.raises(NotFound):
        await counter.hold("13900000000")
    with pytest.raises(CardUnknown):
        await counter.hold(NUMBERS[0], iccid="89860099999999999999")


async def test_wish_names_something_and_only_one_card(counter: Counter) -> None:
    with pytest.raises(MissingField):
        await counter.hold()
    with pytest.raises(InvalidField):
        await counter.hold(NUMBERS[0], iccid=CARDS[0], sim_wish=SimWish(KIND, TOWN.hall))


async def test_every_data_unit_is_given_once(counter: Counter) -> None:
    """Six units, six kits; the seventh is told that the HLR's pool is empty (REQ-RSV-17)."""
    for number in NUMBERS[:6]:
        await counter.hold(number, sim_wish=SimWish(KIND, TOWN.hall))
    with pytest.raises(NoDataUnit):
        await counter.hold(NUMBERS[6], sim_wish=SimWish(KIND, TOWN.hall))
    assert await rows(counter, "SELECT count(DISTINCT data_no), count(*) FROM hold") == [(6, 6)]


async def test_expired_hold_can_be_claimed_by_another_hall(counter: Counter) -> None:
    """REQ-RSV-04: at its limit the hold is over for everybody at once, swept or not; both events are written."""
    await counter.hold(NUMBERS[0], iccid=CARDS[0])
    later = counter.at(30).by(TOWN.caller(TOWN.hall, interface_no="LJ-HALL-02"))
    taken = await later.hold(NUMBERS[0])
    assert taken.body["state"] == "ACTIVE"
    assert await rows(counter, "SELECT name FROM event WHERE kind = 'number' ORDER BY version") == [
        ("number.held",),
        ("number.expired",),
        ("number.held",),
    ]
    assert await rows(counter, "SELECT state FROM sim WHERE iccid = :i", i=CARDS[0]) == [("AVAILABLE",)]


async def test_expired_hold_with_a_card_in_the_writer_cannot_be_claimed(counter: Counter) -> None:
    """REQ-RSV-15: while a card of the kit is being written the kit stays whose it is."""
    await counter.hold(NUMBERS[0], iccid=CARDS[0])
    await change(counter, "UPDATE hold SET job_id = 1")
    with pytest.raises(NumberNotFree):
        await counter.at(999).hold(NUMBERS[0])


async def test_time_asked_for_may_be_shorter_than_the_policy_and_not_longer(counter: Counter) -> None:
    """REQ-RSV-03: the duration depends on the channel."""
    short = await counter.hold(NUMBERS[0], minutes=5)
    assert short.body["expires_at"] == counter.at(5).now.isoformat()
    with pytest.raises(InvalidField):
        await counter.hold(NUMBERS[1], minutes=31)
    web = await counter.by(TOWN.caller(channel="web")).hold(NUMBERS[1])
    assert web.body["expires_at"] == counter.at(4 * 24 * 60).now.isoformat()


async def test_data_unit_is_found_below_the_random_start_too(counter: Counter) -> None:
    """The search for a unit wraps round: with one unit left at either end, every start finds it."""
    await change(counter, "UPDATE subscription_data SET state = 'BOUND' WHERE data_no NOT IN (0, 5)")
    async with counter.database.session() as session, session.begin():
        await add_data(session, 1, first=100_000)
        await add_sims(session, 1, first_item=50)
    for number in NUMBERS[:3]:
        await counter.hold(number, sim_wish=SimWish(KIND, TOWN.hall))
    assert sorted(await rows(counter, "SELECT data_no FROM hold WHERE city_id = :c", c=CITY)) == [
        (0,),
        (5,),
        (100_000,),
    ]


async def test_own_open_holds_are_listed_the_first_to_end_first_and_nobody_elses(counter: Counter) -> None:
    later = await counter.hold(NUMBERS[0], minutes=20)
    sooner = await counter.hold(NUMBERS[1], minutes=5)
    given_back = await counter.hold(NUMBERS[2])
    await counter.release(given_back.body["hold"])
    await counter.by(replace(counter.caller, staff_no="LJ9999")).hold(NUMBERS[3])

    async def listed(minutes: float) -> list[str]:
        async with counter.database.session() as session:
            found = await read_own_holds(session, counter.caller, now=counter.at(minutes).now)
        return [hold["hold"] for hold in found]

    assert await listed(0) == [sooner.body["hold"], later.body["hold"]]
    assert await listed(6) == [later.body["hold"]]
