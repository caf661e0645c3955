"""Take back what a load brought, as long as nothing of it has moved or changed."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Delete,
    Table,
    and_,
    any_,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.kinds import NUMBER, SIM, ResourceKind
from inventory.domain.lifecycle import DataState
from inventory.store.loads import ICCID, IMSI
from inventory.store.movements import INTAKE, LedgerRange
from inventory.store.schema import (
    Base,
    Box,
    BoxLine,
    CardSecret,
    FeeChange,
    Identifier,
    Movement,
    MovementLine,
    SimIdentity,
    SubscriptionData,
)
from inventory.store.stock import stock_table


async def intake_of(session: AsyncSession, *, city_id: int, batch_id: int) -> tuple[int, int] | None:
    """Return the document that brought a load's items and the place it gave them to, or None if it brought none."""
    query = select(Movement.movement_id, Movement.to_holder).where(
        Movement.city_id == city_id, Movement.batch_id == batch_id, Movement.kind == INTAKE
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1])


async def ranges_of(session: AsyncSession, *, city_id: int, movement_id: int) -> list[LedgerRange]:
    """Return the items of a document as the ledger keeps them."""
    query = (
        select(MovementLine.lo, MovementLine.hi)
        .where(MovementLine.city_id == city_id, MovementLine.movement_id == movement_id)
        .order_by(MovementLine.lo)
    )
    return [LedgerRange(lo, hi) for lo, hi in await session.execute(query)]


async def has_later_life(session: AsyncSession, kind: ResourceKind, *, city_id: int, movement_id: int) -> bool:
    """Tell whether an item of an intake stands on a later document, was packed, or has a fee that a person set."""
    ours, other = MovementLine, MovementLine.__table__.alias("other")
    line = and_(ours.city_id == city_id, ours.movement_id == movement_id)
    later = exists().where(
        line,
        other.c.city_id == city_id,
        other.c.resource == kind.name,
        other.c.movement_id > movement_id,
        other.c.lo <= ours.hi,
        other.c.hi >= ours.lo,
    )
    boxed = exists().where(
        line,
        BoxLine.city_id == city_id,
        BoxLine.resource == kind.name,
        BoxLine.lo <= ours.hi,
        BoxLine.hi >= ours.lo,
        ~_came_with_it(city_id, movement_id),
    )
    found = [later, boxed]
    if kind is NUMBER:
        found.append(exists().where(line, FeeChange.city_id == city_id, FeeChange.item_no.between(ours.lo, ours.hi)))
    return bool(await session.scalar(select(or_(*found))))


def _came_with_it(city_id: int, movement_id: int) -> ColumnElement[bool]:
    """Give the condition for the line of a box that the load itself sealed, or that loads alone have filled.

    Nobody has touched it since. A box that stands open since a load made it has been filled by loads alone.
    """
    return exists().where(
        Movement.city_id == city_id,
        Movement.movement_id == movement_id,
        Box.city_id == city_id,
        Box.box_no == BoxLine.box_no,
        Box.parent_no.is_(None),
        or_(Box.opened_at == Box.packed_at, and_(Box.opened_at.is_(None), Box.packed_at == Movement.created_at)),
    )


async def remove_boxes(session: AsyncSession, *, city_id: int, movement_id: int) -> None:
    """Take the items of an intake out of the boxes that loads have filled, and remove those that are empty then."""
    line, ours = Base.metadata.tables[BoxLine.__tablename__].c, MovementLine
    of_it = exists().where(
        ours.city_id == city_id,
        ours.movement_id == movement_id,
        ours.resource == line.resource,
        line.lo.between(ours.lo, ours.hi),
    )
    gone = delete(line.lo.table).where(line.city_id == city_id, _came_with_it(city_id, movement_id), of_it)
    boxes = list(set(await session.scalars(gone.returning(line.box_no))))
    touched = and_(Box.city_id == city_id, Box.box_no == any_(literal(boxes, ARRAY(BigInteger))))
    # Another load may be filling one: what it has put there is seen by the next statement.
    await session.execute(select(Box.box_no).where(touched).order_by(Box.code).with_for_update())
    count = select(func.sum(line.hi - line.lo + 1)).where(line.city_id == Box.city_id, line.box_no == Box.box_no)
    left = func.coalesce(count.correlate(Box).scalar_subquery(), 0)
    await session.execute(update(Box).where(touched).values(item_count=left))
    await session.execute(delete(Box).where(touched, Box.item_count == 0))


async def remove_items(
    session: AsyncSession, kind: ResourceKind, *, city_id: int, movement_id: int, batch_id: int, holder_id: int
) -> int:
    """Remove the items of an intake that are as it left them, with their names and secrets; return how many."""
    table = stock_table(kind)
    line = MovementLine.__table__
    ours = and_(
        line.c.city_id == city_id,
        line.c.movement_id == movement_id,
        table.c.city_id == line.c.city_id,
        table.c.item_no.between(line.c.lo, line.c.hi),
        table.c.batch_id == batch_id,
        table.c.version == 0,
        table.c.holder_id == holder_id,
        or_(table.c.transit_id.is_(None), table.c.transit_id == movement_id),
        table.c.hold_id.is_(None),
        table.c.recall_id.is_(None),
        not_(table.c.legal_hold),
    )
    if kind is SIM:
        await _remove_what_is_on(session, table, ours)
    for name in kind.identifiers:
        await _delete(session, _names(table, name, ours))
    return await _delete(session, delete(table).where(ours))


async def _remove_what_is_on(session: AsyncSession, card: Table, ours: ColumnElement[bool]) -> None:
    """Remove the secrets of cards, and of finished ones the identity with its data."""
    secret, identity, data = (
        Base.metadata.tables[model.__tablename__] for model in (CardSecret, SimIdentity, SubscriptionData)
    )
    here = and_(ours, identity.c.city_id == card.c.city_id, identity.c.item_no == card.c.item_no)
    came_with_it = and_(
        data.c.city_id == identity.c.city_id, data.c.imsi == identity.c.imsi, data.c.batch_id == card.c.batch_id
    )
    await _delete(session, _names(identity, IMSI, here))
    await _delete(session, delete(data).where(here, came_with_it))
    await _delete(session, delete(identity).where(here))
    await _delete(
        session, delete(secret).where(ours, secret.c.city_id == card.c.city_id, secret.c.item_no == card.c.item_no)
    )


async def remove_data(session: AsyncSession, *, city_id: int, batch_id: int) -> int:
    """Remove the units of subscription data of a load that nothing has touched, with their names; return how many."""
    table = Base.metadata.tables[SubscriptionData.__tablename__]
    ours = and_(
        table.c.city_id == city_id,
        table.c.batch_id == batch_id,
        table.c.state == DataState.FREE,
        table.c.version == 0,
        table.c.hold_id.is_(None),
    )
    for name in (IMSI, ICCID):
        await _delete(session, _names(table, name, ours))
    return await _delete(session, delete(table).where(ours))


def _names(table: Table, name: str, ours: ColumnElement[bool]) -> Delete:
    registry = Base.metadata.tables[Identifier.__tablename__]
    return delete(registry).where(ours, registry.c.kind == name, registry.c.value == table.c[name])


async def _delete(session: AsyncSession, statement: Delete) -> int:
    return (await (await session.connection()).execute(statement)).rowcount
