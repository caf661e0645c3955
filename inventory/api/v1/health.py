"""Is the process alive, and can it work: for load balancers and `haoka up`; open to everybody, tells nothing else."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Response
from sqlalchemy.exc import DBAPIError

from inventory.api.deps import RuntimeDep
from inventory.api.models import Model
from inventory.services.health import is_ready

router = APIRouter(prefix="/health", tags=["health"])


class Health(Model):
    """How the process is."""

    status: Literal["ok", "unavailable"]


@router.get("/live", operation_id="live", summary="The process answers", openapi_extra={"x-public": True})
async def live() -> Health:
    """Answer as long as the process runs."""
    return Health(status="ok")


@router.get(
    "/ready",
    operation_id="ready",
    summary="The database answers and has this version's tables",
    responses={503: {"model": Health, "description": "Not yet, or no longer"}},
    openapi_extra={"x-public": True},
)
async def ready(runtime: RuntimeDep, response: Response) -> Health:
    """Answer 200 when requests can be served, 503 otherwise."""
    try:
        async with runtime.database.session() as session:
            works = await is_ready(session)
    except (DBAPIError, OSError):
        works = False
    if not works:
        response.status_code = 503
    return Health(status="ok" if works else "unavailable")
