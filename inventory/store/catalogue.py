"""Code tables of HLRs and card products: rows are appended and closed, never changed (REQ-CFG-01)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import CardKind, Hlr


@dataclass(frozen=True)
class HlrRow:
    """A home location register of a city."""

    code: str
    city_id: int
    name: str
    smsc: str


@dataclass(frozen=True)
class CardKindRow:
    """A card product; `fee_fen` is what a card costs its customer, `network` what is the same on all its cards."""

    code: str
    name_zh: str
    name_en: str
    profile: str
    capacity_kb: int
    capabilities: list[str]
    network: dict[str, Any]
    fee_fen: int
    active: bool = True


async def find_hlr(session: AsyncSession, code: str) -> HlrRow | None:
    """Return the HLR, or None."""
    row = (
        await session.execute(select(Hlr.code, Hlr.city_id, Hlr.name, Hlr.smsc).where(Hlr.code == code))
    ).one_or_none()
    return None if row is None else HlrRow(*row)


async def hlrs_of(session: AsyncSession, city_id: int) -> list[HlrRow]:
    """Return the city's HLRs by code."""
    query = select(Hlr.code, Hlr.city_id, Hlr.name, Hlr.smsc).where(Hlr.city_id == city_id).order_by(Hlr.code)
    return [HlrRow(*row) for row in await session.execute(query)]


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


async def add_hlr(session: AsyncSession, row: HlrRow) -> None:
    """Append an HLR."""
    await session.execute(insert(Hlr).values(**vars(row)))


async def add_card_kind(session: AsyncSession, row: CardKindRow) -> None:
    """Append a card product."""
    await session.execute(insert(CardKind).values(**vars(row)))


async def close_card_kind(session: AsyncSession, code: str) -> None:
    """Take a card product off the list of what may be loaded; its cards stay."""
    await session.execute(update(CardKind).where(CardKind.code == code).values(active=False))
