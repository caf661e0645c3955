"""Who acts and when, in the form that the store's writing functions take."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from inventory.access.caller import Caller


class Acting(TypedDict):
    """City, staff id, interface number and time (UTC): what every document, batch and event keeps (REQ-NUM-03)."""

    city_id: int
    staff_no: str
    interface_no: str
    now: datetime


def acting(caller: Caller, now: datetime) -> Acting:
    """Give what is kept of the caller."""
    return Acting(city_id=caller.city_id, staff_no=caller.staff_no, interface_no=caller.interface_no, now=now)
