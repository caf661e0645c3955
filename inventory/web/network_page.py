"""What the network was told of proven cards: tell it, fetch the file, type in or paste what it answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.auc import AucAnswer, AucForm
from inventory.domain.errors import ApprovalNeeded, DomainError, InvalidField
from inventory.domain.identifiers import format_public_id
from inventory.downloads import FileDep, download, send
from inventory.request_scope import BIGGEST
from inventory.services.auc_answers import NetworkAnswer, read_failing_calls, read_waiting, take_answers
from inventory.services.auc_exports import (
    PREFIX,
    ExportWish,
    export,
    export_file,
    read_exports,
    read_network_keys,
)
from inventory.services.catalogue import read_code_tables
from inventory.services.short_lists import network_export_listing
from inventory.store.auc import ExportRow
from inventory.web.asking import ask_and_wait
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/network")

Reader = Annotated[Caller, require(Permission.NETWORK_READ)]
Exporter = Annotated[Caller, require(Permission.NETWORK_EXPORT)]
ExporterNow = Annotated[Caller, require(Permission.NETWORK_EXPORT, writes=True)]
Answerer = Annotated[Caller, require(Permission.NETWORK_ANSWER, writes=True)]
_RESULTS = {answer.value: answer for answer in AucAnswer}
_ADVICE = {
    "none": "Tell the network of it below; of a card that the vendor told it of, keep the answer confirmed.",
    "sent": "The network has not answered yet.",
    "failed": "Have it mended there and keep the answer confirmed, or tell the network again: the next file has it.",
}
"""What to do about a sale that waits, by what the network knows of its card."""
_NOT_TAKEN = {
    "unknown": "no card has this IMSI: check it",
    "serves_number": "a number in use is served by it: end that line first",
}
"""Why an answer is not taken, by code, and what to do."""
_OUT_OF_TURN = "it does not fit what was sent and answered before: see to the life of its card"
"""Of any other code: what the network knew of the identity stands against the answer."""
_CALL_ADVICE = {
    True: "The system refuses this card: ask the operator about it, with serial and transaction.",
    False: (
        "It is told again by itself. See to the line to the system, and to HAOKA_OPERATOR_URL and its key at the "
        "worker; sell with another card meanwhile."
    ),
}
"""What to do about an answer that is not taken, by whether the system said no."""
_REFUSING = "status 4"
"""How the word for it begins where the system said no; anything else may pass."""
_FIELDS = ("form", "transport_key", "hlr", "most", "answers")
_USUAL = "100000"
_SHOWN = 20
"""Exports of a page: all their identities are counted."""


@router.get("")
async def show(
    request: Request,
    session: SessionDep,
    caller: Reader,
    runtime: RuntimeDep,
    file: FileDep,
    before: Annotated[int | None, Query(ge=1, le=BIGGEST)] = None,
) -> Response:
    """Show the newest exports with what came of them, and the forms to tell and to answer; as a file all exports."""
    if file is not None:
        wording = PageWording(language_of(request))
        return await download(runtime.database, caller, network_export_listing(), file, wording)
    return await _page(request, session, caller, Tried({"most": _USUAL}), before=before)


@router.post("/exports")
async def tell(
    request: Request,
    session: SessionDep,
    caller: ExporterNow,
    runtime: RuntimeDep,
    write: WriteDep,
    form: FormDep,
    now: NowDep,
) -> Response:
    """Ask the second person; the export is made with its word."""
    try:
        most = read_number("most", form.get("most", ""), digits=7, reason="a whole number")
        wish = ExportWish(
            form=form.get("form", ""),
            transport_key=form.get("transport_key", ""),
            hlr=form.get("hlr") or None,
            most=most,
        )
        await export(session, caller, write, wish, vault=runtime.vault, now=now)
    except ApprovalNeeded as needed:
        return await ask_and_wait(request, session, caller, write, needed, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal))
    return RedirectResponse("/network", HTTPStatus.SEE_OTHER)


@router.post("/answers")
async def answer(
    request: Request, session: SessionDep, caller: Answerer, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Take in what the network answered."""
    try:
        done = await take_answers(session, caller, write, list(_answers(form.get("answers", ""))), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal))
    return await _page(request, session, caller, Tried({"most": _USUAL}), heard=done.body)


@router.get("/{export_id}/file")
async def fetch(
    session: SessionDep,
    caller: Exporter,
    runtime: RuntimeDep,
    now: NowDep,
    export_id: Annotated[str, Path(max_length=40)],
) -> Response:
    """Give the file of an export."""
    file = await export_file(session, caller, export_id, vault=runtime.vault, now=now)
    return await send(runtime.database, file.open, file.name, "application/octet-stream")


@router.get("/{sent}", dependencies=[require(Permission.NETWORK_READ)])
async def again(sent: str) -> Response:
    """Go to the page: a form is sent, not looked at, but its address may be asked for again (reload, language)."""
    del sent
    return RedirectResponse("/network", HTTPStatus.SEE_OTHER)


def _answers(text: str) -> Iterator[NetworkAnswer]:
    """Read one answer to a line: IMSI, result, and a reason if there is one.

    Raises
    ------
    InvalidField
        A line is none.
    """
    for number, line in enumerate(text.splitlines(), start=1):
        imsi, result, reason = [*line.replace(",", " ").split(maxsplit=2), "", "", ""][:3]
        if not imsi:
            continue
        if not (imsi.isascii() and imsi.isdigit()) or result not in _RESULTS:
            raise InvalidField(
                field="answers", value=f"line {number}", reason="IMSI, then confirmed, failed or deleted"
            )
        yield NetworkAnswer(imsi, _RESULTS[result], reason or None)


async def _page(
    request: Request,
    session: SessionDep,
    caller: Caller,
    tried: Tried,
    *,
    heard: Mapping[str, Any] | None = None,
    before: int | None = None,
) -> Response:
    gettext = translations(language_of(request)).gettext
    found = await read_exports(session, caller, before=before, most=_SHOWN)
    tables = await read_code_tables(session, caller)
    waiting, waiting_count = await read_waiting(session, caller)
    failing, calls = await read_failing_calls(session, caller)
    done = gettext("%(confirmed)d confirmed, %(failed)d failed, %(deleted)d deleted, %(unchanged)d as before.")
    values = {
        "exports": [_line(row, caller.city_id) for row in found],
        "first": before is None,
        "next_before": found[-1].export_id if len(found) == _SHOWN else None,
        "forms": [form.value for form in AucForm],
        "keys": await read_network_keys(session),
        "hlrs": [hlr.code for hlr in tables.hlrs if hlr.city_id == caller.city_id],
        "waiting": [
            {
                "number": line.number,
                "card": line.iccid or "",
                "auc": line.auc,
                "since": line.since,
                "advice": gettext(_ADVICE.get(line.auc, "")),
            }
            for line in waiting
        ],
        "waiting_count": waiting_count,
        "failing": [
            {
                **vars(call),
                "advice": gettext(_CALL_ADVICE[(call.why or "").startswith(_REFUSING)]),
            }
            for call in failing
        ],
        "failing_count": calls.failing,
        "may_export": caller.may(Permission.NETWORK_EXPORT),
        "may_answer": caller.may(Permission.NETWORK_ANSWER),
        "sent": {name: tried.form.get(name, "") for name in _FIELDS},
        "done": "" if heard is None else done % {"deleted": 0, **heard},
        "refused": [
            one | {"why": gettext(_NOT_TAKEN.get(one["code"], _OUT_OF_TURN))}
            for one in ([] if heard is None else heard["refused"])
        ],
    }
    return render_form(request, "approvals/network.html", values, tried.refusal, caller=caller)


def _line(row: ExportRow, city_id: int) -> dict[str, Any]:
    return {
        "id": format_public_id(PREFIX, city_id, row.export_id),
        "at": row.created_at,
        "form": row.form,
        "key": row.transport_key_index,
        "hlr": row.hlr_code or "",
        "count": row.item_count,
        "states": sorted(row.states.items()),
        "who": f"{row.staff_no} · {row.approver}",
    }
