"""Read and write the custody tree."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, insert, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.organisation import child_path
from inventory.store.schema import Organisation, Staff

CUSTOMER = "CUSTOMER"
"""Level of the pseudo-holder of what customers have. A pseudo-holder's path runs through the id 0, which no node has,
so that it is in the city's subtree and yet nobody's direct child: nothing is issued to it or recalled from it."""
ENDED = "ENDED"
"""Level of the pseudo-holder of what has left the city's stock for good: scrapped, written off, given back, void."""
PSEUDO = frozenset({CUSTOMER, ENDED})
"""Holders that are no places: nobody works there, nothing is counted there."""
_NOBODY = "0"


@dataclass(frozen=True)
class Node:
    """A node of the tree; `path` is that of `inventory.domain.organisation`, made of node ids."""

    id: int
    parent_id: int | None
    city_id: int
    level: str
    code: str
    name_zh: str
    name_en: str
    path: str
    active: bool


_COLUMNS = (
    Organisation.id,
    Organisation.parent_id,
    Organisation.city_id,
    Organisation.level,
    Organisation.code,
    Organisation.name_zh,
    Organisation.name_en,
    Organisation.path,
    Organisation.active,
)

_LEAVING = select(*_COLUMNS).where(
    Organisation.leaving_at.is_not(None),
    Organisation.active,
    not_(select(Staff.id).where(Staff.org_id == Organisation.id, Staff.active).exists()),
)


async def by_id(session: AsyncSession, node_id: int) -> Node | None:
    """Return a node, or None."""
    row = (await session.execute(select(*_COLUMNS).where(Organisation.id == node_id))).one_or_none()
    return None if row is None else Node(*row)


async def by_ids(session: AsyncSession, node_ids: Collection[int]) -> dict[int, Node]:
    """Return those of the nodes that there are, by id."""
    rows = await session.execute(select(*_COLUMNS).where(Organisation.id.in_(node_ids)))
    return {row.id: Node(*row) for row in rows}


async def by_code(session: AsyncSession, code: str) -> Node | None:
    """Return the node with the code, or None."""
    row = (await session.execute(select(*_COLUMNS).where(Organisation.code == code))).one_or_none()
    return None if row is None else Node(*row)


async def city_node(session: AsyncSession, city_id: int) -> Node | None:
    """Return the city company of the city, or None."""
    statement = select(*_COLUMNS).where(Organisation.city_id == city_id, Organisation.parent_id.is_(None))
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Node(*row)


async def city_nodes(session: AsyncSession) -> list[Node]:
    """Return the city companies of all cities, by code."""
    query = select(*_COLUMNS).where(Organisation.parent_id.is_(None)).order_by(Organisation.code)
    return [Node(*row) for row in await session.execute(query)]


async def city_ids(session: AsyncSession) -> list[int]:
    """Return the codes of all cities."""
    statement = select(Organisation.city_id).where(Organisation.parent_id.is_(None)).order_by(Organisation.city_id)
    return list((await session.execute(statement)).scalars())


async def customer_node_id(session: AsyncSession, city_id: int) -> int:
    """Return the id of the city's pseudo-holder of what customers have."""
    statement = select(Organisation.id).where(Organisation.city_id == city_id, Organisation.level == CUSTOMER)
    return (await session.execute(statement)).scalar_one()


async def ended_node(session: AsyncSession, city_id: int) -> Node:
    """Return the city's pseudo-holder of what has left its stock for good."""
    statement = select(*_COLUMNS).where(Organisation.city_id == city_id, Organisation.level == ENDED)
    return Node(*(await session.execute(statement)).one())


async def subtree(session: AsyncSession, top: Node) -> list[Node]:
    """Return the node and all below it, parents before children."""
    below = or_(Organisation.path == top.path, Organisation.path.startswith(top.path + "/"))
    rows = await session.execute(
        select(*_COLUMNS).where(Organisation.city_id == top.city_id, below).order_by(Organisation.path)
    )
    return [Node(*row) for row in rows]


async def keep_open(session: AsyncSession, node_id: int) -> bool:
    """Keep others from closing the node until the end of the transaction; False: it is closed already."""
    statement = select(Organisation.id).where(Organisation.id == node_id, Organisation.active)
    return (await session.execute(statement.with_for_update(read=True))).one_or_none() is not None


async def lock(session: AsyncSession, node_id: int) -> None:
    """Wait for what is being given to the node, and let nothing be given to it until the end of the transaction."""
    await session.execute(select(Organisation.id).where(Organisation.id == node_id).with_for_update(key_share=True))


async def mark_leaving(session: AsyncSession, node_id: int, *, now: datetime) -> None:
    """Keep that the account of a clerk who left is to be closed as soon as it can be."""
    await session.execute(update(Organisation).where(Organisation.id == node_id).values(leaving_at=now))


async def reopen(session: AsyncSession, node_id: int) -> bool:
    """Let a node that waits to be closed be one like others, for somebody works there again; False: it is closed."""
    here = and_(Organisation.id == node_id, Organisation.active)
    statement = update(Organisation).where(here).values(leaving_at=None).returning(Organisation.id)
    return (await session.execute(statement)).one_or_none() is not None


async def leaving(session: AsyncSession) -> list[Node]:
    """Return the nodes that wait to be closed, of all cities; nobody has begun to work there again."""
    return [Node(*row) for row in await session.execute(_LEAVING.order_by(Organisation.id))]


async def is_leaving(session: AsyncSession, node_id: int) -> bool:
    """Tell whether the node is one of those."""
    return (await session.execute(_LEAVING.where(Organisation.id == node_id))).one_or_none() is not None


async def close(session: AsyncSession, node_id: int) -> None:
    """Close a node: nothing is given to it any more."""
    await session.execute(update(Organisation).where(Organisation.id == node_id).values(active=False))


async def add(
    session: AsyncSession, parent: Node | None, *, city_id: int, level: str, code: str, name_zh: str, name_en: str
) -> Node:
    """Insert a node below the parent, or a city company without one, and return it."""
    sequence = func.nextval(func.pg_get_serial_sequence(Organisation.__tablename__, "id"))
    node_id: int = (await session.execute(select(sequence))).scalar_one()
    if parent is None:
        path = str(node_id)
    else:
        above = child_path(parent.path, _NOBODY) if level in PSEUDO else parent.path
        path = child_path(above, str(node_id))
    node = Node(node_id, parent.id if parent else None, city_id, level, code, name_zh, name_en, path, active=True)
    await session.execute(insert(Organisation).values(**vars(node)))
    return node
