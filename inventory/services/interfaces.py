"""Interfaces, their keys and hours: granted, replaced and closed by the interface administrator (REQ-IF-10)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.hours import Window
from inventory.access.interfaces import InterfaceKind, format_interface_no, parse_interface_no
from inventory.access.passwords import KEY_PREFIX, digest, fresh_secret
from inventory.access.permissions import Role
from inventory.domain.errors import (
    BuiltInInterface,
    DuplicateIdentifier,
    InterfaceClosed,
    InvalidField,
    NotFound,
    OrganisationUnknown,
)
from inventory.services.once import Answer, WriteKey, once
from inventory.store import access as access_store
from inventory.store import interfaces as store
from inventory.store import organisation as organisation_store
from inventory.store.engine import is_unique_violation
from inventory.store.events import EventDraft, record
from inventory.store.interfaces import InterfaceRow

_SHOWN_OF_KEY = 12
"""Characters of a key that are kept in clear to tell keys apart: the mark and 54 of its 256 bits."""


@dataclass(frozen=True, kw_only=True)
class GrantWish:
    """An interface to grant; without `no` the next number of its kind and city is given."""

    kind: InterfaceKind
    name_zh: str
    name_en: str
    org_id: int
    pools: tuple[str, ...] = ()
    no: str | None = None


async def grant(session: AsyncSession, caller: Caller, write: WriteKey, wish: GrantWish, *, now: datetime) -> Answer:
    """Give an interface number; answers the interface (REQ-IF-01).

    Raises
    ------
    OrganisationUnknown
        The organisation is not one of the caller's city.
    InvalidIdentifier, DuplicateIdentifier
        The chosen number has another form, or is taken.
    """

    async def work() -> dict[str, Any]:
        await node_of(session, caller, wish.org_id)
        row = InterfaceRow(
            no=await _number(session, caller, wish.kind, wish.no),
            kind=wish.kind.value,
            name_zh=wish.name_zh,
            name_en=wish.name_en,
            city_id=caller.city_id,
            org_id=wish.org_id,
            pools=sorted(set(wish.pools)),
        )
        await store.add(session, row, now=now)
        await tell(session, caller, "interface.granted", row.no, now=now)
        return as_answer(row)

    return await _once(session, caller, write, work, wish.no, now=now)


async def disable(session: AsyncSession, caller: Caller, write: WriteKey, no: str, *, now: datetime) -> Answer:
    """Close an interface for good; its records stay (REQ-IF-09). Answers the interface.

    Raises
    ------
    NotFound, InterfaceClosed, BuiltInInterface
        There is no such open interface in the city, or it is the built-in one (REQ-IF-05).
    """

    async def work() -> dict[str, Any]:
        row = await open_interface(session, caller, no, built_in_too=False)
        await store.disable(session, no, replaced_by=None, now=now)
        await tell(session, caller, "interface.disabled", no, now=now)
        return as_answer(replace(row, active=False))

    return await once(session, caller, write, work, now=now)


async def replace_number(
    session: AsyncSession, caller: Caller, write: WriteKey, no: str, new_no: str | None, *, now: datetime
) -> Answer:
    """Give an interface a new number; old records keep the old one, which points to the new (REQ-IF-09).

    Staff, keys and hours move to the new number; people sign in again. Answers the new interface.

    Raises
    ------
    NotFound, InterfaceClosed, BuiltInInterface
        There is no such open interface in the city, or it is the built-in one.
    InvalidIdentifier, DuplicateIdentifier
        The chosen number has another form, or is taken.
    """

    async def work() -> dict[str, Any]:
        old = await open_interface(session, caller, no, built_in_too=False)
        row = replace(old, no=await _number(session, caller, InterfaceKind(old.kind), new_no))
        await store.add(session, row, now=now)
        await store.hand_over(session, old=no, new=row.no)
        await store.disable(session, no, replaced_by=row.no, now=now)
        await tell(session, caller, "interface.replaced", no, now=now, new=row.no)
        return as_answer(row)

    return await _once(session, caller, write, work, new_no, now=now)


@dataclass(frozen=True, kw_only=True)
class WindowsWish:
    """The windows that an interface, or everybody of a role in the city, is to have; none of them: always open.

    Exactly one of `interface_no` and `role` is set.
    """

    windows: tuple[Window, ...]
    interface_no: str | None = None
    role: Role | None = None


async def set_windows(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: WindowsWish, *, now: datetime
) -> Answer:
    """Put these windows in place of all that the interface or role had (REQ-IF-06); answers how many.

    Raises
    ------
    NotFound, InterfaceClosed
        There is no such open interface in the city.
    InvalidField
        A window never opens, or not exactly one of interface and role is named.
    """

    async def work() -> dict[str, Any]:
        if (wish.interface_no is None) == (wish.role is None):
            raise InvalidField(field="role", value=wish.role, reason="name either an interface or a role")
        if wish.interface_no is not None:
            await open_interface(session, caller, wish.interface_no)
        for window in wish.windows:
            window.check()
        rows = [vars(window) for window in wish.windows]
        await access_store.replace_windows(
            session, rows, city_id=caller.city_id, interface_no=wish.interface_no, role=wish.role
        )
        count = len(wish.windows)
        await tell(session, caller, "interface.hours_set", wish.interface_no, now=now, role=wish.role, windows=count)
        return {"interface_no": wish.interface_no, "role": wish.role, "windows": count}

    return await once(session, caller, write, work, now=now)


@dataclass(frozen=True, kw_only=True)
class KeyWish:
    """A key for a staff id at an interface."""

    interface_no: str
    staff_no: str


async def issue_key(session: AsyncSession, caller: Caller, write: WriteKey, wish: KeyWish, *, now: datetime) -> Answer:
    """Make a random key bound to interface and staff id (REQ-IF-03); answers it once, with the prefix that names it.

    A replayed answer has `key` null, since only its digest is kept: revoke the key and issue another.

    Raises
    ------
    NotFound
        The interface or staff id does not exist here, or the two are not bound.
    InterfaceClosed
        The interface is closed.
    """
    key = fresh_secret(KEY_PREFIX)
    prefix = key[:_SHOWN_OF_KEY]

    async def work() -> dict[str, Any]:
        await open_interface(session, caller, wish.interface_no)
        staff = await staff_of(session, caller, wish.staff_no)
        if not await store.is_bound(session, interface_no=wish.interface_no, staff_id=staff.id):
            raise NotFound(what="binding", value=f"{wish.interface_no}/{wish.staff_no}")
        await store.add_key(
            session, sha256=digest(key), prefix=prefix, interface_no=wish.interface_no, staff_id=staff.id, now=now
        )
        await tell(session, caller, "interface.key_issued", wish.interface_no, now=now, prefix=prefix)
        return {"interface_no": wish.interface_no, "staff_no": wish.staff_no, "prefix": prefix}

    answer = await once(session, caller, write, work, now=now)
    return Answer({**answer.body, "key": None if answer.replayed else key}, answer.replayed)


async def revoke_key(
    session: AsyncSession, caller: Caller, write: WriteKey, interface_no: str, prefix: str, *, now: datetime
) -> Answer:
    """End a key at once; answers its prefix.

    Raises
    ------
    NotFound
        The interface has no such live key.
    """

    async def work() -> dict[str, Any]:
        row = await store.get(session, interface_no, city_id=caller.city_id)
        if row is None or not await store.revoke_key(session, prefix=prefix, interface_no=interface_no, now=now):
            raise NotFound(what="key", value=prefix)
        await tell(session, caller, "interface.key_revoked", interface_no, now=now, prefix=prefix)
        return {"interface_no": interface_no, "prefix": prefix}

    return await once(session, caller, write, work, now=now)


async def read_all(session: AsyncSession, caller: Caller) -> list[InterfaceRow]:
    """Return the interfaces of the caller's city, closed ones too, by number."""
    async with session.begin():
        return await store.all_of(session, caller.city_id)


def as_answer(row: InterfaceRow) -> dict[str, Any]:
    """Return an interface in the form of the API."""
    return vars(row)


async def node_of(session: AsyncSession, caller: Caller, org_id: int) -> organisation_store.Node:
    """Return an organisation of the caller's city, inside the service's transaction.

    Raises
    ------
    OrganisationUnknown
        There is none with this id.
    """
    node = await organisation_store.by_id(session, org_id)
    if node is None or node.city_id != caller.city_id or node.level in organisation_store.PSEUDO:
        raise OrganisationUnknown(organisation=org_id)
    return node


async def staff_of(session: AsyncSession, caller: Caller, staff_no: str) -> store.StaffMember:
    """Return an open staff id of the caller's city, inside the service's transaction.

    Raises
    ------
    NotFound
        There is none.
    """
    staff = await store.staff(session, staff_no)
    if staff is None or staff.city_id != caller.city_id or not staff.active:
        raise NotFound(what="staff", value=staff_no)
    return staff


async def open_interface(session: AsyncSession, caller: Caller, no: str, *, built_in_too: bool = True) -> InterfaceRow:
    """Return an open interface of the caller's city, locked, inside the service's transaction.

    Raises
    ------
    NotFound, InterfaceClosed
        There is none, or it is closed.
    BuiltInInterface
        It is the built-in one and `built_in_too` is false (REQ-IF-05).
    """
    row = await store.get(session, no, city_id=caller.city_id, lock=True)
    if row is None:
        raise NotFound(what="interface", value=no)
    if not row.active:
        raise InterfaceClosed(interface=no)
    if row.built_in and not built_in_too:
        raise BuiltInInterface(interface=no)
    return row


async def tell(session: AsyncSession, caller: Caller, name: str, no: str | None, *, now: datetime, **data: Any) -> None:
    """Record an event of access; an interface has no item number, `data` names it."""
    draft = EventDraft(name=name, kind="interface", item_no=0, data={"no": no, **data})
    await record(
        session, [draft], city_id=caller.city_id, staff_no=caller.staff_no, interface_no=caller.interface_no, now=now
    )


async def _number(session: AsyncSession, caller: Caller, kind: InterfaceKind, chosen: str | None) -> str:
    if chosen is not None:
        return parse_interface_no(chosen, kind=kind, city_id=caller.city_id)
    serial = await store.next_serial(session, kind=kind.value, city_id=caller.city_id)
    return format_interface_no(kind, caller.city_id, serial)


async def _once(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    work: Callable[[], Awaitable[dict[str, Any]]],
    chosen: str | None,
    *,
    now: datetime,
) -> Answer:
    """Run the work once; a taken interface number becomes its refusal."""
    try:
        return await once(session, caller, write, work, now=now)
    except IntegrityError as error:
        if is_unique_violation(error, "pk_interface"):
            raise DuplicateIdentifier(kind="interface", value=chosen, where="interface") from None
        raise
