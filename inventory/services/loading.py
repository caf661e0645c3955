"""Loading of delivered files and of single cards: all or nothing, every fault kept (REQ-SIM-01, 02, 04)."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from io import StringIO
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import AlreadyLoaded, DuplicateIdentifier, InvalidField, LoadRejected, NotFound
from inventory.domain.identifiers import format_public_id, parse_chip_serial, parse_iccid, parse_public_id
from inventory.domain.kinds import SIM
from inventory.domain.loading import CardRow, CardSecrets, ImsiRow, VendorFile, read_imsi_pool
from inventory.services.acting import acting
from inventory.services.file_reading import as_text, sorted_out, unfit_columns
from inventory.services.intake import DATA, Progress, RowsRefused, Source, take_cards, take_data
from inventory.services.once import Answer, WriteKey, once, replay
from inventory.store import loads, stock
from inventory.store.engine import is_unique_violation
from inventory.store.loads import DIGEST_CONSTRAINT, REJECTED, Batch, BatchDraft, FaultRow
from inventory.vault.envelope import Vault


class FileKind(StrEnum):
    """What a file holds."""

    SIM_VENDOR = "sim_vendor"
    IMSI_POOL = "imsi_pool"


_RESOURCES = {FileKind.SIM_VENDOR: SIM.name, FileKind.IMSI_POOL: DATA}
_TABLES = {SIM.name: ("sim", "card_secret", "identifier"), DATA: ("subscription_data", "identifier")}


@dataclass(frozen=True, kw_only=True)
class FileWish:
    """A file to load; `card_kind` is the product of a vendor's cards, `pool` the sale pool they go to."""

    kind: FileKind
    name: str
    content: bytes = field(repr=False)
    card_kind: str | None = None
    vendor: str | None = None
    pool: str | None = None


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
    """Load a file whole and answer with the load and its document.

    Raises
    ------
    AlreadyLoaded
        A file with the same content was loaded; nothing has changed.
    Busy
        Another load is taking one of the same items just now.
    InvalidField
        The file is not UTF-8 text, or its card product is not named.
    LoadRejected
        Rows are refused; nothing was taken. All faults are kept with the batch that the refusal names.
    NotFound
        The card product or transport key is unknown.
    """
    resource = _RESOURCES[wish.kind]
    source = Source(name=wish.name, sha256=hashlib.sha256(wish.content).digest(), vendor=wish.vendor, pool=wish.pool)
    if wish.kind is FileKind.SIM_VENDOR and wish.card_kind is None:
        raise InvalidField(field="card_kind", value=None, reason="name the card product of the file")
    async with session.begin():
        earlier = await replay(session, caller, write)
    if earlier is not None:
        return earlier
    await _require_new_file(session, caller, resource, source)
    lines = StringIO(as_text(wish.content))
    if wish.kind is FileKind.SIM_VENDOR:
        file = VendorFile(lines)
        cards, faults = sorted_out(file.rows(), CardRow)
        faults += unfit_columns(file)

        async def work() -> dict[str, Any]:
            key = file.header.transport_key
            return await take_cards(
                session, caller, cards, wish.card_kind or "", key, source, vault=vault, now=now, on_progress=on_progress
            )
    else:
        units, faults = sorted_out(read_imsi_pool(lines), ImsiRow)

        async def work() -> dict[str, Any]:
            return await take_data(session, caller, units, source, now=now, on_progress=on_progress)

    return await _all_or_nothing(session, caller, write, resource, source, faults, work, now=now)


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


async def _all_or_nothing(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    resource: str,
    source: Source,
    faults: Sequence[FaultRow],
    work: Callable[[], Awaitable[dict[str, Any]]],
    *,
    now: datetime,
) -> Answer:
    """Run the intake unless there are faults; with faults, now or on the way, keep them and refuse."""
    found = list(faults)
    if not found:
        try:
            answer = await _intake(session, caller, write, resource, source, work, now=now)
        except RowsRefused as refused:
            found = refused.faults
        else:
            if not answer.replayed:
                async with session.begin():
                    await stock.refresh_statistics(session, _TABLES[resource])
            return answer
    async with session.begin():
        draft = BatchDraft(
            resource=resource,
            source=source.name,
            sha256=source.sha256,
            state=REJECTED,
            vendor=source.vendor,
            rows=len({fault.row for fault in found}),
            accepted=0,
            rejected=len({fault.row for fault in found}),
            figures={"faults": len(found)},
        )
        batch_id = await loads.add_batch(session, draft, **acting(caller, now))
        await loads.add_faults(session, found, city_id=caller.city_id, batch_id=batch_id)
    first = found[0]
    raise LoadRejected(
        rows=draft.rejected,
        first=f"line {first.row}, {first.column}: {first.code}",
        batch=format_public_id("b", caller.city_id, batch_id),
    )


async def _intake(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    resource: str,
    source: Source,
    work: Callable[[], Awaitable[dict[str, Any]]],
    *,
    now: datetime,
) -> Answer:
    async def unhurried() -> dict[str, Any]:
        await stock.allow_long_statements(session)
        return await work()

    try:
        return await once(session, caller, write, unhurried, now=now)
    except IntegrityError as error:
        if not is_unique_violation(error, DIGEST_CONSTRAINT):
            raise
    await _require_new_file(session, caller, resource, source)
    raise AlreadyLoaded(digest=source.sha256.hex(), batch="?")


async def _require_new_file(session: AsyncSession, caller: Caller, resource: str, source: Source) -> None:
    async with session.begin():
        batch_id = await loads.committed_batch(session, city_id=caller.city_id, resource=resource, sha256=source.sha256)
    if batch_id is not None:
        raise AlreadyLoaded(digest=source.sha256.hex(), batch=format_public_id("b", caller.city_id, batch_id))
