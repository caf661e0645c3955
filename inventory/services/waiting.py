"""Sales that the network has not brought to an end, for those who sold them and their superiors."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.lifecycle import NumberState
from inventory.store import waiting
from inventory.store.waiting import WaitingSale

MOST_LISTED = 200
"""Sales that are shown at once; the others follow when these are settled."""


async def read_waiting_sales(session: AsyncSession, caller: Caller) -> tuple[list[WaitingSale], int]:
    """Return the sales that wait for the network, and the kits that it keeps after a roll back, the longest first.

    Those of the caller's interface or part of the organisation, `MOST_LISTED` at most, with how many there are.
    """
    async with session.begin():
        return await waiting.waiting_sales(
            session, city_id=caller.city_id, scope=caller.scope, interface_no=caller.interface_no, limit=MOST_LISTED
        )


def sold_it(caller: Caller, sale: WaitingSale) -> bool:
    """Whether the caller itself sold it at its interface: then the key of the hold is its own."""
    return (sale.staff_no, sale.interface_no) == (caller.staff_no, caller.interface_no)


def may_roll_back(caller: Caller, sale: WaitingSale) -> bool:
    """Whether the caller may take the sale back: its own, or as a superior."""
    superior = caller.may(Permission.HOLDS_RELEASE_OTHERS) and sale.org_id in caller.scope
    own = caller.may(Permission.HOLDS_WRITE) and sold_it(caller, sale)
    return sale.state == NumberState.COMPLETING and not sale.legal_hold and (superior or own)
