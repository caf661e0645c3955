"""What a business with a number costs: every element, the rule that asks for it, the version of the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.access.caller import Caller
from inventory.domain.channels import Channel, SaleChannel
from inventory.domain.errors import NotFound
from inventory.domain.feerules import Outcome
from inventory.domain.fees import Business, Quote, quote
from inventory.domain.identifiers import parse_any_number
from inventory.domain.money import Terms
from inventory.store import holds
from inventory.store.fees import rule_set
from inventory.store.holds import NumberOffer


@dataclass(frozen=True, kw_only=True)
class QuoteWish:
    """What a quote is asked for; `card_kind` is the code of the card that will be sold with the number, if one is."""

    number: str
    business: Business
    card_kind: str | None = None


def _terms(stored: dict[str, Any]) -> Terms:
    """Give the terms that a person set for one number."""
    return Terms(**{**stored, "sale_channel": SaleChannel(stored["sale_channel"])})


async def quote_offer(
    connection: AsyncConnection | AsyncSession,
    offer: NumberOffer,
    *,
    business: Business,
    channel: str,
    card_kind: str | None,
) -> tuple[Quote, SaleChannel]:
    """Return the quote for a number that was read, and where its class is sold.

    The number's own rule set speaks, or the terms that a person set for it.

    Raises
    ------
    NotFound
        There is no such card kind.
    """
    stored = await rule_set(connection, offer.rule_set_id)
    outcome = Outcome(offer.fee_cls, stored.rules.outcomes[offer.outcome].winner)
    terms = stored.rules.terms(offer.fee_cls) if offer.fee is None else _terms(offer.fee)
    sim_fee = 0
    if card_kind is not None:
        found = await holds.card_kind(connection, card_kind)
        if found is None:
            raise NotFound(what="card kind", value=card_kind)
        sim_fee = found.fee_fen
    made = quote(
        offer.number,
        terms,
        stored.version,
        business,
        Channel(channel),
        sim_fee,
        outcome=outcome,
        cash_fee_allowed=False,
    )
    return made, terms.sale_channel


async def read_quote(session: AsyncSession, caller: Caller, wish: QuoteWish) -> dict[str, Any]:
    """Return the quote as JSON values; the same question gets the same answer until rules or fee change (REQ-FEE-04).

    Raises
    ------
    NotFound
        The caller's part of the city has no such number, or there is no such card kind.
    InvalidIdentifier
        The number is not well formed.
    """
    async with session.begin():
        number = parse_any_number(wish.number)
        offer = await holds.number_offer(
            session, city_id=caller.city_id, number=number, org_id=caller.org_id, holders=caller.scope
        )
        if offer is None or not offer.ours:
            raise NotFound(what="number", value=number)
        made, _ = await quote_offer(
            session, offer, business=wish.business, channel=caller.channel, card_kind=wish.card_kind
        )
    return made.to_dict()
