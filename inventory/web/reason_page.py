"""Reasons: shown to all who audit, with how often each was given; added, renamed and closed by the administrator."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, OutsideScope
from inventory.domain.reasons import Purpose, Reason
from inventory.downloads import FileDep, download
from inventory.services.once import WriteKey
from inventory.services.reasons import add_reason, count_reasons, read_reasons, rename_reason, set_in_use
from inventory.services.short_lists import reason_listing
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/reasons")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
AdminNow = Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)]
_PURPOSES = {
    Purpose.RELEASE: "Status release",
    Purpose.ISSUE: "Issue",
    Purpose.RECALL: "Recall",
    Purpose.TRANSFER: "Transfer",
    Purpose.REFUSE: "Refused delivery",
    Purpose.SCRAP: "Leaving the stock",
    Purpose.BLOCK: "Lost or disabled",
    Purpose.CANCEL: "Cancelled count",
    Purpose.UNDO: "Undone load",
    Purpose.OPEN: "Opened box",
    Purpose.FEE: "Changed fee",
}
_FIELDS = ("code", "name_zh", "name_en")
_DAYS = 90


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep, now: NowDep
) -> Response:
    """Show every reason, closed ones too."""
    if file is not None:
        return await download(runtime.database, caller, reason_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, None, now=now)


@router.post("")
async def act(
    request: Request, session: SessionDep, caller: AdminNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Add a reason, call it otherwise, close it or open it again; it is never deleted (REQ-CFG-01)."""
    try:
        await _done(session, caller, write, form, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    return await _page(request, session, caller, Tried({}), now=now)


async def _done(session: SessionDep, caller: Caller, write: WriteKey, form: dict[str, str], *, now: datetime) -> None:
    code, name_zh, name_en = (form.get(name, "").strip() for name in _FIELDS)
    match form.get("act"):
        case "close" | "open" as verb:
            await set_in_use(session, caller, write, code=code, active=verb == "open", now=now)
        case "rename":
            await rename_reason(session, caller, write, code=code, name_zh=name_zh, name_en=name_en, now=now)
        case _:
            purposes = tuple(purpose.value for purpose in Purpose if f"for-{purpose}" in form)
            await add_reason(session, caller, write, Reason(code, name_zh, name_en, purposes), now=now)


async def _page(
    request: Request, session: SessionDep, caller: Caller, tried: Tried | None, *, now: datetime
) -> Response:
    gettext = translations(language_of(request)).gettext
    refusal = None if tried is None else tried.refusal
    sent = {} if tried is None else tried.form
    adding = sent if sent.get("act") == "add" else {}
    values = {
        "reasons": [
            {"row": row, "purposes": [gettext(_PURPOSES[Purpose(name)]) for name in row.purposes]}
            for row in await read_reasons(session, caller)
        ],
        "purposes": [
            {"name": f"for-{purpose}", "label": gettext(label), "chosen": f"for-{purpose}" in adding}
            for purpose, label in _PURPOSES.items()
        ],
        "given": await _given(session, caller, now=now),
        "days": _DAYS,
        "may_change": caller.may(Permission.SETUP_WRITE),
        "sent": {name: adding.get(name, "") for name in _FIELDS},
        "done": gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "policies/reasons.html", values, refusal, caller=caller)


async def _given(session: SessionDep, caller: Caller, *, now: datetime) -> dict[str, dict[str, Any]] | None:
    """Give by code how often a reason was given, and for how many items; None to who sees a part of the city only."""
    try:
        found = await count_reasons(session, caller, days=_DAYS, now=now)
    except OutsideScope:
        return None
    acts: Counter[str] = Counter()
    items: Counter[str] = Counter()
    for row in found:
        acts[row.code] += row.acts
        items[row.code] += row.items
    return {code: {"acts": acts[code], "items": items[code]} for code in acts}
