"""SMS ports and their rents."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.identifiers import NumberKind
from inventory.domain.lifecycle import PortState
from inventory.domain.ports import PortSpan, Standing
from inventory.store.schema import Number, PortRent, Segment
from inventory.store.streams import Stream, in_batches


@dataclass(frozen=True)
class Rent:
    """A rent of a port: see `PortRent` for the meaning of each field."""

    rent_no: int
    item_no: int
    tenant_ref: str
    tenant: str
    extension_digits: int
    begins_on: date
    ends_on: date
    told: str | None
    ended_at: datetime | None
    cooled_on: date | None


@dataclass(frozen=True)
class Port:
    """A port as it stands, with its present rent; of one that cools with the last one."""

    item_no: int
    number: str
    state: str
    version: int
    holder_id: int
    tenant_ref: str | None
    tenant: str | None
    extension_digits: int | None
    begins_on: date | None
    ends_on: date | None
    cooled_on: date | None


@dataclass(frozen=True, kw_only=True)
class PortFilter:
    """Conditions that all hold; None and the empty tuple ask for nothing. `name` is how base or tenant begins."""

    holders: Collection[int]
    states: Collection[str] = ()
    ends_by: date | None = None
    name: str | None = None


_RENT = tuple(getattr(PortRent, name) for name in Rent.__dataclass_fields__)
_ENDS_LAST = date.max


async def list_ports(session: AsyncSession, wanted: PortFilter, *, city_id: int, limit: int) -> list[Port]:
    """Return the first `limit` ports, those first whose term ends first, free ones last."""
    return [Port(*row) for row in await session.execute(_query(wanted, city_id=city_id).limit(limit))]


def stream_ports(session: AsyncSession, wanted: PortFilter, *, city_id: int) -> Stream[Port]:
    """Give all of the ports, batch by batch."""
    return in_batches(session, _query(wanted, city_id=city_id), Port)


def _query(wanted: PortFilter, *, city_id: int) -> Select[Any]:
    """Give the statement that lists the ports: found along their segments, which are few among all numbers."""
    rent = PortRent
    latest = (
        select(func.max(rent.rent_no))
        .where(rent.city_id == Number.city_id, rent.item_no == Number.item_no, rent.free_at.is_(None))
        .correlate(Number)
        .scalar_subquery()
    )
    shown: tuple[Any, ...] = (
        *(getattr(Number, name) for name in ("item_no", "number", "state", "version", "holder_id")),
        *(
            getattr(rent, name)
            for name in ("tenant_ref", "tenant", "extension_digits", "begins_on", "ends_on", "cooled_on")
        ),
    )
    return (
        select(*shown)
        .select_from(Segment)
        .join(
            Number,
            and_(
                Number.city_id == Segment.city_id,
                Number.number >= Segment.prefix,
                Number.number < Segment.prefix + "~",
                Number.kind == Segment.kind,
            ),
        )
        .outerjoin(rent, and_(rent.city_id == Number.city_id, rent.rent_no == latest))
        .where(
            Segment.city_id == city_id,
            Segment.kind == NumberKind.SMS_PORT,
            Number.holder_id.in_(wanted.holders),
            *_conditions(wanted),
        )
        .order_by(func.coalesce(rent.ends_on, _ENDS_LAST), Number.number)
    )


def _conditions(wanted: PortFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.states:
        found.append(Number.state.in_(wanted.states))
    if wanted.ends_by is not None:
        found += [PortRent.ended_at.is_(None), PortRent.ends_on <= wanted.ends_by]
    if wanted.name:
        columns = (Number.number, PortRent.tenant_ref, PortRent.tenant)
        found.append(or_(*(column.startswith(wanted.name, autoescape=True) for column in columns)))
    return found


async def rented_near(session: AsyncSession, base: str, *, city_id: int) -> list[PortSpan]:
    """Return what is rented, or still cools, under a base that begins as this one, or that this one begins with."""
    query = (
        select(Number.number, PortRent.extension_digits)
        .join(PortRent, and_(PortRent.city_id == Number.city_id, PortRent.item_no == Number.item_no))
        .where(
            PortRent.city_id == city_id,
            PortRent.free_at.is_(None),
            or_(func.starts_with(Number.number, base), func.starts_with(base, Number.number)),
        )
        .order_by(Number.number)
    )
    return [PortSpan(number, digits) for number, digits in await session.execute(query)]


async def add_rent(
    session: AsyncSession,
    span: PortSpan,
    *,
    city_id: int,
    item_no: int,
    tenant: str,
    tenant_ref: str,
    begins_on: date,
    ends_on: date,
    staff_no: str,
    now: datetime,
) -> int:
    """Write the rent of a port and return its number."""
    made = await session.execute(
        insert(PortRent)
        .values(
            city_id=city_id,
            item_no=item_no,
            tenant=tenant,
            tenant_ref=tenant_ref,
            extension_digits=span.extension,
            begins_on=begins_on,
            ends_on=ends_on,
            staff_no=staff_no,
            created_at=now,
        )
        .returning(PortRent.rent_no)
    )
    return made.scalar_one()


async def present_rent(session: AsyncSession, *, city_id: int, item_no: int) -> Rent | None:
    """Return and lock the rent that a port is under."""
    query = select(*_RENT).where(PortRent.city_id == city_id, PortRent.item_no == item_no, PortRent.ended_at.is_(None))
    row = (await session.execute(query.with_for_update())).one_or_none()
    return None if row is None else Rent(*row)


async def change_rent(session: AsyncSession, rent: Rent, *, city_id: int, **changes: object) -> None:
    """Change columns of a locked rent."""
    await session.execute(
        update(PortRent).where(PortRent.city_id == city_id, PortRent.rent_no == rent.rent_no).values(changes)
    )


async def cities_with_rents(session: AsyncSession) -> list[int]:
    """Return the cities that have rented a port which is not free again."""
    query = select(PortRent.city_id).where(PortRent.free_at.is_(None)).distinct().order_by(PortRent.city_id)
    return list(await session.scalars(query))


async def to_be_told(session: AsyncSession, *, city_id: int, ends_by: date, today: date) -> list[Rent]:
    """Return and lock the rents that end by a day, or are over, of which that was not told yet."""
    over = and_(PortRent.told == Standing.ENDING, PortRent.ends_on < today)
    query = (
        select(*_RENT)
        .where(
            PortRent.city_id == city_id,
            PortRent.ended_at.is_(None),
            PortRent.ends_on <= ends_by,
            or_(PortRent.told.is_(None), over),
        )
        .order_by(PortRent.rent_no)
        .with_for_update(skip_locked=True)
    )
    return [Rent(*row) for row in await session.execute(query)]


async def to_be_freed(session: AsyncSession, *, city_id: int, today: date) -> list[tuple[Rent, int]]:
    """Return and lock the rents whose port has cooled by today, each with the version of the port.

    A port under a legal hold goes on cooling until that is lifted (REQ-LGL-01).
    """
    query = (
        select(*_RENT, Number.version)
        .join(Number, and_(Number.city_id == PortRent.city_id, Number.item_no == PortRent.item_no))
        .where(
            PortRent.city_id == city_id,
            PortRent.free_at.is_(None),
            PortRent.cooled_on <= today,
            Number.state == PortState.COOLING,
            not_(Number.legal_hold),
        )
        .order_by(PortRent.rent_no)
        .with_for_update(of=PortRent, skip_locked=True)
    )
    return [(Rent(*row[:-1]), row[-1]) for row in await session.execute(query)]


async def count_told(session: AsyncSession, *, city_id: int) -> int:
    """Return how many present terms are ending or over, as far as that was told."""
    query = select(func.count()).where(
        PortRent.city_id == city_id, PortRent.ended_at.is_(None), PortRent.told.is_not(None)
    )
    return await session.scalar(query) or 0
