"""Take stock in from a file: try it, look at every fault, take it whole or its good rows, mend the rest."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, File, Path, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField, LoadNotRunning, LoadRejected
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import KINDS
from inventory.domain.lifecycle import LOAD_OPEN, LoadState
from inventory.domain.reasons import Purpose
from inventory.downloads import FileDep, download
from inventory.i18n import Language
from inventory.request_scope import BIGGEST, RuntimeDep
from inventory.services.exporting import fault_listing, load_listing
from inventory.services.load_mending import BadRow, can_be_mended, load_mended, rows_to_mend
from inventory.services.load_standing import (
    Standing,
    has_file,
    known_columns,
    list_loads,
    read_faults,
    read_standing,
)
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.services.load_undo import undo_load
from inventory.services.loading import FileWish, cancel_load, load_again, load_file, read_rejects, start_load
from inventory.services.once import WriteKey
from inventory.web.code_tables import offered, offered_reasons
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import render_form, shown
from inventory.web.rendering import render
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/loads")

Reader = Annotated[Caller, require(Permission.LOADS_READ)]
LoadingNow = Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)]
LoadId = Annotated[str, Path(max_length=40)]

_FIELDS = ("kind", "card_kind", "hlr", "vendor", "pool", "columns", "keep_good", "announced")
_KINDS = {
    FileKind.SIM_VENDOR: "Vendor's output file of cards",
    FileKind.IMSI_POOL: "Pool of IMSIs",
    FileKind.CARD_LIST: "List of cards",
    FileKind.NUMBER_LIST: "List of numbers",
}
_FAULTS = {
    "missing": "is missing",
    "malformed": "has not the right form",
    "spreadsheet_number": "a spreadsheet has cut digits off; export the column as text",
    "column_count": "the row has another number of values than the others",
    "unknown_column": "this column is not known",
    "duplicate_column": "this column is there twice",
    "duplicate_in_file": "stands in the file twice",
    "box_sealed": "this box is sealed already",
    "in_two_boxes": "an earlier row has the card in another box",
    "duplicate_in_stock": "is in stock already",
    "duplicate_elsewhere": "another city has it",
    "imsi_kept": "this IMSI is kept for a card that was given back",
    "iccid_kept": "this ICCID is that of a card that was given back",
    "quantity": "the file declares another quantity than it holds",
    "not_text": "the file is neither UTF-8 nor GB18030 text",
    "secret_column": "keys and codes come in a vendor's file only",
    "finished_cards": "a card with an IMSI needs its HLR: a column, or said with the load",
    "empty": "the file holds no row",
    "unknown_hlr": "this HLR is not known, or closed",
    "expired": "its last day is over",
    "other_area": "it is not for this area",
    "other_card_kind": "the row names another card product",
    "other_key_size": "the key is not as long as this product's algorithm takes it",
    "no_segment": "no segment of yours holds this number",
    "other_city": "the segment belongs to another city",
    "kind_closed": "the city takes no numbers of this kind in",
    "other_kind": "the segment holds another kind of numbers",
    "other_hlr": "the segment has another HLR",
}
"""What is wrong with a row, in English; the catalogue has the Chinese sentences."""
_PHASES = {
    "waiting": "Waits for a worker",
    "reading": "Reads the file",
    "checking": "Compares with all that exists",
    "taking": "Puts the rows into stock",
}
_AGAIN = frozenset({LoadState.TRIED, LoadState.REJECTED, LoadState.CANCELLED, LoadState.FAILED})
"""After these the same file may be taken, if it lies here still."""
_PAGE = 200
_RECENT = 50


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    before: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
) -> Response:
    """Show the empty form and the last loads, or those older than the load with number `before`; as a file all."""
    if file is not None:
        return await download(runtime.database, caller, load_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, {}, before=before)


@router.post("")
async def take(
    request: Request,
    session: SessionDep,
    caller: LoadingNow,
    runtime: RuntimeDep,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Try or load a file: a large one that the page has sent before in the background, a small one at once."""
    try:
        terms = _terms(form)
        if form.get("upload"):
            begun = await start_load(session, caller, write, form["upload"], LoadTerms(**terms), now=now)
            return RedirectResponse(f"/loads/{begun.body['id']}", HTTPStatus.SEE_OTHER)
        if file is None or not file.filename:
            raise InvalidField(field="file", value="", reason="choose a file")
        content = await file.read()
        wish = FileWish(name=file.filename, content=content, **terms)
        key = WriteKey.of(write.key, write.operation, {"form": form, "file": hashlib.sha256(content).hexdigest()})
        done = await load_file(session, caller, key, wish, vault=runtime.vault, now=now)
    except LoadRejected as refusal:
        return RedirectResponse(f"/loads/{refusal.params['batch']}", HTTPStatus.SEE_OTHER)
    except DomainError as refusal:
        return await _page(request, session, caller, form, refusal)
    return RedirectResponse(f"/loads/{done.body['id']}", HTTPStatus.SEE_OTHER)


@router.get("/{load}")
async def one(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    load: LoadId,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
) -> Response:
    """Show a load, taken or refused, with a page of its faults."""
    language = language_of(request)
    if file is not None:
        return await download(runtime.database, caller, fault_listing(load), file, PageWording(language))
    return await _one(request, session, caller, load, after=after)


async def _one(
    request: Request,
    session: AsyncSession,
    caller: Caller,
    load: str,
    *,
    after: int = 0,
    refusal: DomainError | None = None,
) -> Response:
    language = language_of(request)
    standing = await read_standing(session, caller, public_id=load)
    batch = standing.batch
    found = await read_faults(session, caller, public_id=load, after=after, limit=_PAGE)
    whole = batch.figures.get("refusal")
    may_load = caller.may(Permission.LOADS_WRITE)
    values = {
        "id": load,
        "batch": batch,
        "open": batch.state in LOAD_OPEN,
        "stock": batch.resource in KINDS and caller.may(Permission.ISSUE),
        "faults": [_fault(vars(fault), language) for _, fault in found],
        "next_after": found[-1][0] if len(found) == _PAGE else None,
        "reasons": await offered_reasons(session, caller, language, Purpose.UNDO),
        "may_load": may_load,
        "mend": [_mended(row, language) for row in await rows_to_mend(session, batch)]
        if may_load and can_be_mended(batch)
        else [],
        "again": may_load and batch.state in _AGAIN and await has_file(session, batch),
        "whole": None if whole is None else shown(request, whole["code"], whole["params"]),
        **_progress(standing, language),
    }
    return render_form(request, "loads/one.html", values, refusal, caller=caller)


@router.get("/{load}/progress")
async def progress(request: Request, session: SessionDep, caller: Reader, load: LoadId) -> Response:
    """Show how far the load is; once it has ended, go to its page anew."""
    standing = await read_standing(session, caller, public_id=load)
    if standing.batch.state not in LOAD_OPEN:
        return Response(headers={"HX-Redirect": f"/loads/{load}"})
    language = language_of(request)
    values = {"id": load, **_progress(standing, language)}
    return render(request, "loads/progress.html", values, language=language, caller=caller)


@router.post("/{load}/cancel")
async def cancel(
    request: Request, session: SessionDep, caller: LoadingNow, load: LoadId, write: WriteDep, now: NowDep
) -> Response:
    """Leave a load that runs."""
    del write
    try:
        await cancel_load(session, caller, public_id=load, now=now)
    except LoadNotRunning as refusal:
        return await _one(request, session, caller, load, refusal=refusal)
    return RedirectResponse(f"/loads/{load}", HTTPStatus.SEE_OTHER)


@router.post("/{load}/undo")
async def undo(
    request: Request,
    session: SessionDep,
    caller: LoadingNow,
    load: LoadId,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Take out again what a load brought."""
    try:
        await undo_load(session, caller, write, public_id=load, reason=form.get("reason", ""), now=now)
    except DomainError as refusal:
        return await _one(request, session, caller, load, refusal=refusal)
    return RedirectResponse(f"/loads/{load}", HTTPStatus.SEE_OTHER)


@router.post("/{load}/mend")
async def mend(
    request: Request,
    session: SessionDep,
    caller: LoadingNow,
    runtime: RuntimeDep,
    load: LoadId,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Run the rows again that were mended on the page, and no others."""
    lines = [line for name, line in form.items() if name.startswith("line-")]
    try:
        done = await load_mended(session, caller, write, public_id=load, lines=lines, vault=runtime.vault, now=now)
    except LoadRejected as refusal:
        return RedirectResponse(f"/loads/{refusal.params['batch']}", HTTPStatus.SEE_OTHER)
    except DomainError as refusal:
        return await _one(request, session, caller, load, refusal=refusal)
    return RedirectResponse(f"/loads/{done.body['id']}", HTTPStatus.SEE_OTHER)


@router.post("/{load}/again")
async def again(
    request: Request,
    session: SessionDep,
    caller: LoadingNow,
    load: LoadId,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Take the file of a trial or of a refused load, whole or its good rows, without sending it again."""
    try:
        keep_good = "keep_good" in form
        begun = await load_again(session, caller, write, public_id=load, keep_good=keep_good, now=now)
    except DomainError as refusal:
        return await _one(request, session, caller, load, refusal=refusal)
    return RedirectResponse(f"/loads/{begun.body['id']}", HTTPStatus.SEE_OTHER)


@router.get("/{load}/rejects")
async def rejects(session: SessionDep, caller: Reader, load: LoadId) -> Response:
    """Give the bad rows of a list in its own form, with the reasons in a last column."""
    file = await read_rejects(session, caller, public_id=load)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


async def _page(
    request: Request,
    session: AsyncSession,
    caller: Caller,
    form: dict[str, str],
    refusal: DomainError | None = None,
    *,
    before: int | None = None,
) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    loads = await list_loads(session, caller, before=before, limit=_RECENT)
    values = {
        "may_load": caller.may(Permission.LOADS_WRITE),
        "kinds": [{"name": kind.value, "label": gettext(label)} for kind, label in _KINDS.items()],
        **await offered(session, caller, language),
        "form": {name: form.get(name, "") for name in _FIELDS},
        "loads": [{"id": format_public_id("b", batch.city_id, batch.batch_id), "batch": batch} for batch in loads],
        "first": before is None,
        "next_before": loads[-1].batch_id if len(loads) == _RECENT else None,
        "known": await known_columns(session, caller),
    }
    return render_form(request, "loads/page.html", values, refusal, caller=caller)


def _terms(form: dict[str, str]) -> dict[str, Any]:
    """Return what the form says of the file.

    Raises
    ------
    InvalidField
        It does not say what the file holds.
    """
    if form.get("kind") not in set(FileKind):
        raise InvalidField(field="kind", value=form.get("kind", ""), reason="choose what the file holds")
    return {
        "kind": FileKind(form["kind"]),
        "card_kind": form.get("card_kind") or None,
        "hlr": form.get("hlr") or None,
        "vendor": form.get("vendor") or None,
        "pool": form.get("pool") or None,
        "columns": form.get("columns", ""),
        "keep_good": "keep_good" in form,
        "dry_run": "try" in form,
        "announced": "announced" in form,
    }


def _progress(standing: Standing, language: Language) -> dict[str, Any]:
    """Return what the page shows of a load that runs."""
    progress = standing.progress
    sentence = _PHASES.get("waiting" if progress is None else progress.phase, "")
    return {
        "progress": progress,
        "phase": translations(language).gettext(sentence),
        "cancelling": standing.cancelling,
    }


def _mended(row: BadRow, language: Language) -> dict[str, Any]:
    """Return a row that can be mended, with what is wrong with it."""
    why = [_fault(vars(fault), language) for fault in row.faults]
    return {"row": row.row, "line": row.line, "why": [f"{fault['column']}: {fault['why']}" for fault in why]}


def _fault(fault: dict[str, Any], language: Language) -> dict[str, Any]:
    """Return a fault with its sentence."""
    sentence = _FAULTS.get(fault["code"])
    why = fault["code"] if sentence is None else translations(language).gettext(sentence)
    return {"row": fault["row"], "column": fault["column"], "value": fault["value"], "why": why}
