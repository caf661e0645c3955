"""A small city to keep stock in: Lijiang with two districts, a hall and a clerk, an HLR, a card product and rules."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.identifiers import NumberKind
from inventory.domain.organisation import Level
from inventory.services.approving import Question, ask, grant
from inventory.services.card_data import TRANSPORT_FIELD, TRANSPORT_TABLE
from inventory.services.ending import Ending
from inventory.services.loading import FileKind, FileWish, load_file
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.once import WriteKey
from inventory.services.organisation import CityWish, create_city
from inventory.services.rule_sets import install_default
from inventory.store import card_intake, catalogue, interfaces, kits, organisation
from inventory.store.catalogue import CardKindRow, HlrRow
from inventory.store.engine import Database
from inventory.store.organisation import Node
from inventory.vault.envelope import Vault
from tests.services.files import TRANSPORT_KEY

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CITY = 530700
HLR = "LJ1"
CARD = "4G-P"
POOL = "hall"
_keys = itertools.count(1)


def fresh_key(operation: str = "test") -> WriteKey:
    """Give a write key that no other write of the test run has."""
    return WriteKey.of(f"k{next(_keys)}", operation, {})


@dataclass(frozen=True)
class Town:
    """The city's organisations by code, and callers in them."""

    database: Database
    nodes: dict[str, Node]
    admin: Caller
    vault: Vault

    def at(self, code: str, role: Role, **changes: Any) -> Caller:
        """Give a caller that works at the organisation."""
        top = self.nodes[code]
        scope = {node.id for node in self.nodes.values() if f"{node.path}/".startswith(f"{top.path}/")}
        return replace(self.admin, role=role, org_id=top.id, scope=frozenset(scope), **changes)

    async def value(self, question: str, **parameters: Any) -> Any:
        """Give the first value that the database answers."""
        async with self.database.session() as session, session.begin():
            return await session.scalar(text(question), parameters)

    async def execute(self, statement: str, **parameters: Any) -> None:
        """Execute a statement and commit."""
        async with self.database.session() as session, session.begin():
            await session.execute(text(statement), parameters)

    async def rows(self, question: str, **parameters: Any) -> Sequence[Any]:
        """Give the rows that the database answers."""
        async with self.database.session() as session, session.begin():
            return (await session.execute(text(question), parameters)).all()

    async def approved(self, act: str, by: Caller | None = None, **wish: Any) -> str:
        """Ask for an approval as the city's admin (or as `by`), let whoever has to grant it, and give its id."""
        async with self.database.session() as session:
            asked = await ask(
                session, by or self.admin, fresh_key(), Question(act, wish), lasts=timedelta(hours=24), now=NOW
            )
            approval = str(asked.body["approval"])
            word = self.province if act == Ending.SEND_TO_CITY else self.second
            await grant(session, word, fresh_key(), approval=approval, now=NOW)
        return approval

    @property
    def second(self) -> Caller:
        """Give another administrator of the city."""
        return replace(self.admin, staff_no=f"{self.admin.city_id}second")

    @property
    def province(self) -> Caller:
        """Give the province's person in the city."""
        return replace(self.admin, staff_no=f"{self.admin.city_id}province", role=Role.PROVINCE)

    async def load(self, content: bytes, kind: FileKind = FileKind.SIM_VENDOR, **changes: Any) -> dict[str, Any]:
        """Load a file as the city's admin."""
        wish = FileWish(
            **{"kind": kind, "name": "file.out", "content": content, "card_kind": CARD, "pool": POOL, **changes}
        )
        async with self.database.session() as session:
            return (await load_file(session, self.admin, fresh_key(), wish, vault=self.vault, now=NOW)).body

    async def take(self, *prefixes: str, **changes: Any) -> dict[str, Any]:
        """Take segments into the city's stock."""
        wish = SegmentWish(
            **{
                "prefixes": prefixes,
                "kind": NumberKind.MOBILE,
                "carrier": "mobile",
                "hlr_code": HLR,
                "pool": POOL,
                **changes,
            }
        )
        async with self.database.session() as session:
            return (await take_segments(session, self.admin, fresh_key(), wish, now=NOW)).body


async def found_town(database: Database, vault: Vault, city_id: int = CITY) -> Town:
    """Found the city with its tree, its code tables and the default rules; stock comes later."""
    prefix = str(city_id)
    async with database.session() as session:
        top = await create_city(session, CityWish(city_id=city_id, name_zh="丽江", name_en="Lijiang"), now=NOW)
        await install_default(session, now=NOW)
        nodes = {top.code: top}
        async with session.begin():
            tree = [("D1", top.code, Level.DISTRICT), ("D2", top.code, Level.DISTRICT)]
            tree += [("H1", f"{prefix}-D1", Level.POINT), ("C1", f"{prefix}-H1", Level.CLERK)]
            for name, parent, level in tree:
                code = f"{prefix}-{name}"
                nodes[code] = await organisation.add(
                    session, nodes[parent], city_id=city_id, level=level.name, code=code, name_zh=code, name_en=code
                )
            await catalogue.add_hlr(
                session, HlrRow(f"{HLR}" if city_id == CITY else f"H{prefix}", city_id, "一", "+8613800888500")
            )
            if await catalogue.find_card_kind(session, CARD) is None:
                await catalogue.add_card_kind(
                    session, CardKindRow(CARD, "白卡", "Blank", "preset", 128, ["USIM"], {}, 1000)
                )
            if not await card_intake.knows_transport_key(session, TRANSPORT_KEY):
                wrapped = vault.seal(bytes(16), table=TRANSPORT_TABLE, row=TRANSPORT_KEY, field=TRANSPORT_FIELD)
                await kits.add_transport_key(
                    session, index=TRANSPORT_KEY, algorithm="aes-128-ecb", wrapped=wrapped, kcv=bytes(3)
                )
            for staff_no in ("boss", "second"):
                await interfaces.add_staff(
                    session,
                    staff_no=f"{prefix}{staff_no}",
                    name=staff_no,
                    org_id=top.id,
                    role=Role.CITY_ADMIN.value,
                    password_hash=None,
                    language="zh",
                )
    admin = Caller(
        interface_no="IF1",
        staff_no=f"{prefix}boss",
        role=Role.CITY_ADMIN,
        city_id=city_id,
        org_id=top.id,
        scope=frozenset(node.id for node in nodes.values()),
        pools=frozenset({POOL}),
        channel="own_hall",
    )
    return Town(database, nodes, admin, vault)
