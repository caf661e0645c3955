"""Take stock in from a file: try it, look at every fault, take it whole or its good rows, mend the rest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, File, Path, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField, LoadRejected
from inventory.i18n import Language
from inventory.request_scope import BIGGEST, RuntimeDep
from inventory.services.catalogue import read_card_kinds
from inventory.services.loading import FileKind, FileWish, load_file, read_faults, read_load, read_rejects
from inventory.services.once import WriteKey
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import explain, status_of
from inventory.web.rendering import render
from inventory.web.texts import translations

router = APIRouter(prefix="/loads")

Loader = Annotated[Caller, require(Permission.LOADS_WRITE)]
LoadingNow = Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)]
LoadId = Annotated[str, Path(max_length=40)]

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
    "duplicate_in_stock": "is in stock already",
    "duplicate_elsewhere": "another city has it",
    "quantity": "the file declares another quantity than it holds",
    "not_text": "the file is neither UTF-8 nor GB18030 text",
    "secret_column": "keys and codes come in a vendor's file only",
    "finished_cards": "blanks are loaded here, not cards with an IMSI",
    "empty": "the file holds no row",
    "unknown_hlr": "this HLR is not known",
    "other_card_kind": "the row names another card product",
    "no_segment": "no segment of yours holds this number",
    "other_city": "the segment belongs to another city",
    "other_kind": "the segment holds another kind of numbers",
    "other_hlr": "the segment has another HLR",
}
"""What is wrong with a row, in English; the catalogue has the Chinese sentences."""
_PAGE = 200


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it."""

    form: dict[str, str]
    refusal: DomainError | None = None
    trial: dict[str, Any] | None = None


@router.get("")
async def show(request: Request, session: SessionDep, caller: Loader) -> Response:
    """Show the empty form."""
    return await _page(request, session, caller, Tried({}))


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
    """Try the file, or load it and go to the load's own page."""
    try:
        if file is None or not file.filename:
            raise InvalidField(field="file", value="", reason="choose a file")
        if form.get("kind") not in set(FileKind):
            raise InvalidField(field="kind", value=form.get("kind", ""), reason="choose what the file holds")
        content = await file.read()
        wish = FileWish(
            kind=FileKind(form["kind"]),
            name=file.filename,
            content=content,
            card_kind=form.get("card_kind") or None,
            vendor=form.get("vendor") or None,
            pool=form.get("pool") or None,
            columns=form.get("columns", ""),
            keep_good="keep_good" in form,
            dry_run="try" in form,
        )
        key = WriteKey.of(write.key, write.operation, {"form": form, "file": hashlib.sha256(content).hexdigest()})
        done = await load_file(session, caller, key, wish, vault=runtime.vault, now=now)
    except LoadRejected as refusal:
        return RedirectResponse(f"/loads/{refusal.params['batch']}", HTTPStatus.SEE_OTHER)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal=refusal))
    if wish.dry_run:
        return await _page(request, session, caller, Tried(form, trial=done.body))
    return RedirectResponse(f"/loads/{done.body['id']}", HTTPStatus.SEE_OTHER)


@router.get("/{load}")
async def one(
    request: Request,
    session: SessionDep,
    caller: Loader,
    load: LoadId,
    after: Annotated[int, Query(ge=0, le=BIGGEST)] = 0,
) -> Response:
    """Show a load, taken or refused, with a page of its faults."""
    language = language_of(request)
    batch = await read_load(session, caller, public_id=load)
    found = await read_faults(session, caller, public_id=load, after=after, limit=_PAGE)
    values = {
        "id": load,
        "batch": batch,
        "taken": batch.state == "COMMITTED",
        "faults": [_fault(vars(fault), language) for _, fault in found],
        "next_after": found[-1][0] if len(found) == _PAGE else None,
    }
    return render(request, "loads/one.html", values, language=language, caller=caller)


@router.get("/{load}/rejects.csv")
async def rejects(session: SessionDep, caller: Loader, load: LoadId) -> Response:
    """Give the bad rows of a list in its own form, with the reasons in a last column."""
    content = await read_rejects(session, caller, public_id=load)
    headers = {"Content-Disposition": f'attachment; filename="{load}-rejects.csv"'}
    return Response(content, media_type="text/csv", headers=headers)


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    trial = tried.trial
    values = {
        "kinds": [{"name": kind.value, "label": gettext(label)} for kind, label in _KINDS.items()],
        "card_kinds": [
            {"code": row.code, "name": row.name_en if language == "en" else row.name_zh}
            for row in await read_card_kinds(session)
        ],
        "form": {
            name: tried.form.get(name, "") for name in ("kind", "card_kind", "vendor", "pool", "columns", "keep_good")
        },
        "trial": trial,
        "faults": [] if trial is None else [_fault(fault, language) for fault in trial["faults"]],
        "problem": None if tried.refusal is None else explain(request, tried.refusal),
    }
    status = HTTPStatus.OK if tried.refusal is None else status_of(tried.refusal)
    return render(request, "loads/page.html", values, language=language, caller=caller, status=status)


def _fault(fault: dict[str, Any], language: Language) -> dict[str, Any]:
    """Return a fault with its sentence."""
    sentence = _FAULTS.get(fault["code"])
    why = fault["code"] if sentence is None else translations(language).gettext(sentence)
    return {"row": fault["row"], "column": fault["column"], "value": fault["value"], "why": why}
