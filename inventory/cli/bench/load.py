"""`haoka bench load`: rows through our store, files through our loader, numbers made by us, each against COPY."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from inventory.cli.bench.copying import SealedSecrets, StockedCard, copy_cards, copy_names
from inventory.cli.bench.engine import Engine
from inventory.cli.bench.ground import Ground, fresh_key
from inventory.cli.bench.report import Measurement, against_raw
from inventory.cli.demo.operator import HLR
from inventory.cli.demo.vendor import CARD_KIND, TRANSPORT_KEY_INDEX
from inventory.domain.identifiers import NumberKind, parse_public_id
from inventory.runtime import utc_now
from inventory.services.load_runs import LoadRef, run_watched
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.services.loading import start_load
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.organisation import HALL_POOL
from inventory.services.uploads import Piece, UploadWish, append, begin_upload
from inventory.store.card_intake import CardTerms
from inventory.store.loads import ICCID, SERIAL
from inventory.store.segments import SIZE

COPY_TARGET, FILE_TARGET, SEGMENTS_TARGET = 0.9, 0.6, 0.8
ROUNDS = 3
"""Both sides take turns so often, the best turn of each counts: whatever else the machine does only slows."""
_CARD_TABLES = ("identifier", "sim", "card_secret")
_LOADED = (*_CARD_TABLES, "number", "segment", "load_batch", "load_fault", "movement", "movement_line", "event")
_ENVELOPE = 39
"""Bytes of a sealed eight-byte code: header, nonce, ciphertext, tag (`inventory.vault.envelope`)."""


async def measure(ground: Ground, *, rows: int, segments: int, rounds: int = ROUNDS) -> AsyncIterator[Measurement]:
    """Load `rows` cards by COPY and from a file, and `segments` of ten thousand numbers."""
    yield await copy_against_copy(ground, rows, rounds=rounds)
    yield await file_against_copy(ground, rows, rounds=rounds)
    yield await segments_against_copy(ground, segments, rounds=rounds)


async def copy_against_copy(ground: Ground, rows: int, *, rounds: int = ROUNDS) -> Measurement:
    """Copy prepared cards, their names and secrets through our store, against `psql`'s binary COPY of the same rows."""
    cards = [_card(number) for number in range(rows)]
    secrets = list(enumerate(_secrets() for _ in range(rows)))
    names = [name for card in cards for name in ((ICCID, str(card.iccid)), (SERIAL, str(card.serial)))]
    terms = CardTerms(
        city_id=ground.caller.city_id,
        holder_id=ground.caller.org_id,
        kind_code=CARD_KIND,
        pool=HALL_POOL,
        batch_id=1,
        state="AVAILABLE",
        now=ground.now,
    )

    async def ours() -> None:
        async with ground.at_once() as session:
            await copy_names(session, names, terms.city_id)
            await copy_cards(session, cards, secrets, terms, on_progress=None)

    times = await _in_turns(ground, ours, _CARD_TABLES, rounds)
    return _measured("load.copy", COPY_TARGET, rows, times)


async def file_against_copy(ground: Ground, rows: int, *, rounds: int = ROUNDS) -> Measurement:
    """Load a vendor's file as a worker does (kept, parsed, checked, sealed, documented), against COPY of its rows."""
    content = _delivery(rows)
    terms = LoadTerms(kind=FileKind.SIM_VENDOR, card_kind=CARD_KIND, vendor="bench", pool=HALL_POOL)

    async def ours() -> None:
        database, caller = ground.database, ground.caller
        async with database.session() as session, database.session() as aside, database.autocommit() as beside:
            wish = UploadWish(name="delivery.out", size=len(content))
            upload = (await begin_upload(session, caller, fresh_key(), wish, now=ground.now)).body["id"]
            await append(session, caller, upload, Piece(offset=0, content=content), vault=ground.vault, now=ground.now)
            begun = await start_load(session, caller, fresh_key(), upload, terms, now=ground.now)
            load = LoadRef(caller.city_id, parse_public_id(begun.body["id"], "b").serial)
            await run_watched(session, aside, beside, load, vault=ground.vault, clock=utc_now)

    times = await _in_turns(ground, ours, _CARD_TABLES, rounds)
    return _measured("load.file", FILE_TARGET, rows, times)


async def segments_against_copy(ground: Ground, segments: int, *, rounds: int = ROUNDS) -> Measurement:
    """Take segments into stock, each number with its class, against binary COPY of the rows of `number`."""
    prefixes = tuple(f"138{place:04d}" for place in range(segments))
    wish = SegmentWish(prefixes=prefixes, kind=NumberKind.MOBILE, carrier="mobile", hlr_code=HLR, pool=HALL_POOL)

    async def ours() -> None:
        async with ground.database.session() as session:
            await take_segments(session, ground.caller, fresh_key(), wish, now=ground.now)

    times = await _in_turns(ground, ours, ("number",), rounds)
    return _measured("load.segments", SEGMENTS_TARGET, segments * SIZE, times)


async def _in_turns(
    ground: Ground, ours: Callable[[], Awaitable[None]], tables: Sequence[str], rounds: int
) -> tuple[float, float]:
    """Let both sides fill the empty tables by turns; return the least seconds of ours and of the raw engine."""
    files: list[tuple[str, Path]] = []
    our_times, raw_times = [], []
    for _ in range(rounds):
        _empty(ground.engine)
        began = time.perf_counter()
        await ours()
        our_times.append(time.perf_counter() - began)
        files = files or [_kept(ground, table) for table in tables]
        _empty(ground.engine)
        raw_times.append(ground.engine.copy_in(*files))
    _empty(ground.engine)
    for _, path in files:
        path.unlink()
    return min(our_times), min(raw_times)


def _empty(engine: Engine) -> None:
    engine.sql(f"TRUNCATE {', '.join(_LOADED)} CASCADE", "CHECKPOINT")


def _kept(ground: Ground, table: str) -> tuple[str, Path]:
    """Keep the rows that our side wrote, in its order, for the raw engine to write the same."""
    path = ground.folder / f"{table}.copy"
    ground.engine.copy_out(table, path)
    return table, path


def _measured(name: str, target: float, rows: int, times: tuple[float, float]) -> Measurement:
    ours, raw = times
    return against_raw(name, target=target, ours=rows / ours, raw=rows / raw, unit="rows/s", rows=rows)


def _card(number: int) -> StockedCard:
    return StockedCard(item_no=number, iccid=f"898600A3{number:012d}", serial=f"{number:020d}")


def _secrets() -> SealedSecrets:
    """Give secrets of the usual sizes, as the loader would hand them to the store."""
    code = os.urandom(_ENVELOPE)
    return SealedSecrets(
        transport_key_index=TRANSPORT_KEY_INDEX,
        ki=os.urandom(16),
        opc=os.urandom(16),
        adm1=code,
        pin1=code,
        puk1=code,
        pin2=code,
        puk2=code,
    )


def _delivery(rows: int) -> bytes:
    """Give a vendor's output file in the classic layout, with invented cards."""
    head = (
        "*HEADER DESCRIPTION",
        f"Quantity: {rows}",
        f"Transport_key: {TRANSPORT_KEY_INDEX}",
        "*OUTPUT VARIABLES",
        "var_Out: ICCID/Ser_nb/PIN1/PUK1/PIN2/PUK2/ADM1/KI/OPC",
    )
    codes = "1234 12345678 5678 87654321 0123456789ABCDEF"
    cards = (f"898600A3{number:012d} {number:020d} {codes} {number:032X} {number:032X}" for number in range(rows))
    return "\n".join((*head, *cards, "")).encode()
