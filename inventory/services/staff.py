"""Staff ids: made, bound to interfaces, closed; and their passwords (REQ-IF-03)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.passwords import LONGEST_PASSWORD, SHORTEST_PASSWORD, hash_password
from inventory.access.permissions import Role
from inventory.domain.errors import DuplicateIdentifier, InvalidField, OrganisationUnknown, PermissionDenied
from inventory.services.access import SignInRules, SignInWish, check_password
from inventory.services.approval import end_approvals_of
from inventory.services.interfaces import node_of, open_interface, staff_of, tell
from inventory.services.once import Answer, WriteKey, once
from inventory.store import interfaces as store
from inventory.store import organisation
from inventory.store.engine import is_unique_violation

_STAFF_NO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{1,31}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class StaffWish:
    """A staff id to make, working at `org_id`; without a password it can only use keys."""

    staff_no: str
    name: str
    role: Role
    org_id: int
    interfaces: tuple[str, ...] = ()
    language: str = "zh"
    password: str | None = field(default=None, repr=False)


async def add(session: AsyncSession, caller: Caller, write: WriteKey, wish: StaffWish, *, now: datetime) -> Answer:
    """Make a staff id and bind it to interfaces; answers it without its password.

    Raises
    ------
    InvalidField, DuplicateIdentifier
        The staff id or password has another form, or the staff id is taken.
    OrganisationUnknown, NotFound, InterfaceClosed
        The organisation or an interface is not of the caller's city, or closed.
    """
    check_staff_no(wish.staff_no)
    password_hash = None if wish.password is None else await _hash(wish.password)

    async def work() -> dict[str, Any]:
        await node_of(session, caller, wish.org_id)
        if not await organisation.reopen(session, wish.org_id):
            raise OrganisationUnknown(organisation=wish.org_id)
        staff_id = await store.add_staff(
            session, staff_no=wish.staff_no, name=wish.name, org_id=wish.org_id, role=wish.role.value,
            password_hash=password_hash, language=wish.language,
        )  # fmt: skip
        for no in sorted(set(wish.interfaces)):
            await open_interface(session, caller, no)
            await store.bind(session, interface_no=no, staff_id=staff_id)
        await tell(session, caller, "staff.added", None, now=now, staff_no=wish.staff_no, role=wish.role.value)
        return {
            "staff_no": wish.staff_no,
            "name": wish.name,
            "role": wish.role.value,
            "org_id": wish.org_id,
            "interfaces": sorted(set(wish.interfaces)),
        }

    try:
        return await once(session, caller, write, work, now=now)
    except IntegrityError as error:
        if is_unique_violation(error, "uq_staff_staff_no"):
            raise DuplicateIdentifier(kind="staff", value=wish.staff_no, where="staff") from None
        raise


async def bind(
    session: AsyncSession, caller: Caller, write: WriteKey, interface_no: str, staff_no: str, *, now: datetime
) -> Answer:
    """Let a staff id work through an interface; again is harmless.

    Raises
    ------
    NotFound, InterfaceClosed
        Interface or staff id are not of the caller's city, or closed.
    """

    async def work() -> dict[str, Any]:
        await open_interface(session, caller, interface_no)
        staff = await staff_of(session, caller, staff_no)
        await store.bind(session, interface_no=interface_no, staff_id=staff.id)
        await tell(session, caller, "interface.staff_bound", interface_no, now=now, staff_no=staff_no)
        return {"interface_no": interface_no, "staff_no": staff_no}

    return await once(session, caller, write, work, now=now)


async def end(session: AsyncSession, caller: Caller, write: WriteKey, staff_no: str, *, now: datetime) -> Answer:
    """Close a staff id for good, with its keys, sign-ins and the words of approval that are not used yet.

    Answers its number.

    Raises
    ------
    NotFound
        There is no such open staff id in the city.
    PermissionDenied
        It is the caller's own.
    """

    async def work() -> dict[str, Any]:
        staff = await staff_of(session, caller, staff_no)
        if staff_no == caller.staff_no:
            raise PermissionDenied(permission="staff.end_own")
        await store.end_staff(session, staff.id, now=now)
        await end_approvals_of(session, caller, staff_no, now=now)
        await tell(session, caller, "staff.ended", None, now=now, staff_no=staff_no)
        return {"staff_no": staff_no}

    return await once(session, caller, write, work, now=now)


async def change_password(
    session: AsyncSession, caller: Caller, old: SignInWish, new: str, rules: SignInRules, *, now: datetime
) -> None:
    """Give the caller itself a new password; every sign-in with the old one ends.

    Raises
    ------
    BadCredentials, TooManySignIns
        The old password is wrong, or was wrong too often; counted and kept like a failed sign-in.
    InvalidField
        The new one is too short or too long.
    """
    password_hash = await _hash(new)
    staff_id = await check_password(session, old, rules, now=now)
    async with session.begin():
        await store.set_password(session, staff_id, password_hash, now=now)
        await tell(session, caller, "staff.password_changed", None, now=now, staff_no=caller.staff_no)


def check_staff_no(staff_no: str) -> None:
    """Let pass a well-formed staff id.

    Raises
    ------
    InvalidField
        It has another form.
    """
    if _STAFF_NO.fullmatch(staff_no) is None:
        raise InvalidField(field="staff_no", value=staff_no, reason="2 to 32 letters, digits, dots, dashes")


async def _hash(password: str) -> str:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidField(field="password", value="…", reason=f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return await hash_password(password)
