"""Loading of delivered files, of lists and of single cards, every fault kept (REQ-SIM-01, 02, 04, REQ-NUM-02)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import DuplicateIdentifier, InvalidField, NotFound
from inventory.domain.identifiers import parse_chip_serial, parse_iccid, parse_public_id
from inventory.domain.kinds import NUMBER, SIM
from inventory.domain.loading import CardRow, CardSecrets, Reject, parse_columns, reject_text, unpacked
from inventory.services.file_reading import read_card_list, read_number_list, read_pool, read_vendor_file
from inventory.services.intake import DATA, Progress, RowsRefused, Source, take_cards, take_data
from inventory.services.load_runs import LoadRun, require_new_file, run_load
from inventory.services.number_intake import take_numbers
from inventory.services.once import Answer, WriteKey, once, replay
from inventory.services.workbooks import as_list
from inventory.store import loads
from inventory.store.loads import Batch, FaultRow
from inventory.vault.envelope import Vault


class FileKind(StrEnum):
    """What a file holds."""

    SIM_VENDOR = "sim_vendor"
    IMSI_POOL = "imsi_pool"
    CARD_LIST = "card_list"
    NUMBER_LIST = "number_list"


_RESOURCES = {
    FileKind.SIM_VENDOR: SIM.name,
    FileKind.IMSI_POOL: DATA,
    FileKind.CARD_LIST: SIM.name,
    FileKind.NUMBER_LIST: NUMBER.name,
}


@dataclass(frozen=True, kw_only=True)
class FileWish:
    """A file to load; `card_kind` is the product of its cards, `pool` the sale pool they go to.

    `columns` says where the columns of a list are (`iccid=2,serial=卡片编号`) and is stronger than what is guessed.
    `keep_good` takes the good rows and lists the bad ones; `dry_run` checks everything and keeps nothing.
    """

    kind: FileKind
    name: str
    content: bytes = field(repr=False)
    card_kind: str | None = None
    vendor: str | None = None
    pool: str | None = None
    columns: str = ""
    keep_good: bool = False
    dry_run: bool = False


@dataclass(frozen=True, kw_only=True)
class CardWish:
    """A single card to enter by hand, without secrets or with those of its delivery (REQ-SIM-01)."""

    iccid: str | None
    serial: str | None
    card_kind: str
    vendor: str | None = None
    pool: str | None = None
    transport_key: str = ""
    secrets: CardSecrets = field(default_factory=CardSecrets, repr=False)


async def load_file(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    wish: FileWish,
    *,
    vault: Vault,
    now: datetime,
    on_progress: Progress | None = None,
) -> Answer:
    """Load a file, whole unless its good rows alone are wanted, and answer with the load and its document.

    A trial (`dry_run`) answers with what it found instead: `good` and `bad` rows, `columns`, and the first `faults`.

    Raises
    ------
    AlreadyLoaded
        A file with the same content was loaded; nothing has changed.
    Busy
        Another load is taking one of the same items just now.
    InvalidField
        The file is not UTF-8 text, it cannot be unpacked, its card product is not named, or what is said about its
        columns cannot be read.
    LoadRejected
        Rows are refused; nothing was taken. All faults are kept with the batch that the refusal names.
    NotFound
        The card product or transport key is unknown.
    """
    resource = _RESOURCES[wish.kind]
    source = Source(name=wish.name, sha256=hashlib.sha256(wish.content).digest(), vendor=wish.vendor, pool=wish.pool)
    said = parse_columns(wish.columns)
    async with session.begin():
        earlier = await replay(session, caller, write)
    if earlier is not None:
        return earlier
    await require_new_file(session, caller, resource, source)
    run = LoadRun(
        caller=caller,
        write=write,
        resource=resource,
        source=source,
        now=now,
        keep_good=wish.keep_good,
        dry_run=wish.dry_run,
    )
    content = unpacked(wish.content)
    if wish.kind is FileKind.IMSI_POOL:
        units = read_pool(content)
        return await run_load(
            session, run, units, partial(take_data, session, caller, now=now, on_progress=on_progress)
        )
    if wish.kind is FileKind.NUMBER_LIST:
        numbers = read_number_list(as_list(content), said)
        taking = partial(take_numbers, session, caller, now=now, on_progress=on_progress)
        return await run_load(session, run, numbers, taking)
    if wish.kind is FileKind.CARD_LIST:
        cards = read_card_list(as_list(content), said, wish.card_kind)
    else:
        cards = read_vendor_file(content, wish.card_kind)
    product = cards.card_kind
    if product is None:
        raise InvalidField(field="card_kind", value=None, reason="name the card product of the file")

    async def take(rows: Sequence[CardRow], from_source: Source) -> dict[str, Any]:
        return await take_cards(
            session,
            caller,
            rows,
            product,
            cards.transport_key,
            from_source,
            vault=vault,
            now=now,
            on_progress=on_progress,
        )

    return await run_load(session, run, cards, take)


async def enter_card(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: CardWish, *, vault: Vault, now: datetime
) -> Answer:
    """Enter one card and answer with the load and its document.

    Raises
    ------
    DuplicateIdentifier
        The card exists already, here or in another city.
    InvalidField
        It has neither ICCID nor serial, or only a part of its secrets.
    InvalidIdentifier
        ICCID or serial are not well formed.
    NotFound
        The card product or transport key is unknown.
    """
    iccid = None if wish.iccid is None else parse_iccid(wish.iccid).iccid
    serial = None if wish.serial is None else parse_chip_serial(wish.serial, field="serial")
    names = "/".join(filter(None, (iccid, serial)))
    if not names:
        raise InvalidField(field="iccid", value=None, reason="give the ICCID or the chip serial")
    keys = [wish.secrets.ki, wish.secrets.opc, wish.secrets.adm1]
    if any(keys) and not all(keys):
        raise InvalidField(field="secrets", value="partial", reason="give Ki, OPc and ADM1 together, or none")
    card = CardRow(1, iccid, serial, None, None, wish.secrets, ())
    digest = hashlib.sha256(names.encode()).digest()
    source = Source(name=names, sha256=digest, vendor=wish.vendor, pool=wish.pool)

    async def work() -> dict[str, Any]:
        return await take_cards(
            session, caller, [card], wish.card_kind, wish.transport_key, source, vault=vault, now=now, on_progress=None
        )

    try:
        return await once(session, caller, write, work, now=now)
    except RowsRefused as refused:
        fault = refused.faults[0]
        raise DuplicateIdentifier(kind=fault.column, value=fault.value, where=fault.code) from None


async def read_rejects(session: AsyncSession, caller: Caller, *, public_id: str) -> bytes:
    """Return the bad rows of a list in its own form, each with its reasons, to be mended and loaded as a file again.

    Raises
    ------
    InvalidIdentifier
        As for `read_load`.
    NotFound
        There is no such load, or it was no list: the rows of other files may hold secrets and are not kept.
    """
    batch = await read_load(session, caller, public_id=public_id)
    form = batch.figures.get("list")
    if form is None:
        raise NotFound(what="reject file", value=public_id)
    async with session.begin():
        found = await loads.faults_of(session, city_id=batch.city_id, batch_id=batch.batch_id, after=0, limit=None)
    text = reject_text(form["delimiter"], form["header"], (Reject(**vars(fault)) for _, fault in found))
    return text.encode(form["encoding"])


async def read_load(session: AsyncSession, caller: Caller, *, public_id: str) -> Batch:
    """Return a load of the caller's city.

    Raises
    ------
    InvalidIdentifier
        The id is not a load's.
    NotFound
        The city has none with it.
    """
    wanted = parse_public_id(public_id, "b")
    async with session.begin():
        batch = None
        if wanted.city_id == caller.city_id:
            batch = await loads.find_batch(session, city_id=caller.city_id, batch_id=wanted.serial)
    if batch is None:
        raise NotFound(what="load", value=public_id)
    return batch


async def read_faults(
    session: AsyncSession, caller: Caller, *, public_id: str, after: int, limit: int
) -> list[tuple[int, FaultRow]]:
    """Return a page of the faults of a load, with their numbers, behind fault number `after`.

    Raises
    ------
    InvalidIdentifier, NotFound
        As for `read_load`.
    """
    batch = await read_load(session, caller, public_id=public_id)
    async with session.begin():
        return await loads.faults_of(session, city_id=batch.city_id, batch_id=batch.batch_id, after=after, limit=limit)
