"""A load stands for what of it lies there: moved, signed for, disputed and blocked by its id."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.domain.errors import InvalidIdentifier, MovementRefused, NotFound, NothingOfLoad
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import KINDS, SIM, ResourceKind
from inventory.services.approval import without_approval
from inventory.services.boxes import PackWish, pack
from inventory.services.disputing import SETTLE, Outcome, SettleWish
from inventory.services.ending import Ending, EndWish, end
from inventory.services.receiving import Signature, accept
from inventory.store.selection import ByBatch, ByRange
from tests.services.files import iccid, vendor_file
from tests.services.test_disputing import by_both, disputed
from tests.services.test_receiving import keeper
from tests.services.test_stock_kinds import DISTRICT, TOP, give, held_by, name, stock_up
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.fixture
async def loads(town: Town) -> tuple[str, str]:
    """Load ten cards and five others; give the ids of the two loads."""
    first = await town.load(vendor_file(range(10)))
    second = await town.load(vendor_file(range(20, 25)))
    return str(first["id"]), str(second["id"])


async def issued(town: Town, load: str, **changes: Any) -> Any:
    return await give(town, SIM, ByBatch(load), giver=TOP, receiver=DISTRICT, **changes)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
async def test_a_load_is_issued_as_far_as_the_giver_holds_it(town: Town, kind: ResourceKind) -> None:
    await stock_up(town, kind)
    load = format_public_id("b", CITY, await town.value("SELECT max(batch_id) FROM load_batch"))
    loaded = await held_by(town, kind, TOP)
    await give(town, kind, ByRange(name(kind, 0), name(kind, 3)), giver=TOP, receiver=DISTRICT)

    document = await give(town, kind, ByBatch(load), giver=TOP, receiver=DISTRICT)

    assert (document["count"], await held_by(town, kind, TOP)) == (loaded - 4, 0)
    with pytest.raises(NothingOfLoad):
        await give(town, kind, ByBatch(load), giver=TOP, receiver=DISTRICT)


async def test_a_load_leaves_the_others_where_they_are(town: Town, loads: tuple[str, str]) -> None:
    assert (await issued(town, loads[1]))["count"] == 5
    assert await held_by(town, SIM, TOP) == 10


async def test_a_load_of_which_a_card_may_not_move_does_not_go_at_all(town: Town, loads: tuple[str, str]) -> None:
    await town.execute("UPDATE sim SET state = 'IN_USE' WHERE iccid = :iccid", iccid=iccid(22))

    with pytest.raises(MovementRefused) as refusal:
        await issued(town, loads[1])

    assert [item["item"] for item in refusal.value.params["items"]] == [iccid(22)]
    assert await held_by(town, SIM, DISTRICT) == 0


@pytest.mark.parametrize("load", ["b-530700-99999", "b-110000-1"])
async def test_a_load_that_the_city_has_not_is_not_found(town: Town, load: str) -> None:
    with pytest.raises(NotFound):
        await issued(town, load)


async def test_a_load_of_another_kind_or_another_id_is_refused(town: Town) -> None:
    numbers = await town.take("1388804")
    with pytest.raises(NotFound):
        await issued(town, numbers["load"])
    with pytest.raises(InvalidIdentifier):
        await issued(town, "m-530700-1")


async def test_of_a_delivery_one_load_is_signed_for(town: Town, loads: tuple[str, str]) -> None:
    document = await give(town, SIM, ByRange(iccid(8), iccid(22)), giver=TOP, receiver=DISTRICT, on_the_way=True)
    signature = Signature(movement=document["id"], selection=ByBatch(loads[1]), person="和")

    async with town.database.session() as session:
        receipt = (await accept(session, keeper(town), fresh_key(), signature, now=NOW)).body

    assert (document["count"], receipt["count"], receipt["parent_state"]) == (5, 3, "PARTLY_ANSWERED")


async def test_a_load_is_disputed_and_settled_at_once(town: Town, loads: tuple[str, str]) -> None:
    document = await issued(town, loads[0], on_the_way=True)
    case = await disputed(town, document["id"], ByBatch(loads[0]))
    wish = SettleWish(dispute=case["id"], outcome=Outcome.BACK, selection=ByBatch(loads[0]), reason="复核")

    settled = await by_both(town, wish)

    assert (case["count"], settled["count"], await held_by(town, SIM, TOP)) == (10, 10, 15)
    assert SettleWish.of(without_approval(wish)) == wish, SETTLE


async def test_a_load_is_blocked_at_once_by_one(town: Town, loads: tuple[str, str]) -> None:
    wish = EndWish(way=Ending.DISABLE, resource="sim", place=TOP, selection=ByBatch(loads[0]), reason="厂家召回")
    async with town.database.session() as session:
        await end(session, town.admin, fresh_key(), wish, now=NOW)

    assert await town.rows("SELECT state, count(*) FROM sim GROUP BY state ORDER BY state") == [
        ("AVAILABLE", 5),
        ("DISABLED", 10),
    ]


async def test_a_load_is_packed_into_a_box(town: Town, loads: tuple[str, str]) -> None:
    wish = PackWish(resource="sim", place=TOP, code="B1", selection=ByBatch(loads[1]))
    async with town.database.session() as session:
        assert (await pack(session, town.admin, fresh_key(), wish, now=NOW)).body["count"] == 5
