"""Holds (预占): take a kit, keep it longer, book it, give it back. Each write is one autocommitted statement."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.access.caller import Caller
from inventory.domain.channels import Channel, require_sold_in
from inventory.domain.errors import (
    HoldKeyWrong,
    InvalidField,
    NotFound,
)
from inventory.domain.fees import Quote
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.domain.kinds import NUMBER, SIM
from inventory.domain.lifecycle import HoldState
from inventory.services.attempts import attempt, write_parameters
from inventory.services.kits import KitWish, Offer, find_offer, why_not
from inventory.services.once import Answer, WriteKey
from inventory.services.quotes import quote_offer
from inventory.store import holds
from inventory.vault.hold_keys import HoldKeys

LIVE = frozenset({HoldState.ACTIVE, HoldState.BOOKED})


def public_id(city_id: int, hold_id: int) -> str:
    """Write the id of a hold as callers see it."""
    return format_public_id("h", city_id, hold_id)


def hold_number(caller: Caller, hold: str) -> int:
    """Read the id of a hold of the caller's city.

    Raises
    ------
    InvalidIdentifier
        It is not the id of a hold.
    NotFound
        The hold is of another city.
    """
    parts = parse_public_id(hold, "h", field="hold")
    if parts.city_id != caller.city_id:
        raise NotFound(what="hold", value=hold)
    return parts.serial


def open_hold(keys: HoldKeys, caller: Caller, hold: str, key: str | None) -> int:
    """Return the number of the hold if the key is the hold's own.

    Raises
    ------
    HoldKeyWrong
        It is another key, or none.
    """
    hold_id = hold_number(caller, hold)
    if key is None or not keys.opens(key, caller.city_id, hold_id):
        raise HoldKeyWrong(hold=hold)
    return hold_id


async def hold(connection: AsyncConnection, caller: Caller, write: WriteKey, wish: KitWish, *, now: datetime) -> Answer:
    """Hold the whole kit or nothing, at the price of this moment, for the time the policy gives (REQ-RSV-01, 02, 03).

    The answer names hold, items, quote and end; the hold's key is derived from its id by whoever hands it out.

    Raises
    ------
    NumberNotInUse, ServiceOrderOpen
        Of a replacement: the number serves nobody, or is in another order's hand (REQ-LCK-01).
    SimNotInUse, CardServesNoMore, ServiceOrderOpen
        Of a second number: the card serves nobody, or no number more, or is in another order's hand (REQ-SIM-17).
    NotSoldInHalls, NumberNotFree, NumberNotOnSale, SimNotFree, LegalHold, NoDataUnit, NoNumberedData, HlrMismatch, \
SaleChannelRefused, CardLacksCapability, OutsideScope, NotFound, CardUnknown
        The named part of the kit is not to be had, and why.
    InvalidField
        More time is asked for than the policy gives.
    Busy
        Others kept changing the same rows.
    """
    offer = await find_offer(connection, caller, wish)

    async def act() -> dict[str, Any] | None:
        if why_not(caller, offer, now) is not None:
            return None
        quote = await _priced(connection, caller, wish, offer)
        given = _hold_parameters(caller, write, wish, offer, quote, now=now)
        statement = holds.hold
        if wish.replaces or wish.adds:
            statement = holds.open_replacement if wish.replaces else holds.open_second_number
        return await statement(connection, given, numbered=offer.gets_iccid)

    async def explain() -> None:
        nonlocal offer
        expired = offer.expired_hold(now)
        refusal = why_not(caller, offer, now)
        if expired is not None:
            await holds.expire_one(connection, city_id=caller.city_id, hold_id=expired, now=now)
        elif refusal is not None:
            raise refusal
        else:
            await holds.wait_for_items(
                connection,
                city_id=caller.city_id,
                number_item=offer.number_item,
                sim_items=[item for item in (offer.sim_item, offer.old_item) if item is not None],
            )
        offer = await find_offer(connection, caller, wish)

    return await attempt(connection, caller, write, act=act, explain=explain)


async def _priced(connection: AsyncConnection, caller: Caller, wish: KitWish, offer: Offer) -> Quote | None:
    """Return the quote for the kit's number, or None for a card alone; a number in use is not sold again.

    Raises
    ------
    SaleChannelRefused
        The number's class is not sold in the caller's channel.
    """
    if offer.number is None:
        return None
    quote, sold_in = await quote_offer(
        connection, offer.number, business=wish.business, channel=caller.channel, card_kind=offer.card_kind
    )
    if not wish.replaces:
        require_sold_in(quote.number_class, sold_in, quote.channel)
    return quote


def _first_duration(caller: Caller, wish: KitWish, quote: Quote | None) -> timedelta:
    """Give the time of the hold: the policy's, or the shorter one that was asked for.

    Raises
    ------
    InvalidField
        More was asked for than the policy gives.
    """
    most = caller.hold_policy.duration(
        kind=SIM.name if quote is None else NUMBER.name,
        channel=Channel(caller.channel),
        flow=wish.flow,
        number_class=None if quote is None else quote.number_class,
    )
    if most is None:
        raise InvalidField(field="flow", value=wish.flow, reason="only a booking may be without an end")
    wanted = most if wish.minutes is None else timedelta(minutes=wish.minutes)
    if not timedelta(0) < wanted <= most:
        raise InvalidField(field="minutes", value=wish.minutes, reason=f"from 1 to {most // timedelta(minutes=1)}")
    return wanted


def _hold_parameters(
    caller: Caller, write: WriteKey, wish: KitWish, offer: Offer, quote: Quote | None, *, now: datetime
) -> dict[str, Any]:
    """Give the parameters of the statement, and in `answer` what the caller will read but for the hold's id."""
    number, sim = offer.number, offer.sim
    lasts = _first_duration(caller, wish, quote)
    until = now + lasts
    data_hlr = data_start = None
    if offer.needs_data and number is not None and number.data_from is not None and number.data_to is not None:
        data_hlr = number.hlr_code
        data_start = number.data_from + secrets.randbelow(number.data_to - number.data_from + 1)
    priced = {} if quote is None else quote.to_dict()
    return write_parameters(caller, write) | {
        "now": now,
        "until": until,
        "seconds": int(lasts.total_seconds()),
        "org": caller.org_id,
        "holders": sorted(caller.scope),
        "pools": sorted(caller.pools),
        "business": wish.business,
        "order_ref": wish.order_ref,
        "number_item": offer.number_item,
        "cls": number and number.cls,
        "outcome": number and number.outcome,
        "rule_set": number and number.rule_set_id,
        "fee_change": number and number.fee_change,
        "sim_item": offer.sim_item,
        "sim_hlr": sim and sim.hlr_code,
        "sim_wish": None if wish.sim_wish is None else asdict(wish.sim_wish),
        "old_sim_item": offer.old_item,
        "max_numbers": offer.max_numbers,
        "replace_reason": wish.replace_reason,
        "data_hlr": data_hlr,
        "data_start": data_start,
        "quote": priced,
        "answer": {
            "state": HoldState.ACTIVE,
            "business": wish.business,
            "number": number and number.number,
            "iccid": sim and sim.iccid,
            "chip_serial": sim and sim.serial,
            "sim_wish": None if wish.sim_wish is None else asdict(wish.sim_wish),
            "order_ref": wish.order_ref,
            "expires_at": until.isoformat(),
            "quote": priced or None,
            **({} if offer.old is None else {"old_iccid": offer.old.iccid, "replace_reason": wish.replace_reason}),
        },
    }
