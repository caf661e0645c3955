"""Large deliveries are taken while they are read, and whatever is wrong with one comes out as for a small one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

from cardwriter.crypto.secret import Secret
from inventory.domain.errors import NotFound
from inventory.services import load_runs, load_stream
from inventory.services.auditing import audit
from inventory.services.card_data import ADM_FIELD, SECRET_TABLE, place_of_secrets
from inventory.services.intake import Progress
from inventory.services.load_runs import LoadRef
from inventory.services.load_standing import read_faults
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.services.loading import cancel_load
from inventory.store import load_runs as stored_runs
from tests.services.files import ADM1, iccid, imsi, vendor_file
from tests.services.test_background_loads import run, started, state
from tests.services.town import CARD, CITY, NOW, POOL, Town

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CARDS = range(11)
"""They come in pieces of three, three, four and one."""
TERMS = LoadTerms(kind=FileKind.SIM_VENDOR, card_kind=CARD, pool=POOL, keep_good=True)
WITH_IMSI = "ICCID/Ser_nb/PIN1/PUK1/ADM1/KI/OPC/IMSI"


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Let small files count as large ones, and tell of each load whether it was taken while it was read."""
    for name, value in (("LARGE", 0), ("_FIRST", 3), ("_MOST", 4), ("_TURN", 2)):
        monkeypatch.setattr(load_stream, name, value)
    told: list[bool] = []

    async def watched(*given: Any) -> Any:
        taken = await load_stream.stream(*given)
        told.append(taken is not None)
        return taken

    monkeypatch.setattr(load_runs, "stream", watched)
    return told


def finished(serials: range) -> bytes:
    """Give a file of cards with an IMSI on each."""
    lines = vendor_file(serials, columns=WITH_IMSI).decode().splitlines()
    head = len(lines) - len(serials)
    return "\n".join([*lines[:head], *(f"{line} {imsi(no)}" for no, line in enumerate(lines[head:])), ""]).encode()


async def book(town: Town, load: LoadRef) -> dict[str, Any]:
    """Give all that a load has written, numbered from its own first item."""
    own = {"batch": load.batch_id}
    questions = {
        "cards": """SELECT item_no - min(item_no) OVER (), state, version, holder_id, pool, iccid, serial, kind_code,
            generation, hlr_code FROM sim WHERE batch_id = :batch ORDER BY item_no""",
        "secrets": """SELECT item_no - min(item_no) OVER (), generation, transport_key_index, ki, opc, scp_enc, row
            FROM card_secret WHERE batch_id = :batch ORDER BY item_no""",
        "names": "SELECT kind, value FROM identifier WHERE kind IN ('iccid', 'serial', 'imsi') ORDER BY kind, value",
        "identities": """SELECT i.imsi, i.hlr_code, i.state, i.auc FROM sim_identity i JOIN sim
            USING (city_id, item_no) WHERE batch_id = :batch ORDER BY item_no""",
        "data": "SELECT imsi, state, hlr_code FROM subscription_data WHERE batch_id = :batch ORDER BY data_no",
        "documents": """SELECT kind, l.hi - l.lo FROM movement m JOIN movement_line l
            USING (city_id, movement_id) WHERE m.batch_id = :batch ORDER BY l.lo""",
        "batch": "SELECT state, rows, accepted, rejected, figures FROM load_batch WHERE batch_id = :batch",
        "event": "SELECT data - 'source' FROM event WHERE name = 'sim.loaded' AND item_no = :batch",
    }
    return {name: [tuple(row) for row in await town.rows(text, **own)] for name, text in questions.items()}


async def faults(town: Town, load: LoadRef) -> list[tuple[int, str, str]]:
    async with town.database.session() as session:
        found = await read_faults(session, town.admin, public_id=f"b-{CITY}-{load.batch_id}", after=0, limit=99)
    return [(fault.row, fault.column, fault.code) for _, fault in found]


@pytest.mark.parametrize("content", [vendor_file(CARDS), finished(CARDS)], ids=["blanks", "finished"])
async def test_delivery_taken_while_it_is_read_stands_in_the_books_as_any_other(
    town: Town, streamed: list[bool], monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    """REQ-SIM-01, REQ-SIM-02: what a load writes does not depend on how it was read."""
    terms = LoadTerms(kind=FileKind.SIM_VENDOR, card_kind=CARD, pool=POOL, hlr="LJ1")
    first = await started(town, content, terms)
    await run(town, first)
    taken = await book(town, first)
    async with town.database.session() as session:
        assert (await audit(session, now=NOW)).ok
    row, sealed = (await town.rows("SELECT row, adm1 FROM card_secret ORDER BY item_no DESC LIMIT 1"))[0]
    place = place_of_secrets(CITY, first.batch_id, row)
    assert town.vault.open(sealed, table=SECRET_TABLE, row=place, field=ADM_FIELD) == Secret(bytes.fromhex(ADM1))
    await town.execute("TRUNCATE sim, identifier, subscription_data, load_batch, movement CASCADE")

    monkeypatch.setattr(load_stream, "LARGE", len(content))
    second = await started(town, content, terms)
    await run(town, second)

    assert streamed == [True]
    assert len(taken["cards"]) == len(CARDS)
    assert await book(town, second) == taken


def _mended(old: str, new: str) -> bytes:
    content = vendor_file(CARDS).decode()
    assert old in content
    return content.replace(old, new, 1).encode()


LAST = 12 + len(CARDS) - 1


@pytest.mark.parametrize(
    ("content", "expected", "in_stock"),
    [
        (_mended(iccid(10), "77"), [(LAST, "iccid", "malformed")], 10),
        (_mended(f" {9:032X} ", " 77 "), [(LAST - 1, "ki", "malformed")], 10),
        (_mended(f" {9:032X} ", f" {9:064X} "), [(LAST - 1, "ki", "other_key_size")], 10),
        (_mended(iccid(10), iccid(9)), [(LAST, "iccid", "duplicate_in_file")], 10),
        (_mended(f" {10:020X} ", f" {2:020X} "), [(LAST, "serial", "duplicate_in_file")], 10),
        (vendor_file(CARDS[::-1]), [], 11),
        (vendor_file(CARDS, quantity=12), [(0, "Quantity", "quantity")], 0),
        (vendor_file(CARDS, quantity=8), [(0, "Quantity", "quantity")], 0),
    ],
    ids=["name", "key", "key size", "repeated", "repeated serial", "falling", "fewer", "more"],
)
async def test_whatever_is_wrong_comes_out_as_for_a_small_file(
    town: Town, streamed: list[bool], content: bytes, expected: list[tuple[int, str, str]], in_stock: int
) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    load = await started(town, content)

    await run(town, load)

    assert streamed == [False]
    assert await faults(town, load) == expected
    assert await town.value("SELECT count(*) FROM sim") == in_stock
    assert await town.value("SELECT count(*) FROM card_secret") == in_stock
    assert await town.value("SELECT count(*) FROM identifier") == 2 * in_stock


async def test_card_that_is_in_stock_is_found_though_it_is_the_last_one(town: Town, streamed: list[bool]) -> None:
    """REQ-SIM-04: nothing stands in stock twice."""
    await town.load(vendor_file([10]))
    load = await started(town, vendor_file(CARDS))

    await run(town, load)

    assert streamed == [False]
    assert await faults(town, load) == [(LAST, name, "duplicate_in_stock") for name in ("iccid", "serial")]
    assert await town.value("SELECT count(*) FROM sim") == len(CARDS)


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Let what is put in be done when a load next tells how far it is, and keep what it told."""
    say = stored_runs.say_progress
    acts: list[Any] = []

    async def say_and_act(*given: Any, **named: Any) -> bool:
        if acts:
            await acts.pop()()
        return await say(*given, **named)

    monkeypatch.setattr(stored_runs, "say_progress", say_and_act)
    yield acts
    assert not acts


async def test_card_that_another_load_registers_meanwhile_is_found(
    town: Town, streamed: list[bool], telling: list[Any]
) -> None:
    """REQ-SIM-04: of two loads with the same card one is told."""
    load = await started(town, vendor_file(CARDS))

    async def register() -> None:
        await town.execute(
            "INSERT INTO identifier (kind, value, city_id) VALUES ('iccid', :value, :city)", value=iccid(7), city=CITY
        )

    telling.append(register)
    await run(town, load)

    assert streamed == [False]
    assert await faults(town, load) == [(19, "iccid", "duplicate_in_stock")]
    assert await town.value("SELECT count(*) FROM sim") == len(CARDS) - 1


async def test_load_that_is_cancelled_between_two_pieces_leaves_nothing(
    town: Town, streamed: list[bool], telling: list[Any]
) -> None:
    load = await started(town, vendor_file(CARDS))

    async def cancel() -> None:
        async with town.database.session() as session:
            await cancel_load(session, town.admin, public_id=f"b-{CITY}-{load.batch_id}", now=NOW)

    telling.append(cancel)
    await run(town, load)

    assert streamed == []
    assert await state(town, load) == "CANCELLED"
    assert await town.value("SELECT count(*) FROM sim") == 0
    assert await town.value("SELECT count(*) FROM identifier") == 0


async def test_load_that_dies_between_two_pieces_is_run_again_and_ends_the_same(
    town: Town, streamed: list[bool], telling: list[Any]
) -> None:
    """REQ-SIM-02: whatever dies on the way, not a row is lost or doubled."""
    load = await started(town, vendor_file(CARDS))

    async def die() -> None:
        raise ConnectionResetError

    telling.append(die)
    with pytest.raises(ConnectionResetError):
        await run(town, load)
    assert await town.value("SELECT count(*) FROM sim") == 0

    await run(town, load)

    assert streamed == [True]
    assert await state(town, load) == "COMMITTED"
    assert await town.value("SELECT count(*) FROM sim") == len(CARDS)


async def test_progress_of_each_piece_is_told(town: Town, streamed: list[bool]) -> None:
    load = await started(town, vendor_file(CARDS))
    told: list[Progress] = []

    async def tell(progress: Progress) -> None:
        told.append(progress)

    async with town.database.session() as session, town.database.session() as aside:
        await load_runs.run_load(session, load, vault=town.vault, now=NOW, tell=tell, aside=aside)

    assert streamed == [True]
    assert told == [Progress("taking", done, len(CARDS)) for done in (4, 8, 11)]


async def test_load_goes_the_other_way_when_no_connection_is_free_to_read_by(town: Town, streamed: list[bool]) -> None:
    """Three loads at once in a process of few connections must not fail for it."""
    load = await started(town, vendor_file(CARDS))
    scarce = create_async_engine(town.database.engine.url, pool_size=1, max_overflow=0, pool_timeout=0.1)

    async with scarce.connect(), AsyncSession(scarce) as aside, town.database.session() as session:
        ended = await load_runs.run_load(session, load, vault=town.vault, now=NOW, aside=aside)
    await scarce.dispose()

    assert (streamed, ended) == ([], "COMMITTED")
    assert await town.value("SELECT count(*) FROM sim") == len(CARDS)


@pytest.mark.parametrize("terms", [TERMS, LoadTerms(kind=FileKind.SIM_VENDOR, card_kind="NONE", pool=POOL)])
async def test_file_refused_as_a_whole_is_refused_with_its_reason(
    town: Town, streamed: list[bool], terms: LoadTerms
) -> None:
    load = await started(town, vendor_file(CARDS, key="77"), terms)

    with pytest.raises(NotFound):
        await run(town, load)

    assert streamed == []
    assert await state(town, load) == "REJECTED"


async def test_trial_takes_nothing(town: Town, streamed: list[bool]) -> None:
    load = await started(town, vendor_file(CARDS), LoadTerms(kind=FileKind.SIM_VENDOR, card_kind=CARD, dry_run=True))

    await run(town, load)

    assert streamed == []
    assert await town.value("SELECT count(*) FROM sim") == 0
