"""A legal hold keeps items as they are, wherever they lie, until two persons lift it; it may still come home."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import (
    ApprovalNeeded,
    DomainError,
    IllegalTransition,
    InvalidField,
    LegalHold,
    MissingField,
    MovementRefused,
    NotFound,
    ReasonMissing,
)
from inventory.domain.kinds import KINDS, NUMBER, SIM, ResourceKind
from inventory.domain.lifecycle import NumberState, SimState
from inventory.services import legal_holds
from inventory.services.auditing import audit
from inventory.services.boxes import PackWish, pack
from inventory.services.disputing import Outcome, SettleWish
from inventory.services.ending import Ending, EndWish, end
from inventory.services.legal_holds import (
    LIFT,
    LiftWish,
    PlaceWish,
    lift,
    perform_lift,
    place,
    read_hold,
    read_holds,
    remind,
)
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.reporting import read_history
from inventory.services.status_release import ReleaseWish, release_status
from inventory.store.selection import ByBatch, ByBox, ByName, ByRange, Meant
from inventory.store.stock import move_state
from tests.services.test_disputing import by_both, disputed
from tests.services.test_receiving import send
from tests.services.test_stock_kinds import DISTRICT, HALL, TOP, give, held_by, name, stock_up
from tests.services.town import CITY, NOW, Town, fresh_key
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.anyio]

every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
REFERENCE = "丽公刑〔2026〕7号"


def named(kind: ResourceKind, *serials: int) -> ByName:
    return ByName(tuple(name(kind, serial) for serial in serials))


def wished(kind: ResourceKind, selection: Meant, **changes: Any) -> PlaceWish:
    words: dict[str, Any] = {"reference": REFERENCE, "authority": "丽江市公安局", "reason": "协查"}
    return PlaceWish(
        **{"resource": kind.name, "selection": selection, "given_on": date(2026, 11, 20), **words, **changes}
    )


async def placed(town: Town, kind: ResourceKind, selection: Meant, **changes: Any) -> dict[str, Any]:
    async with town.database.session() as session:
        return (await place(session, town.admin, fresh_key(), wished(kind, selection, **changes), now=NOW)).body


async def granted(town: Town, order: str) -> LiftWish:
    """Give the wish to lift an order, with the second person's word."""
    approval = await town.approved(LIFT, legal_hold=order, reason="结案")
    return LiftWish(legal_hold=order, reason="结案", approval=approval)


async def lifted(town: Town, order: str, wish: LiftWish | None = None) -> dict[str, Any]:
    """Lift an order with the second person's word."""
    wish = wish or await granted(town, order)
    async with town.database.session() as session:
        return (await lift(session, town.admin, fresh_key(), wish, now=NOW)).body


async def marked(town: Town, kind: ResourceKind) -> int:
    return int(await town.value(f"SELECT count(*) FROM {kind.table} WHERE legal_hold"))


async def faults(town: Town) -> list[Any]:
    async with town.database.session() as session:
        return list((await audit(session, now=NOW)).findings)


async def moved(town: Town, verb: Verb, kind: ResourceKind, selection: Meant, giver: str, receiver: str) -> Any:
    wish = MoveWish(verb=verb, resource=kind.name, giver=giver, receiver=receiver, selection=selection)
    async with town.database.session() as session:
        return (await move(session, town.admin, fresh_key(), wish, now=NOW)).body


@every_kind
async def test_item_under_an_order_goes_up_and_nowhere_else(town: Town, kind: ResourceKind) -> None:
    """REQ-LGL-01: it stays in stock wherever it lies; a drawer can be emptied, nothing goes on its way out."""
    await stock_up(town, kind)
    await give(town, kind, ByRange(name(kind, 0), name(kind, 9)))
    await placed(town, kind, named(kind, 3, 4))

    for verb, receiver in ((Verb.ISSUE, HALL), (Verb.TRANSFER, f"{CITY}-D2")):
        with pytest.raises(MovementRefused) as refused:
            await moved(town, verb, kind, named(kind, 2, 3), DISTRICT, receiver)
        assert [(item["item"], item["code"]) for item in refused.value.params["items"]] == [
            (name(kind, 3), "legal_hold")
        ]
    await moved(town, Verb.RECALL, kind, named(kind, 2, 3), DISTRICT, TOP)

    assert await held_by(town, kind, DISTRICT) == 8
    assert await marked(town, kind) == 2
    assert await faults(town) == []


@every_kind
async def test_state_of_an_item_under_an_order_is_set_by_nobody(town: Town, kind: ResourceKind) -> None:
    """REQ-LGL-01: no status release, by which it would be free again or gone."""
    await stock_up(town, kind)
    await placed(town, kind, named(kind, 3))
    target = {"number": "DISABLED", "sim": "DAMAGED"}[kind.name]

    wish = ReleaseWish(resource=kind.name, item=name(kind, 3), to_state=target, reason="r")
    with pytest.raises(LegalHold) as refused:
        async with town.database.session() as session:
            await release_status(session, town.admin, fresh_key(), wish, now=NOW)
    assert refused.value.params == {"field": kind.name, "value": name(kind, 3)}


async def test_item_under_an_order_leaves_the_stock_no_way(town: Town) -> None:
    """REQ-LGL-01: neither scrapped nor lost, written off, returned, void or sealed off, nor brought back from that."""
    await stock_up(town, SIM)
    await placed(town, SIM, named(SIM, 3))
    before = {Ending.SCRAP: "DAMAGED", Ending.FIND: "LOST", Ending.WRITE_OFF: "LOST", Ending.ENABLE: "DISABLED"}
    for way in set(Ending) - {Ending.SEND_TO_CITY}:
        state = before.get(way, "AVAILABLE")
        await town.execute("UPDATE sim SET state = :state WHERE iccid = :name", state=state, name=name(SIM, 3))
        wish = EndWish(
            way=way, resource="sim", place=TOP, selection=named(SIM, 3), reason="r", reference="c",
            handed_in=named(SIM, 3).names,
        )  # fmt: skip
        with pytest.raises(MovementRefused) as refused:
            async with town.database.session() as session:
                await end(session, town.admin, fresh_key(), wish, now=NOW)
        assert refused.value.params["items"][0]["code"] == "legal_hold"


async def test_disputed_card_under_an_order_is_not_settled_as_lost(town: Town) -> None:
    """REQ-LGL-01: it may come or go back, as both sides sign; nobody is asked for a word that could not be used."""
    await stock_up(town, SIM)
    case = await disputed(town, await send(town, SIM), ByRange(name(SIM, 7), name(SIM, 9)))
    await placed(town, SIM, named(SIM, 8))

    wish = SettleWish(dispute=case["id"], outcome=Outcome.LOST, reason="复核")
    with pytest.raises(MovementRefused) as refused:
        await by_both(town, wish)
    assert [(item["item"], item["code"]) for item in refused.value.params["items"]] == [(name(SIM, 8), "legal_hold")]
    assert (await by_both(town, replace(wish, outcome=Outcome.BACK)))["count"] == 3


@every_kind
async def test_order_lies_on_items_in_any_state(town: Town, kind: ResourceKind) -> None:
    """REQ-LGL-01: sold ones too, and ranges as one line."""
    await stock_up(town, kind)
    await town.execute(f"UPDATE {kind.table} SET state = 'IN_USE' WHERE {kind.key} = :name", name=name(kind, 5))

    order = await placed(town, kind, ByRange(name(kind, 3), name(kind, 12)))

    assert (order["count"], order["state"]) == (10, "IN_FORCE")
    assert await town.value("SELECT count(*) FROM legal_order_line") == 1
    async with town.database.session() as session:
        page = await read_hold(session, town.admin, order["id"])
    assert [(item.name, item.state) for item, _ in page.items][2] == (name(kind, 5), "IN_USE")


async def test_order_lies_on_what_is_in_a_box(town: Town) -> None:
    await stock_up(town, SIM)
    async with town.database.session() as session:
        wish = PackWish(resource="sim", place=TOP, code="K1", selection=ByRange(name(SIM, 20), name(SIM, 29)))
        await pack(session, town.admin, fresh_key(), wish, now=NOW)
    assert (await placed(town, SIM, ByBox(("K1",))))["count"] == 10


@every_kind
async def test_order_is_lifted_by_two_and_its_items_sell_again(town: Town, kind: ResourceKind) -> None:
    """REQ-LGL-01: the one who asks does not answer; what was placed is what is lifted."""
    await stock_up(town, kind)
    order = (await placed(town, kind, named(kind, 3, 4)))["id"]
    with pytest.raises(ApprovalNeeded) as needed:
        async with town.database.session() as session:
            await lift(session, town.admin, fresh_key(), LiftWish(legal_hold=order, reason="结案"), now=NOW)
    demand = needed.value.demand
    assert demand is not None
    assert REFERENCE not in str(demand.summary)  # events of approvals go to other systems
    assert await marked(town, kind) == 2

    done = await lifted(town, order)

    assert (done["state"], done["items_freed"], done["lifted_with"]) == ("LIFTED", 2, f"{CITY}second")
    assert await marked(town, kind) == 0
    await give(town, kind, named(kind, 3, 4))
    with pytest.raises(IllegalTransition):
        await lifted(town, order)
    assert await faults(town) == []


async def test_item_stays_under_the_other_order_that_lies_on_it(town: Town) -> None:
    """REQ-LGL-01: several may lie on one item; only with the last one is it free."""
    await stock_up(town, NUMBER)
    first = (await placed(town, NUMBER, ByRange(name(NUMBER, 0), name(NUMBER, 9))))["id"]
    second = (await placed(town, NUMBER, named(NUMBER, 4, 5, 40), reference="8"))["id"]

    assert (await lifted(town, first))["items_freed"] == 8
    assert await marked(town, NUMBER) == 3
    async with town.database.session() as session:
        assert [(order.reference, order.state) for order in await read_holds(session, town.admin)] == [
            ("8", "IN_FORCE"),
            (REFERENCE, "LIFTED"),
        ]
    assert (await lifted(town, second))["items_freed"] == 3
    assert await faults(town) == []


async def two_lifts_at_once(town: Town) -> int:
    """Lift both orders on an item, the second while the first is not committed; give how many items stay marked."""
    await stock_up(town, NUMBER)
    first, second = [(await placed(town, NUMBER, named(NUMBER, 4), reference=no))["id"] for no in ("7", "8")]
    wishes = [await granted(town, order) for order in (first, second)]
    async with town.database.session() as session, session.begin():
        await perform_lift(session, town.admin, wishes[0], now=NOW)
        other = asyncio.create_task(lifted(town, second, wishes[1]))
        await until_locked(town.database, unless=other)
    await other
    return await marked(town, NUMBER)


async def test_of_two_orders_lifted_at_once_the_second_frees_the_item(town: Town) -> None:
    """REQ-LGL-01: nothing stays under an order that is gone."""
    assert await two_lifts_at_once(town) == 0
    assert await faults(town) == []


async def test_canary_that_does_not_wait_leaves_the_item_marked(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    async def unguarded(*_: Any) -> None:
        """Let both go on."""

    monkeypatch.setattr(legal_holds, "_lock", unguarded)
    assert await two_lifts_at_once(town) == 1
    assert {fault["check"] for fault in await faults(town)} == {"legal_hold_astray"}


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [(NUMBER, NumberState.IN_USE, NumberState.PORTED_OUT), (SIM, SimState.IN_USE, SimState.REPLACED)],
    ids=list(KINDS),
)
async def test_whatever_moves_a_state_asks_for_the_mark(
    town: Town, kind: ResourceKind, before: str, after: str
) -> None:
    """REQ-LGL-01: port, replacement and what is still to come are blocked; what is found out about an item is not."""
    await stock_up(town, kind)
    await placed(town, kind, named(kind, 3))
    await town.execute(f"UPDATE {kind.table} SET state = '{before}' WHERE {kind.key} = :name", name=name(kind, 3))
    item_no = await town.value(f"SELECT item_no FROM {kind.table} WHERE legal_hold")

    async def moves(*, despite_order: bool) -> bool:
        async with town.database.session() as session, session.begin():
            return await move_state(
                session, kind, city_id=CITY, item_no=item_no, from_state=before, version=0, to_state=after, now=NOW,
                despite_order=despite_order,
            )  # fmt: skip

    assert not await moves(despite_order=False)
    assert await moves(despite_order=True)


async def test_review_is_told_once_and_lifts_nothing(town: Town) -> None:
    """REQ-LGL-01: a date makes an event, two persons lift."""
    await stock_up(town, SIM)
    await placed(town, SIM, named(SIM, 3), review_on=date(2026, 11, 23))

    async def reminded(day: int) -> int:
        async with town.database.session() as session:
            return await remind(session, now=NOW.replace(day=day))

    assert [await reminded(22), await reminded(23), await reminded(24)] == [0, 1, 0]
    assert await town.value("SELECT count(*) FROM event WHERE name = 'sim.legal_hold_review_due'") == 1
    assert await marked(town, SIM) == 1


async def life(town: Town, caller: Caller) -> list[tuple[str, str | None, str | None]]:
    async with town.database.session() as session:
        entries = await read_history(session, caller, resource="sim", name=name(SIM, 3))
    return [(entry.what, entry.order_ref, entry.reason) for entry in entries if "legal" in entry.what]


async def test_life_of_the_item_tells_of_the_order_and_its_words_to_who_may_read_them(town: Town) -> None:
    """REQ-LGL-01, REQ-SIM-08: the hall learns that, the city whose."""
    await stock_up(town, SIM)
    await give(town, SIM, named(SIM, 3))
    await lifted(town, (await placed(town, SIM, named(SIM, 3)))["id"])

    assert await life(town, town.admin) == [
        ("sim.legal_hold_placed", REFERENCE, "丽江市公安局: 协查"),
        ("sim.legal_hold_lifted", REFERENCE, "结案"),
    ]
    assert await life(town, town.at(DISTRICT, Role.DISTRICT_KEEPER)) == [
        ("sim.legal_hold_placed", None, None),
        ("sim.legal_hold_lifted", None, None),
    ]


async def test_order_with_something_wrong_is_refused_whole(town: Town) -> None:
    await stock_up(town, SIM)
    good = wished(SIM, named(SIM, 3))
    cases: tuple[tuple[PlaceWish, type[DomainError]], ...] = (
        (replace(good, reason=" "), ReasonMissing),
        (replace(good, reference=" "), MissingField),
        (replace(good, authority=""), MissingField),
        (replace(good, given_on=date(2026, 11, 23)), InvalidField),
        (replace(good, review_on=date(2026, 11, 20)), InvalidField),
        (replace(good, selection=ByBatch(f"b-{CITY}-1")), InvalidField),
        (replace(good, selection=named(SIM, 3, 500)), NotFound),
        (replace(good, selection=ByRange(name(SIM, 500), name(SIM, 600))), NotFound),
    )
    for wish, refusal in cases:
        with pytest.raises(refusal):
            async with town.database.session() as session:
                await place(session, town.admin, fresh_key(), wish, now=NOW)
    assert await marked(town, SIM) == 0
    assert await town.value("SELECT count(*) FROM legal_order") == 0
