"""Read and write the custody tree."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.organisation import child_path
from inventory.store.schema import Organisation

CUSTOMER = "CUSTOMER"
"""Level of the pseudo-holder of what customers have. Its path runs through the id 0, which no node has, so that it is
in the city's subtree and yet nobody's direct child: nothing is issued to it or recalled from it."""
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


async def by_id(session: AsyncSession, node_id: int) -> Node | None:
    """Return a node, or None."""
    row = (await session.execute(select(*_COLUMNS).where(Organisation.id == node_id))).one_or_none()
    return None if row is None else Node(*row)


async def by_code(session: AsyncSession, code: str) -> Node | None:
    """Return the node with the code, or None."""
    row = (await session.execute(select(*_COLUMNS).where(Organisation.code == code))).one_or_none()
    return None if row is None else Node(*row)


async def city_node(session: AsyncSession, city_id: int) -> Node | None:
    """Return the city company of the city, or None."""
    statement = select(*_COLUMNS).where(Organisation.city_id == city_id, Organisation.parent_id.is_(None))
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else Node(*row)


async def city_ids(session: AsyncSession) -> list[int]:
    """Return the codes of all cities."""
    statement = select(Organisation.city_id).where(Organisation.parent_id.is_(None)).order_by(Organisation.city_id)
    return list((await session.execute(statement)).scalars())


async def customer_node_id(session: AsyncSession, city_id: int) -> int:
    """Return the id of the city's pseudo-holder of what customers have."""
    statement = select(Organisation.id).where(Organisation.city_id == city_id, Organisation.level == CUSTOMER)
    return (await session.execute(statement)).scalar_one()


async def subtree(session: AsyncSession, top: Node) -> list[Node]:
    """Return the node and all below it, parents before children."""
    below = or_(Organisation.path == top.path, Organisation.path.startswith(top.path + "/"))
    rows = await session.execute(
        select(*_COLUMNS).where(Organisation.city_id == top.city_id, below).order_by(Organisation.path)
    )
    return [Node(*row) for row in rows]


async def add(
    session: AsyncSession, parent: Node | None, *, city_id: int, level: str, code: str, name_zh: str, name_en: str
) -> Node:
    """Insert a node below the parent, or a city company without one, and return it."""
    sequence = func.nextval(func.pg_get_serial_sequence(Organisation.__tablename__, "id"))
    node_id: int = (await session.execute(select(sequence))).scalar_one()
    if parent is None:
        path = str(node_id)
    else:
        above = child_path(parent.path, _NOBODY) if level == CUSTOMER else parent.path
        path = child_path(above, str(node_id))
    node = Node(node_id, parent.id if parent else None, city_id, level, code, name_zh, name_en, path, active=True)
    await session.execute(insert(Organisation).values(**vars(node)))
    return node
