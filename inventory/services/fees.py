"""The fee of one number, changed by a person: both values, who, who approved, why (REQ-FEE-02, 03, 07)."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission, Role
from inventory.domain.approvals import Demand
from inventory.domain.channels import SaleChannel
from inventory.domain.errors import (
    FeeUnchanged,
    NotFound,
    NumberNotFree,
    PermissionDenied,
)
from inventory.domain.kinds import NUMBER
from inventory.domain.lifecycle import NumberState
from inventory.domain.money import Terms
from inventory.domain.reasons import Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.approval import require_second_person, without_approval
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import item_name
from inventory.store import number_fees, stock
from inventory.store.events import EventDraft, record
from inventory.store.fees import StoredRuleSet, rule_set
from inventory.store.number_fees import FeeChangeRow
from inventory.store.stock import StockedItem

CHANGE_FEE = "change_fee"
"""Name of the act, where it needs an approval."""

APPROVED_CLASSES = range(5)
"""Classes 0 to 4: a change from or to one of them needs a second person."""

_LOWEST_CLASS = {Role.CITY_ADMIN: 0, Role.DISTRICT_KEEPER: 5, Role.HALL_KEEPER: 6}
"""The most valuable class whose fee a role may touch."""

_CHANGEABLE = frozenset({NumberState.UNUSED, NumberState.RECYCLED, NumberState.DISABLED})
"""What is promised or sold keeps its terms (REQ-CMP-04)."""


@dataclass(frozen=True, kw_only=True)
class FeeWish:
    """What a number shall cost from now on: a class, whose terms then hold, and single terms in fen or months.

    `approval` is the id of the second person's word, where two are needed.
    """

    number: str
    number_class: int | None = None
    prepay: int | None = None
    return_months: int | None = None
    min_monthly: int | None = None
    commitment_months: int | None = None
    reason: str
    approval: str | None = None


@dataclass(frozen=True)
class NumberFee:
    """What a number costs: its class, the rule that gave it (None: a person or no rule), and its terms in fen."""

    number_class: int
    rule: str | None
    rule_set_version: int
    terms: Terms
    changed: bool

    def as_dict(self) -> dict[str, Any]:
        """Give it for JSON, as the ledger of changes and the API show it."""
        terms = asdict(self.terms)
        money = {f"{name}_fen": terms[name] for name in ("cash_fee", "prepay", "min_monthly")}
        rest = {name: terms[name] for name in ("return_months", "commitment_months", "sale_channel")}
        return {
            "number_class": self.number_class,
            "rule": self.rule,
            "rule_set_version": self.rule_set_version,
            **money,
            **rest,
            "changed": self.changed,
        }


async def fee_of(session: AsyncSession, *, city_id: int, number: StockedItem) -> NumberFee:
    """Return what the number costs now: what a person set, else what its rule set says."""
    rules = await rule_set(session, number.row["rule_set_id"])
    changed = await number_fees.changed_fee(session, city_id=city_id, item_no=number.item_no)
    if changed is None:
        return fee_by_outcome(rules, number.row["outcome"])
    set_by = await rule_set(session, changed.rule_set_id)
    return NumberFee(changed.cls, None, set_by.version, _terms(changed.terms), changed=True)


def fee_by_outcome(stored: StoredRuleSet, outcome: int) -> NumberFee:
    """Return what an outcome byte of the rule set stands for."""
    number_class, rule = stored.rules.outcomes[outcome]
    return NumberFee(number_class, rule, stored.version, stored.rules.terms(number_class), changed=False)


async def change_fee(session: AsyncSession, caller: Caller, write: WriteKey, wish: FeeWish, *, now: datetime) -> Answer:
    """Change what one number costs and answer with both values.

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        From or to a class 0 to 4 without a second person's word, or that was given for something else.
    FeeUnchanged
        It is what it was.
    InvalidField
        A term cannot be.
    NotFound
        The number is not in the caller's part of the stock.
    NumberNotFree
        It is held, booked or in use: its terms stay (REQ-CMP-04).
    PermissionDenied
        The caller's role may not touch this class.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        return await perform_change(session, caller, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def perform_change(session: AsyncSession, caller: Caller, wish: FeeWish, *, now: datetime) -> dict[str, Any]:
    """Do in the open transaction what `change_fee` does in one of its own, and answer and raise as it."""
    why = await reasons.given(session, caller, wish.reason, Purpose.FEE)
    name = item_name(NUMBER, wish.number)
    item = await stock.find_item(session, NUMBER, city_id=caller.city_id, name=name, lock=True)
    if item is None or item.holder_id not in caller.scope:
        raise NotFound(what="number", value=name)
    if item.state not in _CHANGEABLE or item.hold_id is not None:
        raise NumberNotFree(number=name, state=item.state, held_until=item.hold_until)
    rules = await rule_set(session, item.row["rule_set_id"])
    before = await fee_of(session, city_id=caller.city_id, number=item)
    after = _wanted(wish, before, rules)
    if (after.number_class, after.terms) == (before.number_class, before.terms):
        raise FeeUnchanged(number=name)
    best = min(before.number_class, after.number_class)
    if best < _LOWEST_CLASS.get(caller.role, len(rules.rules.outcomes)):
        raise PermissionDenied(permission=f"{Permission.FEES_CHANGE.value} for class {best}")
    approver = None
    if best in APPROVED_CLASSES:
        demand = Demand(
            act=CHANGE_FEE,
            permission=Permission.FEES_CHANGE,
            place=item.holder_id,
            wish=without_approval(wish),
            summary={
                "resource": NUMBER.name,
                "count": 1,
                "items": [name],
                "before": before.as_dict(),
                "after": after.as_dict(),
                "reason": why.text,
            },
        )
        approver = await require_second_person(session, caller, wish.approval, demand, now=now)
    who = acting(caller, now)
    change_no = await number_fees.record_change(
        session,
        item_no=item.item_no,
        cls=after.number_class,
        rule_set_id=rules.id,
        before=before.as_dict(),
        after=after.as_dict(),
        terms=asdict(after.terms),
        approver=approver,
        reason=why.text,
        **who,
    )
    event = EventDraft(
        name="number.fee_changed",
        kind=NUMBER.name,
        item_no=item.item_no,
        reason=why.text,
        reason_code=why.code,
        data={"change": change_no, "before": before.as_dict(), "after": after.as_dict(), "approver": approver},
    )
    await record(session, [event], **who)
    return {"number": name, "change": change_no, "before": before.as_dict(), "after": after.as_dict()}


def _wanted(wish: FeeWish, before: NumberFee, rules: StoredRuleSet) -> NumberFee:
    """Return the fee that the wish asks for: the class's terms, with single terms put over them."""
    number_class = before.number_class if wish.number_class is None else wish.number_class
    terms = before.terms if wish.number_class is None else rules.rules.terms(number_class)
    single = {
        name: getattr(wish, name)
        for name in ("prepay", "return_months", "min_monthly", "commitment_months")
        if getattr(wish, name) is not None
    }
    return NumberFee(number_class, None, rules.version, replace(terms, **single), changed=True)


def _terms(document: dict[str, Any]) -> Terms:
    """Read terms as they are stored."""
    return Terms(**{**document, "sale_channel": SaleChannel(document["sale_channel"])})


async def read_fee_changes(
    session: AsyncSession, caller: Caller, *, number: str | None = None, staff_no: str | None = None, limit: int = 100
) -> list[FeeChangeRow]:
    """Return the newest changes of a number, of an operator or of all in the caller's part (REQ-FEE-03).

    Raises
    ------
    NotFound
        The number is not in the caller's part of the stock.
    """
    async with session.begin():
        item_no = None
        if number is not None:
            name = item_name(NUMBER, number)
            item = await stock.find_item(session, NUMBER, city_id=caller.city_id, name=name)
            if item is None or item.holder_id not in caller.scope:
                raise NotFound(what="number", value=name)
            item_no = item.item_no
        return await number_fees.fee_changes(
            session, city_id=caller.city_id, holders=caller.scope, item_no=item_no, staff_no=staff_no, limit=limit
        )
