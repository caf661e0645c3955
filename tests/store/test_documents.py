"""Documents of a place: the same ones as by reading them all, and without reading them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from itertools import product

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.documents import DocumentFilter, list_documents, stream_documents
from inventory.store.engine import connect
from inventory.store.load_undo import intake_of

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CITY = 530700
BUSY, MANY = 1, range(100, 300)
NEW, OLD, CLOSED = 7, 8, 9
_FILL = text("""
    INSERT INTO movement (city_id, kind, resource, state, from_holder, to_holder, item_count, staff_no, interface_no,
                          created_at)
    SELECT :city, CASE WHEN n % 50 = 0 THEN 'TRANSFER' ELSE 'ISSUE' END, 'sim', 'ACCEPTED',
           CASE WHEN n IN (5, 9) THEN :old WHEN n <= :documents / 10 THEN :closed
                WHEN n % 7 = 0 THEN 100 + n % 200 ELSE :busy END,
           CASE WHEN n = 6 THEN :old WHEN n > :documents - 3 THEN :new ELSE 100 + n % 193 END, 1, 's', 'i', now()
    FROM generate_series(1, :documents) AS n
""")
_ROWS_READ = text("SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'movement'")


@pytest.fixture
def anyio_backend() -> str:
    """Database tests run on asyncio, as the service does."""
    return "asyncio"


@pytest.fixture
async def session(database_url: str, anyio_backend: str) -> AsyncIterator[AsyncSession]:
    """Give a session on an empty city."""
    del anyio_backend
    database = connect(database_url)
    async with database.session() as session:
        yield session
    await database.close()


async def fill(session: AsyncSession, documents: int) -> None:
    """Fill the city with documents: one place gives nearly all, to two hundred; one gave the oldest tenth."""
    async with session.begin():
        given = {"city": CITY, "busy": BUSY, "new": NEW, "old": OLD, "closed": CLOSED, "documents": documents}
        await session.execute(_FILL, given)
    async with session.begin():
        await session.execute(text("ANALYZE movement"))


async def listed(session: AsyncSession, wanted: DocumentFilter, *, limit: int = 100) -> list[int]:
    """Give the numbers of all documents, asked for page by page."""
    found: list[int] = []
    before: int | None = None
    async with session.begin():
        while page := await list_documents(session, wanted, city_id=CITY, before=before, limit=limit):
            found += [document.movement_id for document in page]
            before = found[-1]
    return found


async def test_pages_give_what_the_whole_list_gives(session: AsyncSession) -> None:
    """REQ-QRY-01: documents by place; giver and receiver alike, each document once, newest first."""
    await fill(session, 2000)
    cases: list[Collection[int] | None] = [
        None,
        {OLD},
        {NEW, OLD},
        {CLOSED},
        {BUSY, OLD},
        set(MANY),
        {BUSY, *MANY},
        set(),
    ]
    for holders, kind in product(cases, (None, "TRANSFER")):
        wanted = DocumentFilter(holders=holders, kind=kind)
        async with session.begin(), aclosing(stream_documents(session, wanted, city_id=CITY)) as batches:
            every = [document.movement_id async for batch in batches for document in batch]
        assert every == sorted(set(every), reverse=True)
        assert await listed(session, wanted) == every, wanted


async def test_page_of_any_place_is_read_without_walking_the_city(session: AsyncSession) -> None:
    documents = 20_000
    await fill(session, documents)
    for holders in ({OLD}, {NEW}, {CLOSED}, {BUSY}, {OLD, *MANY}):
        async with session.begin():
            before = (await session.execute(_ROWS_READ)).scalar_one()
            await list_documents(session, DocumentFilter(holders=holders), city_id=CITY, before=None, limit=20)
            read = (await session.execute(_ROWS_READ)).scalar_one() - before
        assert read < documents / 10, holders


async def test_intake_of_a_load_is_found_without_walking_the_city(session: AsyncSession) -> None:
    documents = 20_000
    await fill(session, documents)
    async with session.begin():
        await session.execute(text("UPDATE movement SET kind = 'INTAKE', batch_id = 5 WHERE movement_id = 9"))
        before = (await session.execute(_ROWS_READ)).scalar_one()
        assert await intake_of(session, city_id=CITY, batch_id=5) == (9, 109)
        assert (await session.execute(_ROWS_READ)).scalar_one() - before < documents / 10
