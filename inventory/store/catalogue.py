"""Code tables of HLRs and card products: rows are appended and closed, never changed (REQ-CFG-01)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import CardKind, Hlr


@dataclass(frozen=True)
class HlrRow:
    """A home location register of a city."""

    code: str
    city_id: int
    name: str
    smsc: str
    active: bool = True


@dataclass(frozen=True)
class CardKindRow:
    """A card product; `fee_fen` is what a card costs its customer, `network` what is the same on all its cards.

    `algorithm` names how they authenticate, with its parameters, `max_numbers` how many numbers one of them may serve.
    """

    code: str
    name_zh: str
    name_en: str
    profile: str
    capacity_kb: int
    capabilities: list[str]
    network: dict[str, Any]
    fee_fen: int
    active: bool = True
    algorithm: dict[str, Any] = field(default_factory=lambda: {"name": "milenage"})
    max_numbers: int = 1


_HLR = tuple(getattr(Hlr, name) for name in HlrRow.__dataclass_fields__)


async def find_hlr(session: AsyncSession, code: str) -> HlrRow | None:
    """Return the HLR, closed ones too, or None."""
    row = (await session.execute(select(*_HLR).where(Hlr.code == code))).one_or_none()
    return None if row is None else HlrRow(*row)


async def hlrs_of(session: AsyncSession, city_id: int) -> list[HlrRow]:
    """Return the city's HLRs by code, closed ones too."""
    query = select(*_HLR).where(Hlr.city_id == city_id).order_by(Hlr.code)
    return [HlrRow(*row) for row in await session.execute(query)]


async def open_hlrs(session: AsyncSession, city_id: int) -> frozenset[str]:
    """Return the codes of the city's HLRs for which something may come."""
    return frozenset(await session.scalars(select(Hlr.code).where(Hlr.city_id == city_id, Hlr.active)))


async def close_hlr(session: AsyncSession, code: str) -> None:
    """Let nothing new come for an HLR."""
    await session.execute(update(Hlr).where(Hlr.code == code).values(active=False))


async def find_card_kind(session: AsyncSession, code: str) -> CardKindRow | None:
    """Return the card product, closed ones too, or None."""
    columns = (getattr(CardKind, name) for name in CardKindRow.__dataclass_fields__)
    row = (await session.execute(select(*columns).where(CardKind.code == code))).one_or_none()
    return None if row is None else CardKindRow(*row)


async def open_card_kinds(session: AsyncSession) -> list[CardKindRow]:
    """Return the card products that may be loaded, by code."""
    columns = [getattr(CardKind, name) for name in CardKindRow.__dataclass_fields__]
    rows = await session.execute(select(*columns).where(CardKind.active).order_by(CardKind.code))
    return [CardKindRow(*row) for row in rows]


async def all_card_kinds(session: AsyncSession) -> list[CardKindRow]:
    """Return every card product by code; cards of closed ones are still in stock."""
    columns = [getattr(CardKind, name) for name in CardKindRow.__dataclass_fields__]
    return [CardKindRow(*row) for row in await session.execute(select(*columns).order_by(CardKind.code))]


async def add_hlr(session: AsyncSession, row: HlrRow) -> bool:
    """Append an HLR; False when its code is taken."""
    statement = upsert(Hlr).values(**vars(row)).on_conflict_do_nothing().returning(Hlr.code)
    return (await session.execute(statement)).one_or_none() is not None


async def add_card_kind(session: AsyncSession, row: CardKindRow) -> bool:
    """Append a card product; False when its code is taken."""
    statement = upsert(CardKind).values(**vars(row)).on_conflict_do_nothing().returning(CardKind.code)
    return (await session.execute(statement)).one_or_none() is not None


async def close_card_kind(session: AsyncSession, code: str) -> None:
    """Take a card product off the list of what may be loaded; its cards stay."""
    await session.execute(update(CardKind).where(CardKind.code == code).values(active=False))
