"""The kinds of numbers: called otherwise, and closed for what is new, by the city's administrator."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.downloads import FileDep, download
from inventory.services.number_kinds import read_number_kinds, rename_number_kind, set_intake
from inventory.services.once import WriteKey
from inventory.services.short_lists import number_kind_listing
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/number-kinds")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
AdminNow = Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)]
_ACTS = ("rename", "open", "close")


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep) -> Response:
    """Show every kind of numbers."""
    if file is not None:
        return await download(runtime.database, caller, number_kind_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, None)


@router.post("")
async def act(
    request: Request, session: SessionDep, caller: AdminNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Call a kind otherwise, close it for what is new, or open it again; it is never deleted (REQ-CFG-01)."""
    try:
        await _done(session, caller, write, form, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal))
    return await _page(request, session, caller, Tried({}))


async def _done(session: SessionDep, caller: Caller, write: WriteKey, form: dict[str, str], *, now: datetime) -> None:
    kind, name_zh, name_en = (form.get(name, "") for name in ("kind", "name_zh", "name_en"))
    match form.get("act", ""):
        case "rename":
            await rename_number_kind(session, caller, write, kind=kind, name_zh=name_zh, name_en=name_en, now=now)
        case "open" | "close" as wanted:
            await set_intake(session, caller, write, kind=kind, intake=wanted == "open", now=now)
        case unknown:
            raise InvalidField(field="act", value=unknown, reason=f"one of {', '.join(_ACTS)} is needed")


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None) -> Response:
    refusal = None if tried is None else tried.refusal
    values = {
        "kinds": await read_number_kinds(session, caller),
        "may_change": caller.may(Permission.SETUP_WRITE),
        "done": translations(language_of(request)).gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "policies/number_kinds.html", values, refusal, caller=caller)
