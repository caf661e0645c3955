"""The first person of a fresh installation, and the fee rules that it begins with."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.interfaces import InterfaceKind, format_interface_no
from inventory.access.passwords import hash_password
from inventory.access.permissions import Role
from inventory.services.organisation import CityWish, create_city
from inventory.services.rule_sets import ensure_rules
from inventory.store import interfaces as store
from inventory.store import organisation as organisation_store

FIRST_STAFF = "admin"


@dataclass(frozen=True)
class FirstLogin:
    """How the first administrator signs in; the password is told once."""

    interface_no: str
    staff_no: str
    password: str = field(repr=False)


async def first_admin(session: AsyncSession, city: CityWish, *, now: datetime) -> FirstLogin | None:
    """Found the city and make its interface administrator; None if the city has staff already.

    The product's fee rules are there from then on: without any no number could come into stock.

    Raises
    ------
    InvalidIdentifier
        The code is not a city's.
    """
    node = await create_city(session, city, now=now)
    await ensure_rules(session, now=now)
    staff_no = f"{FIRST_STAFF}-{city.city_id:06d}"
    interface_no = format_interface_no(InterfaceKind.DIRECT, city.city_id, 1)
    password = secrets.token_urlsafe(12)
    password_hash = await hash_password(password)
    async with session.begin():
        if await store.has_staff(session, city.city_id):
            return None
        staff_id = await store.add_staff(
            session, staff_no=staff_no, name="Administrator", org_id=node.id,
            role=Role.INTERFACE_ADMIN.value, password_hash=password_hash, language="zh",
        )  # fmt: skip
        await store.bind(session, interface_no=interface_no, staff_id=staff_id)
    return FirstLogin(interface_no, staff_no, password)


async def cities(session: AsyncSession) -> list[int]:
    """Return the codes of the cities that are founded."""
    async with session.begin():
        return await organisation_store.city_ids(session)
