"""What numbers and cards have in common on the wire: history and status release.

Annotations are evaluated here as they are defined: the routes are made per kind, from names of the making function.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import ApprovalId, Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    IllegalTransition,
    InvalidIdentifier,
    ItemNotMovable,
    LegalHold,
    NotFound,
    NotHolder,
    ReasonMissing,
    StaleVersion,
)
from inventory.domain.kinds import ResourceKind
from inventory.services.reporting import LifeEntry, read_history
from inventory.services.status_release import ReleaseWish, release_status


class LifeEvent(Model):
    """One thing that happened to an item: a change of its own, or a document it stands on."""

    at: Time
    what: str
    from_state: str | None
    to_state: str | None
    giver: str | None
    receiver: str | None
    document: str | None
    person: str | None
    staff: str
    interface: str
    reason: str | None
    order_ref: str | None
    version: int | None


class Life(Model):
    """The life of an item from intake to now, oldest first."""

    item: str
    entries: list[LifeEvent]


class StatusTerms(Model):
    """The state to set and why; `version` refuses the change if something happened in between."""

    to_state: Annotated[str, Field(min_length=1, max_length=32, examples=["DAMAGED"])]
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    order_ref: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    version: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = None


class NewStatus(StatusTerms):
    """A state to set; where two are needed, `approval` is the id of the second person's word (`POST /v1/approvals`)."""

    approval: ApprovalId | None = None


class Status(Model):
    """A state that was set."""

    resource: str
    item: str
    from_state: str
    to_state: str
    version: int
    approver: str | None


def add_item_routes(router: APIRouter, kind: ResourceKind, *, parameter: str, read: Permission) -> None:
    """Add history and status release of a kind to its router; `parameter` names the path parameter."""
    item_name = Annotated[str, Path(alias=parameter, max_length=40)]
    path = f"/{kind.name}s/{{{parameter}}}"

    @router.get(
        f"{path}/history",
        operation_id=f"read_{kind.name}_history",
        summary="Its life from intake to now",
        responses=errors(InvalidIdentifier, NotFound),
    )
    async def get_history(
        item: item_name,
        caller: Annotated[Caller, require(read)],
        session: SessionDep,
    ) -> Life:
        """Read the life of one item: its own events and the documents it stands on."""
        entries = await read_history(session, caller, resource=kind.name, name=item)
        return Life(item=item, entries=[_shown(entry) for entry in entries])

    @router.post(
        f"{path}:release-status",
        operation_id=f"release_{kind.name}_status",
        summary="Set its state",
        response_model=Status,
        responses=errors(
            ApprovalDiffers,
            ApprovalNeeded,
            ApprovalNotGranted,
            IllegalTransition,
            InvalidIdentifier,
            ItemNotMovable,
            LegalHold,
            NotFound,
            NotHolder,
            ReasonMissing,
            StaleVersion,
        ),
    )
    async def post_status(
        item: item_name,
        caller: Annotated[Caller, require(Permission.STATUS_RELEASE, writes=True)],
        wish: NewStatus,
        write: WriteDep,
        session: SessionDep,
        now: NowDep,
        response: Response,
    ) -> dict[str, Any]:
        """Set the state of one item, within its life cycle and with a reason."""
        answer = await release_status(
            session, caller, write, ReleaseWish(resource=kind.name, item=item, **wish.model_dump()), now=now
        )
        return reply(answer, response)


def _shown(entry: LifeEntry) -> LifeEvent:
    return LifeEvent(
        at=entry.at,
        what=entry.what,
        from_state=entry.from_state,
        to_state=entry.to_state,
        giver=entry.giver,
        receiver=entry.receiver,
        document=entry.document,
        person=entry.person,
        staff=entry.staff_no,
        interface=entry.interface_no,
        reason=entry.reason,
        order_ref=entry.order_ref,
        version=entry.version,
    )
