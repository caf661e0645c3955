"""Issue, recall and transfer by list, scanner or range, with a document for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.domain.kinds import KINDS
from inventory.domain.organisation import Level
from inventory.i18n import Language
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.once import Answer, WriteKey
from inventory.services.organisation import read_above, read_beside, read_tree
from inventory.store.organisation import Node
from inventory.store.selection import ByName, ByRange, Selection
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.names import document_done, kind_name, node_name
from inventory.web.problems import explain, status_of
from inventory.web.rendering import render
from inventory.web.texts import translations

router = APIRouter(prefix="/moves")

Recaller = Annotated[Caller, require(Permission.RECALL)]
Issuer = Annotated[Caller, require(Permission.ISSUE, writes=True)]
RecallerNow = Annotated[Caller, require(Permission.RECALL, writes=True)]
Transferrer = Annotated[Caller, require(Permission.TRANSFER, writes=True)]
_LEVELS = frozenset(level.name for level in Level)
"""Where stock moves to and from by a document; customers are none of them."""


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it, to show the page again."""

    verb: Verb
    form: dict[str, str]
    refusal: DomainError | None = None
    answer: Answer | None = None


def read_items(text: str) -> Selection:
    """Read what was typed or scanned: one item to a line, or one range `first-last`.

    Raises
    ------
    InvalidField
        Nothing, or a range among single items.
    """
    lines = [line for line in (piece.strip() for piece in text.replace(",", "\n").splitlines()) if line]
    if len(lines) == 1 and "-" in lines[0]:
        first, _, last = lines[0].partition("-")
        return ByRange(first.strip(), last.strip())
    ranges = [line for line in lines if "-" in line]
    if not lines or ranges:
        reason = "one item to a line, or a single range first-last"
        raise InvalidField(field="items", value=ranges[0] if ranges else "", reason=reason)
    return ByName(tuple(lines))


@router.get("")
async def show(request: Request, session: SessionDep, caller: Recaller) -> Response:
    """Show the forms."""
    return await _page(request, session, caller, None)


@router.post("/issue")
async def give_out(
    request: Request, session: SessionDep, caller: Issuer, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Issue the items to a node right below the one that holds them."""
    return await _moved(request, session, caller, write, Verb.ISSUE, form, now=now)


@router.post("/recall")
async def take_back(
    request: Request, session: SessionDep, caller: RecallerNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Recall the items from a node to the one right above it."""
    return await _moved(request, session, caller, write, Verb.RECALL, form, now=now)


@router.post("/transfer")
async def hand_across(
    request: Request, session: SessionDep, caller: Transferrer, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Transfer the items to another node below the same parent."""
    return await _moved(request, session, caller, write, Verb.TRANSFER, form, now=now)


@router.get("/{verb}", dependencies=[require(Permission.RECALL)])
async def again(verb: Verb) -> Response:
    """Go to the forms: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del verb
    return RedirectResponse("/moves", HTTPStatus.SEE_OTHER)


async def _moved(
    request: Request,
    session: SessionDep,
    caller: Caller,
    write: WriteKey,
    verb: Verb,
    form: dict[str, str],
    *,
    now: datetime,
) -> Response:
    try:
        giver, receiver = await _ends(session, caller, verb, form)
        wish = MoveWish(
            verb=verb,
            resource=form.get("resource", ""),
            giver=giver,
            receiver=receiver,
            selection=read_items(form.get("items", "")),
            person=form.get("person") or None,
            reason=form.get("reason") or None,
            on_the_way="on_the_way" in form,
        )
        answer = await move(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(verb, form, refusal=refusal))
    return await _page(request, session, caller, Tried(verb, {}, answer=answer))


async def _ends(session: SessionDep, caller: Caller, verb: Verb, form: dict[str, str]) -> tuple[str, str]:
    """Return the codes of giver and receiver; of an issue or recall the form names the lower one only.

    Raises
    ------
    InvalidField
        The named node is not in the caller's part, or has nothing above it.
    """
    code = form.get("place", "")
    if verb is Verb.TRANSFER:
        return form.get("giver", ""), code
    tree = await read_tree(session, caller)
    lower = next((node for node in tree if node.code == code), None)
    nodes = [*await read_above(session, caller), *tree]
    upper = next((node for node in nodes if lower is not None and node.id == lower.parent_id), None)
    if lower is None or upper is None:
        raise InvalidField(field="place", value=code, reason="a place of your own part that has one above it")
    return (upper.code, lower.code) if verb is Verb.ISSUE else (lower.code, upper.code)


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    stocks = [node for node in await read_tree(session, caller) if node.level in _LEVELS and node.parent_id is not None]
    below = [node for node in stocks if node.id != caller.org_id]
    beside = [node for node in await read_beside(session, caller) if node.level in _LEVELS]
    forms = []
    if below and caller.may(Permission.ISSUE):
        hint = gettext("One level down, from the place that holds the items.")
        forms.append(_Form(Verb.ISSUE, gettext("Issue"), hint, gettext("To"), gettext("Taken by"), below))
    hint = gettext("One level up. Only what is neither sold, held nor being written moves.")
    forms.append(_Form(Verb.RECALL, gettext("Recall"), hint, gettext("From"), gettext("Handed back by"), stocks))
    if stocks and len(stocks) + len(beside) > 1 and caller.may(Permission.TRANSFER):
        hint = gettext("To a colleague, or to the next place below the same parent.")
        name, to, by = gettext("Transfer"), gettext("To"), gettext("Taken by")
        forms.append(_Form(Verb.TRANSFER, name, hint, to, by, [*below, *beside], givers=stocks))
    values = {
        "kinds": [{"name": kind.name, "label": kind_name(kind, language)} for kind in KINDS.values()],
        "forms": [form.shown(tried, language=language) for form in forms],
        **document_done(None if tried is None else tried.answer, language),
        "problem": None if tried is None or tried.refusal is None else explain(request, tried.refusal),
    }
    status = HTTPStatus.OK if tried is None or tried.refusal is None else status_of(tried.refusal)
    return render(request, "moves/page.html", values, language=language, caller=caller, status=status)


@dataclass(frozen=True)
class _Form:
    """The form of one verb: its words, and the places to choose from."""

    verb: Verb
    title: str
    hint: str
    place_label: str
    person_label: str
    places: list[Node]
    givers: list[Node] = field(default_factory=list)
    """To be chosen too, where the place does not tell the giver."""

    def shown(self, tried: Tried | None, *, language: Language) -> dict[str, Any]:
        """Return what the page shows, filled again with what was sent if it was refused."""
        sent = tried.form if tried is not None and tried.verb is self.verb else {}
        fields = ("resource", "giver", "place", "items", "person", "reason", "on_the_way")
        return {
            "verb": self.verb,
            "title": self.title,
            "hint": self.hint,
            "place_label": self.place_label,
            "person_label": self.person_label,
            "places": [{"code": node.code, "name": node_name(node, language)} for node in self.places],
            "givers": [{"code": node.code, "name": node_name(node, language)} for node in self.givers],
            **{name: sent.get(name, "") for name in fields},
        }
