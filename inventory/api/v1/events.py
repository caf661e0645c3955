"""The feed of events, sealed ones only: what is in it never changes and never moves."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import SessionDep, require
from inventory.api.models import Model, Time
from inventory.request_scope import BIGGEST
from inventory.services import events

router = APIRouter(tags=["events"])
Reader = Annotated[Caller, require(Permission.EVENTS_READ)]


class EventView(Model):
    """One change: what, from, to, who, through which interface, when, why, for which order."""

    position: int
    event_no: int
    at: Time
    name: str
    kind: str
    item_no: int
    version: int | None
    from_state: str | None
    to_state: str | None
    staff_no: str
    interface_no: str
    reason: str | None
    reason_code: str | None
    order_ref: str | None
    data: dict[str, Any]


class EventPage(Model):
    """Events in the order of the chain; ask again with `after` = `next`."""

    events: list[EventView]
    next: int


@router.get("/events", operation_id="read_events", summary="Events after a position", response_model=EventPage)
async def get_events(
    caller: Reader,
    session: SessionDep,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Any:
    """Give sealed events of the caller's city."""
    return await events.read_events(session, caller, after=after, limit=limit)
