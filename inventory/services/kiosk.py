"""Self-service machines (自助终端): which dispenser is one, and what customer and acceptance system do there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import DomainError, HoldNotActive, InvalidField, KioskNotReady, NotFound, QuoteNotAccepted
from inventory.domain.fees import Business
from inventory.domain.identifiers import Number, parse_public_id
from inventory.domain.lifecycle import KIOSK_LIFECYCLE, KIOSK_OPEN, KioskEvent, KioskState
from inventory.services import promises
from inventory.services.acting import acting
from inventory.services.card_writing import read_last_job
from inventory.services.holds import hold, hold_number
from inventory.services.kits import KitWish, SimWish
from inventory.services.once import Answer, WriteKey, once
from inventory.services.sales import RealName, real_name_reference
from inventory.services.stations import visible_station
from inventory.store import catalogue, events, kiosk, stations
from inventory.store.events import EventDraft
from inventory.store.kiosk import Sale
from inventory.store.notices import Notice, notify
from inventory.vault.hold_keys import HoldKeys


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A dispenser of a station."""

    station: str
    reader: str


async def open_machine(
    session: AsyncSession, caller: Caller, write: WriteKey, machine: Machine, kind: str, *, now: datetime
) -> Answer:
    """Let a dispenser sell cards of this product to customers by itself.

    Raises
    ------
    InvalidField
        The station has no such dispenser, or there is no such product.
    StationUnknown
        No such station in the caller's part.
    """

    async def work() -> dict[str, Any]:
        if await catalogue.find_card_kind(session, kind) is None:
            raise InvalidField(field="card_kind", value=kind, reason="no such card product")
        return await _set_kind(session, caller, machine, kind, "kiosk.opened", now=now)

    return await once(session, caller, write, work, now=now)


async def close_machine(
    session: AsyncSession, caller: Caller, write: WriteKey, machine: Machine, *, now: datetime
) -> Answer:
    """Let the dispenser serve no further customer by itself; one that it serves now is served to the end.

    Raises
    ------
    InvalidField
        The station has no such dispenser.
    StationUnknown
        No such station in the caller's part.
    """

    async def work() -> dict[str, Any]:
        return await _set_kind(session, caller, machine, None, "kiosk.closed", now=now)

    return await once(session, caller, write, work, now=now)


async def _set_kind(
    session: AsyncSession, caller: Caller, machine: Machine, kind: str | None, event: str, *, now: datetime
) -> dict[str, Any]:
    station = await visible_station(session, caller, machine.station)
    place: dict[str, Any] = {"city_id": station.city_id, "station_id": station.station_id}
    rows = await stations.readers_of(session, city_id=station.city_id, stations=[station.station_id])
    if not any(row.name == machine.reader and row.dispenser is not None for row in rows):
        raise InvalidField(field="reader", value=machine.reader, reason="the station has no such dispenser")
    await stations.change_reader(session, **place, name=machine.reader, kiosk_kind=kind)
    draft = EventDraft(
        name=event, kind="station", item_no=station.station_id, data={"reader": machine.reader, "kind": kind}
    )
    await events.record(session, [draft], **acting(caller, now))
    await notify(session, Notice(**place))
    return {"station": machine.station, "reader": machine.reader, "card_kind": kind}


async def choose(
    session: AsyncSession, connection: AsyncConnection, caller: Caller, write: WriteKey, machine: Machine,
    number: Number, *, keys: HoldKeys, now: datetime,
) -> Answer:  # fmt: skip
    """Hold the number for the machine's customer, with the wish for a card of its product (REQ-RSV-18).

    Raises
    ------
    KioskNotReady
        The machine is none, serves somebody, or must be seen to first.
    NumberNotFree, NumberNotOnSale, NoDataUnit, SaleChannelRefused, NotFound, LegalHold
        As `hold`.
    """
    station, kind = await _ready(session, caller, machine)
    wish = KitWish(business=Business.ACTIVATION, number=number, sim_wish=SimWish(kind, caller.org_id))
    answer = await hold(connection, caller, write, wish, now=now)
    hold_id = hold_number(caller, answer.body["hold"])
    try:
        async with session.begin():
            if await kiosk.find_sale(session, city_id=caller.city_id, hold_id=hold_id) is None:
                await kiosk.add_sale(
                    session, city_id=caller.city_id, hold_id=hold_id, station_id=station, reader=machine.reader,
                    state=KioskState.WAITING, org_id=caller.org_id, staff_no=caller.staff_no,
                    interface_no=caller.interface_no, created_at=now, moved_at=now,
                )  # fmt: skip
            await notify(session, Notice(city_id=caller.city_id, station_id=station))
    except IntegrityError:  # somebody else's finger was quicker
        await promises.release(
            connection, caller, WriteKey.of(f"{write.key}-back", "kiosk back", {}), answer.body["hold"],
            keys=keys, key=keys.key(caller.city_id, hold_id), reason="kiosk_busy", now=now,
        )  # fmt: skip
        raise KioskNotReady(reason="it serves somebody") from None
    return answer


async def _ready(session: AsyncSession, caller: Caller, machine: Machine) -> tuple[int, str]:
    """Give the machine's station and the product that it sells, or say why it serves nobody now."""
    async with session.begin():
        station = await visible_station(session, caller, machine.station)
        rows = await stations.readers_of(session, city_id=station.city_id, stations=[station.station_id])
        row = next((one for one in rows if one.name == machine.reader), None)
        if row is None or row.kiosk_kind is None:
            raise KioskNotReady(reason="it is closed")
        if trouble(row.dispenser) is not None:
            raise KioskNotReady(reason="it must be seen to")
        return station.station_id, row.kiosk_kind


def trouble(stands: Mapping[str, Any] | None) -> str | None:
    """Name what keeps a dispenser from serving the next customer as it stands now, or None (a `DispenserStop`)."""
    if stands is None or stands["card"] is None:
        return "dispenser_failed"
    if stands["card"] != "nowhere":
        return "card_at_gate" if stands["card"] == "gate" else "card_inside"
    if stands["bin_full"]:
        return "bin_full"
    if stands["stacker"] == "empty":
        return "stacker_empty"
    return "card_jam" if stands["stop"] == "card_jam" else None


async def read_sale(session: AsyncSession, caller: Caller, machine: Machine, *, now: datetime) -> dict[str, Any] | None:
    """Give the sale that the machine shows, with its hold and the job on its present card; None if it shows none.

    Raises
    ------
    StationUnknown
        No such station in the caller's part.
    """
    async with session.begin():
        station = await visible_station(session, caller, machine.station)
        sale = await kiosk.shown_sale(
            session, city_id=station.city_id, station_id=station.station_id, reader=machine.reader, now=now
        )
    if sale is None:
        return None
    held = await promises.read_hold(session, caller, sale.hold, now=now)
    return _as_answer(sale) | {
        "moved_at": sale.moved_at,
        "kit": held,
        "job": await read_last_job(session, caller, sale.hold),
    }


async def read_unfinished(session: AsyncSession, caller: Caller) -> list[dict[str, Any]]:
    """Give the sales under way at the machines of the caller's part, and those whose card the staff keeps."""
    async with session.begin():
        found = await kiosk.unfinished_sales(session, city_id=caller.city_id, orgs=caller.scope)
    return [_as_answer(sale) for sale in found]


def _as_answer(sale: Sale) -> dict[str, Any]:
    return {
        "hold": sale.hold,
        "reader": sale.reader,
        "state": sale.state,
        "accepted": sale.accepted,
        "checked": sale.real_name is not None,
        "cards": sale.cards,
        "stop": sale.stop,
        "created_at": sale.created_at.isoformat(),
    }


async def accept(session: AsyncSession, caller: Caller, hold_id: str, version: int | None, *, now: datetime) -> None:
    """Note that the customer accepted fee and terms of this rule-set version (REQ-CMP-03); again is harmless.

    Raises
    ------
    QuoteNotAccepted
        It is not the quote's.
    NotFound, HoldNotActive
        There is no such sale, or it is over.
    """
    held = await promises.read_hold(session, caller, hold_id, now=now)
    offered = (held["quote"] or {}).get("rule_set_version")
    if version is None or version != offered:
        raise QuoteNotAccepted(version=offered)
    async with session.begin():
        sale = await _waiting(session, caller, hold_id)
        await kiosk.change_sale(session, sale, accepted=version, moved_at=now)
        await notify(session, Notice(city_id=sale.city_id, station_id=sale.station_id))


async def check(
    session: AsyncSession, caller: Caller, write: WriteKey, hold_id: str, real_name: RealName, *, now: datetime,
    at: Caller | None = None,
) -> Answer:  # fmt: skip
    """Take an acceptance system's or a clerk's word that the person was checked and what was due is paid (REQ-CMP-06).

    `at` is the machine's own caller where the word is given at its screen: whoever works below its place may give it.

    Raises
    ------
    NotFound, HoldNotActive
        There is no such sale in the caller's part (or at the machine, for one of its place), or it is over.
    InvalidField
        The reference is not good.
    """
    reference = real_name_reference(real_name, now=now)

    async def work() -> dict[str, Any]:
        of_the_place = at is not None and caller.org_id in at.scope
        sale = await _waiting(session, at if at is not None and of_the_place else caller, hold_id)
        await kiosk.change_sale(session, sale, real_name=reference, moved_at=now)
        data = {"by": caller.interface_no, "channel": real_name.channel}
        draft = EventDraft(
            name="kiosk.checked",
            kind="kiosk",
            item_no=sale.hold_id,
            from_state=sale.state,
            to_state=sale.state,
            data=data,
        )
        await events.record(session, [draft], **acting(caller, now))
        await notify(session, Notice(city_id=sale.city_id, station_id=sale.station_id))
        return _as_answer(sale) | {"checked": True}

    return await once(session, caller, write, work, now=now)


async def leave(
    session: AsyncSession, connection: AsyncConnection, caller: Caller, hold_id: str, *, keys: HoldKeys, now: datetime
) -> None:
    """Give the kit of a customer who changed its mind back, or clear the screen of a sale that is over.

    While cards are fed, and while the card of a sold line is not taken, nothing happens.

    Raises
    ------
    NotFound
        There is no such sale in the caller's part.
    """
    number = hold_number(caller, hold_id)
    async with session.begin():
        sale = await _found(session, caller, hold_id)
        if sale.state not in KIOSK_OPEN:
            await kiosk.change_sale(session, sale, shown_until=now)
        if sale.state != KioskState.WAITING or not await kiosk.change_sale(session, sale, state=KioskState.LEFT):
            return
        draft = EventDraft(
            name="kiosk.left", kind="kiosk", item_no=number, from_state=sale.state, to_state=KioskState.LEFT, data={}
        )
        await events.record(session, [draft], **acting(caller, now))
    write = WriteKey.of(f"kiosk-{hold_id}-release", "kiosk release", {})
    try:
        await promises.release(
            connection, caller, write, hold_id, keys=keys, key=keys.key(caller.city_id, number), reason="kiosk_left",
            now=now,
        )  # fmt: skip
    except DomainError:
        return  # it has ended by itself


async def read_kept(session: AsyncSession, caller: Caller, *, now: datetime) -> list[dict[str, Any]]:
    """Give the sold cards that machines of the caller's part drew in: hold, reader, number, ICCID and when (UTC)."""
    async with session.begin():
        found = await kiosk.unfinished_sales(session, city_id=caller.city_id, orgs=caller.scope)
    kept = [sale for sale in found if sale.state == KioskState.TAKEN_BACK]
    kits = [await promises.read_hold(session, caller, sale.hold, now=now) for sale in kept]
    return [
        {"hold": sale.hold, "reader": sale.reader, "at": sale.moved_at, "number": kit["number"], "iccid": kit["iccid"]}
        for sale, kit in zip(kept, kits, strict=True)
    ]


async def give(session: AsyncSession, caller: Caller, write: WriteKey, hold_id: str, *, now: datetime) -> Answer:
    """Note that the customer was given the card that the machine had drawn in again; said twice, it is harmless.

    Raises
    ------
    NotFound
        There is no such sale in the caller's part.
    HoldNotActive
        Its card was not drawn in.
    """

    async def work() -> dict[str, Any]:
        sale = await _found(session, caller, hold_id)
        if sale.state == KioskState.DONE:
            return _as_answer(sale)
        if sale.state != KioskState.TAKEN_BACK:
            raise HoldNotActive(hold=hold_id, state=sale.state)
        state = KIOSK_LIFECYCLE.advance(KioskState(sale.state), KioskEvent.TAKE)
        await kiosk.change_sale(session, sale, state=state, moved_at=now)
        draft = EventDraft(
            name="kiosk.given", kind="kiosk", item_no=sale.hold_id, from_state=sale.state, to_state=state, data={}
        )
        await events.record(session, [draft], **acting(caller, now))
        return _as_answer(sale) | {"state": state}

    return await once(session, caller, write, work, now=now)


async def _found(session: AsyncSession, caller: Caller, hold_id: str) -> Sale:
    name = parse_public_id(hold_id, "h", field="hold")
    sale = None
    if name.city_id == caller.city_id:
        sale = await kiosk.find_sale(session, city_id=name.city_id, hold_id=name.serial, lock=True)
    if sale is None or sale.org_id not in caller.scope:
        raise NotFound(what="hold", value=hold_id)
    return sale


async def _waiting(session: AsyncSession, caller: Caller, hold_id: str) -> Sale:
    """Give a sale that waits for its customer, locked."""
    sale = await _found(session, caller, hold_id)
    if sale.state != KioskState.WAITING:
        raise HoldNotActive(hold=hold_id, state=sale.state)
    return sale
