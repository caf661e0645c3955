"""Approvals: the inbox of the second person, and the page on which the first one waits for it, or lets it sign here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.lifecycle import ApprovalState
from inventory.downloads import FileDep, download
from inventory.services.access import Need, SignInRules, SignInWish, vouch
from inventory.services.approving import carry_out, grant, read_approval, read_approvals, refuse, withdraw
from inventory.services.once import WriteKey
from inventory.services.short_lists import approval_listing
from inventory.web.approval_views import outcome, shown
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import render_form
from inventory.web.rendering import render
from inventory.web.wording import PageWording

router = APIRouter(prefix="/approvals")

Reader = Annotated[Caller, require(Permission.APPROVALS_READ)]
Writer = Annotated[Caller, require(Permission.APPROVALS_WRITE, writes=True)]
ApprovalId = Annotated[str, Path(max_length=40)]
_NEED = Need(permission=Permission.APPROVALS_WRITE, writes=True)


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it, to show the page again."""

    form: Mapping[str, str]
    refusal: DomainError | None = None
    answer: Mapping[str, Any] | None = None


@router.get("")
async def show_all(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, now: NowDep, file: FileDep
) -> Response:
    """Show what waits for the person's word, and what it asked for itself."""
    language = language_of(request)
    if file is not None:
        wording = PageWording(language)
        return await download(runtime.database, caller, approval_listing(now=now), file, wording)
    waiting, asked = await read_approvals(session, caller, now=now)
    values = {
        "waiting": [shown(view, language) for view in waiting],
        "asked": [shown(view, language) for view in asked],
    }
    return render(request, "approvals/page.html", values, language=language, caller=caller)


@router.get("/{approval}")
async def show(request: Request, session: SessionDep, caller: Reader, approval: ApprovalId, now: NowDep) -> Response:
    """Show one approval: to be answered, waited for, or used."""
    return await _page(request, session, caller, approval, Tried({}), now=now)


@router.get("/{approval}/state")
async def poll(session: SessionDep, caller: Reader, approval: ApprovalId, now: NowDep) -> Response:
    """Send the waiting page on when the answer is there."""
    view = await read_approval(session, caller, approval=approval, now=now)
    if view.state is ApprovalState.ASKED:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return Response(status_code=HTTPStatus.OK, headers={"HX-Redirect": f"/approvals/{view.name}"})


@router.get("/{approval}/{verb}", dependencies=[require(Permission.APPROVALS_READ)])
async def again(approval: ApprovalId, verb: str) -> Response:
    """Go to the approval: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del verb
    return RedirectResponse(f"/approvals/{approval}", HTTPStatus.SEE_OTHER)


@router.post("/{approval}/do")
async def do(
    request: Request, session: SessionDep, caller: Writer, runtime: RuntimeDep, write: WriteDep, form: FormDep,
    now: NowDep, approval: ApprovalId,
) -> Response:  # fmt: skip
    """Do what was granted."""
    try:
        done = await carry_out(session, caller, write, approval=approval, vault=runtime.vault, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, approval, Tried(form, refusal), now=now)
    return await _page(request, session, caller, approval, Tried({}, answer=done.body), now=now)


@router.post("/{approval}/vouch")
async def sign_here(
    request: Request, session: SessionDep, caller: Writer, runtime: RuntimeDep, form: FormDep, now: NowDep,
    approval: ApprovalId,
) -> Response:  # fmt: skip
    """Let the second person give its word at the first one's screen, with its own password, for this approval only."""
    settings = runtime.settings
    wish = SignInWish(
        interface_no=caller.interface_no,
        staff_no=form.get("staff_no", ""),
        password=form.get("password", ""),
        origin={"client": request.client.host if request.client else None, "path": "/approvals/vouch"},
    )
    rules = SignInRules(
        lasts=timedelta(),
        failures=settings.sign_in_failures,
        wait=timedelta(minutes=settings.sign_in_wait_minutes),
    )
    key = form.get("idempotency_key") or f"{approval}/{wish.staff_no}"
    # The password is no part of the key: what is digested is kept
    write = WriteKey.of(f"{key}/vouch", "page POST /approvals/vouch", {"approval": approval, "staff": wish.staff_no})
    try:
        second = await vouch(session, wish, rules, _NEED, now=now)
        await grant(session, second, write, approval=approval, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, approval, Tried({"staff_no": wish.staff_no}, refusal), now=now)
    return RedirectResponse(f"/approvals/{approval}", HTTPStatus.SEE_OTHER)


@router.post("/{approval}/{verb}")
async def answer(
    request: Request, session: SessionDep, caller: Writer, write: WriteDep, form: FormDep, now: NowDep,
    approval: ApprovalId, verb: Literal["grant", "refuse", "withdraw"],
) -> Response:  # fmt: skip
    """Give the word, refuse it, or take the question back."""
    reason = form.get("reason") or None
    try:
        if verb == "grant":
            await grant(session, caller, write, approval=approval, reason=reason, now=now)
        elif verb == "refuse":
            await refuse(session, caller, write, approval=approval, reason=reason, now=now)
        else:
            await withdraw(session, caller, write, approval=approval, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, approval, Tried(form, refusal), now=now)
    return RedirectResponse("/approvals" if verb != "withdraw" else f"/approvals/{approval}", HTTPStatus.SEE_OTHER)


async def _page(
    request: Request, session: SessionDep, caller: Caller, approval: str, tried: Tried, *, now: datetime
) -> Response:
    language = language_of(request)
    view = await read_approval(session, caller, approval=approval, now=now)
    values = {
        "approval": shown(view, language),
        "can_write": caller.may(Permission.APPROVALS_WRITE),
        "form": {name: tried.form.get(name, "") for name in ("staff_no", "reason")},
        "outcome": "" if tried.answer is None else outcome(tried.answer),
    }
    return render_form(request, "approvals/one.html", values, tried.refusal, caller=caller)
