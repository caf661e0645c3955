"""A small operator, founded through the services themselves: Lijiang, a district, two sales points, clerks, callers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.interfaces import InterfaceKind
from inventory.access.permissions import Role
from inventory.domain.channels import Channel
from inventory.services import interfaces, staff
from inventory.services.once import WriteKey
from inventory.services.organisation import HALL_POOL, CityWish, NodeWish, add_node, create_city
from inventory.store.engine import connect
from inventory.store.organisation import customer_node_id, ended_node

LIJIANG = CityWish(city_id=530700, name_zh="丽江", name_en="Lijiang")
FOUNDED = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
"""A Monday, ten in the morning in the halls."""
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Login:
    """An interface number and a staff id with a key for both."""

    interface_no: str
    staff_no: str
    key: str

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of a request."""
        return {
            "Haoka-Interface": self.interface_no,
            "Haoka-Staff": self.staff_no,
            "Authorization": f"Bearer {self.key}",
        }


@dataclass(frozen=True)
class Operator:
    """The ids of its organisations, and a login for each role; `clerk` also has the password `PASSWORD`."""

    city_id: int
    city: int
    district: int
    point: int
    clerk_node: int
    other_point: int
    customer: int
    ended: int
    direct: str
    hall: str
    admin: Login
    city_admin: Login
    district_keeper: Login
    hall_keeper: Login
    clerk: Login
    other_hall_keeper: Login
    acceptance: Login
    auditor: Login


def found_operator(url: str, city: CityWish = LIJIANG) -> Operator:
    """Found the operator in the migrated database at the SQLAlchemy URL."""

    async def found() -> Operator:
        database = connect(url, pool_size=2)
        try:
            async with database.session() as session:
                return await build_operator(session, city)
        finally:
            await database.close()

    return asyncio.run(found())


async def build_operator(session: AsyncSession, city: CityWish = LIJIANG) -> Operator:
    """Found the operator through a session."""
    building = _Building(session, city)
    return await building.run()


class _Building:
    """The steps of founding; each write has a key of its own."""

    def __init__(self, session: AsyncSession, city: CityWish) -> None:
        self._session = session
        self._city = city
        self._prefix = city.name_en[:2].upper()
        self._writes = 0
        self._root: Caller | None = None

    async def run(self) -> Operator:
        """Found everything."""
        city = await create_city(self._session, self._city, now=FOUNDED)
        direct = f"DIRECT-{city.city_id}-001"
        self._root = Caller(
            interface_no=direct, staff_no="founder", role=Role.INTERFACE_ADMIN, city_id=city.city_id, org_id=city.id,
            scope=frozenset({city.id}), pools=frozenset(), channel=Channel.OWN_HALL.value,
        )  # fmt: skip
        district = await self._node(city.id, "D1", "古城营业区", "Gucheng district")
        point = await self._node(district, "P1", "古城营业厅", "Gucheng hall")
        clerk = await self._node(point, "C1", "营业员和某", "Clerk He")
        other_point = await self._node(district, "P2", "束河营业厅", "Shuhe hall")
        hall = await self._interface(InterfaceKind.OWN_HALL, "古城营业厅", "Gucheng hall", point)
        other_hall = await self._interface(InterfaceKind.OWN_HALL, "束河营业厅", "Shuhe hall", other_point)
        system = await self._interface(InterfaceKind.OWN_HALL, "受理系统", "Acceptance system", point)
        async with self._session.begin():
            customer = await customer_node_id(self._session, city.city_id)
            ended = (await ended_node(self._session, city.city_id)).id
        return Operator(
            city_id=city.city_id,
            city=city.id,
            district=district,
            point=point,
            clerk_node=clerk,
            other_point=other_point,
            customer=customer,
            ended=ended,
            direct=direct,
            hall=hall,
            admin=await self._login("0001", Role.INTERFACE_ADMIN, city.id, direct),
            city_admin=await self._login("0002", Role.CITY_ADMIN, city.id, direct),
            district_keeper=await self._login("0003", Role.DISTRICT_KEEPER, district, direct),
            hall_keeper=await self._login("0004", Role.HALL_KEEPER, point, hall),
            clerk=await self._login("0005", Role.CLERK, clerk, hall, password=PASSWORD),
            other_hall_keeper=await self._login("0006", Role.HALL_KEEPER, other_point, other_hall),
            acceptance=await self._login("0007", Role.ACCEPTANCE, point, system),
            auditor=await self._login("0008", Role.AUDITOR, city.id, direct),
        )

    @property
    def _caller(self) -> Caller:
        assert self._root is not None
        return self._root

    def _write(self) -> WriteKey:
        self._writes += 1
        return WriteKey.of(f"found-{self._writes}", "found", self._writes)

    async def _node(self, parent_id: int, code: str, name_zh: str, name_en: str) -> int:
        wish = NodeWish(parent_id=parent_id, code=f"{self._prefix}-{code}", name_zh=name_zh, name_en=name_en)
        answer = await add_node(self._session, self._caller, self._write(), wish, now=FOUNDED)
        node_id: int = answer.body["id"]
        self._root = Caller(**{**vars(self._caller), "scope": self._caller.scope | {node_id}})
        return node_id

    async def _interface(self, kind: InterfaceKind, name_zh: str, name_en: str, org_id: int) -> str:
        wish = interfaces.GrantWish(kind=kind, name_zh=name_zh, name_en=name_en, org_id=org_id, pools=(HALL_POOL,))
        answer = await interfaces.grant(self._session, self._caller, self._write(), wish, now=FOUNDED)
        return str(answer.body["no"])

    async def _login(
        self, serial: str, role: Role, org_id: int, interface_no: str, *, password: str | None = None
    ) -> Login:
        staff_no = f"{self._prefix}{serial}"
        wish = staff.StaffWish(
            staff_no=staff_no, name=staff_no, role=role, org_id=org_id, interfaces=(interface_no,), password=password
        )
        await staff.add(self._session, self._caller, self._write(), wish, now=FOUNDED)
        asked = interfaces.KeyWish(interface_no=interface_no, staff_no=staff_no)
        answer = await interfaces.issue_key(self._session, self._caller, self._write(), asked, now=FOUNDED)
        return Login(interface_no, staff_no, answer.body["key"])
