"""Ends of stock (报废, 丢失, 核销, 退厂, 误登作废) and sealing it off (封存): many items, one document, one state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.approvals import Demand
from inventory.domain.calendar import business_day
from inventory.domain.errors import InvalidField, MissingField, MovementRefused, PermissionDenied
from inventory.domain.identifiers import parse_public_id
from inventory.domain.kinds import NUMBER, SIM, ResourceKind, kind_named
from inventory.domain.lifecycle import NumberEvent, SimEvent, SimState
from inventory.domain.organisation import Level
from inventory.domain.reasons import Given, Purpose
from inventory.services import reasons
from inventory.services.acting import acting
from inventory.services.approval import require_second_person, without_approval
from inventory.services.crossing import carry, other_city, require_free_to_go
from inventory.services.custody import MOST_NAMED, Ends, Step, place_within, refusal, write_document
from inventory.services.once import Answer, WriteKey, once
from inventory.services.selecting import in_normal_form, kept_selection, resolved
from inventory.store import custody, ends, movements, organisation, recall_orders, stocktakes
from inventory.store.custody import MovedRange
from inventory.store.ends import StateMove
from inventory.store.movements import MovementDraft
from inventory.store.organisation import Node
from inventory.store.selection import ByCount, ByName, Meant, Naming
from inventory.store.stock import allow_long_statements

_N, _S = NumberEvent, SimEvent


class Ending(StrEnum):
    """The ways out of stock, and back from them."""

    SCRAP = "scrap"
    """Damaged, replaced or disabled cards are destroyed; handed in and counted (S17)."""
    LOSE = "lose"
    """Nobody finds them (S15)."""
    FIND = "find"
    """What was lost is there again (S16)."""
    WRITE_OFF = "write_off"
    """What stays lost is no longer accounted for (S18)."""
    RETURN_TO_VENDOR = "return_to_vendor"
    """Back to the maker, with its claim; what comes again is the next generation (S19)."""
    SEND_TO_CITY = "send_to_city"
    """Into the stock of another city, which signs for it or sends it back (S20)."""
    VOID = "void"
    """A card that was registered by mistake (S19); a number whose segment is handed back (N21)."""
    DISABLE = "disable"
    """Sealed off until further notice, at once and by one person (S15, N15; docs/adr/0028)."""
    ENABLE = "enable"
    """The seal is lifted by two (S16, N16)."""


@dataclass(frozen=True)
class Way:
    """What sets a way apart.

    `movement` and `happened` name its document and the document's event; `events` is the move of the life cycle that it
    makes, for each kind it is for, from every state that has it or `only` from one; `alone` one person does it. What
    `leaves` is out of the stock; what is `given_back` leaves its name free.
    """

    movement: str
    happened: str
    permission: Permission
    """What the one who does it must hold; a second person holds `seconds` where that is another one's business."""
    events: Mapping[str, StrEnum]
    only: str | None = None
    seconds: Permission | None = None
    alone: bool = False
    leaves: bool = False
    given_back: bool = False
    handed_in: bool = False
    """The cards are scanned one by one as they are handed in, and must be exactly those of the list."""
    claimed: bool = False
    """It needs a reference: the vendor's claim."""
    clean: bool = False
    """Cards can be sold again afterwards: no IMSI may be on them."""
    crosses: bool = False
    """What leaves this city's stock comes into another one's."""
    expired: SimEvent | None = None
    """The move that prepaid cards make whose last day is over, whatever their state is otherwise."""

    @property
    def purpose(self) -> Purpose:
        """Give which reasons there are for it."""
        return Purpose.SCRAP if self.leaves else Purpose.BLOCK

    def states(self, kind: ResourceKind) -> frozenset[str]:
        """Give the states of the kind from which an item may go this way, those of expired ones among them."""
        over = {str(state) for state, event in kind.lifecycle.table if kind is SIM and event is self.expired}
        return frozenset(self.moves(kind)) | over

    def moves(self, kind: ResourceKind) -> Mapping[str, str]:
        """Give the target of each state of the kind that may go this way."""
        return {
            str(state): str(target)
            for (state, event), target in kind.lifecycle.table.items()
            if event == self.events[kind.name] and self.only in {None, state}
        }


WAYS: Mapping[Ending, Way] = {
    Ending.SCRAP: Way(
        movements.SCRAP,
        "scrapped",
        Permission.END,
        {SIM.name: _S.SCRAP},
        leaves=True,
        handed_in=True,
        expired=_S.SCRAP_EXPIRED,
    ),
    Ending.LOSE: Way(movements.LOSS, "lost", Permission.BLOCK, {SIM.name: _S.LOSE}),
    Ending.FIND: Way(
        movements.FIND, "found", Permission.END, {SIM.name: _S.STATUS_RELEASE}, only=SimState.LOST, clean=True
    ),
    Ending.WRITE_OFF: Way(movements.WRITE_OFF, "written_off", Permission.END, {SIM.name: _S.WRITE_OFF}, leaves=True),
    Ending.RETURN_TO_VENDOR: Way(
        movements.VENDOR_RETURN,
        "returned_to_vendor",
        Permission.END,
        {SIM.name: _S.RETURN_TO_VENDOR},
        leaves=True,
        given_back=True,
        claimed=True,
    ),
    Ending.VOID: Way(
        movements.VOID,
        "voided",
        Permission.END,
        {SIM.name: _S.VOID, NUMBER.name: _N.VOID},
        leaves=True,
        given_back=True,
    ),
    Ending.SEND_TO_CITY: Way(
        movements.CITY_OUT,
        "sent_to_city",
        Permission.END,
        {SIM.name: _S.SEND_AWAY},
        seconds=Permission.BETWEEN_CITIES,
        leaves=True,
        crosses=True,
    ),
    Ending.DISABLE: Way(
        movements.BLOCK,
        "disabled",
        Permission.BLOCK,
        {SIM.name: _S.DISABLE, NUMBER.name: _N.DISABLE},
        alone=True,
    ),
    Ending.ENABLE: Way(
        movements.UNBLOCK,
        "enabled",
        Permission.END,
        {SIM.name: _S.STATUS_RELEASE, NUMBER.name: _N.ENABLE},
        only=SimState.DISABLED,
        clean=True,
    ),
}
"""Every way; a new one is a line here."""


@dataclass(frozen=True, kw_only=True)
class EndWish:
    """Items of one place, by list, range, sealed boxes or load, that go a way out of stock, or back; or `to_city`.

    `handed_in` is what was scanned as it was handed in, `person` who handed it in; `reference` is a claim, a stocktake
    or a dispute; `approval` the id of the second person's word, where two are needed.
    """

    way: Ending
    resource: str
    place: str
    selection: Meant
    reason: str
    reference: str | None = None
    person: str | None = None
    handed_in: tuple[str, ...] | None = field(default=None, repr=False)
    approval: str | None = None
    to_city: str | None = None

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> EndWish:
        """Read a wish as an approval keeps it."""
        selection = kept_selection(kept["selection"])
        scanned = kept["handed_in"]
        handed_in = None if scanned is None else tuple(scanned)
        return cls(**{**kept, "way": Ending(kept["way"]), "selection": selection, "handed_in": handed_in})


async def end(session: AsyncSession, caller: Caller, write: WriteKey, wish: EndWish, *, now: datetime) -> Answer:
    """Move the state of all the items or of none, and answer with the document.

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        The way needs a second person's word, or that was given for something else.
    InvalidField
        The way is not for this kind.
    MissingField
        The cards handed in, the claim's reference, or the city are not told.
    MovementRefused
        Items are elsewhere, on hold, on their way or in a state that does not go this way; or what was handed in is not
        the list; or an IMSI may be on a card that would be sold again, or go to another city. The first 100 are named.
    NothingOfLoad
        The place holds nothing of the load.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere; or there is no such city.
    PermissionDenied
        The caller's role may not go this way.
    ReasonMissing
        There is none.
    """

    async def work() -> dict[str, Any]:
        return await perform_end(session, caller, wish, now=now)

    return await once(session, caller, write, work, now=now)


async def perform_end(session: AsyncSession, caller: Caller, wish: EndWish, *, now: datetime) -> dict[str, Any]:
    """Do in the open transaction what `end` does in one of its own, and answer and raise as it."""
    way, kind = WAYS[wish.way], kind_named(wish.resource)
    _check(caller, way, kind, wish)
    why = await reasons.given(session, caller, wish.reason, way.purpose)
    place = await place_within(session, caller, wish.place)
    selection = await resolved(session, kind, wish.selection, city_id=caller.city_id, holder_id=place.id)
    if isinstance(selection, ByCount):
        raise InvalidField(field="selection", value=wish.way, reason="name the items, or a range of them")
    await allow_long_statements(session)
    named = await ends.items_called(session, kind, selection, city_id=caller.city_id, limit=MOST_NAMED)
    across = None
    if way.crosses:
        across = await _across(session, caller, place, selection, wish, today=business_day(now))
    if way.handed_in:
        await _require_handed_in(session, kind, selection, wish, city_id=caller.city_id)
    if way.clean and kind is SIM:
        await _require_clean(session, selection, city_id=caller.city_id)
    if way.expired is not None and kind is SIM:
        await _require_expired(session, selection, city_id=caller.city_id, today=business_day(now))
    step = Step(
        kind=kind,
        giver=place,
        receiver=await organisation.ended_node(session, caller.city_id) if way.leaves else place,
        selection=selection,
        states=way.states(kind),
        movement=way.movement,
        happened=way.happened,
        returner_name=wish.person,
        reason=why.text if wish.reference is None else f"{why.text} ({wish.reference})",
        reason_code=why.code,
        owed_too=True,
    )
    moved = await _move(session, caller, step, way, wish, why, now=now)
    second = None
    if not way.alone:
        demand = _demand(step, way, wish, why, moved, list(named.values()), across)
        second = await require_second_person(session, caller, wish.approval, demand, now=now)
    return await _write(session, caller, step, way, moved, second, across, now=now)


async def _across(
    session: AsyncSession, caller: Caller, place: Node, selection: Naming, wish: EndWish, *, today: date
) -> Node:
    """Return the company of the city to which the cards go, if they may: from company to company."""
    to = await other_city(session, caller, wish.to_city)
    if place.level != Level.CITY.name:
        raise InvalidField(
            field="place", value=place.code, reason="the city company sends; recall the cards to it first"
        )
    await require_free_to_go(session, selection, city_id=caller.city_id, to_city=to.city_id, today=today)
    return to


def _check(caller: Caller, way: Way, kind: ResourceKind, wish: EndWish) -> None:
    """Check what needs no look at the stock."""
    if not caller.may(way.permission):
        raise PermissionDenied(permission=way.permission.value)
    if kind is NUMBER and way.crosses:
        reason = "a number belongs to the segment of its city; only cards go to another one"
        raise InvalidField(field="resource", value=kind.name, reason=reason)
    if kind.name not in way.events:
        raise InvalidField(field="resource", value=kind.name, reason=f"{wish.way} is for {', '.join(way.events)}")
    if way.claimed and not (wish.reference or "").strip():
        raise MissingField(field="reference")
    if way.handed_in and wish.handed_in is None:
        raise MissingField(field="handed_in")


async def _require_handed_in(
    session: AsyncSession, kind: ResourceKind, selection: Naming, wish: EndWish, *, city_id: int
) -> None:
    """Let pass what was handed in if it is exactly the list, by whichever of its names each card was scanned."""
    scanned = in_normal_form(kind, ByName(wish.handed_in)) if wish.handed_in else None
    names = scanned.names if isinstance(scanned, ByName) else ()
    found = await stocktakes.named_items(session, kind, names, city_id=city_id)
    brought = {found[name].item_no if name in found else name: name for name in names}
    listed = await ends.items_called(session, kind, selection, city_id=city_id)
    against = [(name, "not_handed_in") for item, name in listed.items() if item not in brought]
    against += [(name, "not_on_the_list") for item, name in brought.items() if item not in listed]
    if against:
        items = [{"item": name, "code": code, "state": None} for name, code in against[:MOST_NAMED]]
        raise MovementRefused(count=len(against), items=items)


async def _require_clean(session: AsyncSession, selection: Naming, *, city_id: int) -> None:
    """Let pass cards that hold no IMSI: nobody knows any more who had them in hand (REQ-HW-08)."""
    written = await ends.with_imsi(session, selection, city_id=city_id, limit=MOST_NAMED)
    if written:
        items = [{"item": name, "code": "imsi_on_it", "state": state} for name, state in written]
        raise MovementRefused(count=len(written), items=items)


async def _require_expired(session: AsyncSession, selection: Naming, *, city_id: int, today: date) -> None:
    """Let pass cards that could be sold only if their last day is over."""
    sound = await ends.not_expired(session, selection, city_id=city_id, today=today, limit=MOST_NAMED)
    if sound:
        items = [{"item": name, "code": "item_not_movable", "state": state} for name, state in sound]
        raise MovementRefused(count=len(sound), items=items)


async def _move(
    session: AsyncSession, caller: Caller, step: Step, way: Way, wish: EndWish, why: Given, *, now: datetime
) -> Mapping[str, list[MovedRange]]:
    """Move the state of all items or, undone again, of none; return ranges by the state they had."""
    targets = set(way.moves(step.kind).values())
    move = StateMove(
        name=f"{step.kind.events}.posted",
        to_state=targets.pop(),
        receiver=step.receiver.id,
        leaves=way.leaves,
        reason=why.text,
        order_ref=wish.reference,
    )
    wanted = await custody.count_wanted(session, step.kind, step.selection, city_id=caller.city_id)
    async with session.begin_nested() as all_or_none:
        moved = await ends.move_items(
            session, step.kind, _naming(step), move, holder=step.giver.id, states=step.states, **acting(caller, now)
        )
        found = sum(run.count for runs in moved.values() for run in runs)
        if found and found == wanted:
            return moved
        await all_or_none.rollback()
    raise await refusal(session, caller, step, wanted=wanted, found=found)


def _naming(step: Step) -> Naming:
    """Give the selection of a step that says of each item whether it is meant."""
    if isinstance(step.selection, ByCount):
        raise InvalidField(field="selection", value=step.selection.count, reason="name the items, or a range of them")
    return step.selection


def _demand(
    step: Step,
    way: Way,
    wish: EndWish,
    why: Given,
    moved: Mapping[str, list[MovedRange]],
    names: list[str],
    across: Node | None,
) -> Demand:
    """Give what a second person is asked for: what was moved, to be undone until it is granted."""
    by_state = {state: sum(run.count for run in runs) for state, runs in moved.items()}
    return Demand(
        act=wish.way,
        permission=way.seconds or way.permission,
        place=step.giver.id,
        wish=without_approval(wish),
        summary={
            "resource": step.kind.name,
            "count": sum(by_state.values()),
            "items": names,
            "from_states": by_state,
            "to_state": next(iter(way.moves(step.kind).values())),
            "handed_in_by": wish.person,
            **({} if across is None else {"to_city": f"{across.name_zh} ({across.code})"}),
            "reason": why.text,
            "reference": wish.reference,
        },
    )


async def _write(
    session: AsyncSession,
    caller: Caller,
    step: Step,
    way: Way,
    moved: Mapping[str, list[MovedRange]],
    second: str | None,
    across: Node | None,
    *,
    now: datetime,
) -> dict[str, Any]:
    """Write the document, and end what ends with the cards: secrets, quarantined data, names.

    Those that go `across`, to another city, take all this along.
    """
    draft = MovementDraft(
        kind=way.movement,
        resource=step.kind.name,
        from_holder=step.giver.id,
        to_holder=step.receiver.id,
        receiver=second,
        returner=step.returner_name,
        reason=step.reason,
        reason_code=step.reason_code,
    )
    states = {state: sum(run.count for run in runs) for state, runs in moved.items()}
    told = {"states": states, "approver": second}
    ranges, between = ends.as_ledger(moved), Ends(step.giver, step.receiver)
    if across is not None:
        return await carry(session, caller, draft, ranges, between, to=across, told=told, now=now)
    document = await write_document(
        session, caller, draft, ranges, between,
        happened=step.happened, way=None, now=now, told=told,
    )  # fmt: skip
    if way.leaves and step.kind is SIM:
        movement_id = parse_public_id(document["id"], "m").serial
        await ends.scrap_secrets(session, city_id=caller.city_id, movement_id=movement_id)
        await ends.retire_data(session, movement_id=movement_id, **acting(caller, now))
        if way.given_back:
            await ends.free_names(session, city_id=caller.city_id, movement_id=movement_id)
    if not way.leaves:
        await recall_orders.arrive(session, step.kind, city_id=caller.city_id, holder_id=step.receiver.id)
    return document
