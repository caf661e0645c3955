"""Card products: shown to all who audit, added and closed by the city's administrator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.downloads import FileDep, download
from inventory.services.catalogue import NUMBERS_OF_A_CARD, WRITTEN_BY, add_card_kind, close_card_kind, read_code_tables
from inventory.services.short_lists import card_kind_listing
from inventory.store.catalogue import CardKindRow
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations
from inventory.web.wording import PageWording

router = APIRouter(prefix="/card-kinds")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
Loader = Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)]
ALGORITHMS = ("milenage", "tuak")
_FIELDS = ("code", "name_zh", "name_en", "profile", "algorithm", "capacity_kb", "fee_fen", "max_numbers", "provider")
_DIGITS = 8


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep) -> Response:
    """Show every card product, closed ones too."""
    if file is not None:
        return await download(runtime.database, caller, card_kind_listing(), file, PageWording(language_of(request)))
    return await _page(request, session, caller, None)


@router.post("")
async def act(
    request: Request, session: SessionDep, caller: Loader, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Add a product, or close one; it is never changed (REQ-CFG-01)."""
    try:
        if form.get("act") == "close":
            await close_card_kind(session, caller, write, code=form.get("code", ""), now=now)
        else:
            await add_card_kind(session, caller, write, _product(form), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal))
    return await _page(request, session, caller, Tried({}))


def _product(form: Mapping[str, str]) -> CardKindRow:
    """Return the product as the form names it; what else a network needs follows from each card's IMSI."""
    network: dict[str, Any] = {}
    if provider := form.get("provider"):
        network = {"spn": {"name": provider, "show_plmn": True, "hide_abroad": False}}
    return CardKindRow(
        code=form.get("code", ""),
        name_zh=form.get("name_zh", ""),
        name_en=form.get("name_en", ""),
        profile=form.get("profile", ""),
        capacity_kb=read_number("capacity_kb", form.get("capacity_kb", ""), digits=_DIGITS),
        capabilities=[],
        network=network,
        fee_fen=read_number("fee_fen", form.get("fee_fen", ""), digits=_DIGITS),
        algorithm={"name": form.get("algorithm", "")},
        max_numbers=read_number("max_numbers", form.get("max_numbers", "1"), digits=1),
    )


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None) -> Response:
    refusal = None if tried is None else tried.refusal
    sent = {} if tried is None else tried.form
    values = {
        "kinds": (await read_code_tables(session, caller)).card_kinds,
        "written_by": WRITTEN_BY,
        "algorithms": ALGORITHMS,
        "numbers_of_a_card": NUMBERS_OF_A_CARD,
        "may_add": caller.may(Permission.LOADS_WRITE),
        "sent": {name: sent.get(name, "") for name in _FIELDS},
        "done": translations(language_of(request)).gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "policies/card_kinds.html", values, refusal, caller=caller)
