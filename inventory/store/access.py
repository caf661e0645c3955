"""Read and write callers: interfaces, staff, keys, sessions, working hours; and keep what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import Select, delete, func, insert, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from typing_extensions import override

from inventory.store.hold_times import rules_at_interface
from inventory.store.schema import (
    ApiKey,
    CityHoliday,
    Holiday,
    Interface,
    InterfaceStaff,
    Organisation,
    SecurityEvent,
    SignInSession,
    Staff,
    WorkingWindow,
)


@dataclass(frozen=True)
class KnownCaller:
    """Everything about a staff id at an interface that deciding needs."""

    interface_no: str
    channel: str
    city_id: int
    pools: list[str]
    staff_no: str
    role: str
    language: str
    org_id: int
    scope: list[int]
    hold_times: list[list[Any]] | None
    """For `inventory.store.hold_times.as_rules`."""


@dataclass(frozen=True)
class WindowRow:
    """A working window: `weekdays` has bit 0 for Monday; of `interface_no` and `role` exactly one is set."""

    id: int
    interface_no: str | None
    role: str | None
    weekdays: int
    opens: time
    closes: time
    on_holidays: bool
    reading_outside: bool


@dataclass(frozen=True)
class StaffRow:
    """What signing in needs of a staff id at an interface; never printed with its hash."""

    id: int
    password_hash: str | None

    @override
    def __repr__(self) -> str:
        """Leave the hash out."""
        return f"StaffRow({self.id})"


def _known() -> Select[Any]:
    """Build the one statement of authentication, all but the secret; its keys are all indexed."""
    below = aliased(Organisation)
    scope = (
        select(func.array_agg(below.id))
        .where(
            below.city_id == Organisation.city_id,
            or_(below.path == Organisation.path, below.path.startswith(Organisation.path + "/")),
        )
        .correlate(Organisation)
        .scalar_subquery()
    )
    return (
        select(
            Interface.no,
            Interface.kind,
            Interface.city_id,
            Interface.pools,
            Staff.staff_no,
            Staff.role,
            Staff.language,
            Staff.org_id,
            scope,
            rules_at_interface(),
        )
        .select_from(Interface)
        .join(InterfaceStaff, InterfaceStaff.interface_no == Interface.no)
        .join(Staff, Staff.id == InterfaceStaff.staff_id)
        .join(Organisation, Organisation.id == Staff.org_id)
        .where(Interface.active, Staff.active, Organisation.active, Organisation.city_id == Interface.city_id)
    )


async def caller_by_key(session: AsyncSession, sha256: bytes) -> KnownCaller | None:
    """Return whom an API key belongs to; None if it is unknown or revoked or its owner may no longer act."""
    statement = _known().join(
        ApiKey, (ApiKey.interface_no == Interface.no) & (ApiKey.staff_id == Staff.id) & (ApiKey.sha256 == sha256)
    )
    row = (await session.execute(statement.where(ApiKey.revoked_at.is_(None)))).one_or_none()
    return None if row is None else KnownCaller(*row)


async def caller_by_session(session: AsyncSession, sha256: bytes, *, now: datetime) -> KnownCaller | None:
    """Return who signed in with the session token; None if it is unknown, over, or its owner may no longer act."""
    statement = _known().join(
        SignInSession,
        (SignInSession.interface_no == Interface.no)
        & (SignInSession.staff_id == Staff.id)
        & (SignInSession.token_sha256 == sha256),
    )
    alive = statement.where(SignInSession.revoked_at.is_(None), SignInSession.expires_at > now)
    row = (await session.execute(alive.add_columns(SignInSession.role))).one_or_none()
    if row is None:
        return None
    *known, narrowed = row
    caller = KnownCaller(*known)
    return caller if narrowed is None else replace(caller, role=narrowed)


async def caller_at(session: AsyncSession, *, interface_no: str, staff_no: str) -> KnownCaller | None:
    """Return the staff id at an interface it is bound to; None if either is unknown or may no longer act."""
    row = (
        await session.execute(_known().where(Interface.no == interface_no, Staff.staff_no == staff_no))
    ).one_or_none()
    return None if row is None else KnownCaller(*row)


async def windows(session: AsyncSession, *, city_id: int, interface_no: str, role: str) -> list[WindowRow]:
    """Return the windows of the interface and those of the role in the city."""
    rows = await session.execute(
        select(
            WorkingWindow.id,
            WorkingWindow.interface_no,
            WorkingWindow.role,
            WorkingWindow.weekdays,
            WorkingWindow.opens,
            WorkingWindow.closes,
            WorkingWindow.on_holidays,
            WorkingWindow.reading_outside,
        )
        .where(
            WorkingWindow.city_id == city_id,
            or_(WorkingWindow.interface_no == interface_no, WorkingWindow.role == role),
        )
        .order_by(WorkingWindow.id)
    )
    return [WindowRow(*row) for row in rows]


async def replace_windows(
    session: AsyncSession, rows: Sequence[dict[str, Any]], *, city_id: int, interface_no: str | None, role: str | None
) -> None:
    """Put these windows (column values) in the place of all that the interface, or the role in the city, had."""
    owner = {"city_id": city_id, "interface_no": interface_no, "role": role}
    await session.execute(
        delete(WorkingWindow).where(
            WorkingWindow.city_id == city_id,
            WorkingWindow.interface_no.is_not_distinct_from(interface_no),
            WorkingWindow.role.is_not_distinct_from(role),
        )
    )
    if rows:
        await session.execute(insert(WorkingWindow), [{**row, **owner} for row in rows])


async def holidays_from(session: AsyncSession, day: date, *, city_id: int) -> frozenset[date]:
    """Return the holidays of the city, and those of every city, from the day on."""
    own = select(CityHoliday.day).where(CityHoliday.city_id == city_id, CityHoliday.day >= day)
    return frozenset(await session.scalars(union(own, select(Holiday.day).where(Holiday.day >= day))))


async def record_refusal(
    session: AsyncSession,
    *,
    code: str,
    interface_no: str | None,
    staff_no: str | None,
    detail: dict[str, Any],
    now: datetime,
) -> None:
    """Keep a refused caller."""
    await session.execute(
        insert(SecurityEvent).values(at=now, code=code, interface_no=interface_no, staff_no=staff_no, detail=detail)
    )


async def count_refusals(session: AsyncSession, *, code: str, staff_no: str, since: datetime) -> int:
    """Return how often the staff id was refused with the code since then."""
    statement = select(func.count()).where(
        SecurityEvent.at >= since, SecurityEvent.code == code, SecurityEvent.staff_no == staff_no
    )
    return (await session.execute(statement)).scalar_one()


async def staff_at(session: AsyncSession, *, interface_no: str, staff_no: str) -> StaffRow | None:
    """Return the staff id as it may sign in at the interface; None if it is unknown, closed or not bound to it."""
    row = (
        await session.execute(
            select(Staff.id, Staff.password_hash)
            .join(InterfaceStaff, InterfaceStaff.staff_id == Staff.id)
            .join(Interface, Interface.no == InterfaceStaff.interface_no)
            .where(Interface.no == interface_no, Staff.staff_no == staff_no, Interface.active, Staff.active)
        )
    ).one_or_none()
    return None if row is None else StaffRow(*row)


async def interface_is_open(session: AsyncSession, interface_no: str) -> bool:
    """Whether the interface number exists and is not disabled."""
    found = await session.execute(select(Interface.no).where(Interface.no == interface_no, Interface.active))
    return found.first() is not None


async def open_session(
    session: AsyncSession,
    *,
    sha256: bytes,
    staff_id: int,
    interface_no: str,
    now: datetime,
    expires_at: datetime,
    role: str | None = None,
) -> None:
    """Keep a new sign-in; `role` narrows what it may do."""
    await session.execute(
        insert(SignInSession).values(
            token_sha256=sha256,
            staff_id=staff_id,
            interface_no=interface_no,
            created_at=now,
            expires_at=expires_at,
            role=role,
        )
    )


async def close_session(session: AsyncSession, sha256: bytes, *, now: datetime) -> None:
    """End a sign-in; again is harmless."""
    await session.execute(
        update(SignInSession)
        .where(SignInSession.token_sha256 == sha256, SignInSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
