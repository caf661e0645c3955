"""Count a drawer with the scanner: the book speaks when all is scanned."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.kinds import SIM
from inventory.services.counting import CountWish, count
from inventory.services.organisation import read_tree
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.names import node_name
from inventory.web.problems import explain, reason_against, status_of
from inventory.web.rendering import render

router = APIRouter(prefix="/count")

Counter = Annotated[Caller, require(Permission.COUNT)]
CountingNow = Annotated[Caller, require(Permission.COUNT, writes=True)]


@router.get("")
async def show(request: Request, session: SessionDep, caller: Counter) -> Response:
    """Show the empty form."""
    return await _page(request, session, caller, {})


@router.post("")
async def compare(
    request: Request, session: SessionDep, caller: CountingNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Compare what was scanned with the book, and keep the count."""
    wish = CountWish(
        resource=SIM.name,
        place=form.get("place", ""),
        items=tuple(form.get("items", "").replace(",", "\n").split()),
        counted_by=form.get("person") or None,
    )
    try:
        done = await count(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, form, refusal=refusal)
    return await _page(request, session, caller, form, found=done.body)


async def _page(
    request: Request,
    session: SessionDep,
    caller: Caller,
    form: dict[str, str],
    *,
    found: dict[str, Any] | None = None,
    refusal: DomainError | None = None,
) -> Response:
    language = language_of(request)
    places = [node for node in await read_tree(session, caller) if node.level != "CUSTOMER"]
    names = {node.code: node_name(node, language) for node in places}
    extra = [] if found is None else found["extra_items"]
    values = {
        "places": [{"code": code, "name": name} for code, name in names.items()],
        "form": {name: form.get(name, "") for name in ("place", "items", "person")},
        "found": found,
        "extra": [
            row | {"why": reason_against(row["code"], language), "holder": names.get(row["holder"], row["holder"])}
            for row in extra
        ],
        "problem": None if refusal is None else explain(request, refusal),
    }
    status = HTTPStatus.OK if refusal is None else status_of(refusal)
    return render(request, "count/page.html", values, language=language, caller=caller, status=status)
