"""Issue, recall and transfer by list, scanner or range, with a document for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.boxes import PREFIX
from inventory.domain.errors import DomainError, InvalidField
from inventory.domain.kinds import KINDS
from inventory.domain.organisation import LABEL, Level
from inventory.domain.reasons import Purpose
from inventory.i18n import Language
from inventory.services.catalogue import read_card_kinds
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.once import Answer, WriteKey
from inventory.services.organisation import read_above, read_beside, read_tree
from inventory.store.organisation import Node
from inventory.store.selection import ByBatch, ByBox, ByCount, ByName, ByRange, Meant, Wished
from inventory.web.code_tables import offered_reasons
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.names import document_done, kind_name, node_name
from inventory.web.problems import render_form
from inventory.web.texts import translations

router = APIRouter(prefix="/moves")

Recaller = Annotated[Caller, require(Permission.RECALL)]
Issuer = Annotated[Caller, require(Permission.ISSUE, writes=True)]
RecallerNow = Annotated[Caller, require(Permission.RECALL, writes=True)]
Transferrer = Annotated[Caller, require(Permission.TRANSFER, writes=True)]
_MOST_DIGITS = 8
_LOAD = "b-"
"""How the id of a load begins; no item's name does."""
_LEVELS = frozenset(level.name for level in Level)
"""Where stock moves to and from by a document; customers are none of them."""


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it, to show the page again."""

    verb: Verb
    form: dict[str, str]
    refusal: DomainError | None = None
    answer: Answer | None = None


def read_selection(form: Mapping[str, str]) -> Wished:
    """Read which items a form names: so many of a sort, or those that were typed or scanned.

    Raises
    ------
    InvalidField
        Both, neither, or what is no number.
    """
    if not form.get("count"):
        return read_items(form.get("items", ""))
    if form.get("items", "").strip():
        raise InvalidField(field="items", value="", reason="name items, or say how many of a sort; not both")
    count, number_class = read_number("count", form["count"]), form.get("number_class")
    of_class = read_number("number_class", number_class) if number_class else None
    return ByCount(count, form.get("of") or None, of_class)


def read_number(field: str, text: str, *, digits: int = _MOST_DIGITS, reason: str = "a whole number") -> int:
    """Read a whole number that a form holds, of so many digits at most.

    Raises
    ------
    InvalidField
        It is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= digits):
        raise InvalidField(field=field, value=text, reason=reason)
    return int(text)


def read_items(text: str) -> Meant:
    """Read what was typed or scanned: one item to a line, one range `first-last`, labels of boxes, or a load's id.

    Raises
    ------
    InvalidField
        Nothing, or a range among single items.
    """
    lines = [line for line in (piece.strip() for piece in text.replace(",", "\n").splitlines()) if line]
    if lines and all(line.upper().startswith(PREFIX) for line in lines):
        return ByBox(tuple(lines))
    if len(lines) == 1 and lines[0].lower().startswith(_LOAD):
        return ByBatch(lines[0].lower())
    if len(lines) == 1 and "-" in lines[0]:
        first, _, last = lines[0].partition("-")
        return ByRange(first.strip(), last.strip())
    ranges = [line for line in lines if "-" in line]
    if not lines or ranges:
        reason = "one item to a line, or a single range first-last, or a single load"
        raise InvalidField(field="items", value=ranges[0] if ranges else "", reason=reason)
    return ByName(tuple(lines))


def with_scanned_places(form: dict[str, str], *, most: int) -> dict[str, str]:
    """Give the form with the labels of places that were scanned among the items as its places.

    The last label names the place, the first of two the giver; one that was scanned twice is one.

    Raises
    ------
    InvalidField
        More than `most` of them were scanned.
    """
    lines = form.get("items", "").splitlines()
    labels = list(dict.fromkeys(line.strip() for line in lines if line.strip().upper().startswith(LABEL)))
    if not labels:
        return form
    if len(labels) > most:
        raise InvalidField(field="items", value=labels[-1], reason=f"labels of places: {most} at most")
    items = "\n".join(line for line in lines if line.strip() not in labels)
    first, last = labels[0][len(LABEL) :], labels[-1][len(LABEL) :]
    giver = {"giver": first} if len(labels) > 1 else {}
    return {**form, "items": items, "place": last, **giver}


@router.get("")
async def show(request: Request, session: SessionDep, caller: Recaller) -> Response:
    """Show the form of the first verb that the person may use."""
    return await _page(request, session, caller, None, None)


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


@router.get("/{verb}")
async def show_verb(
    request: Request,
    session: SessionDep,
    caller: Recaller,
    verb: Verb,
    resource: Annotated[str, Query(max_length=20)] = "",
    items: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Show the form of one verb, with the items filled in that a link brings along."""
    return await _page(request, session, caller, verb, Tried(verb, {"resource": resource, "items": items}))


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
        form = with_scanned_places(form, most=2 if verb is Verb.TRANSFER else 1)
        giver, receiver = await _ends(session, caller, verb, form)
        wish = MoveWish(
            verb=verb,
            resource=form.get("resource", ""),
            giver=giver,
            receiver=receiver,
            selection=read_selection(form),
            person=form.get("person") or None,
            reason=form.get("reason") or None,
            on_the_way="on_the_way" in form,
        )
        answer = await move(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, verb, Tried(verb, form, refusal=refusal))
    return await _page(request, session, caller, verb, Tried(verb, {}, answer=answer))


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


async def _page(
    request: Request, session: SessionDep, caller: Caller, verb: Verb | None, tried: Tried | None
) -> Response:
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
        name, to, by = gettext("Transfer"), gettext("Into"), gettext("Taken by")
        forms.append(_Form(Verb.TRANSFER, name, hint, to, by, [*below, *beside], givers=stocks))
    values = {
        "kinds": [{"name": kind.name, "label": kind_name(kind, language)} for kind in KINDS.values()],
        "card_kinds": [row.code for row in await read_card_kinds(session)],
        "tabs": [{"verb": form.verb, "title": form.title} for form in forms],
        "reasons": await offered_reasons(session, caller, language, Purpose.ISSUE, Purpose.RECALL, Purpose.TRANSFER),
        "between_cities": caller.may(Permission.END),
        "form": next((form for form in forms if form.verb is verb), forms[0]).shown(tried, language=language),
        **document_done(None if tried is None else tried.answer, language),
    }
    return render_form(request, "moves/page.html", values, None if tried is None else tried.refusal, caller=caller)


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
        fields = (
            "resource",
            "giver",
            "place",
            "items",
            "count",
            "of",
            "number_class",
            "person",
            "reason",
            "on_the_way",
        )
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
