"""What a self-service machine says to its customer, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from inventory.domain.calendar import SHANGHAI
from inventory.domain.lifecycle import KIOSK_OPEN, HoldState, KioskState, NumberState, WriteJobState
from inventory.i18n import Language
from inventory.web.sale_view import quote_lines
from inventory.web.texts import translations

_COUNTER = "Please go to the counter or call the staff; your number is free again and can be chosen there."
_UNSETTLED = "Please call the staff; they find out whether your card works. The number is kept for you meanwhile."
_TAKEN_BACK = "Nobody took the card in time, so the machine keeps it."
_ASK_STAFF = "Please call the staff and show your identity document; they give you the card."
_CUT_OFF = "This machine is not connected just now. It goes on by itself; call the staff if it takes long."
_CLOSED = {
    "closed": "This machine is closed.",
    "offline": "This machine is not connected.",
    "stacker_empty": "This machine has run out of cards.",
    "bin_full": "This machine must be emptied first.",
    "card_jam": "A card is stuck in this machine.",
    "card_inside": "A card is still inside this machine.",
    "card_at_gate": "A card is still in the slot. If it is yours, take it.",
    "dispenser_failed": "The card slot of this machine does not answer.",
}
"""Why nobody is served."""
_STOPPED = {
    "tries_spent": "Several cards in a row were not good.",
    "unknown_card": "It could not be made sure that your card works.",
    "card_must_stay": "The wrong card came from the stack.",
    "no_data": "There is no card for this number just now.",
    "kit_ended": "The time for this number ran out.",
    "no_answer": "The machine did not go on.",
    "card_inside": _CLOSED["card_inside"],
    "card_at_gate": "A card is still in the slot.",
    "stacker_empty": _CLOSED["stacker_empty"],
    "bin_full": _CLOSED["bin_full"],
    "card_jam": _CLOSED["card_jam"],
    "dispenser_failed": _CLOSED["dispenser_failed"],
}
_PHASES = {
    None: "A card is being taken from the stack …",
    WriteJobState.CREATED: "Your card is being prepared …",
    WriteJobState.IDENTIFYING: "Your card is being prepared …",
    WriteJobState.WRITING: "Your card is being written …",
    WriteJobState.VERIFYING: "Your card is being checked …",
    WriteJobState.VERIFIED: "Your card is ready.",
    WriteJobState.UNKNOWN: "Your card is being checked once more …",
    WriteJobState.DAMAGED: "That card was not good. Another one is taken …",
    WriteJobState.NOTHING_WRITTEN: "That card was not good. Another one is taken …",
    WriteJobState.CANCELLED: "Another card is taken …",
}
_TAIL = 6
_THERE = timedelta(minutes=2)
"""So long a customer needs at most to take the card; later somebody else may stand there."""
_KEPT = frozenset({HoldState.ACTIVE, HoldState.BOOKED})
"""A kit in these states was not released: its card is not settled yet."""


def closed_view(why: str, language: Language) -> dict[str, Any]:
    """Return what a machine says that serves nobody now."""
    gettext = translations(language).gettext
    return {"headline": gettext(_CLOSED[why]), "advice": gettext("Please go to the counter.")}


def after_hours_view(opens: tuple[datetime, datetime] | None, language: Language) -> dict[str, Any]:
    """Return what a machine says outside its working hours; `opens` is the next time in which it serves."""
    gettext = translations(language).gettext
    at = "" if opens is None else f"{opens[0].astimezone(SHANGHAI):%m-%d %H:%M}"
    advice = gettext("It serves again from %(at)s.") % {"at": at} if at else gettext("Please go to the counter.")
    return {"headline": gettext("This machine serves nobody at this hour."), "advice": advice}


def customer_view(
    sale: Mapping[str, Any], stands: Mapping[str, Any] | None, language: Language, *, online: bool,
    take_back: timedelta | None, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """Return the screen for the sale at the machine.

    `stands` is how its dispenser stood when its station was last `online`; a card at the gate is drawn in after
    `take_back`, None for never.
    """
    gettext = translations(language).gettext
    kit, job = sale["kit"], sale["job"]
    quote = kit["quote"] or {}
    at_gate = (stands or {}).get("card") == "gate"
    troubled = (stands or {}).get("stop") not in {None, "handed_out"}
    stuck = sale["state"] == KioskState.SOLD and troubled and not at_gate
    phase = _PHASES[None if job is None else WriteJobState(job["state"])]
    name = kit["iccid"] or kit["chip_serial"] or ""
    counter = _UNSETTLED if kit["state"] in _KEPT else _COUNTER
    stopped = _STOPPED.get(sale["stop"] or "", "")
    if sale["state"] == KioskState.TAKEN_BACK:
        stopped, counter = _TAKEN_BACK, _ASK_STAFF
    return {
        "hold": sale["hold"],
        "number": kit["number"],
        "state": sale["state"],
        "accepted": sale["accepted"] is not None,
        "checked": sale["checked"],
        "version": quote.get("rule_set_version"),
        "quote": quote_lines(quote, language) if quote else [],
        "phase": gettext(phase),
        "again": sale["cards"] > 1,
        "done": 0 if job is None else job["steps_done"],
        "total": 1 if job is None else max(job["steps_total"] or 0, job["steps_done"], 1),
        "waits": kit["number_state"] == NumberState.COMPLETING,
        "stuck": stuck,
        "cut_off": "" if online or sale["state"] not in KIOSK_OPEN else gettext(_CUT_OFF),
        "at_gate": at_gate,
        "seconds": None if take_back is None else max(0, int((sale["moved_at"] + take_back - now).total_seconds())),
        "forgotten": closed_view("card_at_gate", language) if at_gate and now - sale["moved_at"] >= _THERE else None,
        "stopped": gettext(stopped) if stopped else "",
        "counter": gettext(counter),
        "card": name[-_TAIL:],
        "due": quote.get("due_now", 0),
        "at": sale["moved_at"],
    }
