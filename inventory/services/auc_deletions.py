"""Tell the network what to delete: identities of cards that are gone, or whose sale was rolled back (REQ-AUC-01).

No key is in such a file, and nothing of what serves anybody, so one person may make it. What the network says it has
deleted comes back as any of its answers (`auc_answers`); only then may the IMSI go to another card.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.auc import AucForm, deletion_entry, deletion_head
from inventory.domain.errors import NotFound, NothingToDelete
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.services.acting import acting
from inventory.services.auc_exports import ExportFile, checked_form, whole_city
from inventory.services.once import Answer, WriteKey, once
from inventory.store import auc_deletions, catalogue, organisation
from inventory.store.auc_deletions import DeletionRow
from inventory.store.events import EventDraft, record
from inventory.store.stock import allow_long_statements

PREFIX = "xd"
_KIND = "auc_deletion"


@dataclass(frozen=True, kw_only=True)
class DeletionWish:
    """What to tell: in which form, of which HLR (all), at most how many identities."""

    form: str
    hlr: str | None = None
    most: int = 100_000


async def tell_deletions(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: DeletionWish, *, now: datetime
) -> Answer:
    """Put identities that nobody uses any more into a file and answer with it; none is ever in two files.

    Raises
    ------
    InvalidField, NotFound
        There is no such form or HLR, or the number is out of range.
    NothingToDelete
        The network was told of everything already, or others are at work on all that is left.
    OutsideScope
        The caller belongs to a part of the city only.
    """

    async def work() -> dict[str, Any]:
        await whole_city(session, caller)
        form = checked_form(wish.form, wish.most)
        known = {row.code for row in await catalogue.hlrs_of(session, caller.city_id)}
        if wish.hlr is not None and wish.hlr not in known:
            raise NotFound(what="HLR", value=wish.hlr)
        if not await auc_deletions.count_untold(session, city_id=caller.city_id, now=now, hlr_code=wish.hlr):
            raise NothingToDelete
        await allow_long_statements(session)
        deletion_id, count = await auc_deletions.add_deletion(
            session, city_id=caller.city_id, form=form, hlr_code=wish.hlr, most=wish.most, staff_no=caller.staff_no,
            now=now,
        )  # fmt: skip
        if not count:
            raise NothingToDelete
        data = {"form": form.value, "hlr": wish.hlr, "most": wish.most, "count": count}
        draft = EventDraft(name="auc.deletion_told", kind=_KIND, item_no=deletion_id, data=data)
        await record(session, [draft], **acting(caller, now))
        return {"id": format_public_id(PREFIX, caller.city_id, deletion_id), "count": count}

    return await once(session, caller, write, work, now=now)


async def read_deletions(
    session: AsyncSession, caller: Caller, *, now: datetime, most: int | None = auc_deletions.MOST_LISTED
) -> tuple[list[DeletionRow], int]:
    """Return the city's files of deletions, the newest first, and how many identities are in none yet.

    Raises
    ------
    OutsideScope
        The caller belongs to a part of the city only.
    """
    async with session.begin():
        await whole_city(session, caller)
        rows = await auc_deletions.deletions(session, city_id=caller.city_id, limit=most)
        return rows, await auc_deletions.count_untold(session, city_id=caller.city_id, now=now)


async def count_all_untold(session: AsyncSession, *, now: datetime) -> int:
    """Return how many identities of all cities are to be deleted and in no file yet."""
    async with session.begin():
        await allow_long_statements(session)
        every = await organisation.city_ids(session)
        return sum([await auc_deletions.count_untold(session, city_id=city, now=now) for city in every])


async def deletion_file(session: AsyncSession, caller: Caller, public_id: str, *, now: datetime) -> ExportFile:
    """Give a file of deletions with what of it is still to be deleted; every fetch is told of before its first byte.

    Raises
    ------
    InvalidIdentifier, NotFound
        The city has no such file.
    OutsideScope
        The caller belongs to a part of the city only.
    """
    wanted = parse_public_id(public_id, PREFIX, field="deletion")
    async with session.begin():
        await whole_city(session, caller)
        found = await auc_deletions.deletions(session, city_id=caller.city_id, deletion_id=wanted.serial)
        if wanted.city_id != caller.city_id or not found:
            raise NotFound(what="deletion", value=public_id)
    (row,) = found
    form = AucForm(row.form)

    async def pieces(reading: AsyncSession) -> AsyncGenerator[bytes, None]:
        async with reading.begin():
            draft = EventDraft(
                name="auc.deletion_fetched", kind=_KIND, item_no=row.deletion_id, data={"left": row.left}
            )
            await record(reading, [draft], **acting(caller, now))
        async with reading.begin():
            await allow_long_statements(reading)
            yield deletion_head(form).encode()
            gone = auc_deletions.stream_left(reading, city_id=caller.city_id, deletion_id=row.deletion_id, now=now)
            async with aclosing(gone) as batches:
                async for batch in batches:
                    yield "".join(deletion_entry(form, one.imsi, one.iccid, one.hlr_code) for one in batch).encode()

    return ExportFile(f"{public_id}.{form.suffix}", pieces)
