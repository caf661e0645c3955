"""Take stock in without a file: cards and numbers that are typed, scanned or named as a range; whole segments."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField, LoadRejected
from inventory.domain.identifiers import NumberKind
from inventory.domain.loading.written_out import written_out
from inventory.services.load_terms import FileKind
from inventory.services.loading import FileWish, load_file
from inventory.services.numbers import BLOCK_KINDS, SegmentWish, take_segments
from inventory.web.code_tables import names_of_number_kinds, offered
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import render_form
from inventory.web.texts import translations

router = APIRouter(prefix="/loads")

Loader = Annotated[Caller, require(Permission.LOADS_WRITE)]
LoadingNow = Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)]

_HAND_FIELDS: Final = ("kind", "check_digit", "card_kind", "hlr", "vendor", "pool", "items", "keep_good", "announced")
_CHECK_DIGIT: Final = {"yes": True, "no": False}
_SEGMENT_FIELDS: Final = ("kind", "prefixes", "by_plan", "carrier", "hlr", "pool", "group", "listed")
_KINDS: Final = {
    FileKind.CARD_LIST: "List of cards",
    FileKind.NUMBER_LIST: "List of numbers",
    FileKind.IMSI_POOL: "Pool of IMSIs",
}
_CARRIERS: Final = {
    "mobile": "China Mobile",
    "unicom": "China Unicom",
    "telecom": "China Telecom",
    "broadnet": "China Broadnet",
}
"""Range holders as the number plan names them."""


@router.get("/by-hand")
async def show_by_hand(request: Request, session: SessionDep, caller: Loader) -> Response:
    """Show the empty form, ready for the scanner."""
    return await _by_hand(request, session, caller, {})


@router.post("/by-hand")
async def take_by_hand(
    request: Request,
    session: SessionDep,
    caller: LoadingNow,
    runtime: RuntimeDep,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Try or take what was written: a load like any other, whose file is the text (REQ-SIM-01, REQ-NUM-02)."""
    try:
        wish = _written(form, translations(language_of(request)).gettext("By hand or scanner"))
        done = await load_file(session, caller, write, wish, vault=runtime.vault, now=now)
    except LoadRejected as refusal:
        return RedirectResponse(f"/loads/{refusal.params['batch']}", HTTPStatus.SEE_OTHER)
    except DomainError as refusal:
        return await _by_hand(request, session, caller, form, refusal)
    return RedirectResponse(f"/loads/{done.body['id']}", HTTPStatus.SEE_OTHER)


@router.get("/segments")
async def show_segments(request: Request, session: SessionDep, caller: Loader) -> Response:
    """Show the empty form."""
    return await _segments(request, session, caller, {})


@router.post("/segments")
async def take_in_segments(
    request: Request, session: SessionDep, caller: LoadingNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Take all the segments that are named, each number with its class, or none (REQ-NUM-14)."""
    try:
        done = await take_segments(session, caller, write, _segment_wish(form), now=now)
    except DomainError as refusal:
        return await _segments(request, session, caller, form, refusal)
    return RedirectResponse(f"/loads/{done.body['load']}", HTTPStatus.SEE_OTHER)


def _written(form: Mapping[str, str], name: str) -> FileWish:
    """Read what was written as a small file of this name.

    Raises
    ------
    InvalidField
        It does not say what the items are, or names none.
    """
    if form.get("kind") not in _KINDS:
        raise InvalidField(field="kind", value=form.get("kind", ""), reason="choose what the file holds")
    return FileWish(
        kind=FileKind(form["kind"]),
        name=name,
        content=written_out(form.get("items", ""), check_digit=_CHECK_DIGIT.get(form.get("check_digit", ""))).encode(),
        card_kind=form.get("card_kind") or None,
        hlr=form.get("hlr") or None,
        vendor=form.get("vendor") or None,
        pool=form.get("pool") or None,
        keep_good="keep_good" in form,
        dry_run="try" in form,
        announced="announced" in form,
    )


def _segment_wish(form: Mapping[str, str]) -> SegmentWish:
    """Read which segments are wanted.

    Raises
    ------
    InvalidField
        Their kind is unknown, or none is named.
    """
    if form.get("kind") not in set(NumberKind):
        raise InvalidField(field="kind", value=form.get("kind", ""), reason=f"one of {', '.join(NumberKind)} is needed")
    kind = NumberKind(form["kind"])
    by_plan = "by_plan" in form
    prefixes = () if by_plan else tuple(written_out(form.get("prefixes", ""), field="prefixes").split())
    return SegmentWish(
        prefixes=None if by_plan else prefixes,
        kind=kind,
        carrier=form.get("carrier", ""),
        hlr_code=form.get("hlr", ""),
        pool=form.get("pool") or None,
        group=form.get("group") or None,
        listed="listed" in form or kind not in BLOCK_KINDS,
    )


async def _by_hand(
    request: Request,
    session: AsyncSession,
    caller: Caller,
    form: Mapping[str, str],
    refusal: DomainError | None = None,
) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    values = {
        "kinds": [{"name": kind.value, "label": gettext(label)} for kind, label in _KINDS.items()],
        "form": {name: form.get(name, "") for name in _HAND_FIELDS},
        **await offered(session, caller, language),
    }
    return render_form(request, "loads/by_hand.html", values, refusal, caller=caller)


async def _segments(
    request: Request,
    session: AsyncSession,
    caller: Caller,
    form: Mapping[str, str],
    refusal: DomainError | None = None,
) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    values = {
        "kinds": [
            {"name": name, "label": label}
            for name, label in (await names_of_number_kinds(session, caller, language, taken_in=True)).items()
        ],
        "carriers": [{"name": name, "label": gettext(label)} for name, label in _CARRIERS.items()],
        "form": {name: form.get(name, "") for name in _SEGMENT_FIELDS},
        **await offered(session, caller, language),
    }
    return render_form(request, "loads/segments.html", values, refusal, caller=caller)
