"""From an act that needs a second person to the page where that one is waited for."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import ApprovalNeeded
from inventory.services.approving import Question, ask
from inventory.services.once import WriteKey


async def ask_and_wait(
    request: Request, session: AsyncSession, caller: Caller, write: WriteKey, needed: ApprovalNeeded, *, now: datetime
) -> Response:
    """Ask for what the act lacks and go to the page that waits for it; the same form sent again asks once.

    Raises
    ------
    DomainError
        Whatever `approving.ask` refuses.
    """
    if needed.demand is None:
        raise needed
    key = replace(write, key=f"{write.key}/ask", operation=f"{write.operation} (ask)")
    return await wait_for(request, session, caller, key, Question(needed.demand.act, needed.demand.wish), now=now)


async def wait_for(
    request: Request, session: AsyncSession, caller: Caller, write: WriteKey, question: Question, *, now: datetime
) -> Response:
    """Ask a second person and go to the page that waits for it.

    Raises
    ------
    DomainError
        Whatever `approving.ask` refuses.
    """
    hours = request.app.state.runtime.settings.approval_hours
    asked = await ask(session, caller, write, question, lasts=timedelta(hours=hours), now=now)
    return RedirectResponse(f"/approvals/{asked.body['approval']}", HTTPStatus.SEE_OTHER)
