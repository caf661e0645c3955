"""A small city with stock, written straight into the tables: for tests below the loader."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncSession

import inventory.domain
from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.domain.fees import RuleSet
from inventory.store.schema import (
    CardKind,
    Hlr,
    Identifier,
    Movement,
    MovementLine,
    Number,
    Organisation,
    RuleSetRow,
    Sim,
    SimIdentity,
    SubscriptionData,
)

CITY = 530700
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
HLR = "LJ1"
OTHER_HLR = "LJ2"
KIND = "blank-4g"
POOL = "hall"
RULES = RuleSet.from_dict(
    json.loads((Path(inventory.domain.__file__).parent / "rules" / "default.json").read_text(encoding="utf-8"))
)


@dataclass(frozen=True)
class Town:
    """The organisations of the little city, by id."""

    city: int = 1
    district: int = 2
    hall: int = 3
    clerk: int = 4
    other_hall: int = 5
    customer: int = 6
    rule_set: int = 1

    def caller(self, org_id: int | None = None, **changes: Any) -> Caller:
        """Give a caller that sells for `org_id` (by default the clerk) from the pool of the halls."""
        org_id = self.clerk if org_id is None else org_id
        scopes = {
            self.city: {self.city, self.district, self.hall, self.clerk, self.other_hall},
            self.hall: {self.hall, self.clerk},
        }
        return Caller(
            **{
                "interface_no": "LJ-HALL-01",
                "staff_no": "LJ0001",
                "role": Role.CLERK,
                "city_id": CITY,
                "org_id": org_id,
                "scope": frozenset(scopes.get(org_id, {org_id})),
                "pools": frozenset({POOL}),
                "channel": "own_hall",
                **changes,
            }
        )


TOWN = Town()


async def build_town(session: AsyncSession) -> Town:
    """Make the organisations, HLRs, the card kind and the rule set of the little city."""
    nodes = [
        (TOWN.city, None, "CITY", "1"),
        (TOWN.district, TOWN.city, "DISTRICT", "1/2"),
        (TOWN.hall, TOWN.district, "POINT", "1/2/3"),
        (TOWN.clerk, TOWN.hall, "CLERK", "1/2/3/4"),
        (TOWN.other_hall, TOWN.district, "POINT", "1/2/5"),
        (TOWN.customer, TOWN.city, "CUSTOMER", "1/0/6"),
    ]
    for node_id, parent_id, level, path in nodes:
        row = {"id": node_id, "parent_id": parent_id, "city_id": CITY, "level": level, "code": f"O{node_id}"}
        await session.execute(insert(Organisation).values(**row, name_zh=level, name_en=level, path=path))
    await session.execute(text("ALTER TABLE organisation ALTER COLUMN id RESTART WITH 100"))
    for code in (HLR, OTHER_HLR):
        await session.execute(insert(Hlr).values(code=code, city_id=CITY, name=code, smsc="+8613800888500"))
    kind = {"code": KIND, "name_zh": "4G空白卡", "name_en": "Blank 4G card", "profile": "preset", "capacity_kb": 128}
    await session.execute(insert(CardKind).values(**kind, capabilities=[], network={}, fee_fen=1000))
    rules = {"scope": "default", "version": 1, "status": "APPROVED", "valid_from": NOW, "author": "test"}
    await session.execute(insert(RuleSetRow).values(id=TOWN.rule_set, **rules, document=RULES.to_dict()))
    return TOWN


def number_row(number: str, item_no: int, **changes: Any) -> dict[str, Any]:
    """Give the row of an unused number of the hall, with its class by the default rules."""
    found = RULES.classify(number)
    return {
        "city_id": CITY,
        "item_no": item_no,
        "state": "UNUSED",
        "version": 0,
        "holder_id": TOWN.hall,
        "pool": POOL,
        "batch_id": 1,
        "updated_at": NOW,
        "number": number,
        "kind": "mobile",
        "hlr_code": HLR,
        "cls": found.number_class,
        "outcome": RULES.outcome_code(found.outcome),
        "rule_set_id": TOWN.rule_set,
        "tail": int(number[-4:]),
        "mask": sum({1 << int(digit) for digit in number}),
        "rev": int(number[::-1]),
        **changes,
    }


async def add_numbers(session: AsyncSession, numbers: Iterable[str], *, first_item: int = 0, **changes: Any) -> None:
    """Put unused numbers into stock, with the ledger's intake line."""
    rows = [number_row(number, first_item + offset, **changes) for offset, number in enumerate(numbers)]
    await session.execute(insert(Number), rows)
    await _intake(session, "number", first_item, len(rows), rows[0]["holder_id"])


async def add_sims(session: AsyncSession, count: int, *, first_item: int = 0, **changes: Any) -> list[str]:
    """Put blank cards of the clerk into stock and give their ICCIDs."""
    rows = [
        {
            "city_id": CITY,
            "item_no": item_no,
            "state": "AVAILABLE",
            "version": 0,
            "holder_id": TOWN.clerk,
            "pool": POOL,
            "batch_id": 1,
            "updated_at": NOW,
            "iccid": f"8986002600{item_no:010d}",
            "serial": f"{item_no:016X}",
            "kind_code": KIND,
            "generation": 1,
            "adm_refused": False,
            **changes,
        }
        for item_no in range(first_item, first_item + count)
    ]
    await session.execute(insert(Sim), rows)
    await session.execute(
        insert(Identifier),
        [
            {"kind": kind, "value": row[column], "city_id": CITY}
            for row in rows
            for kind, column in (("iccid", "iccid"), ("serial", "serial"))
        ],
    )
    await _intake(session, "sim", first_item, len(rows), rows[0]["holder_id"])
    return [row["iccid"] for row in rows]


async def add_data(session: AsyncSession, count: int, *, first: int = 0, hlr_code: str = HLR) -> None:
    """Put free data units of an HLR into the pool."""
    rows = [
        {
            "city_id": CITY,
            "data_no": data_no,
            "hlr_code": hlr_code,
            "imsi": f"46000{data_no:010d}",
            "state": "FREE",
            "version": 0,
            "batch_id": 1,
            "updated_at": NOW,
        }
        for data_no in range(first, first + count)
    ]
    await session.execute(insert(SubscriptionData), rows)
    await session.execute(insert(Identifier), [{"kind": "imsi", "value": row["imsi"], "city_id": CITY} for row in rows])


async def write_card(session: AsyncSession, hold_id: int) -> None:
    """Leave the kit's card as a proven write job leaves it: WRITTEN, its data bound, its identity verified."""
    given = {"city": CITY, "hold": hold_id, "now": NOW}
    for sql in (
        """INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)
           SELECT h.city_id, h.sim_item_no, 1, 'USIM', d.imsi, d.hlr_code, 'VERIFIED', 'none'
           FROM hold h JOIN subscription_data d ON d.city_id = h.city_id AND d.data_no = h.data_no
           WHERE h.city_id = :city AND h.hold_id = :hold""",
        """INSERT INTO event (city_id, at, name, kind, item_no, version, from_state, to_state, staff_no, interface_no)
           SELECT d.city_id, :now, e.name, 'data', d.data_no, d.version + e.step, e.from_state, e.to_state, 'T', 'T'
           FROM hold h JOIN subscription_data d ON d.city_id = h.city_id AND d.data_no = h.data_no,
                (VALUES (1, 'data.leased', 'RESERVED', 'LEASED'), (2, 'data.bound', 'LEASED', 'BOUND'))
                AS e (step, name, from_state, to_state)
           WHERE h.city_id = :city AND h.hold_id = :hold""",
        """UPDATE subscription_data d SET state = 'BOUND', version = version + 2, sim_item_no = h.sim_item_no
           FROM hold h WHERE d.city_id = :city AND h.city_id = :city AND h.hold_id = :hold AND d.data_no = h.data_no""",
        """INSERT INTO event (city_id, at, name, kind, item_no, version, from_state, to_state, staff_no, interface_no)
           SELECT s.city_id, :now, e.name, 'sim', s.item_no, s.version + e.step, e.from_state, e.to_state, 'T', 'T'
           FROM hold h JOIN sim s ON s.city_id = h.city_id AND s.item_no = h.sim_item_no,
                (VALUES (1, 'sim.writing', 'HELD', 'WRITING'), (2, 'sim.written', 'WRITING', 'WRITTEN'))
                AS e (step, name, from_state, to_state)
           WHERE h.city_id = :city AND h.hold_id = :hold""",
        """UPDATE sim s SET state = 'WRITTEN', version = version + 2 FROM hold h
           WHERE s.city_id = :city AND h.city_id = :city AND h.hold_id = :hold AND s.item_no = h.sim_item_no""",
    ):
        await session.execute(text(sql), given)


async def finish_card(session: AsyncSession, sim_item: int, *, data_no: int, hlr_code: str = HLR) -> None:
    """Turn an available blank into a finished card, as a factory delivers it, with a data unit that is made for it."""
    await add_data(session, 1, first=data_no, hlr_code=hlr_code)
    await session.execute(
        text(
            "UPDATE subscription_data SET state = 'BOUND', sim_item_no = :sim WHERE city_id = :city AND data_no = :no"
        ),
        {"sim": sim_item, "city": CITY, "no": data_no},
    )
    await session.execute(
        text("UPDATE sim SET hlr_code = :hlr WHERE city_id = :city AND item_no = :sim"),
        {"hlr": hlr_code, "city": CITY, "sim": sim_item},
    )
    identity = {"city_id": CITY, "item_no": sim_item, "slot": 1, "application": "USIM", "imsi": f"46000{data_no:010d}"}
    await session.execute(
        insert(SimIdentity).values(**identity, hlr_code=hlr_code, state="VERIFIED", auc="none", number_item_no=None)
    )


async def add_identity(session: AsyncSession, sim_item: int, *, data_no: int, slot: int = 2) -> None:
    """Put a further identity into a finished card, with a data unit that is made for it."""
    await add_data(session, 1, first=data_no)
    for sql in (
        "UPDATE subscription_data SET state = 'BOUND', sim_item_no = :sim WHERE city_id = :city AND data_no = :data",
        """INSERT INTO sim_identity (city_id, item_no, slot, application, imsi, hlr_code, state, auc)
           SELECT city_id, :sim, :slot, 'USIM', imsi, hlr_code, 'VERIFIED', 'none'
           FROM subscription_data WHERE city_id = :city AND data_no = :data""",
    ):
        await session.execute(text(sql), {"sim": sim_item, "city": CITY, "data": data_no, "slot": slot})


async def _intake(session: AsyncSession, resource: str, first: int, count: int, holder_id: int) -> None:
    document = {"kind": "INTAKE", "resource": resource, "state": "ACCEPTED", "to_holder": holder_id}
    who = {"staff_no": "T", "interface_no": "T", "created_at": NOW, "accepted_at": NOW}
    made = await session.execute(
        insert(Movement).values(city_id=CITY, **document, item_count=count, **who).returning(Movement.movement_id)
    )
    line = {"city_id": CITY, "movement_id": made.scalar_one(), "line_no": 1, "resource": resource}
    await session.execute(insert(MovementLine).values(**line, level=6, block=0, lo=first, hi=first + count - 1))
