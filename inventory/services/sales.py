"""Confirm (实占): the kit becomes a working line. One autocommitted statement."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.access.caller import Caller
from inventory.domain.calendar import business_day
from inventory.domain.errors import (
    CardBeingWritten,
    CardNotVerified,
    CardToBeDeleted,
    ExtraCheckMissing,
    HlrMismatch,
    InvalidField,
    NetworkNotReady,
    QuoteNotAccepted,
    RealNameReferenceMissing,
    SimNotFree,
)
from inventory.domain.fees import Business
from inventory.domain.lifecycle import HoldState, SimState
from inventory.domain.replacement import needs_extra_check
from inventory.services.attempts import attempt, write_parameters
from inventory.services.holds import open_hold
from inventory.services.once import Answer, WriteKey
from inventory.services.promises import require_live, require_record
from inventory.services.second_numbers import second_number_refusal
from inventory.store import holds
from inventory.store.holds import HoldRecord
from inventory.store.second_numbers import serving_card
from inventory.vault.hold_keys import HoldKeys

PASSED = "passed"
"""The one result of a real-name check with which a line may be sold."""

CLOCKS_DIFFER: Final = timedelta(minutes=5)
"""A caller's clock may be so much ahead of ours."""


@dataclass(frozen=True)
class RealName:
    """The reference of a real-name check: when, through which channel, with what result. Never the certificate."""

    checked_at: datetime
    channel: str
    result: str


@dataclass(frozen=True, kw_only=True)
class ConfirmWish:
    """What a sale needs beside the kit: the quote's version that was accepted, the real-name reference.

    Of a replacement, whether the customer has handed in the old card, to be scrapped, and how the holder of a number
    worth stealing proved itself a second time.
    """

    quote_accepted: int | None
    real_name: RealName | None
    old_card_handed_in: bool = False
    extra_check: str | None = None


def real_name_reference(real_name: RealName, *, now: datetime) -> dict[str, str]:
    """Return what is kept of a real-name check with which a line may be sold (REQ-CMP-06).

    Raises
    ------
    InvalidField
        It was not passed, or lies in the future.
    """
    if real_name.result != PASSED:
        raise InvalidField(field="real_name.result", value=real_name.result, reason=f"only {PASSED!r} may be sold")
    if real_name.checked_at > now + CLOCKS_DIFFER:
        value = real_name.checked_at.isoformat()
        raise InvalidField(field="real_name.checked_at", value=value, reason="this time is yet to come")
    return {
        "checked_at": real_name.checked_at.isoformat(), "channel": real_name.channel, "result": real_name.result,
    }  # fmt: skip


async def confirm(
    connection: AsyncConnection,
    caller: Caller,
    write: WriteKey,
    hold: str,
    wish: ConfirmWish,
    *,
    keys: HoldKeys,
    key: str | None,
    now: datetime,
) -> Answer:
    """Sell the kit: number and card are in use, the customer holds both, the identity on the card serves the number.

    The kit of a replacement (补卡, 换卡) gives its card to a number in use: the card is in use, the one before it
    replaced, and its data retired (S12, REQ-FLOW-03). That of a second number (副号) puts its number into service on a
    card in use, which stays as it is.

    Raises
    ------
    HoldKeyWrong
        The caller has not the key (REQ-RSV-06).
    NotFound, HoldNotActive, HoldExpired, LegalHold
        There is no such hold any more (REQ-RSV-05).
    CardBeingWritten, CardNotVerified, CardToBeDeleted, HlrMismatch
        The card is not proven, or belongs to another HLR than the number (REQ-SIM-17).
    SimNotFree
        The last day of a prepaid card is over (REQ-SIM-16).
    SimNotInUse, CardServesNoMore
        Of a second number: the card is not in use any more, or serves no number more.
    QuoteNotAccepted
        The version that was accepted is not the quote's (REQ-CMP-03).
    ExtraCheckMissing, NetworkNotReady
        Of a replacement: the number's class asks for one; the city waits for the network, which does not know the card.
    RealNameReferenceMissing, InvalidField
        The real-name reference is missing or not good (REQ-CMP-06); or an old card is handed in with a sale.
    """
    hold_id = open_hold(keys, caller, hold, key)
    if wish.real_name is None:
        raise RealNameReferenceMissing
    real_name = real_name_reference(wish.real_name, now=now)
    wish = replace(wish, extra_check=(wish.extra_check or "").strip() or None)
    given = write_parameters(caller, write) | {
        "hold": hold_id,
        "now": now,
        "quote_accepted": wish.quote_accepted,
        "handed_in": wish.old_card_handed_in,
        "extra_check": wish.extra_check,
        "proof": {
            "owner": caller.interface_no,
            "quote_accepted": wish.quote_accepted,
            "real_name": real_name,
            **({} if wish.extra_check is None else {"extra_check": wish.extra_check}),
        },
        "answer": {"hold": hold, "state": HoldState.CONFIRMED, "confirmed_at": now.isoformat()},
    }

    statement = holds.replace if wish.old_card_handed_in else holds.confirm

    async def act() -> dict[str, Any] | None:
        return await statement(connection, given)

    async def explain() -> None:
        nonlocal statement
        record = await require_record(connection, caller, hold_id)
        require_live(record, hold, now=now)
        if record.business == Business.SECOND_NUMBER:
            _require_accepted(record, hold, wish)
            await _require_second(connection, caller, record, hold)
            statement = holds.add_second_number
            return
        _require_saleable(record, hold, wish, now=now)
        if record.replace_reason is not None:  # a sale comes first: it is what most kits are
            statement = holds.replace

    return await attempt(connection, caller, write, act=act, explain=explain)


def _require_accepted(record: HoldRecord, hold: str, wish: ConfirmWish) -> None:
    version = record.quote.get("rule_set_version")
    if record.number is None:
        raise InvalidField(field="hold", value=hold, reason="this kit has no number to sell")
    if wish.old_card_handed_in and record.replace_reason is None:
        raise InvalidField(field="old_card_handed_in", value="true", reason="this kit replaces no card")
    if version != wish.quote_accepted:
        raise QuoteNotAccepted(version=version)


async def _require_second(connection: AsyncConnection, caller: Caller, record: HoldRecord, hold: str) -> None:
    """Name what stands against the number on the card of a kit that has both."""
    if record.sim_item_no is None:
        raise InvalidField(field="hold", value=hold, reason="this kit has no card")
    card = await serving_card(connection, city_id=caller.city_id, sim_item=record.sim_item_no)
    refusal = second_number_refusal(card, number_hlr=record.number_hlr, own_hold=record.hold_id)
    if refusal is not None:
        raise refusal


def _require_saleable(record: HoldRecord, hold: str, wish: ConfirmWish, *, now: datetime) -> None:
    """Name what is missing on a live hold before it can be sold."""
    card = record.iccid or record.serial
    if record.job_id is not None:
        raise CardBeingWritten(iccid=card)
    _require_accepted(record, hold, wish)
    if record.sim_state == SimState.WRITTEN or (record.sim_state == SimState.HELD and record.sim_hlr is not None):
        if record.identity_hlr is not None and record.identity_hlr != record.number_hlr:
            raise HlrMismatch(number_hlr=record.number_hlr, sim_hlr=record.identity_hlr)
        if record.sim_expires_on is not None and record.sim_expires_on < business_day(now):
            raise SimNotFree(iccid=card, state="EXPIRED")
        if record.identity_hlr is not None:
            if record.replace_reason is not None:
                _require_replaceable(record, wish)
            return
    if record.to_be_deleted:
        raise CardToBeDeleted(iccid=card)
    raise CardNotVerified(iccid=card)


def _require_replaceable(record: HoldRecord, wish: ConfirmWish) -> None:
    number_class = record.quote["number_class"]
    if wish.extra_check is None and needs_extra_check(number_class):
        raise ExtraCheckMissing(number_class=number_class)
    if record.waits_for_network:
        raise NetworkNotReady(iccid=record.iccid or record.serial)
