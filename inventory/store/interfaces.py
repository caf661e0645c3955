"""Write callers: grant and end interfaces, bind staff, keep keys, list them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.store.schema import ApiKey, Interface, InterfaceStaff, Organisation, SignInSession, Staff, WorkingWindow


@dataclass(frozen=True, kw_only=True)
class InterfaceRow:
    """An interface as it stands."""

    no: str
    kind: str
    name_zh: str
    name_en: str
    city_id: int
    org_id: int
    pools: list[str]
    built_in: bool = False
    active: bool = True
    replaced_by: str | None = None


@dataclass(frozen=True)
class StaffMember:
    """A staff id and where it belongs."""

    id: int
    staff_no: str
    name: str
    role: str
    city_id: int
    org_id: int
    active: bool


_COLUMNS = {name: getattr(Interface, name) for name in InterfaceRow.__dataclass_fields__}


async def add(session: AsyncSession, row: InterfaceRow, *, now: datetime) -> None:
    """Insert an interface."""
    await session.execute(insert(Interface).values(**vars(row), created_at=now))


async def get(session: AsyncSession, no: str, *, city_id: int, lock: bool = False) -> InterfaceRow | None:
    """Return the interface of the city, locked for the rest of the transaction if asked; None if there is none."""
    statement = select(*_COLUMNS.values()).where(Interface.no == no, Interface.city_id == city_id)
    row = (await session.execute(statement.with_for_update() if lock else statement)).mappings().one_or_none()
    return None if row is None else InterfaceRow(**row)


async def all_of(session: AsyncSession, city_id: int) -> list[InterfaceRow]:
    """Return the interfaces of the city by number."""
    rows = await session.execute(select(*_COLUMNS.values()).where(Interface.city_id == city_id).order_by(Interface.no))
    return [InterfaceRow(**row) for row in rows.mappings()]


async def next_serial(session: AsyncSession, *, kind: str, city_id: int) -> int:
    """Return the serial of the next interface of the kind; holds others back until the transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"interface/{kind}/{city_id}"))))
    of_kind = select(func.split_part(Interface.no, "-", 3)).where(Interface.kind == kind, Interface.city_id == city_id)
    return max((int(serial) for serial in (await session.execute(of_kind)).scalars()), default=0) + 1


async def disable(session: AsyncSession, no: str, *, replaced_by: str | None, now: datetime) -> None:
    """Close the interface and end its sign-ins."""
    await session.execute(update(Interface).where(Interface.no == no).values(active=False, replaced_by=replaced_by))
    await session.execute(
        update(SignInSession)
        .where(SignInSession.interface_no == no, SignInSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def hand_over(session: AsyncSession, *, old: str, new: str) -> None:
    """Give the new number the old one's staff, keys and windows; sign-ins stay with the old one."""
    bound = select(InterfaceStaff.staff_id).where(InterfaceStaff.interface_no == old)
    for staff_id in (await session.execute(bound)).scalars().all():
        await bind(session, interface_no=new, staff_id=staff_id)
    for table in (ApiKey, WorkingWindow):
        await session.execute(update(table).where(table.interface_no == old).values(interface_no=new))


async def staff(session: AsyncSession, staff_no: str) -> StaffMember | None:
    """Return the staff id, or None."""
    columns = (Staff.id, Staff.staff_no, Staff.name, Staff.role, Organisation.city_id, Staff.org_id, Staff.active)
    statement = select(*columns).join(Organisation, Organisation.id == Staff.org_id).where(Staff.staff_no == staff_no)
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else StaffMember(*row)


async def staff_at_node(session: AsyncSession, node_id: int) -> list[StaffMember]:
    """Return the open staff ids that work at the node."""
    columns = (Staff.id, Staff.staff_no, Staff.name, Staff.role, Organisation.city_id, Staff.org_id, Staff.active)
    statement = (
        select(*columns)
        .join(Organisation, Organisation.id == Staff.org_id)
        .where(Staff.org_id == node_id, Staff.active)
        .order_by(Staff.staff_no)
    )
    return [StaffMember(*row) for row in await session.execute(statement)]


async def staffed(session: AsyncSession, node_ids: Collection[int]) -> frozenset[int]:
    """Return those of the nodes at which somebody works: with an open staff id of its own."""
    statement = select(Staff.org_id).where(Staff.org_id.in_(node_ids), Staff.active).distinct()
    return frozenset(await session.scalars(statement))


async def add_staff(
    session: AsyncSession, *, staff_no: str, name: str, org_id: int, role: str, password_hash: str | None, language: str
) -> int:
    """Insert a staff id and return its row number."""
    statement = insert(Staff).values(
        staff_no=staff_no, name=name, org_id=org_id, role=role, password_hash=password_hash, language=language
    )
    return (await session.execute(statement.returning(Staff.id))).scalar_one()


async def end_staff(session: AsyncSession, staff_id: int, *, now: datetime) -> None:
    """Close a staff id at once: its keys and sign-ins end with it."""
    await session.execute(update(Staff).where(Staff.id == staff_id).values(active=False))
    for table in (ApiKey, SignInSession):
        await session.execute(
            update(table).where(table.staff_id == staff_id, table.revoked_at.is_(None)).values(revoked_at=now)
        )


async def is_closed(session: AsyncSession, staff_no: str) -> bool:
    """Whether the staff id was closed; one stays closed for good."""
    query = select(exists().where(Staff.staff_no == staff_no, Staff.active.is_(False)))
    return bool(await session.scalar(query))


async def bind(session: AsyncSession, *, interface_no: str, staff_id: int) -> None:
    """Let the staff id work through the interface; again is harmless."""
    row = {"interface_no": interface_no, "staff_id": staff_id}
    await session.execute(upsert(InterfaceStaff).values(row).on_conflict_do_nothing())


async def is_bound(session: AsyncSession, *, interface_no: str, staff_id: int) -> bool:
    """Whether the staff id may work through the interface."""
    return await session.get(InterfaceStaff, (interface_no, staff_id)) is not None


async def add_key(
    session: AsyncSession, *, sha256: bytes, prefix: str, interface_no: str, staff_id: int, now: datetime
) -> None:
    """Keep a new key's digest."""
    await session.execute(
        insert(ApiKey).values(
            sha256=sha256, prefix=prefix, interface_no=interface_no, staff_id=staff_id, created_at=now
        )
    )


async def revoke_key(session: AsyncSession, *, prefix: str, interface_no: str, now: datetime) -> bool:
    """End the key that begins like this; False if the interface has no such live key."""
    statement = (
        update(ApiKey)
        .where(ApiKey.prefix == prefix, ApiKey.interface_no == interface_no, ApiKey.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(ApiKey.prefix)
    )
    return (await session.execute(statement)).first() is not None


async def set_password(session: AsyncSession, staff_id: int, password_hash: str, *, now: datetime) -> None:
    """Keep a new password and end the sign-ins made with the old one."""
    await session.execute(update(Staff).where(Staff.id == staff_id).values(password_hash=password_hash))
    await session.execute(
        update(SignInSession)
        .where(SignInSession.staff_id == staff_id, SignInSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )


async def has_staff(session: AsyncSession, city_id: int) -> bool:
    """Whether the city has any staff id, open or closed."""
    statement = select(Staff.id).join(Organisation, Organisation.id == Staff.org_id)
    return (await session.execute(statement.where(Organisation.city_id == city_id).limit(1))).first() is not None
