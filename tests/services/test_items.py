"""Items are found by name, place, state and what they are; nobody finds what is not theirs."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from inventory.access.permissions import Role
from inventory.domain.errors import DomainError, InvalidField, InvalidIdentifier, NotFound, OutsideScope
from inventory.domain.identifiers import parse_public_id
from inventory.domain.kinds import NUMBER
from inventory.services.items import ItemQuery, read_items
from inventory.services.loading import FileKind
from inventory.services.lookup import Found, Thing, look_up
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.reporting import read_item
from inventory.store import items
from inventory.store.items import ItemFilter
from inventory.store.selection import ByRange
from tests.services.files import iccid, vendor_file
from tests.services.town import CARD, CITY, HLR, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT, OTHER = str(CITY), f"{CITY}-D1", f"{CITY}-D2"
SEGMENT = "1388804"


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the city twenty cards and a segment; cards 0 to 9 lie in a district, 10 and 11 are on their way there."""
    await town.load(vendor_file(range(20)))
    await town.take(SEGMENT)
    for first, last, on_the_way in ((0, 9, False), (10, 11, True)):
        wish = MoveWish(
            verb=Verb.ISSUE,
            resource="sim",
            giver=TOP,
            receiver=DISTRICT,
            selection=ByRange(iccid(first), iccid(last)),
            on_the_way=on_the_way,
        )
        async with town.database.session() as session:
            await move(session, town.admin, fresh_key(), wish, now=NOW)
    return town


async def found(town: Town, resource: str, *, at: str = TOP, **asked: Any) -> list[str]:
    """Give the names that a keeper at the place finds."""
    async with town.database.session() as session:
        query = ItemQuery(resource=resource, **asked)
        page = await read_items(session, town.at(at, Role.DISTRICT_KEEPER), query, limit=1000)
    return [item.name for item in page.items]


async def test_cards_are_found_by_name_range_and_pattern(stocked: Town) -> None:
    """REQ-QRY-01: search by id and range."""
    assert await found(stocked, "sim", name=iccid(7)) == [iccid(7)]
    assert await found(stocked, "sim", name=iccid(7).lower()[:-1] + "?") == [
        iccid(n) for n in range(20) if iccid(n)[:-1] == iccid(7)[:-1]
    ]
    assert await found(stocked, "sim", first=iccid(3), last=iccid(5)) == [iccid(3), iccid(4), iccid(5)]
    assert await found(stocked, "sim", first=f"{3:020X}", last=f"{4:020X}") == [iccid(3), iccid(4)]
    assert len(await found(stocked, "number", name="*8888")) == 1
    assert len(await found(stocked, "number", name=f"{SEGMENT}00")) == 100


async def test_items_are_found_by_where_they_lie(stocked: Town) -> None:
    """REQ-QRY-01: search by holder, with all below it or alone."""
    assert len(await found(stocked, "sim")) == 20
    assert len(await found(stocked, "sim", itself=True)) == 8
    assert len(await found(stocked, "sim", place=DISTRICT)) == 12
    assert await found(stocked, "sim", place=DISTRICT, on_the_way=True) == [iccid(10), iccid(11)]
    assert len(await found(stocked, "sim", place=DISTRICT, on_the_way=False)) == 10


async def test_items_are_found_by_what_they_are(stocked: Town) -> None:
    """REQ-QRY-01, REQ-SIM-13, REQ-SIM-14: state, class, segment, batch, product, capability, HLR."""
    assert len(await found(stocked, "sim", states=("AVAILABLE", "DAMAGED"))) == 20
    assert await found(stocked, "sim", states=("DAMAGED",)) == []
    await stocked.execute("UPDATE sim SET legal_hold = true WHERE iccid = :name", name=iccid(4))
    assert await found(stocked, "sim", legal_hold=True) == [iccid(4)]
    assert len(await found(stocked, "sim", legal_hold=False)) == 19
    assert (len(await found(stocked, "sim", sort=CARD)), await found(stocked, "sim", sort="other")) == (20, [])
    assert len(await found(stocked, "sim", capability="USIM")) == 20
    assert await found(stocked, "sim", capability="5G") == []
    assert await found(stocked, "sim", capability="USIM", sort="other") == []
    assert len(await found(stocked, "sim", batch=f"b-{CITY}-1")) == 20
    assert await found(stocked, "sim", batch="b-110100-1") == []
    assert await found(stocked, "number", number_class=2, name="*8888") == [f"{SEGMENT}8888"]
    assert len(await found(stocked, "number", segment=SEGMENT, sort="mobile", hlr=HLR, name="*99")) == 100
    assert await found(stocked, "number", segment="139") == []


async def test_numbers_are_found_by_the_group_of_their_segments(stocked: Town) -> None:
    """REQ-NUM-12: groups hold segments; number, segment and group lead to each other."""
    await stocked.take("1388801", "1388803", group="北区", listed=True)
    await stocked.take("1388805", listed=True)
    listed = "13888010001\n13888030001\n13888050001\n"
    await stocked.load(listed.encode(), FileKind.NUMBER_LIST, card_kind=None)

    assert await found(stocked, "number", group="北区") == ["13888010001", "13888030001"]
    assert await found(stocked, "number", group="北区", segment="138880300") == ["13888030001"]
    assert await found(stocked, "number", group="北区", segment="1388805") == []
    async with stocked.database.session() as session:
        view = await read_item(session, stocked.admin, resource="number", name="13888030001")
    assert view.segment is not None
    assert (view.segment.prefix, view.segment.group) == ("1388803", "北区")
    with pytest.raises(NotFound):
        await found(stocked, "number", group="南区")
    with pytest.raises(InvalidField):
        await found(stocked, "sim", group="北区")


async def test_pages_follow_each_other_without_gap_or_overlap(stocked: Town) -> None:
    names: list[str] = []
    after: int | None = -1
    while after is not None:
        async with stocked.database.session() as session:
            page = await read_items(session, stocked.admin, ItemQuery(resource="sim"), after=after, limit=7)
        names += [item.name for item in page.items]
        after = page.next_after
    assert names == [iccid(serial) for serial in range(20)]


async def test_what_lies_elsewhere_is_not_found(stocked: Town) -> None:
    """REQ-QRY-01: a keeper's search ends at its own part."""
    assert len(await found(stocked, "sim", at=DISTRICT)) == 12
    assert await found(stocked, "sim", at=OTHER) == []
    with pytest.raises(OutsideScope):
        await found(stocked, "sim", at=OTHER, place=DISTRICT)


async def test_clerk_finds_what_its_hall_has_too(stocked: Town) -> None:
    """A clerk sells from its hall's shelf."""
    hall, clerk = f"{CITY}-H1", f"{CITY}-C1"
    await stocked.execute("UPDATE sim SET holder_id = :hall WHERE item_no = 0", hall=stocked.nodes[hall].id)
    assert await found(stocked, "sim", at=clerk) == [iccid(0)]
    assert await found(stocked, "sim", at=clerk, place=hall) == [iccid(0)]
    assert await found(stocked, "sim", at=clerk, itself=True) == []


@pytest.mark.parametrize(
    ("resource", "asked", "refusal"),
    [
        ("sim", {"name": "x'; --"}, InvalidField),
        ("sim", {"states": ("SOLD",)}, InvalidField),
        ("sim", {"number_class": 1}, InvalidField),
        ("sim", {"segment": "139"}, InvalidField),
        ("number", {"capability": "5G"}, InvalidField),
        ("number", {"segment": "13%"}, InvalidField),
        ("number", {"first": "1"}, InvalidIdentifier),
        ("number", {"batch": "m-530700-1"}, InvalidIdentifier),
        ("car", {}, NotFound),
    ],
)
async def test_condition_that_cannot_be_is_refused(
    town: Town, resource: str, asked: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        await found(town, resource, **asked)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        (" 138 8804-8888", Found(Thing.NUMBER, "13888048888")),
        ("8986 0026 0000 0000 0001", Found(Thing.SIM, "89860026000000000001")),
        ("00ff00ff00ff00ff", Found(Thing.SIM, "00FF00FF00FF00FF")),
        ("10690000000000001", Found(Thing.NUMBER, "10690000000000001")),
        ("M-530700-12", Found(Thing.DOCUMENT, "m-530700-12")),
        ("b-530700-3", Found(Thing.LOAD, "b-530700-3")),
        ("h-530700-4", Found(Thing.HOLD, "h-530700-4")),
        ("L-530700-5", Found(Thing.LEGAL_HOLD, "l-530700-5")),
        (DISTRICT, Found(Thing.PLACE, DISTRICT)),
        ("138*88", Found(Thing.PATTERN, "138*88")),
    ],
)
async def test_one_field_knows_what_was_scanned(town: Town, typed: str, wanted: Found) -> None:
    """REQ-QRY-01: any identifier leads to its thing."""
    async with town.database.session() as session:
        assert await look_up(session, town.admin, typed) == wanted


async def test_nothing_but_signs_is_no_identifier(town: Town) -> None:
    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await look_up(session, town.admin, " -·- ")


async def test_items_of_a_load_are_read_without_walking_the_stock(town: Town) -> None:
    await town.take("1388804", "1388805")
    loaded = await town.take("1388806")
    wanted = ItemFilter(
        holders={town.admin.org_id}, batch_id=parse_public_id(loaded["load"], "b").serial, on_the_way=False
    )
    rows_read = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'number'")

    async with town.database.session() as session, session.begin():
        before = (await session.execute(rows_read)).scalar_one()
        found = await items.list_items(session, NUMBER, wanted, city_id=CITY, after=-1, limit=3)
        read = (await session.execute(rows_read)).scalar_one() - before
    assert [item.name for item in found] == ["13888060000", "13888060001", "13888060002"]
    assert read < 100
