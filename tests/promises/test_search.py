"""The pattern search gives what a clerk may hold, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from inventory.domain.errors import InvalidField
from inventory.domain.search import SearchWish, compile_search
from inventory.services import walks
from inventory.services.search import SearchAsk, search_numbers
from inventory.store.engine import Database, connect
from tests.builders_stock import HLR, POOL, RULES, TOWN, add_data, add_numbers, build_town
from tests.conftest import Databases
from tests.promises.conftest import Counter

pytestmark = [pytest.mark.database, pytest.mark.anyio]
STOCK = tuple(f"138888{ending:05d}" for ending in range(0, 100_000, 37)) + tuple(
    f"139{middle:04d}8{middle % 10}8{middle % 10}" for middle in range(400)
)
ORDINARY = next(n for n in STOCK if n.startswith("1388880") and RULES.classify(n).number_class == RULES.ordinary)


async def build_shelves(url: str) -> None:
    """Build the little city with some three thousand numbers of two prefixes."""
    database = connect(url)
    async with database.session() as session, session.begin():
        await build_town(session)
        await add_numbers(session, sorted(set(STOCK)))
        await add_data(session, 1)
    await database.close()


@pytest.fixture(scope="module")
def shelves(databases: Databases, _migrated: str) -> Iterator[str]:
    """Give a database with the numbers in it, to be copied: making them takes longer than searching them."""
    name = "shelves"
    asyncio.run(build_shelves(databases.create(name, template=_migrated)))
    yield name
    databases.drop(name)


@pytest.fixture
async def database(databases: Databases, shelves: str) -> AsyncIterator[Database]:
    """Give the connections to a copy of this test's own."""
    with databases.copy(shelves) as url:
        database = connect(url)
        yield database
        await database.close()


async def page(counter: Counter, *, cursor: str | None = None, limit: int = 20, **wish: Any) -> dict[str, Any]:
    """Give one page of a search."""
    kept = {name: wish.pop(name, None) for name in ("classes", "hlr")}
    ask = SearchAsk(wish=SearchWish(**wish), **kept, limit=limit, cursor=cursor)
    async with counter.database.session() as session:
        return await search_numbers(session, counter.caller, ask, now=counter.now)


async def everything(counter: Counter, **wish: Any) -> list[str]:
    """Give what a search finds on all its pages, in order."""
    found: list[str] = []
    cursor = None
    while True:
        answer = await page(counter, cursor=cursor, limit=50, **wish)
        found += [row["number"] for row in answer["numbers"]]
        cursor = answer["next"]
        if cursor is None:
            return found


WISHES: list[dict[str, Any]] = [
    {},
    {"starts": "139"},
    {"starts": "1388888"},
    {"starts": "138", "ends": "88"},
    {"starts": "1388888", "ends": "8"},
    {"ends": "8888"},
    {"ends": "88888"},
    {"ends": "808", "starts": "13"},
    {"contains": "777"},
    {"letters": "ABAB"},
    {"letters": "AABB"},
    {"letters": "AABBC"},
    {"pattern": "139????8?8?"},
    {"pattern": "138*00"},
    {"without": "4"},
    {"without": "47", "ends": "9"},
    {"ends": "8", "pattern": "139*7"},
]


@pytest.mark.parametrize("org", [TOWN.city, TOWN.clerk])
@pytest.mark.parametrize("wish", WISHES)
async def test_all_pages_together_hold_every_match_once(counter: Counter, wish: dict[str, Any], org: int) -> None:
    """REQ-QRY-01: compared with the predicate on every number in stock, for the whole city and for one counter."""
    query = compile_search(SearchWish(**wish))
    found = await everything(counter.by(TOWN.caller(org)), **wish)
    assert sorted(found) == sorted(n for n in set(STOCK) if query.matches(n))


async def test_a_hall_with_few_of_the_citys_numbers_finds_them_on_its_first_page(counter: Counter) -> None:
    async with counter.database.session() as session, session.begin():
        await session.execute(
            text("UPDATE number SET holder_id = :other WHERE number = ANY (:few)"),
            {"other": TOWN.other_hall, "few": list(STOCK[:3])},
        )
    found = await page(counter.by(TOWN.caller(TOWN.other_hall)))
    assert sorted(row["number"] for row in found["numbers"]) == sorted(STOCK[:3])


async def test_two_clerks_begin_at_different_places(counter: Counter) -> None:
    pages = [tuple(row["number"] for row in (await page(counter, limit=5))["numbers"]) for _ in range(6)]
    assert len(set(pages)) > 1


async def test_search_can_keep_to_classes(counter: Counter) -> None:
    numbers = (await page(counter, classes=frozenset({9})))["numbers"]
    assert {row["number_class"] for row in numbers} == {9}


async def test_search_can_keep_to_the_segment_of_a_finished_card(counter: Counter) -> None:
    """REQ-SIM-17: numbers of its HLR only."""
    assert (await page(counter, hlr=HLR))["numbers"]
    assert not (await page(counter, hlr="elsewhere"))["numbers"]


@pytest.mark.parametrize(
    "spoil",
    [
        "UPDATE number SET pool = NULL WHERE number = :number",
        "UPDATE number SET transit_id = 4 WHERE number = :number",
        "UPDATE number SET state = 'FROZEN' WHERE number = :number",
        "UPDATE number SET holder_id = 5 WHERE number = :number",
        "UPDATE number SET kind = 'iot' WHERE number = :number",
    ],
)
async def test_number_that_cannot_be_held_here_is_not_shown(counter: Counter, spoil: str) -> None:
    async with counter.database.session() as session, session.begin():
        await session.execute(text(spoil), {"number": STOCK[0]})
    assert STOCK[0] not in await everything(counter, starts="1388880")


async def test_held_number_is_not_shown_until_its_hold_is_over(counter: Counter) -> None:
    """REQ-RSV-04: a hold that is over counts as free though nobody has swept it."""
    await counter.hold(ORDINARY)
    assert ORDINARY not in await everything(counter, starts="1388880")
    assert ORDINARY in await everything(counter.at(30), starts="1388880")


async def test_expired_hold_of_a_kit_being_written_is_not_shown(counter: Counter) -> None:
    """REQ-RSV-15: its number is not free."""
    await counter.hold(ORDINARY)
    async with counter.database.session() as session, session.begin():
        await session.execute(text("UPDATE hold SET job_id = 1"))
    assert ORDINARY not in await everything(counter.at(99), starts="1388880")


async def test_numbers_of_an_hlr_without_data_are_flagged(counter: Counter) -> None:
    """REQ-RSV-17: search flags numbers whose HLR pool is empty."""
    assert all(row["data_available"] for row in (await page(counter))["numbers"])
    async with counter.database.session() as session, session.begin():
        await session.execute(text("UPDATE subscription_data SET state = 'RETIRED'"))
    assert not any(row["data_available"] for row in (await page(counter))["numbers"])


async def test_it_is_told_for_which_blanks_data_is_left(counter: Counter) -> None:
    """REQ-RSV-17: a blank without an ICCID needs data that has one, and the other way round."""
    assert {tuple(row["data_for_cards"]) for row in (await page(counter))["numbers"]} == {("with_iccid",)}
    async with counter.database.session() as session, session.begin():
        await session.execute(text("UPDATE subscription_data SET iccid = lpad(data_no::text, 20, '0')"))
    assert {tuple(row["data_for_cards"]) for row in (await page(counter))["numbers"]} == {("without_iccid",)}


async def test_shown_terms_are_those_a_person_set(counter: Counter) -> None:
    async with counter.database.session() as session, session.begin():
        await session.execute(
            text("""INSERT INTO number_fee (city_id, item_no, cls, rule_set_id, terms, change_no)
                    SELECT city_id, item_no, cls, rule_set_id, '{"prepay": 77}', 1 FROM number WHERE number = :n"""),
            {"n": STOCK[0]},
        )
    found = (await page(counter, starts=STOCK[0]))["numbers"]
    assert [row["terms"] for row in found] == [{"prepay": 77}]


async def test_cursor_of_another_search_is_refused(counter: Counter) -> None:
    cursor = (await page(counter, limit=1))["next"]
    with pytest.raises(InvalidField):
        await page(counter, cursor=cursor, ends="88888")


@pytest.mark.parametrize("cursor", ["x", "W10=", "WyJ0IiwiYSIsMSwwLDAsMF0=", "WyJ0IiwxLDEsMCwxMDAwMDAsMF0="])
async def test_cursor_that_nobody_gave_is_refused(counter: Counter, cursor: str) -> None:
    with pytest.raises(InvalidField):
        await page(counter, cursor=cursor)


async def test_other_sale_pools_see_nothing(counter: Counter) -> None:
    assert POOL in counter.caller.pools
    assert await everything(counter.by(TOWN.caller(pools=frozenset({"web"}))), starts="1388880") == []


async def test_search_ends_when_a_page_took_too_many_queries_and_goes_on_from_there(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walks, "_MOST_QUERIES", 1)
    first = await page(counter, contains="99999")
    assert first["next"] is not None
    query = compile_search(SearchWish(contains="99999"))
    assert sorted(await everything(counter, contains="99999")) == sorted(n for n in set(STOCK) if query.matches(n))
