"""Replacement of a card (补卡, 换卡): what stands against it before it is opened (REQ-LCK-01, REQ-FLOW-03)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import (
    CardServesNoMore,
    DomainError,
    InvalidField,
    LegalHold,
    NotFound,
    NumberNotInUse,
    ServiceOrderOpen,
)
from inventory.domain.identifiers import Number, parse_any_number
from inventory.domain.lifecycle import NumberState
from inventory.store import replacements
from inventory.store.holds import NumberOffer
from inventory.store.replacements import LineCard


async def number_of(connection: AsyncConnection | AsyncSession, caller: Caller, old_card: str) -> Number:
    """Return the number that the card to be replaced serves, or the first of them.

    Raises
    ------
    NotFound
        The city has no such card, or it serves no number.
    """
    number = await replacements.number_of_card(connection, city_id=caller.city_id, card=old_card)
    if number is None:
        raise NotFound(what="line of card", value=old_card)
    return parse_any_number(number)


async def old_card_of(
    connection: AsyncConnection | AsyncSession, caller: Caller, number: NumberOffer, named: str | None
) -> LineCard | None:
    """Return the card that serves the number, or None.

    Raises
    ------
    InvalidField
        The caller has `named` another card.
    """
    old = await replacements.card_of_number(connection, city_id=caller.city_id, number_item=number.item_no)
    if old is not None and named is not None and named not in {old.iccid, old.serial}:
        raise InvalidField(field="old_card", value=named, reason="another card serves this number")
    return old


def line_refusal(number: NumberOffer, old: LineCard | None, *, allowed: int) -> DomainError | None:
    """Give the refusal that stands against replacing the card of the number by one that may serve `allowed`, or None.

    All numbers of the old card go over together, whichever was named (REQ-SIM-17). Any hall of the
    city may replace any customer's card.
    """
    if number.state != NumberState.IN_USE:
        return NumberNotInUse(number=number.number, state=number.state)
    if old is None:
        return InvalidField(field="number", value=number.number, reason="no card serves this number")
    if number.legal_hold or old.legal_hold or old.other_legal_hold:
        return LegalHold(field="number", value=number.number)
    if old.order_until is not None:
        return ServiceOrderOpen(
            number=number.number,
            business=old.order_business,
            reason=old.order_reason or "-",
            until=old.order_until,
        )
    if old.numbers > allowed:
        return CardServesNoMore(iccid=old.iccid or old.serial, numbers=old.numbers, most=allowed)
    return None
