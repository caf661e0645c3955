"""For how long the city holds what: by kind, channel, flow and class, each change with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.channels import Channel
from inventory.domain.errors import DomainError
from inventory.domain.holds import Flow
from inventory.domain.kinds import KINDS
from inventory.i18n import Language
from inventory.services.hold_times import HoldTime, HoldTimeWish, read_hold_times, set_hold_time
from inventory.services.rule_sets import read_classes
from inventory.web.deps import FormDep, NowDep, SessionDep, WriteDep, language_of, require
from inventory.web.move_pages import read_number
from inventory.web.names import class_name, kind_name
from inventory.web.problems import Tried, render_form
from inventory.web.texts import translations

router = APIRouter(prefix="/hold-times")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
AdminNow = Annotated[Caller, require(Permission.ORGANISATION_WRITE, writes=True)]
_FACTS = ("kind", "channel", "flow", "number_class")
_CHANNELS = {
    Channel.OWN_HALL: "own hall",
    Channel.AGENT: "agent",
    Channel.CALL_CENTRE: "call centre",
    Channel.SELF_SERVICE: "self-service",
    Channel.WEB: "web",
}
_FLOWS = {
    Flow.NORMAL: "hold",
    Flow.LONG: "long hold",
    Flow.GROUP_MEMBER: "member of a group",
    Flow.FIXED_BATCH: "batch of fixed lines",
    Flow.BOOKING_UNPAID: "booking, not paid",
    Flow.BOOKING_APPROVAL: "booking, waiting for approval",
    Flow.BOOKING_DELIVERY: "booking, being delivered",
    Flow.BOOKING_PAID: "booking, paid",
    Flow.RETENTION: "retention",
}
_DAY, _HOUR = 24 * 60, 60


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader, now: NowDep) -> Response:
    """Show what holds, with a form to change it."""
    return await _page(request, session, caller, None, now=now)


@router.post("")
async def decide(
    request: Request, session: SessionDep, caller: AdminNow, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Set how long such holds last; with no minutes, as the product has it."""
    try:
        minutes, number_class = (
            read_number(name, form[name], digits=6) if form.get(name) else None for name in ("minutes", "number_class")
        )
        facts = {name: form.get(name) or None for name in ("kind", "channel", "flow")}
        wish = HoldTimeWish(**facts, number_class=number_class, minutes=minutes, reason=form.get("reason", ""))
        await set_hold_time(session, caller, write, wish, now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal), now=now)
    return await _page(request, session, caller, Tried({}), now=now)


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried | None, *, now: NowDep) -> Response:
    language = language_of(request)
    gettext = translations(language).gettext
    refusal = None if tried is None else tried.refusal
    sent = {} if tried is None else tried.form
    held = await read_hold_times(session, caller)
    classes = await read_classes(session, caller, now=now)
    # A time that was set for a class stays when a rule set without that class comes into force
    decided = {each.rule.facts["number_class"] for each in held if "number_class" in each.rule.facts}
    names = _labels({*classes, *decided}, language)
    values = {
        "rules": [_line(each, names, language) for each in held],
        "choices": _labels(classes, language),
        "sent": {name: sent.get(name, "") for name in (*_FACTS, "minutes", "reason")},
        "may_set": caller.may(Permission.ORGANISATION_WRITE),
        "done": gettext("Done.") if tried is not None and refusal is None else "",
    }
    return render_form(request, "policies/hold_times.html", values, refusal, caller=caller)


def _labels(classes: Iterable[int], language: Language) -> dict[str, dict[str, str]]:
    """Give what each fact may be, with its name."""
    gettext = translations(language).gettext
    return {
        "kind": {name: kind_name(kind, language) for name, kind in KINDS.items()},
        "channel": {channel.value: gettext(name) for channel, name in _CHANNELS.items()},
        "flow": {flow.value: gettext(name) for flow, name in _FLOWS.items()},
        "number_class": {str(number): class_name(number, language) for number in classes},
    }


def _line(held: HoldTime, labels: dict[str, dict[str, str]], language: Language) -> dict[str, Any]:
    facts = held.rule.facts
    return {
        "facts": {name: str(value) for name, value in facts.items()},
        "names": [labels[name][str(facts[name])] if name in facts else "" for name in _FACTS],
        "lasts": _lasts(held.minutes, language),
        "own": held.own,
    }


def _lasts(minutes: int | None, language: Language) -> str:
    """Write a time in the largest unit that leaves nothing over."""
    gettext = translations(language).gettext
    if minutes is None:
        return gettext("without an end")
    for size, text in ((_DAY, gettext("%(count)d days")), (_HOUR, gettext("%(count)d hours"))):
        if minutes % size == 0:
            return text % {"count": minutes // size}
    return gettext("%(count)d minutes") % {"count": minutes}
