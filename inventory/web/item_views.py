"""What the page of one item shows: facts, fee, forms, and its life, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inventory.domain.kinds import KINDS
from inventory.i18n import Language
from inventory.services.reporting import ItemView, LifeEntry
from inventory.services.status_release import RELEASES
from inventory.store.number_fees import FeeChangeRow
from inventory.web.names import class_name, event_name, in_months, kind_name, node_name, yuan
from inventory.web.rendering import PLACE
from inventory.web.texts import translations


def releases(view: ItemView) -> list[str]:
    """Return the states to which a person may set the item."""
    table = RELEASES[view.kind.name]
    return [target.value for source, target in table if source.value == view.item.state]


def facts_of(view: ItemView, language: Language) -> dict[str, Any]:
    """Return what the item is now."""
    gettext = translations(language).gettext
    facts = [(gettext("Holder"), f"{node_name(view.holder, language)} ({view.holder.code})")]
    facts += [(gettext("Sale pool"), view.item.pool or gettext("not on sale"))]
    if view.segment is not None:
        facts += [(gettext("Segment"), view.segment.prefix), ("HLR", view.segment.hlr_code)]
    for column, label in (("serial", gettext("Chip serial")), ("kind_code", gettext("Card product"))):
        if view.item.row.get(column):
            facts.append((label, str(view.item.row[column])))
    if view.item.hold_until is not None:
        facts.append((gettext("Held until"), f"{view.item.hold_until.astimezone(PLACE):%Y-%m-%d %H:%M}"))
    return {
        "kind": view.kind.name,
        "kind_label": kind_name(KINDS[view.kind.name], language),
        "key": view.item.name,
        "state": view.item.state,
        "facts": [{"label": label, "value": value} for label, value in facts],
        "fee": _fee_facts(view, language),
    }


def _fee_facts(view: ItemView, language: Language) -> list[dict[str, str]]:
    if view.fee is None:
        return []
    gettext = translations(language).gettext
    terms = view.fee.terms
    facts = [
        (gettext("Class"), class_name(view.fee.number_class, language)),
        (gettext("Rule"), view.fee.rule or (gettext("set by hand") if view.fee.changed else gettext("none"))),
        (gettext("Rule set"), f"v{view.fee.rule_set_version}"),
        (gettext("Selection fee"), yuan(terms.cash_fee)),
        (gettext("Prepayment"), yuan(terms.prepay)),
        (gettext("Returned over"), in_months(terms.return_months, language)),
        (gettext("Minimum a month"), yuan(terms.min_monthly)),
        (gettext("Commitment"), in_months(terms.commitment_months, language)),
    ]
    return [{"label": label, "value": value} for label, value in facts]


def fee_fields(view: ItemView, language: Language, sent: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the fields of the fee form, with what was `sent` if that was refused."""
    if view.fee is None:
        return []
    gettext, terms = translations(language).gettext, view.fee.terms
    fields = (
        ("prepay", gettext("Prepayment (CNY)"), yuan(terms.prepay)[1:]),
        ("return_months", gettext("Returned over (months)"), str(terms.return_months)),
        ("min_monthly", gettext("Minimum a month (CNY)"), yuan(terms.min_monthly)[1:]),
        ("commitment_months", gettext("Commitment (months)"), str(terms.commitment_months)),
    )
    return [{"name": name, "label": label, "value": sent.get(name, value)} for name, label, value in fields]


def change_line(change: FeeChangeRow, language: Language) -> dict[str, Any]:
    """Return one change of a fee: both values, who, and why (REQ-FEE-02)."""
    return {
        "at": change.at,
        "before": _terms_line(change.before, language),
        "after": _terms_line(change.after, language),
        "who": change.staff_no if change.approver is None else f"{change.staff_no} / {change.approver}",
        "reason": change.reason,
    }


def _terms_line(fee: dict[str, Any], language: Language) -> str:
    months = in_months(fee["commitment_months"], language)
    return f"{yuan(fee['prepay_fen'])} · {yuan(fee['min_monthly_fen'])} · {months}"


def life_line(entry: LifeEntry, places: Mapping[str, str], language: Language) -> dict[str, Any]:
    """Return one entry of the item's life; `places` are names of organisations by code."""
    path = " → ".join(places.get(code, code) for code in (entry.giver, entry.receiver) if code)
    parts = (path, entry.person, entry.order_ref, entry.reason)
    return {
        "headline": event_name(entry.what, language),
        "to_state": entry.to_state,
        "detail": " · ".join(part for part in parts if part),
        "document": entry.document,
        "at": entry.at,
        "who": f"{entry.staff_no} @ {entry.interface_no}",
    }
