"""What a city is set up with: HLRs and the number plan."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, File, Path, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.downloads import FileDep, download
from inventory.services.catalogue import add_hlr, close_hlr, read_code_tables
from inventory.services.once import WriteKey
from inventory.services.plan import PlanWish, read_plan, take_plan
from inventory.services.short_lists import hlr_listing
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/setup")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
FounderNow = Annotated[Caller, require(Permission.SETUP_WRITE, writes=True)]
_HLR, _PLAN = ("code", "name", "smsc"), ("version", "dated")
_CARRIERS = {
    "mobile": "China Mobile",
    "unicom": "China Unicom",
    "telecom": "China Telecom",
    "broadnet": "China Broadnet",
}


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep) -> Response:
    """Show HLRs and number plan, with the forms of who may change them."""
    if file is not None:
        return await download(runtime.database, caller, hlr_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, Tried())


@router.post("/hlrs")
async def post_hlr(
    request: Request, session: SessionDep, caller: FounderNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Add an HLR."""
    try:
        await add_hlr(session, caller, write, **{name: form.get(name, "") for name in _HLR}, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal))
    return RedirectResponse("/setup", HTTPStatus.SEE_OTHER)


@router.post("/hlrs/{code}/close")
async def shut_hlr(
    request: Request,
    session: SessionDep,
    caller: FounderNow,
    write: WriteDep,
    now: NowDep,
    code: Annotated[str, Path(max_length=40)],
) -> Response:
    """Close an HLR."""
    try:
        await close_hlr(session, caller, write, code=code, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried({}, refusal))
    return RedirectResponse("/setup", HTTPStatus.SEE_OTHER)


@router.post("/plan")
async def post_plan(
    request: Request,
    session: SessionDep,
    caller: FounderNow,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Put a version of the number plan in force: the file, or without one the product's own list."""
    try:
        wish = PlanWish(
            content=await file.read() if file is not None and file.filename else None,
            version=form.get("version", ""),
            dated=_day(form.get("dated", "")),
        )
        # Two files of one name are two writes: a page's key is of its text fields alone.
        key = write if wish.content is None else WriteKey.of(write.key, write.operation, [form, wish.content.hex()])
        await take_plan(session, caller, key, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal))
    return RedirectResponse("/setup", HTTPStatus.SEE_OTHER)


@router.get("/{sent:path}", dependencies=[require(Permission.SETUP_READ)])
async def again(sent: str) -> Response:
    """Go to the page: a form is sent, not looked at, but its address may be asked for again (reload, language)."""
    del sent
    return RedirectResponse("/setup", HTTPStatus.SEE_OTHER)


def _day(text: str) -> date | None:
    """Read a day, or none.

    Raises
    ------
    InvalidField
        It is neither.
    """
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidField(field="dated", value=text, reason="a day such as 2026-07-01") from None


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    tables, standing = await read_code_tables(session, caller), await read_plan(session, caller)
    values = {
        "may_set": caller.may(Permission.SETUP_WRITE),
        "hlrs": tables.hlrs,
        "plan": standing.source,
        "holders": [
            {
                "name": gettext(_CARRIERS[holder.carrier]) if holder.carrier in _CARRIERS else holder.carrier,
                "virtual": holder.kind == "virtual",
                "segments": holder.segments,
            }
            for holder in standing.holders
        ],
        "unmapped": sum(standing.source.unmapped.values()) if standing.source else 0,
        "sent": {name: tried.form.get(name, "") for name in (*_HLR, *_PLAN)},
    }
    return render_form(request, "setup/page.html", values, tried.refusal, caller=caller)
