"""What the network is told to delete: identities that nobody uses any more, and the files that told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, func, insert, literal, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.lifecycle import AucState, SimState
from inventory.store.ends import GIVEN_BACK, bare
from inventory.store.schema import AucDeletion, SimIdentity
from inventory.store.streams import Stream, in_batches

MOST_LISTED = 100
"""A list shows this many, the newest."""
GONE = (
    SimState.REPLACED, SimState.RETIRED, SimState.SCRAPPED, SimState.WRITTEN_OFF, SimState.RETURNED_TO_VENDOR,
    SimState.VOIDED,
)  # fmt: skip
"""A card in one of these serves nobody again. One that is damaged, lost or disabled may be released yet."""
KNOWN = (AucState.SENT, AucState.CONFIRMED, AucState.FAILED)
"""What the network has, or may have: a lost answer may hide a success."""


@dataclass(frozen=True)
class DeletionRow:
    """A file of deletions: `left` of its `item_count` identities the network has not said that it deleted."""

    deletion_id: int
    form: str
    hlr_code: str | None
    item_count: int
    staff_no: str
    created_at: datetime
    left: int


@dataclass(frozen=True)
class GoneRow:
    """One identity that is to be deleted, and where it is known; a card with a chip serial alone has no ICCID."""

    imsi: str
    iccid: str | None
    hlr_code: str


_STATES = ", ".join(f"'{state}'" for state in GONE)
_UNUSED = f"""
    FROM sim_identity i
    JOIN (
        SELECT item_no, bool_or(gone) AS gone FROM (
            SELECT item_no, TRUE AS gone FROM sim WHERE city_id = :city AND state IN ({_STATES})
            UNION ALL
            SELECT item_no, FALSE FROM sim_identity WHERE city_id = :city AND to_delete
            UNION ALL
            SELECT unnest(rolled_back_cards), FALSE FROM hold
            WHERE city_id = :city AND rolled_back_cards IS NOT NULL AND state IN ('ACTIVE', 'BOOKED')
              AND created_at + make_interval(secs => first_seconds) <= :now
        ) AS found GROUP BY item_no
    ) AS card ON card.item_no = i.item_no
    WHERE i.city_id = :city AND (i.auc = ANY(:known) OR i.to_delete) AND (card.gone OR i.number_item_no IS NULL)
      AND i.imsi NOT LIKE '{GIVEN_BACK}%' AND NOT EXISTS (
          SELECT FROM identifier r WHERE r.kind = 'imsi' AND r.value = i.imsi AND r.city_id <> i.city_id)
"""  # noqa: S608 - a constant
"""Identities that the network has and nobody uses: on cards that are gone; those that keep a hold after a roll back
whose own time is over, for it goes on only for them (docs/adr/0040): from the telling on they serve nobody
(`confirm_sql`); and what was on cards that were replaced, wherever these lie now. An IMSI that is free again, under a
marked name here or with another city, may serve somebody: it is in no file, and in no later fetch of one.

The states stand in the text: only so the planner finds the index on the cards that are gone.
"""
_UNTOLD = f"""
    SELECT i.city_id, i.item_no, i.slot {_UNUSED}
      AND i.deletion_id IS NULL AND (CAST(:hlr AS text) IS NULL OR i.hlr_code = :hlr)
"""
_COUNT = text(f"SELECT count(*) FROM ({_UNTOLD}) AS untold")  # noqa: S608 - a constant
_TELL = text(f"""
    WITH chosen AS ({_UNTOLD} ORDER BY i.item_no, i.slot LIMIT :most FOR NO KEY UPDATE OF i SKIP LOCKED)
    UPDATE sim_identity i SET deletion_id = :deletion
    FROM chosen WHERE i.city_id = chosen.city_id AND i.item_no = chosen.item_no AND i.slot = chosen.slot
""")  # noqa: S608 - a constant
_LEFT = text(f"""
    SELECT i.imsi, s.iccid, i.hlr_code FROM sim s JOIN (SELECT i.* {_UNUSED} AND i.deletion_id = :deletion) AS i
    ON i.city_id = s.city_id AND i.item_no = s.item_no ORDER BY i.item_no, i.slot
""")  # noqa: S608 - a constant


def _unused(city_id: int, now: datetime) -> dict[str, Any]:
    return {"city": city_id, "now": now, "known": [state.value for state in KNOWN]}


async def count_untold(session: AsyncSession, *, city_id: int, now: datetime, hlr_code: str | None = None) -> int:
    """Return how many identities that nobody uses, of an HLR or of all, no file has told the network of yet."""
    return await session.scalar(_COUNT, {**_unused(city_id, now), "hlr": hlr_code}) or 0


async def add_deletion(
    session: AsyncSession,
    *,
    city_id: int,
    form: str,
    hlr_code: str | None,
    most: int,
    staff_no: str,
    now: datetime,
) -> tuple[int, int]:
    """Put up to `most` identities into a new file of deletions, and return its id and how many it has."""
    values = {"city_id": city_id, "form": form, "hlr_code": hlr_code, "item_count": 0, "staff_no": staff_no}
    adding = insert(AucDeletion).values(**values, created_at=now).returning(AucDeletion.deletion_id)
    deletion_id: int = (await session.execute(adding)).scalar_one()
    telling = {**_unused(city_id, now), "hlr": hlr_code, "most": most, "deletion": deletion_id}
    count = (await (await session.connection()).execute(_TELL, telling)).rowcount
    this = (AucDeletion.city_id == city_id, AucDeletion.deletion_id == deletion_id)
    await session.execute(update(AucDeletion).where(*this).values(item_count=count))
    return deletion_id, count


async def deletions(
    session: AsyncSession, *, city_id: int, deletion_id: int | None = None, limit: int | None = MOST_LISTED
) -> list[DeletionRow]:
    """Return the city's files of deletions, the newest first: that with the id, or `limit` of them (None: all)."""
    names = [name for name in DeletionRow.__dataclass_fields__ if name != "left"]
    query = select(*(getattr(AucDeletion, name) for name in names)).where(AucDeletion.city_id == city_id)
    if deletion_id is not None:
        query = query.where(AucDeletion.deletion_id == deletion_id)
    rows = [tuple(row) for row in await session.execute(query.order_by(AucDeletion.deletion_id.desc()).limit(limit))]
    ids = literal([deletion for deletion, *_ in rows], ARRAY(BigInteger))
    counts = await session.execute(
        select(SimIdentity.deletion_id, func.count())
        .where(
            SimIdentity.city_id == city_id,
            SimIdentity.deletion_id == any_(ids),
            or_(SimIdentity.auc != AucState.DELETED, SimIdentity.to_delete),
        )
        .group_by(SimIdentity.deletion_id)
    )
    left: Mapping[int | None, int] = {row[0]: row[1] for row in counts}
    whole: list[tuple[Any, ...]] = [(*row, left.get(row[0], 0)) for row in rows]
    return [DeletionRow(*row) for row in whole]


def stream_left(session: AsyncSession, *, city_id: int, deletion_id: int, now: datetime) -> Stream[GoneRow]:
    """Give what of a file of deletions is still to be deleted, in the order of stock.

    What the network has deleted meanwhile is left out: its IMSI may be another card's by now.
    """
    given = {**_unused(city_id, now), "deletion": deletion_id}
    return in_batches(session, _LEFT.bindparams(**given), _gone)


def _gone(imsi: str, iccid: str | None, hlr_code: str) -> GoneRow:
    return GoneRow(imsi, None if iccid is None else bare(iccid), hlr_code)
