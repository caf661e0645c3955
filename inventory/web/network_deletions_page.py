"""What the network is told to delete: make a file, fetch it again, see what is left."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.auc import AucForm
from inventory.domain.errors import DomainError
from inventory.domain.identifiers import format_public_id
from inventory.downloads import FileDep, download, send
from inventory.services.auc_deletions import PREFIX, DeletionWish, deletion_file, read_deletions, tell_deletions
from inventory.services.catalogue import read_code_tables
from inventory.services.short_lists import network_deletion_listing
from inventory.store.auc_deletions import DeletionRow
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.problems import Tried, render_form
from inventory.web.wording import PageWording

router = APIRouter(prefix="/network/deletions")

Reader = Annotated[Caller, require(Permission.NETWORK_READ)]
Exporter = Annotated[Caller, require(Permission.NETWORK_EXPORT)]
ExporterNow = Annotated[Caller, require(Permission.NETWORK_EXPORT, writes=True)]
_FIELDS = ("form", "hlr", "most")
_USUAL = "100000"


@router.get("")
async def show(
    request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, now: NowDep, file: FileDep
) -> Response:
    """Show the files and how many identities are in none yet; as a file all files."""
    if file is not None:
        wording = PageWording(language_of(request))
        return await download(runtime.database, caller, network_deletion_listing(now=now), file, wording)
    return await _page(request, session, caller, Tried({"most": _USUAL}), now=now)


@router.post("")
async def tell(
    request: Request, session: SessionDep, caller: ExporterNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Make a file."""
    try:
        most = read_number("most", form.get("most", ""), digits=7, reason="a whole number")
        wish = DeletionWish(form=form.get("form", ""), hlr=form.get("hlr") or None, most=most)
        await tell_deletions(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    return RedirectResponse("/network/deletions", HTTPStatus.SEE_OTHER)


@router.get("/{deletion_id}/file")
async def fetch(
    session: SessionDep,
    caller: Exporter,
    runtime: RuntimeDep,
    now: NowDep,
    deletion_id: Annotated[str, Path(max_length=40)],
) -> Response:
    """Give what of a file is still to be deleted."""
    file = await deletion_file(session, caller, deletion_id, now=now)
    return await send(runtime.database, file.open, file.name, "application/octet-stream")


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried, *, now: datetime) -> Response:
    rows, waiting = await read_deletions(session, caller, now=now)
    tables = await read_code_tables(session, caller)
    values = {
        "files": [_line(row, caller.city_id) for row in rows],
        "waiting": waiting,
        "forms": [form.value for form in AucForm],
        "hlrs": [hlr.code for hlr in tables.hlrs if hlr.city_id == caller.city_id],
        "may_export": caller.may(Permission.NETWORK_EXPORT),
        "sent": {name: tried.form.get(name, "") for name in _FIELDS},
    }
    return render_form(request, "approvals/network_deletions.html", values, tried.refusal, caller=caller)


def _line(row: DeletionRow, city_id: int) -> dict[str, Any]:
    return {
        "id": format_public_id(PREFIX, city_id, row.deletion_id),
        "at": row.created_at,
        "form": row.form,
        "hlr": row.hlr_code or "",
        "count": row.item_count,
        "left": row.left,
        "who": row.staff_no,
    }
