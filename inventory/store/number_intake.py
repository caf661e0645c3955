"""Numbers of a list into stock: rows of one table, copied straight in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import ARRAY, any_, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.number_keys import number_keys
from inventory.store.copying import copy_rows
from inventory.store.schema import Number
from inventory.store.schema.base import CodeText
from inventory.store.segments import IntakeTerms


@dataclass(frozen=True, kw_only=True)
class StockedNumber:
    """A number about to be stocked, rated: `outcome` is the byte of the rule set in force."""

    item_no: int
    number: str
    kind: str
    hlr_code: str
    outcome: int


async def numbers_in_stock(session: AsyncSession, numbers: Collection[str], *, city_id: int) -> set[str]:
    """Return those of the numbers that the city has (REQ-NUM-04)."""
    wanted = any_(literal(list(numbers), ARRAY(CodeText)))
    return set(await session.scalars(select(Number.number).where(Number.city_id == city_id, Number.number == wanted)))


async def copy_numbers(
    session: AsyncSession,
    numbers: Iterable[StockedNumber],
    terms: IntakeTerms,
    *,
    on_progress: Callable[[int], None] | None,
) -> None:
    """Put the numbers into stock, with the keys by which they are searched."""
    columns = ("city_id", "state", "version", "holder_id", "pool", "batch_id", "updated_at", "rule_set_id")
    same = (terms.city_id, terms.state, 0, terms.holder_id, terms.pool, terms.batch_id, terms.now, terms.rule_set_id)
    await copy_rows(
        session,
        Number.__tablename__,
        (*columns, "item_no", "number", "kind", "hlr_code", "outcome", "cls", "tail", "mask", "rev"),
        (
            (
                *same,
                number.item_no,
                number.number,
                number.kind,
                number.hlr_code,
                number.outcome,
                terms.classes[number.outcome],
                *number_keys(number.number),
            )
            for number in numbers
        ),
        on_progress=on_progress,
    )
