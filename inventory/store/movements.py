"""The ledger: write a movement document with its range lines, and read documents and an item's moves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    SmallInteger,
    and_,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
    values,
)
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain import ledger
from inventory.domain.deliveries import OPEN, DeliveryState, delivery_state
from inventory.domain.kinds import NUMBER, SIM, ResourceKind
from inventory.store.schema import FeeChange, Movement, MovementLine, Number
from inventory.store.stock import name_column, stock_table
from inventory.store.streams import Stream, in_batches

INTAKE, ISSUE, RECALL, TRANSFER, SCRAP, SALE = "INTAKE", "ISSUE", "RECALL", "TRANSFER", "SCRAP", "SALE"
RECEIPT, RETURN = "RECEIPT", "RETURN"
HAND_IN = "HAND_IN"
ROLL_BACK = "ROLL_BACK"
"""A sale that waited for the network was taken back: number and card are with who had them before."""
"""A customer's card that was replaced comes back, to be scrapped."""
TAKEOVER, DISPUTE, WITHDRAWAL = "TAKEOVER", "DISPUTE", "WITHDRAWAL"
UNDO = "UNDO"
"""Closes the account of an intake that was undone: its items went from their holder to nobody at all."""
LOSS, FIND, WRITE_OFF = "LOSS", "FIND", "WRITE_OFF"
VENDOR_RETURN, VOID, BLOCK, UNBLOCK = "VENDOR_RETURN", "VOID", "BLOCK", "UNBLOCK"
CITY_OUT, CITY_IN = "CITY_OUT", "CITY_IN"
"""The two documents of what goes to another city, one in the book of each."""


@dataclass(frozen=True, kw_only=True)
class MovementDraft:
    """A document before it has a number: see `Movement` for the meaning of each field."""

    kind: str
    resource: str
    from_holder: int | None
    to_holder: int
    receiver: str | None = None
    returner: str | None = None
    reason: str | None = None
    reason_code: str | None = None
    batch_id: int | None = None
    rule_set_id: int | None = None
    parent_id: int | None = None
    other_city: int | None = None
    other_id: int | None = None


@dataclass(frozen=True)
class LedgerRange:
    """Items `lo` to `hi` of one kind, both included; of numbers on issue one outcome byte each."""

    lo: int
    hi: int
    outcomes: bytes | None = None


async def next_movement_id(session: AsyncSession) -> int:
    """Return the number of a document yet to be written: items on their way name it before it stands."""
    sequence = func.pg_get_serial_sequence(Movement.__tablename__, Movement.movement_id.key)
    return (await session.scalars(select(func.nextval(cast(sequence, REGCLASS), type_=BigInteger)))).one()


async def record_movement(
    session: AsyncSession,
    draft: MovementDraft,
    ranges: Sequence[LedgerRange],
    *,
    city_id: int,
    staff_no: str,
    interface_no: str,
    now: datetime,
    on_the_way_as: int | None = None,
) -> int:
    """Write the document with its ranges cut at aligned powers of ten; return its number.

    It is accepted at once, unless its items are on their way under the number `on_the_way_as`.
    """
    count = sum(run.hi - run.lo + 1 for run in ranges)
    accepted = 0 if on_the_way_as else count
    values = {
        "city_id": city_id,
        "state": delivery_state(count=count, accepted=accepted, refused=0),
        "item_count": count,
        "accepted_count": accepted,
        "staff_no": staff_no,
        "interface_no": interface_no,
        "created_at": now,
        "accepted_at": None if on_the_way_as else now,
        **vars(draft),
        **({"movement_id": on_the_way_as} if on_the_way_as else {}),
    }
    movement_id = (await session.execute(insert(Movement).values(values).returning(Movement.movement_id))).scalar_one()
    lines = [
        {"city_id": city_id, "movement_id": movement_id, "line_no": number, "resource": draft.resource, **line}
        for number, line in enumerate(_cut(ranges), start=1)
    ]
    await session.execute(insert(MovementLine), lines)
    return movement_id


def _cut(ranges: Iterable[LedgerRange]) -> Iterable[dict[str, object]]:
    """Give the lines of the ranges, each inside one aligned block."""
    for run in ranges:
        for line in ledger.cut(run.lo, run.hi):
            outcomes = None if run.outcomes is None else run.outcomes[line.lo - run.lo : line.hi - run.lo + 1]
            yield {"level": line.level, "block": line.block, "lo": line.lo, "hi": line.hi, "outcomes": outcomes}


@dataclass(frozen=True)
class Document:
    """A movement as written; `line_count` says how many range lines it has."""

    movement_id: int
    kind: str
    resource: str
    state: str
    parent_id: int | None
    from_holder: int | None
    to_holder: int
    item_count: int
    accepted_count: int
    refused_count: int
    receiver: str | None
    returner: str | None
    reason: str | None
    batch_id: int | None
    rule_set_id: int | None
    staff_no: str
    interface_no: str
    created_at: datetime
    other_city: int | None = None
    """City and number of the document that this one is linked with."""
    other_id: int | None = None
    reason_code: str | None = None


@dataclass(frozen=True)
class DocumentItem:
    """An item of a document; of a number on issue the outcome byte, and the fee a person had set by then.

    Of a card with an ICCID its chip serial too, and of every card its product.
    """

    item_no: int
    name: str
    outcome: int | None
    changed_fee: dict[str, Any] | None
    serial: str | None
    card_kind: str | None


_DOCUMENT = tuple(getattr(Movement, name) for name in Document.__dataclass_fields__)


async def find_movement(
    session: AsyncSession, *, city_id: int, movement_id: int, lock: bool = False
) -> Document | None:
    """Return a document of the city, or None; `lock` keeps others from answering it until the end."""
    query = select(*_DOCUMENT).where(Movement.city_id == city_id, Movement.movement_id == movement_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else Document(*row)


async def answers_to(session: AsyncSession, *, city_id: int, movement_id: int) -> list[Document]:
    """Return the receipts and returns of a document, oldest first."""
    query = (
        select(*_DOCUMENT)
        .where(Movement.city_id == city_id, Movement.parent_id == movement_id)
        .order_by(Movement.movement_id)
    )
    return [Document(*row) for row in await session.execute(query)]


async def open_deliveries(session: AsyncSession, *, city_id: int, holders: Collection[int]) -> list[Document]:
    """Return the documents with items on their way from or to one of the holders, oldest first."""
    query = (
        select(*_DOCUMENT)
        .where(
            Movement.city_id == city_id,
            Movement.state.in_(sorted(OPEN)),
            or_(Movement.from_holder.in_(holders), Movement.to_holder.in_(holders)),
        )
        .order_by(Movement.movement_id)
    )
    return [Document(*row) for row in await session.execute(query)]


async def count_answer(
    session: AsyncSession, document: Document, *, city_id: int, accepted: int, refused: int, now: datetime
) -> DeliveryState:
    """Add to what of a locked document is answered, and return its new state."""
    accepted, refused = document.accepted_count + accepted, document.refused_count + refused
    state = delivery_state(count=document.item_count, accepted=accepted, refused=refused)
    await session.execute(
        update(Movement)
        .where(Movement.city_id == city_id, Movement.movement_id == document.movement_id)
        .values(
            state=state,
            accepted_count=accepted,
            refused_count=refused,
            accepted_at=None if state in OPEN else now,
        )
    )
    return state


def brought_by(*, city_id: int, batch_id: int) -> tuple[ScalarSelect[int], ScalarSelect[int]]:
    """Give the first and the last item number that a load gave: its items lie together, whatever became of them."""
    line = MovementLine
    intake = and_(Movement.city_id == city_id, Movement.batch_id == batch_id, Movement.kind == INTAKE)
    lines = and_(line.city_id == Movement.city_id, line.movement_id == Movement.movement_id)
    first, last = (select(end).join(Movement, lines).where(intake) for end in (func.min(line.lo), func.max(line.hi)))
    return first.scalar_subquery(), last.scalar_subquery()


async def moves_of(session: AsyncSession, kind: ResourceKind, *, city_id: int, item_no: int) -> list[Document]:
    """Return the documents an item stands on, oldest first: one equality probe per level of the ledger."""
    probe = values(column("level", SmallInteger), column("block", BigInteger), name="probe").data(
        ledger.probes(item_no)
    )
    line = MovementLine
    query = (
        select(*_DOCUMENT)
        .select_from(probe)
        .join(
            line,
            and_(
                line.city_id == city_id,
                line.resource == kind.name,
                line.level == probe.c.level,
                line.block == probe.c.block,
                line.lo <= item_no,
                line.hi >= item_no,
            ),
        )
        .join(Movement, and_(Movement.city_id == line.city_id, Movement.movement_id == line.movement_id))
        .order_by(Movement.movement_id)
    )
    return [Document(*row) for row in await session.execute(query)]


async def items_of(
    session: AsyncSession, kind: ResourceKind, document: Document, *, city_id: int, after: int, limit: int
) -> list[DocumentItem]:
    """Return a page of the document's items in order of item number, behind item number `after`."""
    query = _items(kind, document, city_id=city_id, after=after).limit(limit)
    return [DocumentItem(*row) for row in await session.execute(query)]


def stream_items_of(
    session: AsyncSession, kind: ResourceKind, document: Document, *, city_id: int
) -> Stream[DocumentItem]:
    """Give all of the document's items in order of item number, batch by batch."""
    return in_batches(session, _items(kind, document, city_id=city_id, after=-1), DocumentItem)


def _items(kind: ResourceKind, document: Document, *, city_id: int, after: int) -> Select[Any]:
    table = stock_table(kind)
    line = MovementLine
    outcome = func.get_byte(line.outcomes, cast(table.c.item_no - line.lo, Integer))
    serial: ColumnElement[Any] = null()
    card_kind: ColumnElement[Any] = null()
    if kind is SIM:
        serial, card_kind = case((table.c.iccid.is_not(None), table.c.serial)), table.c.kind_code
    return (
        select(table.c.item_no, name_column(kind), outcome, _fee_then(kind, document), serial, card_kind)
        .join(line, and_(line.city_id == table.c.city_id, table.c.item_no.between(line.lo, line.hi)))
        .where(
            line.city_id == city_id,
            line.movement_id == document.movement_id,
            line.hi > after,
            table.c.city_id == city_id,
            table.c.item_no > after,
        )
        .order_by(table.c.item_no)
    )


def _fee_then(kind: ResourceKind, document: Document) -> ColumnElement[dict[str, Any] | None]:
    """Give the fee that a person had set for the number by the time of the document."""
    if kind is not NUMBER:
        return literal(None)
    return (
        select(FeeChange.after)
        .where(
            FeeChange.city_id == Number.city_id,
            FeeChange.item_no == Number.item_no,
            FeeChange.at <= document.created_at,
        )
        .order_by(FeeChange.change_no.desc())
        .limit(1)
        .scalar_subquery()
    )
