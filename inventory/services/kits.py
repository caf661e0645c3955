"""What the stock has for a kit, and why it cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from inventory.access.caller import Caller
from inventory.domain.errors import (
    CardUnknown,
    DomainError,
    HlrMismatch,
    InvalidField,
    MissingField,
    NoDataUnit,
    NotFound,
    NumberNotFree,
    NumberNotOnSale,
    OutsideScope,
    SimNotFree,
)
from inventory.domain.fees import Business
from inventory.domain.holds import Flow
from inventory.domain.identifiers import ChipSerial, Iccid, Number
from inventory.store import holds
from inventory.store.holds import NumberOffer, SimOffer


@dataclass(frozen=True)
class SimWish:
    """A card wished for but not yet in hand: its kind and the organisation where it will be taken (REQ-RSV-18)."""

    kind_code: str
    org_id: int


@dataclass(frozen=True, kw_only=True)
class KitWish:
    """The kit as asked for: a number, a card, or both; one hold, one key, one timer.

    `iccid` or `chip_serial` names the card in hand, else `sim_wish` the one to be bound later; at most one of them is
    given. `minutes` asks for less time than the policy gives.
    """

    number: Number | None = None
    business: Business = Business.ACTIVATION
    iccid: Iccid | None = None
    chip_serial: ChipSerial | None = None
    sim_wish: SimWish | None = None
    flow: Flow = Flow.NORMAL
    order_ref: str | None = None
    minutes: int | None = None

    def __post_init__(self) -> None:
        cards = [name for name in ("iccid", "chip_serial", "sim_wish") if getattr(self, name) is not None]
        if len(cards) > 1:
            raise InvalidField(field=cards[1], value=None, reason="the card is named already")
        if not cards and self.number is None:
            raise MissingField(field="number")


@dataclass(frozen=True)
class Offer:
    """What the stock has for a wish, as it stands now."""

    number: NumberOffer | None
    sim: SimOffer | None
    card_kind: str | None

    @property
    def number_item(self) -> int | None:
        """Item number of the number."""
        return None if self.number is None else self.number.item_no

    @property
    def sim_item(self) -> int | None:
        """Item number of the card."""
        return None if self.sim is None else self.sim.item_no

    @property
    def needs_data(self) -> bool:
        """Whether the kit takes a data unit: it joins a number with a card that is still to be written (REQ-RSV-17)."""
        if self.number is None or self.number.hlr_code is None or self.card_kind is None:
            return False
        return self.sim is None or self.sim.hlr_code is None

    def expired_hold(self, now: datetime) -> int | None:
        """Give the hold on one of the items whose time is over and that no write job keeps, or None."""
        for item in (self.number, self.sim):
            if (
                item is not None
                and item.hold_id is not None
                and item.hold_until is not None
                and item.hold_until <= now
                and item.job_id is None
            ):
                return item.hold_id
        return None


async def find_offer(connection: AsyncConnection, caller: Caller, wish: KitWish) -> Offer:
    """Return what the stock has for the wish.

    Raises
    ------
    NotFound
        The city has no such number.
    CardUnknown
        The city has no such card.
    """
    number = sim = None
    if wish.number is not None:
        number = await holds.number_offer(
            connection, city_id=caller.city_id, number=wish.number, org_id=caller.org_id, holders=caller.scope
        )
        if number is None:
            raise NotFound(what="number", value=wish.number)
    card = wish.iccid or wish.chip_serial
    if card is not None:
        sim = await holds.sim_offer(
            connection, city_id=caller.city_id, card=card, org_id=caller.org_id, holders=caller.scope
        )
        if sim is None:
            raise CardUnknown(iccid=card)
    kind = sim.kind_code if sim is not None else wish.sim_wish.kind_code if wish.sim_wish is not None else None
    return Offer(number, sim, kind)


def why_not(caller: Caller, offer: Offer) -> DomainError | None:
    """Give the refusal that stands against holding the offer, or None (REQ-NUM-10: named, with what to do next)."""
    reasons = (_number_refusal(caller, offer.number), _sim_refusal(caller, offer.sim), _pair_refusal(offer))
    return next((reason for reason in reasons if reason is not None), None)


def _number_refusal(caller: Caller, number: NumberOffer | None) -> DomainError | None:
    if number is None:
        return None
    if not number.ours:
        return OutsideScope(what=number.number)
    if number.state != "UNUSED":
        until = None if number.hold_until is None else number.hold_until.isoformat()
        return NumberNotFree(number=number.number, state=number.state, held_until=until)
    if number.pool not in caller.pools or number.transit_id is not None:
        return NumberNotOnSale(number=number.number)
    return None


def _sim_refusal(caller: Caller, sim: SimOffer | None) -> DomainError | None:
    if sim is None:
        return None
    name = sim.iccid or sim.serial
    if not sim.ours:
        return OutsideScope(what=name)
    if sim.state != "AVAILABLE" or sim.adm_refused:
        return SimNotFree(iccid=name, state="ADM_REFUSED" if sim.adm_refused else sim.state)
    if sim.transit_id is not None:
        return SimNotFree(iccid=name, state="IN_TRANSIT")
    if sim.pool not in caller.pools:
        return SimNotFree(iccid=name, state="NOT_ON_SALE")
    return None


def _pair_refusal(offer: Offer) -> DomainError | None:
    number, sim = offer.number, offer.sim
    if number is None:
        return None
    if sim is not None and sim.hlr_code is not None and sim.hlr_code != number.hlr_code:
        return HlrMismatch(number_hlr=number.hlr_code, sim_hlr=sim.hlr_code)
    if offer.needs_data and number.data_from is None:
        return NoDataUnit(hlr=number.hlr_code)
    return None
