"""Key versions of the vault: seal all under the newest one, count what lies under which, retire what nothing uses.

The keys belong to the installation, not to a city: who has its key file and its database may do this, and the events of
every city tell of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import KeyVersionInUse, NotFound, ReasonMissing
from inventory.services.card_data import place_of_codes, place_of_parts
from inventory.services.stored_file import place_of_part
from inventory.store import auditing, envelopes
from inventory.store.engine import is_retryable
from inventory.store.envelopes import SEALED, Row, SealedTable
from inventory.store.events import EventDraft, record
from inventory.store.stock import allow_long_statements
from inventory.vault.envelope import EnvelopeBroken, Vault
from inventory.vault.keys import FileKeyProvider, UnknownKeyVersion

_SYSTEM = "system"
_POLL_SECONDS = 0.2

Versions: TypeAlias = Mapping[str, Counter[int]]
"""By table: how many envelopes lie under each key version."""
Tell: TypeAlias = Callable[[str, int], None]
"""Is told, after each transaction, of the table and how many of its rows were looked at since the last time."""

_PLACES: Mapping[str, Callable[[Row], str]] = {
    "transport_key": lambda row: str(row["index"]),
    "card_secret": lambda row: place_of_codes(
        city_id=row["city_id"],
        item_no=row["item_no"],
        batch_id=row["batch_id"],
        row=row["row"],
        bound_to=row["bound_to"],
    ),
    "card_issue": lambda row: place_of_parts(row["city_id"], row["job_id"]),
    "upload_part": lambda row: place_of_part(row["city_id"], row["upload_id"], row["start"]),
}
"""By table: what the envelopes of a row are bound to."""


@dataclass
class Rewrapped:
    """What a walk over all envelopes did: rows replaced, places of those that do not open, and the count after it."""

    rows: int = 0
    broken: list[str] = field(default_factory=list)
    versions: Versions = field(default_factory=dict)


async def count_versions(session: AsyncSession) -> Versions:
    """Return how many envelopes of each table lie under each key version."""
    async with session.begin():
        return await _count(session)


async def count_stale(session: AsyncSession, *, vault: Vault) -> int:
    """Return how many rows have an envelope under another version than the newest."""
    async with session.begin():
        await allow_long_statements(session)
        return sum([await envelopes.count_stale(session, sealed, but=vault.current) for sealed in SEALED])


async def tell_rotated(session: AsyncSession, version: int, *, now: datetime) -> None:
    """Write down that a key version was added."""
    async with session.begin():
        await _tell_cities(session, "keys.rotated", version, now=now)


async def rewrap(
    session: AsyncSession, *, vault: Vault, rows: int | None = None, tell: Tell, now: datetime
) -> Rewrapped:
    """Seal under the newest key what lies under older ones, in transactions of at most `rows` rows.

    Services may run meanwhile, and another rewrap: an envelope is only replaced by what was made of exactly it. After
    a kill the next call goes on with what is left. What does not open stays as it is.
    """
    done = Rewrapped()
    before = await count_versions(session)
    for sealed in SEALED:
        while walked := await _walk(session, sealed, vault, rows or sealed.rows, done, tell):
            done.rows += walked  # once more, until nothing is left: others may have brought older ones meanwhile
    async with session.begin():
        done.versions = await _count(session)
        if done.rows:
            data = {"rows": done.rows, "before": _sums(before), "after": _sums(done.versions)}
            await _tell_cities(session, "keys.rewrapped", vault.current, data=data, now=now)
    return done


async def _walk(
    session: AsyncSession, sealed: SealedTable, vault: Vault, rows: int, done: Rewrapped, tell: Tell
) -> int:
    """Go once through a table and return how many of its rows were replaced."""
    place, after, replaced = _PLACES[sealed.name], None, 0
    while True:
        async with session.begin():
            await allow_long_statements(session)
            found = await envelopes.walk(session, sealed, but=vault.current, after=after, rows=rows)
        if not found:
            return replaced
        after = [found[-1][name] for name in sealed.key]
        changes = []
        for row in found:
            try:
                changes.append((row, _resealed(vault, sealed, row, place(row))))
            except EnvelopeBroken as broken:
                if str(broken) not in done.broken:
                    done.broken.append(str(broken))
        try:
            async with session.begin():
                replaced += await envelopes.replace(session, sealed, changes)
        except DBAPIError as error:
            if not is_retryable(error):  # a row that others hold for long stays for the next call
                raise
        tell(sealed.name, len(found))


def _resealed(vault: Vault, sealed: SealedTable, row: Row, place: str) -> dict[str, bytes | None]:
    return {
        name: None if row[name] is None else vault.reseal(row[name], table=sealed.name, row=place, field=name)
        for name in sealed.fields
    }


async def retire(
    session: AsyncSession,
    provider: FileKeyProvider,
    version: int,
    *,
    reason: str,
    now: datetime,
    tell: Callable[[int], None],
) -> None:
    """Destroy a key version that seals nothing any more.

    A transaction that is open may have sealed with it before a newer one came, or copied what is sealed with it, and
    nobody sees that before it ends: all that are open are waited for (`tell` hears how many), then it is counted again.

    Raises
    ------
    InvalidField
        The version is the one that seals.
    KeyVersionInUse
        Something is still sealed under it.
    NotFound
        There is no such version.
    ReasonMissing
        There is none.
    """
    if not reason.strip():
        raise ReasonMissing
    if version not in provider.versions:
        raise NotFound(what="key version", value=version)
    if version != provider.current:
        await _require_unused(session, version)
        await _wait_for_others(session, tell)
        await _require_unused(session, version)
    try:
        provider.retire(version, reason=reason, now=now)
    except UnknownKeyVersion:
        raise NotFound(what="key version", value=version) from None
    async with session.begin():
        await _tell_cities(session, "keys.retired", version, reason=reason, now=now)


async def _require_unused(session: AsyncSession, version: int) -> None:
    used = _sums(await count_versions(session)).get(str(version), 0)
    if used:
        raise KeyVersionInUse(version=version, envelopes=used)


async def _wait_for_others(session: AsyncSession, tell: Callable[[int], None]) -> None:
    async with session.begin():
        waiting = await envelopes.transactions_open(session)
    while waiting:
        tell(len(waiting))
        await asyncio.sleep(_POLL_SECONDS)
        async with session.begin():
            waiting &= await envelopes.transactions_open(session)


async def _count(session: AsyncSession) -> Versions:
    await allow_long_statements(session)
    return {sealed.name: await envelopes.count_by_version(session, sealed) for sealed in SEALED}


def _sums(versions: Versions) -> dict[str, int]:
    """Give how many envelopes lie under each version, as JSON has it."""
    whole = sum(versions.values(), Counter[int]())
    return {str(version): whole[version] for version in sorted(whole)}


async def _tell_cities(
    session: AsyncSession,
    name: str,
    version: int,
    *,
    now: datetime,
    reason: str | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    draft = EventDraft(name=name, kind="key_version", item_no=version, reason=reason, data=data or {})
    for city_id in await auditing.cities(session):
        await record(session, [draft], city_id=city_id, staff_no=_SYSTEM, interface_no=_SYSTEM, now=now)
