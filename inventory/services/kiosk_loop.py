"""What a self-service machine's dispenser does next: seen, decided (`domain.kiosk`), done; again after every change.

The process that holds the station's link calls it, for every notice of the station and every few seconds; nothing is
kept but the sale's row, so that it goes on where it stood whatever was interrupted.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.dispensers import Movement
from inventory.domain.errors import DomainError
from inventory.domain.identifiers import format_public_id, parse_chip_serial, parse_iccid
from inventory.domain.kiosk import SHOWN, Act, KioskStop, Sight, Step, decide, refused_for_the_card
from inventory.domain.lifecycle import (
    KIOSK_LIFECYCLE,
    WRITE_JOB_OPEN,
    HoldState,
    KioskEvent,
    KioskState,
    SimState,
    WriteJobState,
)
from inventory.services import promises, sales
from inventory.services.access import caller_of
from inventory.services.acting import acting
from inventory.services.card_ends import is_alive
from inventory.services.card_writing import WriteJobWish, start_job
from inventory.services.kit_cards import take_card
from inventory.services.kits import CardWish
from inventory.services.once import WriteKey
from inventory.services.orders import Move
from inventory.store import cardjobs, events, kiosk, kits, stations
from inventory.store.cardjobs import Job
from inventory.store.engine import Database, see_one_moment
from inventory.store.events import EventDraft
from inventory.store.kiosk import Sale
from inventory.store.kits import Kit
from inventory.store.notices import Notice, notify
from inventory.store.stations import ReaderRow, StationRow
from inventory.vault.hold_keys import HoldKeys

_MOST_AT_ONCE = 8
"""Acts in a row; a movement or a card's writing comes between long before."""
_MOVES = {Act.FEED: Movement.FEED, Act.HAND_OUT: Movement.HAND_OUT, Act.BIN: Movement.BIN}
_ENDS = {
    Act.FINISH: KioskEvent.TAKE,
    Act.TAKE_BACK: KioskEvent.TAKE_BACK,
    Act.LEAVE: KioskEvent.LEAVE,
    Act.STOP: KioskEvent.STOP,
    Act.CONFIRM: KioskEvent.SELL,
}
_DOUBTFUL = frozenset({*WRITE_JOB_OPEN, WriteJobState.UNKNOWN, WriteJobState.VERIFIED})
_NOT_NOW = frozenset({"station_offline", "write_job_open", "busy", "card_being_written"})


@dataclass(frozen=True)
class Advanced:
    """What the station is to do, the state in which a sale has just ended, and what went wrong with any."""

    moves: tuple[Move, ...] = ()
    ended: tuple[KioskState, ...] = ()
    failed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Loop:
    """What the loop works with.

    `most` is how many cards are tried for one customer; a sold card that lies at the gate for `take_back` is drawn in
    again, None for never.
    """

    database: Database
    keys: HoldKeys
    most: int
    take_back: timedelta | None

    async def advance(self, station: StationRow, *, now: datetime) -> Advanced:
        """Bring every sale at the station as far as it goes by now; one that fails holds up no other machine's."""
        async with self.database.session() as session, session.begin():
            sales_here = await kiosk.open_sales(session, city_id=station.city_id, station_id=station.station_id)
        moves, ended, failed = list[Move](), list[KioskState](), list[str]()
        for sale in sales_here:
            try:
                done = await self._bring_on(sale, now=now)
            except (DomainError, IntegrityError) as error:
                failed.append(type(error).__name__)
                continue
            moves += done.moves
            ended += done.ended
        return Advanced(tuple(moves), tuple(ended), tuple(failed))

    async def _bring_on(self, sale: Sale, *, now: datetime) -> Advanced:
        for _ in range(_MOST_AT_ONCE):
            async with self.database.session() as session:
                async with session.begin():
                    await see_one_moment(session)  # a card of before beside a job of after would be judged wrongly
                    seen = await _see(session, sale, most=self.most, take_back=self.take_back, now=now)
                    caller = await caller_of(session, interface_no=sale.interface_no, staff_no=sale.staff_no)
                step = decide(seen.sight)
                if caller is None and sale.state != KioskState.SOLD:  # what is sold comes out without anybody's right
                    step = Step(Act.STOP, KioskStop.KIT_ENDED)
                if step.act is Act.WAIT:
                    return Advanced()
                if caller is not None and step.act not in _MOVES:
                    step = await self._act(session, caller, seen, step, now=now)
                    if step.act is Act.WAIT:
                        return Advanced()
                moved = await self._keep(session, caller, seen, step, now=now)
            if moved is None:
                return Advanced()
            if step.act in _MOVES:
                return Advanced(moves=(Move(moved.reader, _MOVES[step.act].value, moved.movement_name),))
            if step.act in _ENDS and step.act is not Act.CONFIRM:
                return Advanced(ended=(KioskState(moved.state),))
            sale = moved
        return Advanced()

    async def _act(self, session: AsyncSession, caller: Caller, seen: _Seen, step: Step, *, now: datetime) -> Step:
        """Do what a step asks of the stock; return what follows if it is refused."""
        sale = seen.sale
        key = self.keys.key(sale.city_id, sale.hold_id)
        try:
            match step.act:
                case Act.TAKE:
                    iccid, serial = seen.reader.sim_iccid, seen.reader.sim_serial
                    card = CardWish(
                        iccid=None if iccid is None else parse_iccid(iccid).iccid,
                        chip_serial=None if iccid or serial is None else parse_chip_serial(serial),
                    )
                    await take_card(
                        session, caller, _key(sale, "take"), sale.hold, card, keys=self.keys, key=key, now=now
                    )
                case Act.WRITE:
                    wish = WriteJobWish(hold=sale.hold, hold_key=key, station=seen.station, reader=sale.reader)
                    await start_job(session, caller, _key(sale, "write"), wish, keys=self.keys, now=now)
                case Act.CONFIRM:
                    real_name = sales.RealName(**_moment(sale.real_name))
                    sold = sales.ConfirmWish(quote_accepted=sale.accepted, real_name=real_name)
                    async with self.database.autocommit() as connection:
                        await sales.confirm(
                            connection, caller, WriteKey.of(f"kiosk-{sale.hold}-confirm", "kiosk confirm", {}),
                            sale.hold, sold, keys=self.keys, key=key, now=now,
                        )  # fmt: skip
                case Act.STOP | Act.LEAVE:
                    await self._release(caller, sale, key, step, now=now)
                case _:
                    pass
        except DomainError as refusal:
            after = _after(refusal, step)
            if after.act is Act.STOP and step.act is not Act.STOP:
                await self._release(caller, sale, key, after, now=now)
            return after
        return step

    async def _release(self, caller: Caller, sale: Sale, key: str, step: Step, *, now: datetime) -> None:
        """Give the kit back where the rules let it go; one whose card is unknown waits until that is settled."""
        write = WriteKey.of(f"kiosk-{sale.hold}-release", "kiosk release", {})
        with suppress(DomainError):
            async with self.database.autocommit() as connection:
                await promises.release(
                    connection,
                    caller,
                    write,
                    sale.hold,
                    keys=self.keys,
                    key=key,
                    reason=step.stop or "kiosk_left",
                    now=now,
                )

    async def _keep(
        self, session: AsyncSession, caller: Caller | None, seen: _Seen, step: Step, *, now: datetime
    ) -> Sale | None:
        """Note what was done in the sale's row; None if it has moved on meanwhile."""
        sale = seen.sale
        values: dict[str, Any] = {"moved_at": now}
        event = _ENDS.get(step.act)
        if step.act in _MOVES:
            values |= {"movement": _MOVES[step.act].value, "movement_no": sale.movement_no + 1}
        if step.act is Act.FEED:
            values |= {"cards": sale.cards + 1, "insertion": seen.reader.insertion}
            event = KioskEvent.SERVE if sale.state == KioskState.WAITING else None
        if step.act is Act.WRITE and seen.sight.job is not None:
            values |= {"cards": sale.cards + 1}
        if event is not None:
            values |= {"state": KIOSK_LIFECYCLE.advance(KioskState(sale.state), event)}
        if event in {KioskEvent.TAKE, KioskEvent.TAKE_BACK, KioskEvent.STOP}:
            values |= {"shown_until": now + SHOWN, "stop": step.stop}
        async with session.begin():
            if not await kiosk.change_sale(session, sale, **values):
                return None
            await self._tell(session, caller, seen, step, event, now=now)
            await notify(session, Notice(city_id=sale.city_id, station_id=sale.station_id))
            return await kiosk.find_sale(session, city_id=sale.city_id, hold_id=sale.hold_id)

    async def _tell(
        self, session: AsyncSession, caller: Caller | None, seen: _Seen, step: Step, event: KioskEvent | None, *,
        now: datetime,
    ) -> None:  # fmt: skip
        sale, drafts = seen.sale, list[EventDraft]()
        if step.act in _MOVES:
            data = {"reader": sale.reader, "movement": _MOVES[step.act].value, "sim_item": seen.reader.sim_item_no}
            drafts.append(EventDraft(name="station.card_moved", kind="station", item_no=sale.station_id, data=data))
        if event is not None:
            state = KIOSK_LIFECYCLE.advance(KioskState(sale.state), event)
            drafts.append(
                EventDraft(name=f"kiosk.{state}", kind="kiosk", item_no=sale.hold_id, from_state=sale.state,
                           to_state=state, reason=step.stop, data={"reader": sale.reader, "cards": sale.cards})
            )  # fmt: skip
        who: dict[str, Any] = {"city_id": sale.city_id, "staff_no": sale.staff_no, "interface_no": sale.interface_no}
        await events.record(session, drafts, **(acting(caller, now) if caller is not None else {**who, "now": now}))


@dataclass(frozen=True)
class _Seen:
    sale: Sale
    station: str
    reader: ReaderRow
    sight: Sight


async def _see(session: AsyncSession, sale: Sale, *, most: int, take_back: timedelta | None, now: datetime) -> _Seen:
    """Look at the sale, its kit, its machine and the card in it."""
    rows = await stations.readers_of(session, city_id=sale.city_id, stations=[sale.station_id])
    row = next(one for one in rows if one.name == sale.reader)
    kit = await kits.find_kit(session, city_id=sale.city_id, hold_id=sale.hold_id)
    job = await cardjobs.last_job_of_hold(session, city_id=sale.city_id, hold_id=sale.hold_id)
    stands = row.dispenser or {}
    moving = sale.movement is not None and stands.get("moved") != sale.movement_name
    state = None if job is None else WriteJobState(job.state)
    sight = Sight(
        state=KioskState(sale.state),
        kit_alive=_lives(kit, now),
        accepted=sale.accepted is not None,
        checked=sale.real_name is not None,
        moving=moving,
        place=stands.get("card"),
        stop=stands.get("stop") if sale.movement is not None else None,
        handed_out=sale.movement == Movement.HAND_OUT and not moving,
        drawn_in=sale.movement == Movement.BIN,
        take_back=take_back,
        fed=row.insertion > sale.insertion,
        cards=sale.cards,
        most=most,
        read=_read(row),
        card=row.sim_item_no,
        card_state=None if row.sim_state is None else SimState(row.sim_state),
        finished=row.sim_hlr is not None,
        kit=None if kit is None else kit.sim_item_no,
        job=state,
        failure=None if job is None else (job.verdict or {}).get("failure"),
        unsettled=state in _DOUBTFUL,
        resting=_resting(sale, row, job, now),
    )
    return _Seen(sale, _station_name(sale), row, sight)


def _lives(kit: Kit | None, now: datetime) -> bool:
    """Whether the kit can still be sold, or has just been."""
    if kit is None:
        return False
    alive = is_alive(kit) and (kit.job_id is not None or kit.expires_at > now)
    return alive or kit.state == HoldState.CONFIRMED


def _read(row: ReaderRow) -> bool | None:
    if row.state == "mute":
        return False
    if row.state != "card" or row.script_id is not None or row.facts is None:
        return None
    return bool(row.facts.get("readable"))


def _resting(sale: Sale, row: ReaderRow, job: Job | None, now: datetime) -> timedelta:
    ended = job.finished_at if job is not None else None
    last = max(
        sale.moved_at, row.seen_at if sale.state != KioskState.WAITING else sale.moved_at, ended or sale.moved_at
    )
    return now - last


def _station_name(sale: Sale) -> str:
    return format_public_id("st", sale.city_id, sale.station_id)


def _key(sale: Sale, what: str) -> WriteKey:
    """Name an act so that it is done once for each card."""
    return WriteKey.of(f"kiosk-{sale.hold}-{what}-{sale.cards}-{sale.movement_no}", f"kiosk {what}", {})


def _moment(real_name: dict[str, Any] | None) -> dict[str, Any]:
    kept = real_name or {}
    return {**kept, "checked_at": datetime.fromisoformat(kept["checked_at"])}


def _after(refusal: DomainError, step: Step) -> Step:
    """Say what follows when the stock refuses: another card, another time, or the counter."""
    if refusal.code in _NOT_NOW:
        return Step(Act.WAIT)
    if step.act in {Act.TAKE, Act.WRITE} and refused_for_the_card(refusal.code):
        return Step(Act.BIN)
    no_data = refusal.code in {"no_data_unit", "no_numbered_data"}
    return Step(Act.STOP, KioskStop.NO_DATA if no_data else KioskStop.KIT_ENDED)
