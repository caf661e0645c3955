"""What the page of one item shows: facts, fee, forms, and its life, in the language of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inventory.domain.calendar import SHANGHAI
from inventory.domain.kinds import KINDS, NUMBER
from inventory.i18n import Language
from inventory.services.reporting import ItemView, LifeEntry
from inventory.services.status_release import RELEASES
from inventory.store.ends import bare
from inventory.store.identities import IdentityRow
from inventory.store.number_fees import FeeChangeRow
from inventory.web.names import (
    REPLACEMENTS,
    class_name,
    event_name,
    in_months,
    kind_name,
    node_name,
    replace_reason,
    yuan,
)
from inventory.web.states import state_name
from inventory.web.texts import translations


def releases(view: ItemView) -> list[str]:
    """Return the states to which a person may set the item."""
    table = RELEASES[view.kind.name]
    return [target.value for source, target in table if source.value == view.item.state]


def facts_of(view: ItemView, language: Language, identities: Sequence[IdentityRow] = ()) -> dict[str, Any]:
    """Return what the item is now, and which IMSIs are on it."""
    gettext = translations(language).gettext
    facts = [(gettext("Holder"), f"{node_name(view.holder, language)} ({view.holder.code})")]
    facts += [(gettext("Sale pool"), view.item.pool or gettext("not on sale"))]
    if view.segment is not None:
        facts += [(gettext("Segment"), view.segment.prefix), ("HLR", view.segment.hlr_code)]
        facts += [(gettext("Group of segments"), view.segment.group)] if view.segment.group else []
    for column, label in (("serial", gettext("Chip serial")), ("kind_code", gettext("Card product"))):
        if view.item.row.get(column):
            facts.append((label, bare(view.item.row[column])))
    facts += [(f"IMSI {one.slot}" if len(identities) > 1 else "IMSI", one.imsi) for one in identities]
    row = view.item.row
    if row.get("face_value") is not None:
        facts.append((gettext("Face value"), yuan(row["face_value"])))
    if row.get("expires_on") is not None:
        facts.append((gettext("Last day"), row["expires_on"].isoformat()))
    if row.get("area") is not None:
        facts.append((gettext("Area"), row["area"]))
    labels = (gettext("Card"),) if view.kind is NUMBER else (gettext("Number"), gettext("Second number"))
    facts += list(zip(labels, view.line, strict=False))
    if view.box is not None:
        facts.append((gettext("Box"), f"{view.box.code} ({state_name(view.box.state, language=language)})"))
    if view.item.hold_until is not None:
        facts.append((gettext("Held until"), f"{view.item.hold_until.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"))
    return {
        "kind": view.kind.name,
        "kind_label": kind_name(KINDS[view.kind.name], language),
        "key": view.item.name,
        "state": view.item.state,
        "legal_hold": view.item.row["legal_hold"],
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
        "before": terms_line(change.before, language),
        "after": terms_line(change.after, language),
        "who": change.staff_no if change.approver is None else f"{change.staff_no} / {change.approver}",
        "reason": change.reason,
    }


def terms_line(fee: dict[str, Any], language: Language) -> str:
    """Return the terms of a fee in one line: prepayment, minimum a month, commitment."""
    months = in_months(fee["commitment_months"], language)
    return f"{yuan(fee['prepay_fen'])} · {yuan(fee['min_monthly_fen'])} · {months}"


def life_line(entry: LifeEntry, places: Mapping[str, str], language: Language) -> dict[str, Any]:
    """Return one entry of the item's life; `places` are names of organisations by code."""
    path = " → ".join(places.get(code, code) for code in (entry.giver, entry.receiver) if code)
    iccid = f"ICCID {entry.iccid}" if entry.iccid else None
    reason = entry.reason
    if reason and entry.what in REPLACEMENTS:
        reason = replace_reason(reason, language)
    parts = (path, entry.person, entry.order_ref, reason, iccid)
    return {
        "headline": event_name(entry.what, language),
        "to_state": entry.to_state,
        "detail": " · ".join(part for part in parts if part),
        "document": entry.document,
        "elsewhere": entry.elsewhere,
        "at": entry.at,
        "who": f"{entry.staff_no} @ {entry.interface_no}",
    }
