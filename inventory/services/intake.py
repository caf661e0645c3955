"""Intake of cards and card data: checked against all that exists, all or nothing, with every fault named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg.errors import UniqueViolation
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import Busy, NotFound
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import DATA_LIFECYCLE, DataEvent, SimEvent
from inventory.domain.loading import CardRow, ImsiRow
from inventory.services.acting import acting
from inventory.services.card_data import ADM_FIELD, SECRET_TABLE
from inventory.store import card_intake, catalogue, loads, movements, organisation, stock
from inventory.store.card_intake import CardTerms, SealedSecrets, StockedCard
from inventory.store.events import EventDraft, record
from inventory.store.loads import COMMITTED, ICCID, IMSI, SERIAL, BatchDraft, FaultRow
from inventory.store.movements import LedgerRange, MovementDraft
from inventory.vault.envelope import Vault

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""

_Named = Mapping[str, Sequence[tuple[int, str]]]
"""Lines and values, by kind of identifier."""

DATA = "data"
"""Resource name of subscription data: the IMSIs that halls write."""

_CODES = ("pin1", "puk1", "pin2", "puk2")


class RowsRefused(Exception):
    """Rows that cannot be taken; the whole load is undone. Stays inside the services."""

    def __init__(self, faults: Sequence[FaultRow]) -> None:
        self.faults = list(faults)
        super().__init__(f"{len(self.faults)} faults")


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a load comes from: name, SHA-256, vendor, and the sale pool its items go to (None: not on sale yet).

    `rejected` is how many rows of it are left out, `figures` what else is kept of it with the load.
    """

    name: str
    sha256: bytes
    vendor: str | None = None
    pool: str | None = None
    rejected: int = 0
    figures: Mapping[str, Any] = field(default_factory=dict)


async def take_cards(
    session: AsyncSession,
    caller: Caller,
    cards: Sequence[CardRow],
    kind_code: str,
    transport_key: str,
    source: Source,
    *,
    vault: Vault,
    now: datetime,
    on_progress: Progress | None,
) -> dict[str, Any]:
    """Put blank cards into the city's stock in the open transaction and return the load and its document.

    Ki and OPc stay as delivered, under the transport key of that index; ADM1, PINs and PUKs are sealed for their row.

    Raises
    ------
    Busy
        Another load is taking one of the cards just now.
    NotFound
        The card product is unknown or closed, or the transport key was never imported.
    RowsRefused
        A card exists already, here or in another city (REQ-SIM-04).
    """
    product = await catalogue.find_card_kind(session, kind_code)
    if product is None or not product.active:
        raise NotFound(what="card kind", value=kind_code)
    if any(card.secrets.ki for card in cards) and not await card_intake.knows_transport_key(session, transport_key):
        raise NotFound(what="transport key", value=transport_key)
    city = await organisation.city_node(session, caller.city_id)
    if city is None:
        raise NotFound(what="organisation", value=caller.city_id)
    cards = _in_order(cards)
    named = {
        ICCID: [(card.row, card.iccid) for card in cards if card.iccid is not None],
        SERIAL: [(card.row, card.serial) for card in cards if card.serial is not None],
    }
    await _claim(session, named, caller.city_id)
    items = await stock.reserve_item_numbers(session, SIM, city_id=caller.city_id, count=len(cards))
    batch_id = await write_batch(session, caller, SIM.name, source, len(cards), {"kind": kind_code}, now=now)
    terms = CardTerms(
        city_id=caller.city_id,
        holder_id=city.id,
        kind_code=kind_code,
        pool=source.pool,
        batch_id=batch_id,
        state=SIM.lifecycle.enter(SimEvent.INTAKE),
        now=now,
    )
    await card_intake.copy_cards(
        session,
        (StockedCard(item_no=no, iccid=card.iccid, serial=card.serial) for no, card in zip(items, cards, strict=True)),
        _sealed(zip(items, cards, strict=True), transport_key, vault, caller.city_id),
        terms,
        on_progress=progress_of(on_progress, len(cards)),
    )
    draft = MovementDraft(
        kind=movements.INTAKE, resource=SIM.name, from_holder=None, to_holder=city.id, batch_id=batch_id
    )
    ranges = [LedgerRange(items.start, items.stop - 1)]
    movement_id = await movements.record_movement(session, draft, ranges, **acting(caller, now))
    return {
        "id": format_public_id("b", caller.city_id, batch_id),
        "movement": format_public_id("m", caller.city_id, movement_id),
        "resource": SIM.name,
        "rows": len(cards),
    }


async def take_data(
    session: AsyncSession,
    caller: Caller,
    units: Sequence[ImsiRow],
    source: Source,
    *,
    now: datetime,
    on_progress: Progress | None,
) -> dict[str, Any]:
    """Put IMSIs into the city's pool of subscription data in the open transaction and return the load (REQ-SIM-15).

    Raises
    ------
    Busy
        Another load is taking one of the IMSIs just now.
    RowsRefused
        An IMSI exists already, here or in another city, or the city has no such HLR.
    """
    named = {IMSI: [(unit.row, unit.imsi) for unit in units]}
    known = {hlr.code for hlr in await catalogue.hlrs_of(session, caller.city_id)}
    faults = [FaultRow(unit.row, "hlr", unit.hlr, "unknown_hlr") for unit in units if unit.hlr not in known]
    if faults:
        raise RowsRefused(await _taken(session, named, caller.city_id) + faults)
    await _claim(session, named, caller.city_id)
    await stock.lock_for_transaction(session, f"data_no/{caller.city_id}")
    first = await card_intake.last_data_no(session, caller.city_id) + 1
    by_hlr = dict(Counter(unit.hlr for unit in units))
    batch_id = await write_batch(session, caller, DATA, source, len(units), {"hlrs": by_hlr}, now=now)
    await card_intake.copy_data_units(
        session,
        sorted((unit.imsi, unit.hlr) for unit in units),
        first=first,
        city_id=caller.city_id,
        batch_id=batch_id,
        state=DATA_LIFECYCLE.enter(DataEvent.INTAKE),
        now=now,
        on_progress=progress_of(on_progress, len(units)),
    )
    load = format_public_id("b", caller.city_id, batch_id)
    return {"id": load, "movement": None, "resource": DATA, "rows": len(units)}


async def _claim(session: AsyncSession, named: _Named, city_id: int) -> None:
    """Enter names in the registry, which holds each once; only when it refuses are those asked for that stand there.

    Raises
    ------
    Busy
        Another load is taking one of them just now.
    RowsRefused
        Some exist already, here or in another city.
    """
    names = ((kind, value) for kind, lines in named.items() for _, value in lines)
    try:
        async with session.begin_nested():
            await card_intake.copy_names(session, names, city_id)
    except UniqueViolation:
        faults = await _taken(session, named, city_id)
        if not faults:
            raise Busy from None
        raise RowsRefused(faults) from None


async def _taken(session: AsyncSession, named: _Named, city_id: int) -> list[FaultRow]:
    """Return a fault for each name that exists already."""
    faults: list[FaultRow] = []
    for kind, lines in named.items():
        values = [value for _, value in lines]
        cities = {found.value: found.city_id for found in await loads.identifiers_taken(session, kind, values)}
        for row, value in lines:
            if value in cities:
                code = "duplicate_in_stock" if cities[value] == city_id else "duplicate_elsewhere"
                faults.append(FaultRow(row, kind, shown(kind, value), code))
    return sorted(faults, key=lambda fault: fault.row)


def shown(kind: str, value: str) -> str:
    """Return what a fault list may show of a name: of an IMSI its network and last two digits (REQ-SEC-03)."""
    return f"{value[:6]}*******{value[-2:]}" if kind == IMSI else value


async def write_batch(
    session: AsyncSession,
    caller: Caller,
    resource: str,
    source: Source,
    count: int,
    figures: dict[str, Any],
    *,
    now: datetime,
) -> int:
    """Write the batch with its event and return its number."""
    draft = BatchDraft(
        resource=resource,
        source=source.name,
        sha256=source.sha256,
        state=COMMITTED,
        vendor=source.vendor,
        rows=count + source.rejected,
        accepted=count,
        rejected=source.rejected,
        figures={**source.figures, **figures, "pool": source.pool},
    )
    batch_id = await loads.add_batch(session, draft, **acting(caller, now))
    data = {"source": source.name, "count": count, **figures}
    event = EventDraft(name=f"{resource}.loaded", kind="load", item_no=batch_id, data=data)
    await record(session, [event], **acting(caller, now))
    return batch_id


def _in_order(cards: Collection[CardRow]) -> list[CardRow]:
    """Give the cards in order of their names, so that a box of consecutive cards has consecutive item numbers."""
    return sorted(cards, key=lambda card: (card.iccid or "", card.serial or ""))


def _sealed(
    cards: Iterable[tuple[int, CardRow]], transport_key: str, vault: Vault, city_id: int
) -> Iterator[tuple[int, SealedSecrets]]:
    """Seal the codes for the card's row; what the vendor encrypted stays as it came. Some cards come without."""
    for item_no, card in cards:
        secrets, row = card.secrets, f"{city_id}/{item_no}"
        if secrets.ki is None or secrets.opc is None or secrets.adm1 is None:
            continue
        codes = {
            name: vault.seal(code.encode(), table=SECRET_TABLE, row=row, field=name)
            for name in _CODES
            if (code := getattr(secrets, name)) is not None
        }
        adm1 = vault.seal(secrets.adm1, table=SECRET_TABLE, row=row, field=ADM_FIELD)
        yield (
            item_no,
            SealedSecrets(transport_key_index=transport_key, ki=secrets.ki, opc=secrets.opc, adm1=adm1, **codes),
        )


def progress_of(on_progress: Progress | None, total: int) -> Callable[[int], None] | None:
    """Give a progress call that knows its total."""
    if on_progress is None:
        return None
    return lambda done: on_progress(done, total)
