"""What the last audit found."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import SessionDep, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import NotFound
from inventory.services import auditing

router = APIRouter(tags=["audit"])
Reader = Annotated[Caller, require(Permission.AUDIT_READ)]


class FindingView(Model):
    """Something that must not be."""

    check: str
    city_id: int
    subject: str
    detail: str


class AuditView(Model):
    """The newest audit: when, whether all was right in the caller's city, its figures, and what was not."""

    at: Time
    ok: bool
    figures: dict[str, Any]
    findings: list[FindingView]


@router.get(
    "/invariants",
    operation_id="read_invariants",
    summary="What the last audit found",
    response_model=AuditView,
    responses=errors(NotFound),
)
async def get_invariants(caller: Reader, session: SessionDep) -> Any:
    """Give the newest audit; `haoka audit` or the nightly one makes it."""
    found = await auditing.last_audit(session, caller)
    if found is None:
        raise NotFound(what="audit", value="last")
    return found
