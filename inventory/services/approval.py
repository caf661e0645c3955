"""Acts for two persons: who the second one may be."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import PERMISSIONS, Permission, Role
from inventory.domain.errors import ApproverNeeded, SamePerson
from inventory.store import interfaces


async def require_second_person(
    session: AsyncSession, caller: Caller, approver: str | None, permission: Permission
) -> str:
    """Return the approver's staff id if it is another open one of the city whose role has the permission.

    Raises
    ------
    ApproverNeeded
        None is named, or that one may not approve.
    SamePerson
        The caller names itself.
    """
    if approver == caller.staff_no:
        raise SamePerson
    found = None if approver is None else await interfaces.staff(session, approver)
    if (
        approver is None
        or found is None
        or not found.active
        or found.city_id != caller.city_id
        or permission not in PERMISSIONS[Role(found.role)]
    ):
        raise ApproverNeeded(approver=approver or "-", permission=permission.value)
    return approver
