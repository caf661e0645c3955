"""Lists taken along whole: the caller's part, through a cursor of the server, in little memory."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message

from inventory import spooling
from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.errors import NoRoomForList, NotFound, OutsideScope, TooManyLists
from inventory.downloads import download
from inventory.services.approval import without_approval
from inventory.services.documents import DocumentQuery, read_movement
from inventory.services.ending import Ending, EndWish, end
from inventory.services.exporting import (
    Batches,
    Listing,
    delivery_listing,
    document_listing,
    fault_listing,
    fee_change_listing,
    item_listing,
    line_listing,
    stock_listing,
    stocktake_listing,
)
from inventory.services.fees import FeeWish, change_fee
from inventory.services.items import ItemQuery
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.short_lists import (
    approval_listing,
    box_listing,
    bulk_order_listing,
    card_kind_listing,
    hlr_listing,
    legal_hold_listing,
    network_export_listing,
    number_kind_listing,
    reason_listing,
    recall_order_listing,
    stocktakes_listing,
)
from inventory.services.stocktakes import (
    Scan,
    StocktakeWish,
    close_stocktake,
    open_stocktake,
    scan_items,
)
from inventory.sheets import Form
from inventory.store.items import ListedItem
from inventory.store.selection import ByCount, ByName
from inventory.store.streams import BATCH
from tests.patience import PATIENCE
from tests.services.files import iccid, vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key
from tests.waiting import until

pytestmark = [pytest.mark.database, pytest.mark.anyio]

TOP, DISTRICT, OTHER = str(CITY), f"{CITY}-D1", f"{CITY}-D2"
SEGMENT = "1388804"
SECRETS = ("ki", "opc", "adm", "pin", "puk", "key", "password", "imsi")


@pytest.fixture
async def stocked(town: Town) -> Town:
    """Give the city twenty cards and a segment; five numbers went to a district, two cards are on their way there."""
    await town.load(vendor_file(range(20)))
    await town.take(SEGMENT)
    for resource, count, on_the_way in (("number", 5, False), ("sim", 2, True)):
        wish = MoveWish(
            verb=Verb.ISSUE, resource=resource, giver=TOP, receiver=DISTRICT, selection=ByCount(count),
            on_the_way=on_the_way,
        )  # fmt: skip
        async with town.database.session() as session:
            await move(session, town.admin, fresh_key(), wish, now=NOW)
    return town


_HERE = "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database()"
NOBODY_READS = f"{_HERE} AND state LIKE 'idle in transaction%'"
NOBODY_SLEEPS = f"{_HERE} AND query LIKE '%pg_sleep(3600)'"
"""Of this test's database alone: other products may run on the server, and it takes a moment to see who has left."""


async def rows_of(town: Town, listing: Listing, caller: Caller | None = None) -> list[dict[str, Any]]:
    """Give all rows of a list, by column."""
    async with town.database.session() as session:
        batches = listing.open(session, caller or town.admin)
        return [dict(zip(listing.columns, row, strict=True)) async for batch in batches for row in batch]


async def test_items_come_with_where_they_lie(stocked: Town) -> None:
    """REQ-QRY-01: what was searched for can be taken along."""
    rows = await rows_of(stocked, item_listing(ItemQuery(resource="number", place=DISTRICT)))
    assert [row["item"] for row in rows] == [f"{SEGMENT}{serial:04d}" for serial in range(5)]
    assert {(row["holder"], row["state"], row["on_the_way"]) for row in rows} == {(DISTRICT, "UNUSED", False)}


async def test_documents_come_with_both_ends_newest_first(stocked: Town) -> None:
    rows = await rows_of(stocked, document_listing(DocumentQuery()))
    assert [(row["kind"], row["giver"], row["count"]) for row in rows] == [
        ("ISSUE", TOP, 2),
        ("ISSUE", TOP, 5),
        ("INTAKE", None, 10_000),
        ("INTAKE", None, 20),
    ]
    assert len(await rows_of(stocked, document_listing(DocumentQuery(kind="ISSUE", resource="sim")))) == 1
    today = DocumentQuery(first=NOW.date(), last=NOW.date())
    assert len(await rows_of(stocked, document_listing(today))) == 4
    assert await rows_of(stocked, document_listing(DocumentQuery(place=OTHER))) == []


async def test_lines_of_a_document_come_with_their_fees(stocked: Town) -> None:
    """REQ-NUM-06: the fee that stood on the line."""
    issue = next(row for row in await rows_of(stocked, document_listing(DocumentQuery())) if row["count"] == 5)
    rows = await rows_of(stocked, line_listing(issue["document"]))
    items = await rows_of(stocked, item_listing(ItemQuery(resource="number", place=DISTRICT)))
    assert [(row["item"], row["number_class"]) for row in rows] == [(row["item"], row["number_class"]) for row in items]
    assert {row["cash_fee_fen"] for row in rows} == {0}


async def test_list_of_what_goes_back_to_the_vendor_calls_the_cards_as_printed(stocked: Town) -> None:
    """REQ-STK-05: the vendor knows nothing of the mark under which a returned card is kept here."""
    wish = EndWish(
        way=Ending.RETURN_TO_VENDOR, resource="sim", place=TOP, selection=ByName((iccid(5), iccid(6))),
        reason="弯折", reference="RMA-7",
    )  # fmt: skip
    approval = await stocked.approved(wish.way, **without_approval(wish))
    async with stocked.database.session() as session:
        document = (await end(session, stocked.admin, fresh_key(), replace(wish, approval=approval), now=NOW)).body
    rows = await rows_of(stocked, line_listing(document["id"]))
    assert [row["item"] for row in rows] == [iccid(5), iccid(6)]


async def test_slip_names_the_ends_of_each_run_of_items(stocked: Town) -> None:
    """A document of scattered items is a few runs; a run ends where a number is left out."""
    names = tuple(iccid(serial) for serial in (5, 6, 7, 9, 10, 11, 12, 15))
    wish = MoveWish(verb=Verb.ISSUE, resource="sim", giver=TOP, receiver=OTHER, selection=ByName(names))
    async with stocked.database.session() as session:
        issued = (await move(session, stocked.admin, fresh_key(), wish, now=NOW)).body["id"]
        page = await read_movement(session, stocked.admin, public_id=issued)
    assert [(run.first, run.last, run.count) for run in page.runs] == [
        (iccid(5), iccid(7), 3),
        (iccid(9), iccid(12), 4),
        (iccid(15), iccid(15), 1),
    ]


async def test_deliveries_stock_and_fee_changes_come_whole(stocked: Town) -> None:
    """REQ-FEE-03: changes of fees, with both values."""
    assert [(row["count"], row["mine"]) for row in await rows_of(stocked, delivery_listing())] == [(2, False)]
    counted = await rows_of(stocked, stock_listing(resource="number"))
    assert [(row["place"], row["count"], row["own"]) for row in counted] == [(TOP, 10_000, 9995), (DISTRICT, 5, 5)]
    number = f"{SEGMENT}7351"
    async with stocked.database.session() as session:
        wish = FeeWish(number=number, number_class=6, reason="朗朗上口")
        await change_fee(session, stocked.admin, fresh_key(), wish, now=NOW)
    for listing in (fee_change_listing(), fee_change_listing(number=number)):
        [change] = await rows_of(stocked, listing)
        assert (change["number"], change["after_number_class"], change["reason"]) == (number, 6, "朗朗上口")
    assert await rows_of(stocked, fee_change_listing(staff_no="nobody")) == []


async def test_faults_of_a_load_come_whole(town: Town) -> None:
    bad = vendor_file(range(3)).replace(iccid(1).encode(), b"77")
    with pytest.raises(Exception, match="refused"):
        await town.load(bad)
    [fault] = await rows_of(town, fault_listing(f"b-{CITY}-1"))
    assert (fault["row"], fault["column"], fault["code"]) == (13, "iccid", "malformed")


async def test_differences_of_a_stocktake_come_whole(stocked: Town) -> None:
    """REQ-STK-01: what a count found, by kind of difference."""
    seen = Scan(items=tuple(iccid(serial) for serial in (*range(2, 19), 77)))
    async with stocked.database.session() as session:
        wish = StocktakeWish(resource="sim", place=TOP)
        name = (await open_stocktake(session, stocked.admin, fresh_key(), wish, now=NOW)).body["id"]
        await scan_items(session, stocked.admin, fresh_key(), name, seen, now=NOW)
        assert await rows_of(stocked, stocktake_listing(name)) == []
        await close_stocktake(session, stocked.admin, fresh_key(), name, "木某", now=NOW)
    rows = await rows_of(stocked, stocktake_listing(name))
    assert {(row["item"], row["holder"], row["settled"]) for row in rows} == {
        (iccid(19), TOP, False),
        (iccid(77), None, False),
    }


async def test_all_stocktakes_come_batch_by_batch_not_only_those_that_the_page_shows(town: Town) -> None:
    await town.execute(
        "INSERT INTO stocktake (city_id, resource, place_id, with_below, state, after_movement, opened_by,"
        " interface_no, opened_at) SELECT :city, 'sim', :place, false, 'CANCELLED', 0, 'W1', 'I1', :now"
        " FROM generate_series(0, :most)",
        city=CITY, place=town.admin.org_id, now=NOW, most=BATCH,
    )  # fmt: skip
    async with town.database.session() as session, aclosing(stocktakes_listing().open(session, town.admin)) as batches:
        assert [len(list(batch)) async for batch in batches] == [BATCH, 1]


async def test_nobody_takes_along_what_is_not_theirs(stocked: Town) -> None:
    """REQ-IF-04: a list ends at the caller's part."""
    other = stocked.at(OTHER, Role.DISTRICT_KEEPER)
    for listing in (
        item_listing(ItemQuery(resource="sim")),
        document_listing(DocumentQuery()),
        delivery_listing(),
        fee_change_listing(),
        stock_listing(),
    ):
        assert await rows_of(stocked, listing, other) == []
    with pytest.raises(OutsideScope):
        await rows_of(stocked, item_listing(ItemQuery(resource="sim", place=DISTRICT)), other)
    with pytest.raises(NotFound):
        await rows_of(stocked, line_listing(f"m-{CITY}-1"), other)


def test_no_list_has_a_column_for_a_secret() -> None:
    """REQ-SEC-03: keys and codes are in no file."""
    listings = (
        item_listing(ItemQuery(resource="sim")), document_listing(DocumentQuery()), delivery_listing(),
        fee_change_listing(), stock_listing(), line_listing("m-530700-1"), fault_listing("b-530700-1"),
        box_listing(), stocktakes_listing(), recall_order_listing(), legal_hold_listing(), card_kind_listing(),
        hlr_listing(), bulk_order_listing(now=NOW), approval_listing(now=NOW), network_export_listing(),
        reason_listing(), number_kind_listing(),
    )  # fmt: skip
    parts = {part for listing in listings for column in listing.columns for part in column.split("_")}
    assert not parts & set(SECRETS)


async def test_a_long_list_is_never_in_memory(stocked: Town) -> None:
    """Two hundred thousand rows: a cursor of the server, and at most three batches of items at any moment."""
    await stocked.take(*(f"1388{serial:03d}" for serial in range(100, 120)))
    listing, seen, most, cursors = item_listing(ItemQuery(resource="number")), 0, 0, set()
    async with stocked.database.session() as session, aclosing(listing.open(session, stocked.admin)) as batches:
        async for batch in batches:
            seen += sum(1 for _ in batch)
            if seen % (50 * BATCH) == 0:
                most = max(most, sum(isinstance(thing, ListedItem) for thing in gc.get_objects()))
                cursors.add(await session.scalar(text("SELECT count(*) FROM pg_cursors WHERE name <> ''")))
    assert seen == 210_000
    assert 0 < most <= 3 * BATCH
    assert cursors == {1}


async def test_whoever_goes_away_in_the_middle_ends_the_reading(stocked: Town) -> None:
    """A download that nobody takes holds neither a connection nor a cursor."""
    answer = await download(stocked.database, stocked.admin, item_listing(ItemQuery(resource="number")), Form.CSV)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            raise OSError

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {}

    with pytest.raises(ClientDisconnect):
        await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    assert len(sent) == 3
    await until(stocked.database, NOBODY_READS)


@pytest.mark.parametrize("form", Form)
async def test_whoever_hangs_up_while_the_list_is_read_ends_the_reading(stocked: Town, form: Form) -> None:
    """The server tells it by a message and nothing is being sent: a workbook's first byte comes after its last row."""
    reading = asyncio.Event()

    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        del caller
        async with session.begin():
            await session.execute(text("SELECT"))
            yield [("1",)]
            reading.set()
            await session.execute(text("SELECT pg_sleep(3600)"))

    async def send(message: Message) -> None:
        del message

    async def receive() -> Message:
        await reading.wait()
        return {"type": "http.disconnect"}

    async with asyncio.timeout(PATIENCE):
        answer = await download(stocked.database, stocked.admin, Listing("endless", ("item",), rows), form)
        await answer({"type": "http", "asgi": {"spec_version": "2.3"}}, receive, send)
    assert not stocked.database.long_reads.locked()
    await until(stocked.database, NOBODY_SLEEPS)


async def taken(answer: Response, on_piece: Callable[[], Awaitable[None]] | None = None) -> bytes:
    """Take a file along as a client does; `on_piece` is what it does before it takes more."""
    content = b""

    async def send(message: Message) -> None:
        nonlocal content
        content += message.get("body", b"")
        if content and on_piece is not None:
            await on_piece()

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {}

    await answer({"type": "http", "asgi": {"spec_version": "2.4"}}, receive, send)
    return content


async def test_slow_readers_hold_no_connection(stocked: Town) -> None:
    """More of them than the pool has connections, each in the middle of a list: the halls go on, and all get it all."""
    going_on, waiting = asyncio.Event(), asyncio.Semaphore(0)

    async def slow_reader() -> int:
        async def wait() -> None:
            waiting.release()
            await going_on.wait()

        listing = item_listing(ItemQuery(resource="number"))
        answer = await download(stocked.database, stocked.admin, listing, Form.CSV, patience=PATIENCE)
        return (await taken(answer, wait)).count(b"\r\n")

    readers = [asyncio.create_task(slow_reader()) for _ in range(10)]
    async with asyncio.timeout(PATIENCE):
        for _ in readers:
            await waiting.acquire()
    await until(stocked.database, NOBODY_READS)
    going_on.set()
    assert await asyncio.gather(*readers) == [10_001] * 10


async def test_only_so_many_lists_are_read_at_once(stocked: Town) -> None:
    listing = item_listing(ItemQuery(resource="sim"))
    async with stocked.database.long_reads:
        with pytest.raises(TooManyLists):
            await download(stocked.database, stocked.admin, listing, Form.CSV, patience=0)
    answer = await download(stocked.database, stocked.admin, listing, Form.CSV, patience=0)
    assert (await taken(answer)).count(b"\r\n") == 21


async def test_list_that_would_fill_the_disk_is_refused(stocked: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spooling, "_kept_free", lambda size: size + 1)
    for form in Form:
        with pytest.raises(NoRoomForList):
            await download(stocked.database, stocked.admin, item_listing(ItemQuery(resource="sim")), form)
    assert not stocked.database.long_reads.locked()


async def test_list_that_breaks_off_is_not_taken_for_a_whole_one(stocked: Town) -> None:
    async def rows(session: AsyncSession, caller: Caller) -> Batches:
        del session, caller
        yield [("1",)]
        raise NotFound(what="row", value="2")

    with pytest.raises(NotFound):
        await taken(await download(stocked.database, stocked.admin, Listing("broken", ("item",), rows), Form.CSV))
