"""SMS ports are rented, not sold: to a tenant, for a term, with extensions (REQ-NUM-15)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import business_day
from inventory.domain.errors import (
    InvalidField,
    ItemNotMovable,
    LegalHold,
    MissingField,
    NotFound,
    NotHolder,
    PortSpanOverlaps,
    ReasonMissing,
    StaleVersion,
)
from inventory.domain.identifiers import NumberKind, parse_number
from inventory.domain.kinds import NUMBER
from inventory.domain.lifecycle import PORT_LIFECYCLE, PortEvent, PortState
from inventory.domain.policies import Policy
from inventory.domain.ports import PortSpan, Standing, require_term, standing
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.store import organisation, policies, ports, stock
from inventory.store.events import EventDraft, record
from inventory.store.ports import Port, PortFilter, Rent
from inventory.store.stock import StockedItem

SYSTEM = {"staff_no": "system", "interface_no": "system"}


@dataclass(frozen=True, kw_only=True)
class RentWish:
    """A port for a tenant from one day to another, both included; it may put so many digits behind the base."""

    number: str
    tenant: str
    tenant_ref: str
    begins_on: date
    ends_on: date
    extension_digits: int


@dataclass(frozen=True, kw_only=True)
class PortQuery:
    """Ports in one of the states; `ending`: whose term ends soon or is over; `name`: how base or tenant begins."""

    states: tuple[str, ...] = ()
    ending: bool = False
    name: str | None = None


@dataclass(frozen=True)
class PortView:
    """A port with what is to be told of its term."""

    port: Port
    standing: Standing | None


async def rent_port(session: AsyncSession, caller: Caller, write: WriteKey, wish: RentWish, *, now: datetime) -> Answer:
    """Rent a free port to a tenant and answer with the rent.

    Raises
    ------
    IllegalTransition
        The port is not free.
    InvalidField
        The term is over or ends before it begins, or base and extension are longer than a sender number.
    InvalidIdentifier, NotFound
        It is no SMS port, or none of the caller's part of the stock.
    ItemNotMovable, LegalHold, NotHolder
        It is on its way, under an outside order, or does not lie with the city company.
    MissingField
        The tenant or its reference is not told.
    PortSpanOverlaps
        A sender number would belong to two tenants.
    """

    async def work() -> dict[str, Any]:
        for field in ("tenant", "tenant_ref"):
            if not getattr(wish, field).strip():
                raise MissingField(field=field)
        item = await _port(session, caller, wish.number)
        span = PortSpan(item.name, wish.extension_digits)
        require_term(wish.begins_on, wish.ends_on, today=business_day(now))
        target = NUMBER.lifecycle.advance(item.state, PortEvent.RENT)
        for other in await ports.rented_near(session, item.name, city_id=caller.city_id):
            if span.meets(other):
                raise PortSpanOverlaps(number=item.name, other=other.base)
        rent_no = await ports.add_rent(
            session,
            span,
            city_id=caller.city_id,
            item_no=item.item_no,
            tenant=wish.tenant.strip(),
            tenant_ref=wish.tenant_ref.strip(),
            begins_on=wish.begins_on,
            ends_on=wish.ends_on,
            staff_no=caller.staff_no,
            now=now,
        )
        told = {
            "rent": rent_no,
            "tenant": wish.tenant.strip(),
            "tenant_ref": wish.tenant_ref.strip(),
            "extension_digits": span.extension,
            **_written({"begins_on": wish.begins_on, "ends_on": wish.ends_on}),
        }
        await _move(session, caller.city_id, item.item_no, item.version, item.state, target, now=now)
        event = _told("number.rented", item, target, data=told)
        await record(session, [event], **acting(caller, now))
        return {"number": item.name, "state": str(target), **told}

    return await once(session, caller, write, work, now=now)


async def extend_term(
    session: AsyncSession, caller: Caller, write: WriteKey, *, number: str, ends_on: date, now: datetime
) -> Answer:
    """Let a rented port stay with its tenant until a later day and answer with both days.

    Raises
    ------
    IllegalTransition
        The port is not rented.
    InvalidField
        The day is not later than the last one until now, or over.
    InvalidIdentifier, NotFound
        It is no SMS port, or none of the caller's part of the stock.
    ItemNotMovable, LegalHold, NotHolder
        It is on its way, under an outside order, or does not lie with the city company.
    """

    async def work() -> dict[str, Any]:
        item = await _port(session, caller, number)
        NUMBER.lifecycle.advance(item.state, PortEvent.EXTEND_TERM)
        rent = await _rent(session, caller, item)
        require_term(rent.begins_on, ends_on, today=business_day(now))
        if ends_on <= rent.ends_on:
            raise InvalidField(field="ends_on", value=ends_on.isoformat(), reason=f"later than {rent.ends_on}")
        await ports.change_rent(session, rent, city_id=caller.city_id, ends_on=ends_on, told=None)
        told = {"rent": rent.rent_no, **_written({"ends_before": rent.ends_on, "ends_on": ends_on})}
        event = EventDraft(name="number.term_extended", kind=NUMBER.name, item_no=item.item_no, data=told)
        await record(session, [event], **acting(caller, now))
        return {"number": item.name, "state": item.state, **told}

    return await once(session, caller, write, work, now=now)


async def end_rent(
    session: AsyncSession, caller: Caller, write: WriteKey, *, number: str, reason: str, now: datetime
) -> Answer:
    """Take a port back from its tenant, whatever its term, and answer with the day from which it is free again.

    Raises
    ------
    IllegalTransition
        The port is not rented.
    InvalidIdentifier, NotFound
        It is no SMS port, or none of the caller's part of the stock.
    ItemNotMovable, LegalHold, NotHolder
        It is on its way, under an outside order, or does not lie with the city company.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        if not reason.strip():
            raise ReasonMissing
        item = await _port(session, caller, number)
        target = NUMBER.lifecycle.advance(item.state, PortEvent.END_RENT)
        rent = await _rent(session, caller, item)
        cooled_on = business_day(now) + await policies.days_of(session, Policy.PORT_COOLING_DAYS, caller.city_id)
        await ports.change_rent(session, rent, city_id=caller.city_id, ended_at=now, cooled_on=cooled_on)
        await _move(session, caller.city_id, item.item_no, item.version, item.state, target, now=now)
        told = {"rent": rent.rent_no, "tenant_ref": rent.tenant_ref, **_written({"cooled_on": cooled_on})}
        event = _told("number.rent_ended", item, target, reason=reason.strip(), data=told)
        await record(session, [event], **acting(caller, now))
        return {"number": item.name, "state": str(target), **told}

    return await once(session, caller, write, work, now=now)


async def read_ports(
    session: AsyncSession, caller: Caller, query: PortQuery, *, limit: int = 1000, now: datetime
) -> list[PortView]:
    """Return ports of the caller's part, those first whose term ends first.

    Raises
    ------
    InvalidField
        There is no such state.
    """
    today = business_day(now)
    async with session.begin():
        notice = await policies.days_of(session, Policy.PORT_NOTICE_DAYS, caller.city_id)
        wanted = _filter(caller, query, today + notice)
        found = await ports.list_ports(session, wanted, city_id=caller.city_id, limit=limit)
    return [_view(port, today, notice) for port in found]


async def stream_ports(
    session: AsyncSession, caller: Caller, query: PortQuery, *, now: datetime
) -> AsyncGenerator[list[PortView]]:
    """Give all of the ports that `read_ports` gives some of, batch by batch."""
    today = business_day(now)
    async with session.begin():
        notice = await policies.days_of(session, Policy.PORT_NOTICE_DAYS, caller.city_id)
        wanted = _filter(caller, query, today + notice)
        async with aclosing(ports.stream_ports(session, wanted, city_id=caller.city_id)) as batches:
            async for batch in batches:
                yield [_view(port, today, notice) for port in batch]


async def count_ending(session: AsyncSession, caller: Caller) -> int:
    """Return how many present terms are ending or over, as far as that was told."""
    async with session.begin():
        return await ports.count_told(session, city_id=caller.city_id)


async def tend_ports(session: AsyncSession, *, now: datetime) -> int:
    """Tell each term that ends soon and each that is over once, and free what has cooled; return how many.

    Each city is a transaction of its own; what another one is tending is left to it.
    """
    async with session.begin():
        cities = await ports.cities_with_rents(session)
    return sum([await _tend_city(session, city_id, now=now) for city_id in cities])


async def _tend_city(session: AsyncSession, city_id: int, *, now: datetime) -> int:
    today, events = business_day(now), []
    async with session.begin():
        notice = await policies.days_of(session, Policy.PORT_NOTICE_DAYS, city_id)
        for rent in await ports.to_be_told(session, city_id=city_id, ends_by=today + notice, today=today):
            found = standing(rent.ends_on, today=today, notice=notice) or Standing.ENDING
            await ports.change_rent(session, rent, city_id=city_id, told=found)
            told = {"rent": rent.rent_no, "tenant_ref": rent.tenant_ref, **_written({"ends_on": rent.ends_on})}
            name = "number.term_over" if found is Standing.OVER else "number.term_ending"
            events.append(EventDraft(name=name, kind=NUMBER.name, item_no=rent.item_no, data=told))
        target = PORT_LIFECYCLE.advance(PortState.COOLING, PortEvent.COOLED)
        for rent, version in await ports.to_be_freed(session, city_id=city_id, today=today):
            await ports.change_rent(session, rent, city_id=city_id, free_at=now)
            await _move(session, city_id, rent.item_no, version, PortState.COOLING, target, now=now)
            events.append(
                EventDraft(
                    name="number.cooled",
                    kind=NUMBER.name,
                    item_no=rent.item_no,
                    version=version + 1,
                    from_state=PortState.COOLING,
                    to_state=target,
                    data={"rent": rent.rent_no},
                )
            )
        await record(session, events, city_id=city_id, now=now, **SYSTEM)
    return len(events)


async def _port(session: AsyncSession, caller: Caller, number: str) -> StockedItem:
    """Return and lock a port that lies with the city company; what is rented under other bases stays as it is."""
    name = parse_number(number, NumberKind.SMS_PORT)
    await stock.lock_for_transaction(session, f"ports/{caller.city_id}")
    item = await stock.find_item(session, NUMBER, city_id=caller.city_id, name=name, lock=True)
    if item is None or item.holder_id not in caller.scope:
        raise NotFound(what="number", value=name)
    if item.row["legal_hold"]:
        raise LegalHold(field="number", value=name)
    if item.transit_id is not None:
        raise ItemNotMovable(item=name, state="in transit")
    city = await organisation.city_node(session, caller.city_id)
    if city is None or item.holder_id != city.id:
        holder = await organisation.by_id(session, item.holder_id)
        raise NotHolder(item=name, holder=item.holder_id if holder is None else holder.code)
    return item


async def _rent(session: AsyncSession, caller: Caller, item: StockedItem) -> Rent:
    rent = await ports.present_rent(session, city_id=caller.city_id, item_no=item.item_no)
    if rent is None:
        raise NotFound(what="rent", value=item.name)
    return rent


async def _move(
    session: AsyncSession, city_id: int, item_no: int, version: int, before: str, target: str, *, now: datetime
) -> None:
    moved = await stock.move_state(
        session,
        NUMBER,
        city_id=city_id,
        item_no=item_no,
        from_state=before,
        version=version,
        to_state=target,
        now=now,
    )
    if not moved:
        raise StaleVersion(item=item_no)


def _told(name: str, item: StockedItem, target: str, *, reason: str | None = None, data: dict[str, Any]) -> EventDraft:
    return EventDraft(
        name=name,
        kind=NUMBER.name,
        item_no=item.item_no,
        version=item.version + 1,
        from_state=item.state,
        to_state=target,
        reason=reason,
        data=data,
    )


def _written(days: dict[str, date]) -> dict[str, str]:
    """Give days as text."""
    return {name: day.isoformat() for name, day in days.items()}


def _filter(caller: Caller, query: PortQuery, soon: date) -> PortFilter:
    known = {str(state) for state in PortState}
    for state in query.states:
        if state not in known:
            raise InvalidField(field="state", value=state, reason="one of " + ", ".join(sorted(known)))
    ends_by = soon if query.ending else None
    return PortFilter(holders=caller.scope, states=query.states, ends_by=ends_by, name=query.name)


def _view(port: Port, today: date, notice: timedelta) -> PortView:
    rented = port.state == PortState.RENTED and port.ends_on is not None
    told = standing(port.ends_on, today=today, notice=notice) if rented and port.ends_on is not None else None
    return PortView(port, told)
