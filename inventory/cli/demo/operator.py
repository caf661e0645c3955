"""The demo's operator: the city company of Lijiang, two districts, three halls, clerks, their logins and hours."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, time

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.hours import Window
from inventory.access.interfaces import InterfaceKind, format_interface_no
from inventory.access.permissions import Role
from inventory.cli.demo.memory import Login, Memory
from inventory.cli.demo.vendor import CARD_KIND, SCP03, SERIAL, Article
from inventory.domain.channels import Channel
from inventory.services import interfaces, staff
from inventory.services.catalogue import add_card_kind, add_hlr
from inventory.services.once import WriteKey
from inventory.services.organisation import HALL_POOL, CityWish, NodeWish, add_node, create_city, customers_of
from inventory.store.catalogue import CardKindRow

CITY = CityWish(city_id=530700, name_zh="丽江市公司", name_en="Lijiang city company")
HLR = "HLR-530700-1"
_SMSC = "+8613800888500"
_ALL_WEEK = 0b1111111
_PLACES = (
    ("gucheng", "city", "LJ-D1", "古城营业区", "Gucheng district"),
    ("yulong", "city", "LJ-D2", "玉龙营业区", "Yulong district"),
    ("square", "gucheng", "LJ-P1", "四方街营业厅", "Sifangjie hall"),
    ("shuhe", "gucheng", "LJ-P2", "束河营业厅", "Shuhe hall"),
    ("huangshan", "yulong", "LJ-P3", "黄山营业厅", "Huangshan hall"),
    ("clerk", "square", "LJ-C1", "营业员 1", "Clerk 1"),
    ("clerk2", "square", "LJ-C2", "营业员 2", "Clerk 2"),
)


def write(operation: str) -> WriteKey:
    """Return the key of a write of the demo itself; doing the step twice is doing it once."""
    return WriteKey.of(f"demo {operation}", "demo", operation)


def places() -> list[tuple[str, str, str]]:
    """Return code, parent's code and names of every place, top down."""
    codes = {"city": f"{CITY.city_id}"} | {name: code for name, _, code, *_ in _PLACES}
    top = (codes["city"], "", f"{CITY.name_zh} {CITY.name_en}")
    return [top, *((code, codes[parent], f"{zh} {en}") for _, parent, code, zh, en in _PLACES)]


def founder(memory: Memory) -> Caller:
    """Return the caller that sets the demo up: the city company, before anybody has a login."""
    places = memory.places
    return Caller(
        interface_no="demo",
        staff_no="demo",
        role=Role.CITY_ADMIN,
        city_id=CITY.city_id,
        org_id=places["city"],
        scope=frozenset(places.values()),
        pools=frozenset({HALL_POOL}),
        channel=Channel.OWN_HALL.value,
    )


async def found(session: AsyncSession, memory: Memory, *, now: datetime) -> None:
    """Found the operator: places, HLR, card product, interfaces with hours, staff with keys and passwords.

    Broken off and begun again it ends the same, as all that is found is kept.
    """
    memory.founded = True
    memory.save()
    city = await create_city(session, CITY, now=now)
    memory.places = {"city": city.id, "customers": await customers_of(session, CITY.city_id)}
    for name, parent, code, name_zh, name_en in _PLACES:
        wish = NodeWish(parent_id=memory.places[parent], code=code, name_zh=name_zh, name_en=name_en)
        answer = await add_node(session, founder(memory), write(f"node {code}"), wish, now=now)
        memory.places[name] = answer.body["id"]
    caller = founder(memory)
    await add_hlr(session, caller, write("hlr"), code=HLR, name="Lijiang HLR 1 (synthetic)", smsc=_SMSC, now=now)
    await add_card_kind(session, caller, write("card kind"), _card_kind(), now=now)
    hall = await _interface(session, memory, InterfaceKind.OWN_HALL, "四方街营业厅", "Sifangjie hall", now=now)
    system = await _interface(session, memory, InterfaceKind.OWN_HALL, "受理系统", "Acceptance system", now=now)
    city_desk = format_interface_no(InterfaceKind.DIRECT, CITY.city_id, 1)
    await _login(session, memory, "city_admin", "LJ001", Role.CITY_ADMIN, "city", city_desk, now=now)
    await _login(session, memory, "second_admin", "LJ002", Role.CITY_ADMIN, "city", city_desk, now=now)
    await _login(session, memory, "province", "LJ003", Role.PROVINCE, "city", city_desk, now=now)
    await _login(session, memory, "keeper", "LJ101", Role.HALL_KEEPER, "square", hall, now=now)
    await _login(session, memory, "clerk", "LJ102", Role.CLERK, "clerk", hall, now=now)
    await _login(session, memory, "acceptance", "LJ900", Role.ACCEPTANCE, "square", system, now=now)


_FURTHER = {
    SERIAL: ("serial kind", "4G 序列号白卡", "4G blank, chip serial only"),
    SCP03: ("SCP03 kind", "4G 安全通道白卡（SCP03）", "4G blank, secure channel (SCP03)"),
}


async def add_kind(session: AsyncSession, memory: Memory, article: Article, *, now: datetime) -> None:
    """Add the product of a further article of the vendor's."""
    operation, name_zh, name_en = _FURTHER[article]
    kind = replace(_card_kind(), code=article.kind, name_zh=name_zh, name_en=name_en, profile=article.profile)
    await add_card_kind(session, founder(memory), write(operation), kind, now=now)


def _card_kind() -> CardKindRow:
    return CardKindRow(
        code=CARD_KIND,
        name_zh="4G 预置卡（白卡）",
        name_en="4G blank, keys preset",
        profile="preset_key",
        capacity_kb=128,
        capabilities=["USIM", "4G", "STK"],
        network={
            "mnc_length": 2,
            "spn": {"name": "CMCC", "show_plmn": True, "hide_abroad": True},
            "hplmns": [{"plmn": "46000", "act": ["E_UTRAN", "UTRAN", "GSM"]}],
            "ehplmns": ["46000", "46002", "46007", "46008"],
            "search_minutes": 30,
        },
        fee_fen=1000,
    )


async def _interface(
    session: AsyncSession, memory: Memory, kind: InterfaceKind, name_zh: str, name_en: str, *, now: datetime
) -> str:
    """Grant an interface number of the hall that is open all day, so that the demo runs at night too."""
    caller = founder(memory)
    wish = interfaces.GrantWish(
        kind=kind, name_zh=name_zh, name_en=name_en, org_id=memory.places["square"], pools=(HALL_POOL,)
    )
    answer = await interfaces.grant(session, caller, write(f"interface {name_en}"), wish, now=now)
    no = str(answer.body["no"])
    window = Window(weekdays=_ALL_WEEK, opens=time(0, 0), closes=time(0, 0), on_holidays=True)
    wanted = interfaces.WindowsWish(windows=(window,), interface_no=no)
    await interfaces.set_windows(session, caller, write(f"hours {no}"), wanted, now=now)
    return no


async def _login(
    session: AsyncSession, memory: Memory, name: str, staff_no: str, role: Role, place: str, interface_no: str, *,
    now: datetime,
) -> None:  # fmt: skip
    """Add a staff id with a password for the console and a key for the API, noted before the service knows them."""
    caller = founder(memory)
    login = memory.logins.setdefault(name, Login(interface_no, staff_no, secrets.token_urlsafe(9)))
    memory.save()
    wish = staff.StaffWish(
        staff_no=staff_no,
        name=staff_no,
        role=role,
        org_id=memory.places[place],
        interfaces=(interface_no,),
        password=login.password,
    )
    await staff.add(session, caller, write(f"staff {staff_no}"), wish, now=now)
    asked = interfaces.KeyWish(interface_no=interface_no, staff_no=staff_no)
    answer = await interfaces.issue_key(session, caller, write(f"key {secrets.token_hex(8)}"), asked, now=now)
    login.key = answer.body["key"]
