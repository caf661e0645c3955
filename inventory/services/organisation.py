"""The custody tree of a city: city company, districts, sales points, clerks (REQ-SIM-07)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.interfaces import InterfaceKind, format_interface_no
from inventory.domain.errors import (
    DuplicateIdentifier,
    InvalidField,
    InvalidIdentifier,
    LevelSkipped,
    OrganisationUnknown,
    OutsideScope,
)
from inventory.domain.organisation import Level, in_subtree, level_of
from inventory.services.once import Answer, WriteKey, once
from inventory.store import interfaces as interface_store
from inventory.store import organisation as store
from inventory.store.engine import is_unique_violation
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node

_CITY_CODE = range(110000, 820001)
"""Six digits of a place in mainland China (GB/T 2260: 11 Beijing to 65 Xinjiang; 71, 81, 82 follow)."""
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}", re.ASCII)
_UNIQUE_CODE = "uq_organisation_code"
HALL_POOL = "hall"
"""The sale pool that own halls sell from."""


@dataclass(frozen=True, kw_only=True)
class CityWish:
    """A city company to found: GB/T 2260 code and names."""

    city_id: int
    name_zh: str
    name_en: str


@dataclass(frozen=True, kw_only=True)
class NodeWish:
    """A node to add below `parent_id`; the level follows from the parent's."""

    parent_id: int
    code: str
    name_zh: str
    name_en: str


async def create_city(session: AsyncSession, wish: CityWish, *, now: datetime) -> Node:
    """Found a city company, with its pseudo-holders (`store.PSEUDO`) and its built-in direct interface.

    Nobody of a city can found another: only the operator's command line and the demo do. A city that exists is
    returned as it is.

    Raises
    ------
    InvalidIdentifier
        The code is not a city's.
    """
    if wish.city_id not in _CITY_CODE:
        raise InvalidIdentifier(field="city_id", value=wish.city_id, reason="a six-digit GB/T 2260 code")
    async with session.begin():
        existing = await store.city_node(session, wish.city_id)
        if existing is not None:
            return existing
        code = f"{wish.city_id:06d}"
        city = await store.add(
            session, None, city_id=wish.city_id, level=Level.CITY.name, code=code,
            name_zh=wish.name_zh, name_en=wish.name_en,
        )  # fmt: skip
        await store.add(
            session, city, city_id=wish.city_id, level=store.CUSTOMER, code=f"{code}-customer",
            name_zh="客户", name_en="Customers",
        )  # fmt: skip
        await store.add(
            session, city, city_id=wish.city_id, level=store.ENDED, code=f"{code}-ended",
            name_zh="已离库", name_en="Out of stock",
        )  # fmt: skip
        await interface_store.add(
            session,
            interface_store.InterfaceRow(
                no=format_interface_no(InterfaceKind.DIRECT, wish.city_id, 1),
                kind=InterfaceKind.DIRECT.value,
                name_zh="直连用户",
                name_en="Direct users",
                city_id=wish.city_id,
                org_id=city.id,
                pools=[HALL_POOL],
                built_in=True,
            ),
            now=now,
        )
    return city


async def add_node(session: AsyncSession, caller: Caller, write: WriteKey, wish: NodeWish, *, now: datetime) -> Answer:
    """Add a district, sales point or clerk below a node of the caller's subtree; answers the node.

    Raises
    ------
    OrganisationUnknown, OutsideScope
        The parent does not exist, or is not in the caller's part.
    LevelSkipped
        Nothing stands below a clerk.
    InvalidField, DuplicateIdentifier
        The code has another form, or is taken.
    """

    async def work() -> dict[str, Any]:
        node = await _add_below(session, caller, wish)
        draft = EventDraft(name="organisation.added", kind="organisation", item_no=node.id, data={"code": node.code})
        await record(
            session, [draft], city_id=caller.city_id, staff_no=caller.staff_no,
            interface_no=caller.interface_no, now=now,
        )  # fmt: skip
        return as_answer(node)

    try:
        return await once(session, caller, write, work, now=now)
    except IntegrityError as error:
        if is_unique_violation(error, _UNIQUE_CODE):
            raise DuplicateIdentifier(kind="code", value=wish.code, where="organisation") from None
        raise


async def customers_of(session: AsyncSession, city_id: int) -> int:
    """Give the id of the pseudo-holder of what a city's customers have."""
    async with session.begin():
        return await store.customer_node_id(session, city_id)


async def read_tree(session: AsyncSession, caller: Caller) -> list[Node]:
    """Return the caller's subtree, parents before children."""
    async with session.begin():
        top = await store.by_id(session, caller.org_id)
        return [] if top is None else await store.subtree(session, top)


async def read_above(session: AsyncSession, caller: Caller) -> list[Node]:
    """Return the nodes above the caller's own, the direct parent first: whom it hands stock back to."""
    above: list[Node] = []
    async with session.begin():
        node = await store.by_id(session, caller.org_id)
        while node is not None and node.parent_id is not None:
            node = await store.by_id(session, node.parent_id)
            above += [] if node is None else [node]
    return above


async def read_other_cities(session: AsyncSession, caller: Caller) -> list[Node]:
    """Return the city companies of all other cities: whom cards may be sent to."""
    async with session.begin():
        return [node for node in await store.city_nodes(session) if node.city_id != caller.city_id and node.active]


async def read_beside(session: AsyncSession, caller: Caller) -> list[Node]:
    """Return the other open children of the parent of the caller's own node: whom it may transfer stock to."""
    async with session.begin():
        own = await store.by_id(session, caller.org_id)
        parent = None if own is None or own.parent_id is None else await store.by_id(session, own.parent_id)
        around = [] if parent is None else await store.subtree(session, parent)
    return [
        node for node in around if parent and node.parent_id == parent.id and node.id != caller.org_id and node.active
    ]


def as_answer(node: Node) -> dict[str, Any]:
    """Return a node in the form of the API."""
    return {
        "id": node.id,
        "parent_id": node.parent_id,
        "level": node.level,
        "code": node.code,
        "name_zh": node.name_zh,
        "name_en": node.name_en,
        "active": node.active,
    }


async def _add_below(session: AsyncSession, caller: Caller, wish: NodeWish) -> Node:
    if _CODE.fullmatch(wish.code) is None:
        raise InvalidField(field="code", value=wish.code, reason="1 to 32 letters, digits, dots, dashes, underscores")
    parent = await store.by_id(session, wish.parent_id)
    if parent is None or parent.city_id != caller.city_id:
        raise OrganisationUnknown(organisation=wish.parent_id)
    top = await store.by_id(session, caller.org_id)  # not the caller's scope: that may be some seconds old
    if top is None or not in_subtree(top.path, parent.path):
        raise OutsideScope(what=parent.name_zh)
    if parent.level == Level.CLERK.name or parent.level in store.PSEUDO:
        raise LevelSkipped(giver=parent.code, receiver=wish.code)
    level = Level(level_of(parent.path) + 1)
    return await store.add(
        session, parent, city_id=parent.city_id, level=level.name, code=wish.code,
        name_zh=wish.name_zh, name_en=wish.name_en,
    )  # fmt: skip
