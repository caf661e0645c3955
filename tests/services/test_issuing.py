"""Issue and recall of numbers on the real database; the suite over all kinds is test_stock_kinds.py."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import InvalidField, LevelSkipped, MovementRefused, NotEnoughStock, OutsideScope
from inventory.services.documents import read_movement
from inventory.services.loading import FileKind
from inventory.services.moving import MoveWish, Verb, move
from inventory.store import catalogue, kits
from inventory.store.catalogue import CardKindRow
from inventory.store.selection import ByCount, ByName, ByRange
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CITY_CODE, DISTRICT, HALL, CLERK = str(CITY), f"{CITY}-D1", f"{CITY}-H1", f"{CITY}-C1"


async def issued(town: Town, giver: str, receiver: str, selection: ByName | ByRange | ByCount, **changes: Any) -> str:
    """Issue numbers and give the document's id."""
    wish = MoveWish(verb=Verb.ISSUE, resource="number", giver=giver, receiver=receiver, selection=selection, **changes)
    async with town.database.session() as session:
        return str((await move(session, town.admin, fresh_key(), wish, now=NOW)).body["id"])


async def test_taking_a_segment_puts_ten_thousand_rated_numbers_into_the_citys_hands(town: Town) -> None:
    """REQ-NUM-14: a segment is loaded as a whole. REQ-NUM-03: who, when and through which interface are kept."""
    answer = await town.take("1388804")

    assert answer["numbers"] == 10_000
    assert sum(answer["by_class"].values()) == 10_000
    row = (await town.rows("SELECT * FROM number WHERE number = '13888048888'"))[0]
    assert (row.item_no, row.state, row.holder_id, row.cls) == (8888, "UNUSED", town.nodes[CITY_CODE].id, 2)
    assert (row.tail, row.rev, row.mask) == (8888, 88884088831, 0b100011011)
    movement = (await town.rows("SELECT kind, item_count, staff_no, interface_no FROM movement"))[0]
    assert tuple(movement) == ("INTAKE", 10_000, town.admin.staff_no, "IF1")


async def test_issue_goes_to_the_direct_child_with_a_document_that_lists_every_number_and_its_fee(town: Town) -> None:
    """REQ-NUM-06: the document lists every number and its fee. REQ-FEE-01: the line keeps rule and version."""
    await town.take("1388804")

    document = await issued(town, CITY_CODE, DISTRICT, ByRange("13888048880", "13888048889"))

    async with town.database.session() as session:
        page = await read_movement(session, town.admin, public_id=document)
    assert [line.name for line in page.lines] == [f"1388804888{end}" for end in range(10)]
    fees = {line.name: line.fee for line in page.lines if line.fee is not None}
    assert fees["13888048888"]["number_class"] == 2
    assert fees["13888048888"]["rule"] == "M07_RUN4_PRIME"
    assert fees["13888048888"]["rule_set_version"] == 1
    assert fees["13888048888"]["prepay_fen"] == 3_000_000
    assert await town.value("SELECT count(*) FROM movement_line") == 2


async def test_slip_of_a_card_that_was_numbered_in_the_hall_names_it_by_both(town: Town) -> None:
    """REQ-SIM-06: older slips have its serial alone; cards that came with their ICCID are named by that."""
    serials = [f"{no:020X}" for no in (1, 2)]
    async with town.database.session() as session, session.begin():
        kind = CardKindRow("4G-SERIAL", "序列号白卡", "Serial only", "serial_only", 128, ["USIM"], {}, 1000)
        await catalogue.add_card_kind(session, kind)
    await town.load(f"空卡序列号\n{serials[0]}\n{serials[1]}\n".encode(), FileKind.CARD_LIST, card_kind=kind.code)
    await town.load(vendor_file([7]))
    wish = MoveWish(
        verb=Verb.ISSUE, resource="sim", giver=CITY_CODE, receiver=DISTRICT, selection=ByName((*serials, iccid(7)))
    )
    async with town.database.session() as session:
        document = (await move(session, town.admin, fresh_key(), wish, now=NOW)).body["id"]
    async with town.database.session() as session, session.begin():
        card = await kits.find_card(session, city_id=CITY, serial=serials[0])
        assert card is not None
        await kits.register_iccid(session, card, iccid(1))

    async with town.database.session() as session:
        page = await read_movement(session, town.admin, public_id=document)
    assert {(line.name, line.serial) for line in page.lines} == {
        (iccid(1), serials[0]), (serials[1], None), (iccid(7), None),
    }  # fmt: skip


async def test_so_many_of_a_class_are_issued_the_lowest_first(town: Town) -> None:
    """REQ-NUM-05: an issue by rule, as so many numbers of a class that begin so."""
    await town.take("1388804", "1388805")
    of_class = "SELECT number FROM number WHERE number LIKE '1388805%' AND cls = 5 ORDER BY 1 LIMIT 3"
    wanted = [row.number for row in await town.rows(of_class)]

    await issued(town, CITY_CODE, DISTRICT, ByCount(3, "1388805", number_class=5))

    given = "SELECT number FROM number WHERE holder_id = :to ORDER BY 1"
    assert [row.number for row in await town.rows(given, to=town.nodes[DISTRICT].id)] == wanted
    with pytest.raises(NotEnoughStock, match="class 5"):
        await issued(town, CITY_CODE, DISTRICT, ByCount(9_999, number_class=5))


async def test_a_class_is_asked_of_numbers_only(town: Town) -> None:
    wish = MoveWish(
        verb=Verb.ISSUE,
        resource="sim",
        giver=CITY_CODE,
        receiver=DISTRICT,
        selection=ByCount(1, number_class=5),
    )
    async with town.database.session() as session:
        with pytest.raises(InvalidField, match="number_class"):
            await move(session, town.admin, fresh_key(), wish, now=NOW)


async def test_skipping_a_level_is_refused(town: Town) -> None:
    """REQ-SIM-05: issue goes to a direct child only."""
    await town.take("1388804")

    with pytest.raises(LevelSkipped):
        await issued(town, CITY_CODE, HALL, ByCount(1))


async def test_numbers_stop_at_the_sales_point(town: Town) -> None:
    """REQ-NUM-05: numbers have three levels."""
    await town.take("1388804")
    await issued(town, CITY_CODE, DISTRICT, ByCount(10))
    await issued(town, DISTRICT, HALL, ByCount(10))

    with pytest.raises(LevelSkipped):
        await issued(town, HALL, CLERK, ByCount(1))


async def test_one_bad_item_stops_the_whole_document_and_every_bad_one_is_named(town: Town) -> None:
    await town.take("1388804")
    await issued(town, CITY_CODE, DISTRICT, ByName(("13888040001",)))

    with pytest.raises(MovementRefused) as refusal:
        await issued(town, CITY_CODE, DISTRICT, ByName(("13888040002", "13888040001", "13900000000")))

    assert refusal.value.params["count"] == 2
    assert [(item["item"], item["code"]) for item in refusal.value.params["items"]] == [
        ("13888040001", "not_holder"),
        ("13900000000", "not_in_stock"),
    ]
    assert await town.value("SELECT count(*) FROM number WHERE holder_id = :d", d=town.nodes[DISTRICT].id) == 1


async def test_asking_for_more_than_there_is_moves_nothing(town: Town) -> None:
    await town.take("1388804")

    with pytest.raises(NotEnoughStock):
        await issued(town, CITY_CODE, DISTRICT, ByCount(10_001))

    assert await town.value("SELECT count(*) FROM number WHERE holder_id = :d", d=town.nodes[DISTRICT].id) == 0


async def test_recall_returns_numbers_to_the_parent_and_leaves_their_state(town: Town) -> None:
    """REQ-NUM-07: recall to the direct parent with a document. REQ-NUM-08: the state stays."""
    await town.take("1388804")
    await issued(town, CITY_CODE, DISTRICT, ByCount(10))
    wish = MoveWish(
        verb=Verb.RECALL,
        resource="number",
        giver=DISTRICT,
        receiver=CITY_CODE,
        selection=ByCount(4),
        person="和丽",
    )

    async with town.database.session() as session:
        document = (await move(session, town.admin, fresh_key(), wish, now=NOW)).body

    assert (document["kind"], document["count"], document["returner_name"]) == ("RECALL", 4, "和丽")
    rows = await town.rows("SELECT state, version, count(*) FROM number GROUP BY 1, 2")
    assert [tuple(row) for row in rows] == [("UNUSED", 0, 10_000)]
    assert await town.value("SELECT count(*) FROM number WHERE holder_id = :d", d=town.nodes[DISTRICT].id) == 6


async def test_nobody_gives_away_what_lies_outside_his_part(town: Town) -> None:
    await town.take("1388804")
    keeper = town.at(DISTRICT, Role.DISTRICT_KEEPER)
    wish = MoveWish(verb=Verb.ISSUE, resource="number", giver=CITY_CODE, receiver=DISTRICT, selection=ByCount(1))

    async with town.database.session() as session:
        with pytest.raises(OutsideScope):
            await move(session, keeper, fresh_key(), wish, now=NOW)
