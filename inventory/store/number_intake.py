"""Numbers of a list into stock, out of the stage where the rows of a load lie."""

from __future__ import annotations

from typing import Any

from sqlalchemy import TIMESTAMP, BigInteger, ColumnElement, Text, case, func, insert, literal, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import NUMBER
from inventory.store.movements import LedgerRange
from inventory.store.schema import Number
from inventory.store.segments import IntakeTerms
from inventory.store.staging import NUMBERS, at

_ITEMS = NUMBERS.items


async def count_loose(session: AsyncSession) -> int:
    """Return how many staged numbers have no item number in the block of a segment."""
    return await session.scalar(select(func.count()).where(_ITEMS.c.item_no.is_(None))) or 0


async def place_loose(session: AsyncSession, first: int) -> None:
    """Give the loose numbers the item numbers from `first` on, in order of the numbers."""
    loose = (
        select(_ITEMS.c.place, (func.row_number().over(order_by=_ITEMS.c.place) - 1 + first).label("item_no"))
        .where(_ITEMS.c.item_no.is_(None))
        .subquery()
    )
    await session.execute(update(_ITEMS).where(_ITEMS.c.place == loose.c.place).values(item_no=loose.c.item_no))


async def runs(session: AsyncSession) -> list[LedgerRange]:
    """Return the item numbers of the staged numbers as ranges of neighbours, in order."""
    item_no = _ITEMS.c.item_no
    island = (item_no - func.row_number().over(order_by=item_no)).label("island")
    inner = select(item_no, island).subquery()
    lowest = func.min(inner.c.item_no)
    query = select(lowest, func.max(inner.c.item_no)).group_by(inner.c.island).order_by(lowest)
    return [LedgerRange(lo, hi) for lo, hi in await session.execute(query)]


async def enter_numbers(session: AsyncSession, terms: IntakeTerms, *, places: range) -> None:
    """Put the staged numbers at these places into stock, with the keys by which they are searched.

    Those that no hall sells begin in a state of their own, in no pool.
    """
    kind = _ITEMS.c["kind"]
    begun = [(kind == sort, literal(str(life.initial))) for sort, life in NUMBER.lives.items()]
    number: dict[str, ColumnElement[Any]] = {
        "city_id": literal(terms.city_id),
        "state": case(*begun, else_=literal(terms.state)),
        "version": literal(0),
        "holder_id": literal(terms.holder_id, BigInteger),
        "pool": case((kind.in_(NUMBER.lives), null()), else_=literal(terms.pool, Text)),
        "batch_id": literal(terms.batch_id, BigInteger),
        "updated_at": literal(terms.now, TIMESTAMP(timezone=True)),
        "rule_set_id": literal(terms.rule_set_id),
        **{
            name: _ITEMS.c[name]
            for name in ("item_no", "number", "kind", "hlr_code", "outcome", "cls", "tail", "mask", "rev")
        },
    }
    query = select(*number.values()).where(at(NUMBERS, places)).order_by(_ITEMS.c.place)
    await session.execute(insert(Number).from_select(list(number), query))
