"""The card of a kit: chosen later than its number, or taken in place of one that was spoiled."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.cardjobs import LEASE
from inventory.domain.errors import (
    CardBeingWritten,
    CardKindDiffers,
    CardUnknown,
    HoldExpired,
    HoldNotActive,
    InvalidField,
    LegalHold,
    NotFound,
)
from inventory.domain.fees import Business
from inventory.domain.identifiers import parse_number
from inventory.domain.lifecycle import DataEvent, DataState, SimEvent, SimState
from inventory.services.card_ends import is_alive
from inventory.services.card_moves import step_card, step_unit
from inventory.services.holds import open_hold
from inventory.services.kits import CardWish, KitWish, Offer, card_refusal, find_offer, no_data
from inventory.services.once import Answer, WriteKey, once
from inventory.services.promises import require_live, require_record
from inventory.store import cardjobs, events, kits
from inventory.store.events import EventDraft
from inventory.store.kits import Card, DataUnit, Kit
from inventory.vault.hold_keys import HoldKeys

_BACK_TO_STOCK = {SimState.HELD: SimEvent.RELEASE, SimState.WRITTEN: SimEvent.KEEP_FINISHED}
"""What becomes of a sound card that leaves its kit; any other keeps its state, and its own job settles it."""


async def take_card(
    session: AsyncSession,
    caller: Caller,
    write: WriteKey,
    hold: str,
    wish: CardWish,
    *,
    keys: HoldKeys,
    key: str | None,
    now: datetime,
) -> Answer:
    """Put this card into the kit, in place of the one wished for or of another; answers the card and the kit's end.

    Key, number, quote and end stay (REQ-RSV-16, REQ-RSV-18), but a kit that an unknown card has kept until now gets
    the time of a lease, as when its job ends (REQ-RSV-15). The card that leaves is free again, finished if it was
    written (REQ-RSV-19); a damaged or unknown one keeps its data, and the kit gets a new unit.

    Raises
    ------
    HoldKeyWrong, NotFound, HoldExpired, HoldNotActive
        The kit is not the caller's to use, or has ended.
    CardBeingWritten
        The kit's present card is being written just now.
    CardUnknown, OutsideScope, SimNotFree, HlrMismatch, NoDataUnit, NoNumberedData
        The card, or data for it, are not to be had.
    InvalidField
        The kit has this very card, or is that of a second number, which goes on a card in use.
    CardKindDiffers
        The kit was quoted with another product, or without a card.
    LegalHold
        An outside order lies on the card, or on the kit's number, which ends the kit once its first card is settled; or
        it has ended the kit.
    """

    async def work() -> dict[str, Any]:
        hold_id = open_hold(keys, caller, hold, key)
        kit = await kits.find_kit(session, city_id=caller.city_id, hold_id=hold_id, lock=True)
        if kit is None:
            raise NotFound(what="hold", value=hold)
        if kit.business == Business.SECOND_NUMBER:
            raise InvalidField(field="hold", value=hold, reason="a second number goes on the card that it was held for")
        old = await _present(session, caller, kit, hold, now=now)
        offer, new = await _chosen(session, caller, kit, wish, now=now)
        quoted = old.kind_code if old is not None else (kit.sim_wish or {}).get("kind_code")
        if new.kind_code != quoted:
            raise CardKindDiffers(iccid=wish.name, kind=new.kind_code, quoted=quoted or "-")
        kit = await _kept(session, kit, now=now)
        change = _Change(session, kit, now)
        unit = await change.data_for(offer, await change.let_go(old))
        await change.move_card(new, SimEvent.HOLD, hold_id=kit.hold_id, hold_until=kit.expires_at)
        data_no = None if unit is None else unit.data_no
        await kits.set_card(session, kit, sim_item_no=new.item_no, data_no=data_no)
        change.tell_of_kit({"sim_before": old and old.item_no, "sim_item": new.item_no, "data": data_no})
        await events.record(
            session, change.drafts, city_id=caller.city_id, staff_no=caller.staff_no,
            interface_no=caller.interface_no, now=now,
        )  # fmt: skip
        return {
            "hold": hold,
            "state": kit.state,
            "iccid": new.iccid,
            "chip_serial": new.serial,
            "expires_at": kit.expires_at.isoformat(),
        }

    return await once(session, caller, write, work, now=now)


async def _present(session: AsyncSession, caller: Caller, kit: Kit, hold: str, *, now: datetime) -> Card | None:
    """Return the kit's card, locked, or None; a job that does not know how it ended leaves the kit with its card."""
    if not is_alive(kit):
        require_live(await require_record(session, caller, kit.hold_id), hold, now=None)  # says what ended it
        raise HoldNotActive(hold=hold, state=kit.state)
    if kit.job_id is None and kit.expires_at <= now:
        raise HoldExpired(hold=hold, expired_at=kit.expires_at)
    card = None
    if kit.sim_item_no is not None:
        card = await kits.find_card(session, city_id=kit.city_id, item_no=kit.sim_item_no, lock=True)
    if kit.job_id is not None and not await cardjobs.leave_kit(session, city_id=kit.city_id, job_id=kit.job_id):
        raise CardBeingWritten(iccid=card and (card.iccid or card.serial))
    return card


async def _kept(session: AsyncSession, kit: Kit, *, now: datetime) -> Kit:
    """Give the kit time enough to write the next card, if a job kept it until now, perhaps beyond its end."""
    if kit.job_id is None or kit.expires_at >= now + LEASE:
        return kit
    await kits.keep_kit_until(session, kit, now + LEASE)
    return replace(kit, expires_at=now + LEASE)


async def _chosen(
    session: AsyncSession, caller: Caller, kit: Kit, wish: CardWish, *, now: datetime
) -> tuple[Offer, Card]:
    """Return what the stock has for number and card, and the card, locked; or say why it is not to be had."""
    number = None if kit.number is None else parse_number(kit.number)
    whole = KitWish(number=number, iccid=wish.iccid, chip_serial=wish.chip_serial)
    connection = await session.connection()
    offer = await find_offer(connection, caller, whole)
    if offer.sim_item == kit.sim_item_no:
        raise InvalidField(field="iccid", value=wish.name, reason="the kit has this very card")
    if refusal := card_refusal(caller, offer, now):
        raise refusal
    # Judged again once it is locked; not locked at first, so that two kits that want each other's card do not wait.
    card = await kits.find_card(session, city_id=kit.city_id, item_no=offer.sim_item, lock=True)
    offer = await find_offer(connection, caller, whole)
    if refusal := card_refusal(caller, offer, now):
        raise refusal
    if card is None:
        raise CardUnknown(iccid=wish.name)
    if offer.number is not None and offer.number.legal_hold:
        raise LegalHold(field="number", value=number)
    return offer, card


class _Change:
    """The moves of one exchange and the events that tell of them, written together at its end."""

    def __init__(self, session: AsyncSession, kit: Kit, now: datetime) -> None:
        self._session = session
        self._kit = kit
        self._now = now
        self.drafts: list[EventDraft] = []

    def tell(self, draft: EventDraft) -> None:
        """Note an event of the kit's order."""
        self.drafts.append(replace(draft, order_ref=self._kit.order_ref))

    def tell_of_kit(self, data: dict[str, Any]) -> None:
        """Note that the kit has another card."""
        hold_id, state = self._kit.hold_id, self._kit.state
        name = "hold.card_taken"
        self.tell(EventDraft(name=name, kind="hold", item_no=hold_id, from_state=state, to_state=state, data=data))

    async def move_card(self, card: Card, event: SimEvent, **also: Any) -> None:
        """Move a card by its life cycle with the columns in `also`."""
        _, draft = await step_card(self._session, card, event, {"hold": self._kit.name}, now=self._now, **also)
        self.tell(draft)

    async def _move_unit(self, unit: DataUnit, event: DataEvent, hold_id: int | None) -> None:
        hold = {"hold": self._kit.name}
        _, draft = await step_unit(self._session, unit, event, hold, now=self._now, hold_id=hold_id)
        self.tell(draft)

    async def let_go(self, card: Card | None) -> DataUnit | None:
        """Let the card leave the kit; return the kit's data unit if no card has it."""
        kit, unit = self._kit, None
        if kit.data_no is not None:
            unit = await kits.find_data(self._session, city_id=kit.city_id, data_no=kit.data_no)
        if card is not None and card.hold_id == kit.hold_id:
            event = _BACK_TO_STOCK.get(SimState(card.state))
            if event is None:
                await kits.untie_card(self._session, card)
            else:
                finished = {"hlr_code": unit.hlr_code} if event is SimEvent.KEEP_FINISHED and unit else {}
                await self.move_card(card, event, hold_id=None, hold_until=None, **finished)
        if unit is None or unit.state == DataState.RESERVED:
            return unit
        await kits.untie_data(self._session, unit)
        return None

    async def data_for(self, offer: Offer, unit: DataUnit | None) -> DataUnit | None:
        """Return the data unit for the new card, reserved for the kit; one that it does not need is freed."""
        needed = offer.needs_data and offer.number is not None
        if unit is not None and needed and (unit.iccid is not None) == offer.gets_iccid:
            return unit
        if unit is not None:
            await self._move_unit(unit, DataEvent.RELEASE, None)
        if not needed or offer.number is None:
            return None
        number, kit = offer.number, self._kit
        if number.data_from is None or number.data_to is None or number.hlr_code is None:
            raise no_data(offer)
        start = number.data_from + secrets.randbelow(number.data_to - number.data_from + 1)
        unit = await kits.free_unit(
            self._session, city_id=kit.city_id, hlr_code=number.hlr_code, start=start, numbered=offer.gets_iccid
        )
        if unit is None:
            raise no_data(offer)
        await self._move_unit(unit, DataEvent.RESERVE, kit.hold_id)
        return unit
