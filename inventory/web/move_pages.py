"""Issue and recall by list, scanner or range, with a document for each."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.domain.kinds import KINDS
from inventory.domain.organisation import Level
from inventory.services.issuing import IssueWish, issue
from inventory.services.once import Answer
from inventory.services.organisation import read_above, read_tree
from inventory.services.recalling import RecallWish, recall
from inventory.store.organisation import Node
from inventory.store.selection import ByName, ByRange, Selection
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.names import kind_name, node_name
from inventory.web.problems import explain, status_of
from inventory.web.rendering import render
from inventory.web.texts import translations

router = APIRouter(prefix="/moves")

Recaller = Annotated[Caller, require(Permission.RECALL)]
RecallingNow = Annotated[Caller, require(Permission.RECALL, writes=True)]
_LEVELS = frozenset(level.name for level in Level)
"""Where stock moves to and from by a document; customers are none of them."""
IssuingNow = Annotated[Caller, require(Permission.ISSUE, writes=True)]


@dataclass(frozen=True)
class Tried:
    """What was sent and what came of it, to show the page again."""

    verb: str
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
    """Show the two forms."""
    return await _page(request, session, caller, None)


@router.post("/issue")
async def give_out(
    request: Request, session: SessionDep, caller: IssuingNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Issue the items to a node right below the one that holds them."""
    try:
        giver, receiver = await _pair(session, caller, form.get("place", ""))
        wish = IssueWish(
            resource=form.get("resource", ""),
            giver=giver,
            receiver=receiver,
            selection=read_items(form.get("items", "")),
            receiver_name=form.get("person") or None,
            reason=form.get("reason") or None,
            on_the_way="on_the_way" in form,
        )
        answer = await issue(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried("issue", form, refusal=refusal))
    return await _page(request, session, caller, Tried("issue", {}, answer=answer))


@router.post("/recall")
async def take_back(
    request: Request, session: SessionDep, caller: RecallingNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Recall the items from a node to the one right above it."""
    try:
        receiver, giver = await _pair(session, caller, form.get("place", ""))
        wish = RecallWish(
            resource=form.get("resource", ""),
            giver=giver,
            receiver=receiver,
            selection=read_items(form.get("items", "")),
            returner_name=form.get("person") or None,
            reason=form.get("reason") or None,
            on_the_way="on_the_way" in form,
        )
        answer = await recall(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried("recall", form, refusal=refusal))
    return await _page(request, session, caller, Tried("recall", {}, answer=answer))


@router.get("/{verb}", dependencies=[require(Permission.RECALL)])
async def again(verb: Literal["issue", "recall"]) -> Response:
    """Go to the forms: an act is sent, not looked at, but its address may be asked for again (reload, language)."""
    del verb
    return RedirectResponse("/moves", HTTPStatus.SEE_OTHER)


async def _pair(session: SessionDep, caller: Caller, code: str) -> tuple[str, str]:
    """Return the codes of the node above and of the named node.

    Raises
    ------
    InvalidField
        The named node is not in the caller's part, or has nothing above it.
    """
    tree = await read_tree(session, caller)
    lower = next((node for node in tree if node.code == code), None)
    nodes = [*await read_above(session, caller), *tree]
    upper = next((node for node in nodes if lower is not None and node.id == lower.parent_id), None)
    if lower is None or upper is None:
        raise InvalidField(field="place", value=code, reason="a place of your own part that has one above it")
    return upper.code, lower.code


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    tree = await read_tree(session, caller)
    stocks = [node for node in tree if node.level in _LEVELS and node.parent_id is not None]
    below = [node for node in stocks if node.id != caller.org_id]
    texts = {
        "issue": (
            gettext("Issue"),
            gettext("One level down, from the place that holds the items."),
            gettext("To"),
            gettext("Taken by"),
        ),
        "recall": (
            gettext("Recall"),
            gettext("One level up. Only what is neither sold, held nor being written moves."),
            gettext("From"),
            gettext("Handed back by"),
        ),
    }
    verbs = [verb for verb in texts if verb == "recall" or (below and caller.may(Permission.ISSUE))]
    done = ""
    if tried is not None and tried.answer is not None:
        body = tried.answer.body
        done = gettext("Done: document %(document)s, %(count)d items.") % {
            "document": body["id"],
            "count": body["count"],
        }
    values = {
        "kinds": [{"name": kind.name, "label": kind_name(kind, language)} for kind in KINDS.values()],
        "forms": [
            _form(verb, texts[verb], stocks if verb == "recall" else below, tried, language=language) for verb in verbs
        ],
        "problem": None if tried is None or tried.refusal is None else explain(request, tried.refusal),
        "done": done,
    }
    status = HTTPStatus.OK if tried is None or tried.refusal is None else status_of(tried.refusal)
    return render(request, "moves/page.html", values, language=language, caller=caller, status=status)


def _form(
    verb: str, texts: tuple[str, str, str, str], below: list[Node], tried: Tried | None, *, language: Any
) -> dict[str, Any]:
    """Return one form, filled again with what was sent if it was refused."""
    title, hint, place_label, person_label = texts
    sent = tried.form if tried is not None and tried.verb == verb else {}
    return {
        "verb": verb,
        "title": title,
        "hint": hint,
        "place_label": place_label,
        "person_label": person_label,
        "places": [{"code": node.code, "name": node_name(node, language)} for node in below],
        **{name: sent.get(name, "") for name in ("resource", "place", "items", "person", "reason", "on_the_way")},
    }
