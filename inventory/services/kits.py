"""What the stock has for a kit, and why it cannot be had."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import business_day
from inventory.domain.errors import (
    CardLacksCapability,
    CardUnknown,
    DomainError,
    HlrMismatch,
    InvalidField,
    LegalHold,
    MissingField,
    NoDataUnit,
    NoNumberedData,
    NotFound,
    NotSoldInHalls,
    NumberNotFree,
    NumberNotOnSale,
    OutsideScope,
    SimNotFree,
)
from inventory.domain.fees import Business
from inventory.domain.holds import Flow
from inventory.domain.identifiers import ChipSerial, Iccid, Number
from inventory.domain.kinds import NUMBER
from inventory.domain.replacement import ReplaceReason
from inventory.services.numbering import gets_iccid, is_relayed
from inventory.services.replacing import line_refusal, number_of, old_card_of
from inventory.services.second_numbers import second_number_refusal
from inventory.store import holds
from inventory.store.holds import NumberOffer, SimOffer
from inventory.store.replacements import LineCard
from inventory.store.second_numbers import ServingCard, serving_card


@dataclass(frozen=True)
class SimWish:
    """A card wished for but not yet in hand: its kind and the organisation where it will be taken (REQ-RSV-18)."""

    kind_code: str
    org_id: int


@dataclass(frozen=True, kw_only=True)
class KitWish:
    """The kit as asked for: a number, a card, or both; one hold, one key, one timer.

    `iccid` or `chip_serial` names the card in hand, else `sim_wish` the one to be bound later; at most one of them is
    given. `minutes` asks for less time than the policy gives. `capabilities` are what the card's product must be able
    to do, such as `5G` (REQ-SIM-14); a card that is taken later is of the same product.

    A kit for a second number (副号) names a free number and a card in use that is to serve it too.

    A kit for a replacement says why (`replace_reason`); its number, or the card that serves it (`old_card`: ICCID or
    chip serial), is a line in use, and its card is the new one.
    """

    number: Number | None = None
    business: Business = Business.ACTIVATION
    iccid: Iccid | None = None
    chip_serial: ChipSerial | None = None
    sim_wish: SimWish | None = None
    flow: Flow = Flow.NORMAL
    order_ref: str | None = None
    minutes: int | None = None
    capabilities: tuple[str, ...] = ()
    replace_reason: ReplaceReason | None = None
    old_card: str | None = None

    def __post_init__(self) -> None:
        cards = [name for name in ("iccid", "chip_serial", "sim_wish") if getattr(self, name) is not None]
        if len(cards) > 1:
            raise InvalidField(field=cards[1], value=None, reason="the card is named already")
        if self.replaces:
            self._check_replacement(has_card=bool(cards))
        elif self.replace_reason is not None or self.old_card is not None:
            field = "replace_reason" if self.old_card is None else "old_card"
            raise InvalidField(field=field, value=getattr(self, field), reason="only a replacement has one")
        elif self.adds:
            self._check_second()
        elif not cards and self.number is None:
            raise MissingField(field="number")
        if not cards and self.capabilities:
            raise MissingField(field="sim_wish")

    def _check_replacement(self, *, has_card: bool) -> None:
        if self.number is None and self.old_card is None:
            raise MissingField(field="number")
        if self.replace_reason is None:
            raise MissingField(field="replace_reason")
        if not has_card:
            raise MissingField(field="sim_wish")

    def _check_second(self) -> None:
        if self.number is None:
            raise MissingField(field="number")
        if self.iccid is None and self.chip_serial is None:
            raise MissingField(field="iccid")

    @property
    def adds(self) -> bool:
        """Whether the kit's number is to be a second one on a card in use."""
        return self.business is Business.SECOND_NUMBER

    @property
    def replaces(self) -> bool:
        """Whether the kit's card is to replace that of a number in use."""
        return self.business is Business.REPLACE_SIM


@dataclass(frozen=True, kw_only=True)
class CardWish:
    """One card in hand, by the number printed on it or by its chip serial."""

    iccid: Iccid | None = None
    chip_serial: ChipSerial | None = None

    def __post_init__(self) -> None:
        if self.iccid is None and self.chip_serial is None:
            raise MissingField(field="iccid")
        if self.iccid is not None and self.chip_serial is not None:
            raise InvalidField(field="chip_serial", value=None, reason="the card is named already")

    @property
    def name(self) -> str | None:
        """The name it was given by."""
        return self.iccid or self.chip_serial


@dataclass(frozen=True)
class Offer:
    """What the stock has for a wish, as it stands now.

    `gets_iccid` says that the card is still without its ICCID, `lacks` what was demanded and its product cannot do.
    Of a replacement `old` is the card that serves the number, None if none does. Of a second number `serving` is the
    card as what it serves already.
    """

    number: NumberOffer | None
    sim: SimOffer | None
    card_kind: str | None
    gets_iccid: bool = False
    lacks: str | None = None
    replaces: bool = False
    old: LineCard | None = None
    serving: ServingCard | None = None
    max_numbers: int = 1
    relayed: bool = False
    """Its data come from the operator's own system once the card lies in a reader, not from our pool."""

    @property
    def number_item(self) -> int | None:
        """Item number of the number."""
        return None if self.number is None else self.number.item_no

    @property
    def sim_item(self) -> int | None:
        """Item number of the card."""
        return None if self.sim is None else self.sim.item_no

    @property
    def old_item(self) -> int | None:
        """Item number of the card that is to be replaced."""
        return None if self.old is None else self.old.item_no

    @property
    def needs_data(self) -> bool:
        """Whether the kit takes a data unit: it joins a number with a card that is still to be written (REQ-RSV-17)."""
        if self.number is None or self.number.hlr_code is None or self.card_kind is None or self.relayed:
            return False
        if self.serving is not None:
            return False
        return self.sim is None or self.sim.hlr_code is None

    def expired_hold(self, now: datetime) -> int | None:
        """Give the hold on one of the items whose time is over and that nothing keeps, or None."""
        for item in (self.number, self.sim, self.old):
            if (
                item is not None
                and item.hold_id is not None
                and item.hold_until is not None
                and item.hold_until <= now
                and not item.kept
            ):
                return item.hold_id
        return None


async def find_offer(connection: AsyncConnection, caller: Caller, wish: KitWish) -> Offer:
    """Return what the stock has for the wish.

    Raises
    ------
    NotFound
        The city has no such number, or the card to be replaced serves none; or a card is wished for of a kind that is
        none, or at a place that the city has not open.
    CardUnknown
        The city has no such card.
    InvalidField
        Another card than the one named serves the number.
    """
    number = sim = old = serving = None
    where: dict[str, Any] = {"city_id": caller.city_id, "org_id": caller.org_id, "holders": caller.scope}
    card = wish.iccid or wish.chip_serial
    if card is not None:
        sim = await holds.sim_offer(connection, card=card, **where)
    kind = sim.kind_code if sim is not None else wish.sim_wish.kind_code if wish.sim_wish is not None else None
    product = None if kind is None else await holds.card_kind(connection, kind)
    if wish.sim_wish is not None:
        await _check_card_wish(connection, caller, wish.sim_wish, known=product is not None)
    numbered = (sim is None or sim.iccid is None) and product is not None and gets_iccid(product.profile, None)
    wanted = wish.number
    if wanted is None and wish.old_card is not None:
        wanted = await number_of(connection, caller, wish.old_card)
    if wanted is not None:
        number = await holds.number_offer(connection, number=wanted, numbered=numbered, **where)
        if number is None:
            raise NotFound(what="number", value=wanted)
    if card is not None and sim is None:
        raise CardUnknown(iccid=card)
    if wish.replaces and number is not None:
        old = await old_card_of(connection, caller, number, wish.old_card)
    if wish.adds and sim is not None:
        serving = await serving_card(connection, city_id=caller.city_id, sim_item=sim.item_no)
    able = [] if product is None else product.capabilities
    lacks = next((one for one in wish.capabilities if one not in able), None)
    relayed = product is not None and is_relayed(product.profile)
    most = 1 if product is None else product.max_numbers
    return Offer(number, sim, kind, numbered, lacks, wish.replaces, old, serving, most, relayed)


async def _check_card_wish(
    connection: AsyncConnection | AsyncSession, caller: Caller, wish: SimWish, *, known: bool
) -> None:
    """Refuse a card that nobody could ever take; `known` says whether there is its kind."""
    if not known:
        raise NotFound(what="card kind", value=wish.kind_code)
    if not await holds.is_place(connection, city_id=caller.city_id, org_id=wish.org_id):
        raise NotFound(what="organisation", value=wish.org_id)


async def read_card_offer(
    session: AsyncSession, caller: Caller, card: CardWish, *, now: datetime
) -> tuple[SimOffer, DomainError | None]:
    """Return a card as the stock has it, and what stands against selling it now, or None.

    Raises
    ------
    CardUnknown
        The city has no such card.
    OutsideScope
        It lies where the caller sells nothing.
    """
    async with session.begin():
        wish = KitWish(iccid=card.iccid, chip_serial=card.chip_serial)
        offer = await find_offer(await session.connection(), caller, wish)
    if offer.sim is None:
        raise CardUnknown(iccid=card.name)
    refusal = card_refusal(caller, offer, now)
    if isinstance(refusal, OutsideScope):
        raise refusal
    return offer.sim, refusal


def why_not(caller: Caller, offer: Offer, now: datetime) -> DomainError | None:
    """Give the refusal that stands against holding the offer, or None (REQ-NUM-10: named, with what to do next)."""
    if offer.serving is not None and offer.number is not None:
        against = _number_refusal(caller, offer.number)
        against = against or second_number_refusal(offer.serving, number_hlr=offer.number.hlr_code)
        return against or _capability_refusal(offer)
    if offer.replaces and offer.number is not None:
        against = line_refusal(offer.number, offer.old, allowed=offer.max_numbers)
    else:
        against = _number_refusal(caller, offer.number)
    return against or card_refusal(caller, offer, now) or _data_refusal(offer)


def card_refusal(caller: Caller, offer: Offer, now: datetime) -> DomainError | None:
    """Give the refusal that stands against the card of the offer, alone or beside the number, or None."""
    return _capability_refusal(offer) or _sim_refusal(caller, offer.sim, now) or _hlr_refusal(offer)


def _capability_refusal(offer: Offer) -> DomainError | None:
    return None if offer.lacks is None else CardLacksCapability(kind=offer.card_kind, capability=offer.lacks)


def _number_refusal(caller: Caller, number: NumberOffer | None) -> DomainError | None:
    if number is None:
        return None
    if number.kind in NUMBER.lives:
        return NotSoldInHalls(number=number.number)
    if not number.ours:
        return OutsideScope(what=number.number)
    if number.state != "UNUSED":
        return NumberNotFree(number=number.number, state=number.state, held_until=number.hold_until)
    if number.legal_hold:
        return LegalHold(field="number", value=number.number)
    on_sale = number.pool in caller.pools and number.transit_id is None and number.recall_id is None
    return None if on_sale else NumberNotOnSale(number=number.number)


def _sim_refusal(caller: Caller, sim: SimOffer | None, now: datetime) -> DomainError | None:
    if sim is None:
        return None
    name = sim.iccid or sim.serial
    if not sim.ours:
        return OutsideScope(what=name)
    if sim.legal_hold and sim.state == "AVAILABLE":
        return LegalHold(field="iccid", value=name)
    against = _against(sim, caller, now)
    return None if against is None else SimNotFree(iccid=name, state=against)


def _against(sim: SimOffer, caller: Caller, now: datetime) -> str | None:
    """Name what keeps a card from being sold, or None."""
    if sim.state != "AVAILABLE" or sim.adm_refused:
        return "ADM_REFUSED" if sim.adm_refused else sim.state
    if sim.expires_on is not None and sim.expires_on < business_day(now):
        return "EXPIRED"
    if sim.transit_id is not None or sim.recall_id is not None:
        return "IN_TRANSIT" if sim.transit_id is not None else "RECALLED"
    return None if sim.pool in caller.pools else "NOT_ON_SALE"


def _hlr_refusal(offer: Offer) -> DomainError | None:
    number, sim = offer.number, offer.sim
    if number is None or sim is None or sim.hlr_code in {None, number.hlr_code}:
        return None
    return HlrMismatch(number_hlr=number.hlr_code or "-", sim_hlr=sim.hlr_code)


def _data_refusal(offer: Offer) -> DomainError | None:
    if offer.number is None or offer.number.data_from is not None or not offer.needs_data:
        return None
    return no_data(offer)


def no_data(offer: Offer) -> DomainError:
    """Give the refusal of a kit for which the pool has no data unit of the sort that its card needs."""
    hlr = None if offer.number is None else offer.number.hlr_code
    return NoNumberedData(hlr=hlr) if offer.gets_iccid else NoDataUnit(hlr=hlr)
