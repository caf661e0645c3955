"""Stock for the hall of the little operator, loaded and issued through the services as warehouse staff do it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.secret import Secret
from inventory.access.caller import Caller
from inventory.access.permissions import Role
from inventory.cli.demo.vendor import CARD_KIND, TRANSPORT_KEY_INDEX, DemoVendor, write_imsi_pool
from inventory.domain.channels import Channel
from inventory.domain.identifiers import NumberKind
from inventory.services import staff
from inventory.services.catalogue import add_card_kind, add_hlr
from inventory.services.loading import FileKind, FileWish, load_file
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.once import WriteKey
from inventory.services.organisation import HALL_POOL
from inventory.services.rule_sets import install_default
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.store.catalogue import CardKindRow
from inventory.store.selection import ByCount, ByRange
from inventory.vault.envelope import Vault
from inventory.vault.transport import TransportAlgorithm, key_check_value
from tests.builders import PASSWORD, Operator

SEGMENT = "1388888"
HLR = "LJ1"
CARDS = 60
VENDOR = DemoVendor(bytes(32))
SECOND = "WEB5"
"""Staff id of a second administrator of the city."""
PROVINCE = "WEB6"
"""Staff id of the province's person in the city."""
_keys = itertools.count(1)
_NETWORK = {
    "mnc_length": 2,
    "spn": {"name": "Haoka", "show_plmn": True, "hide_abroad": True},
    "hplmns": [{"plmn": "46000", "act": ["E_UTRAN", "UTRAN", "GSM"]}],
    "ehplmns": ["46000", "46002"],
    "search_minutes": 30,
}


@dataclass(frozen=True)
class Person:
    """Who signs in on a page; everybody's password is `PASSWORD`."""

    interface_no: str
    staff_no: str
    password: str = field(default=PASSWORD, repr=False)


def fresh() -> WriteKey:
    """Give a write key that nobody has used."""
    return WriteKey.of(f"stock-{next(_keys)}", "test", {})


def administrator(operator: Operator) -> Caller:
    """Give the city's administrator."""
    scope = (operator.city, operator.district, operator.point, operator.clerk_node, operator.other_point)
    return Caller(
        interface_no=operator.direct, staff_no="founder", role=Role.CITY_ADMIN, city_id=operator.city_id,
        org_id=operator.city, scope=frozenset(scope), pools=frozenset({HALL_POOL}), channel=Channel.OWN_HALL.value,
    )  # fmt: skip


async def hire(session: AsyncSession, operator: Operator, *, now: datetime) -> dict[Role, Person]:
    """Give each role a person who can sign in; the clerk is the operator's own. `SECOND` is another city admin."""
    people = {Role.CLERK: Person(operator.clerk.interface_no, operator.clerk.staff_no)}
    posts = (
        (Role.CITY_ADMIN, operator.city, operator.direct),
        (Role.HALL_KEEPER, operator.point, operator.hall),
        (Role.AUDITOR, operator.city, operator.direct),
        (Role.INTERFACE_ADMIN, operator.city, operator.direct),
        (Role.CITY_ADMIN, operator.city, operator.direct),
        (Role.PROVINCE, operator.city, operator.direct),
    )
    for serial, (role, org_id, interface_no) in enumerate(posts, start=1):
        person = Person(interface_no, f"WEB{serial}")
        wish = staff.StaffWish(
            staff_no=person.staff_no, name=person.staff_no, role=role, org_id=org_id, interfaces=(interface_no,),
            password=PASSWORD,
        )  # fmt: skip
        await staff.add(session, administrator(operator), fresh(), wish, now=now)
        people.setdefault(role, person)
    return people


async def fill(
    session: AsyncSession, operator: Operator, vault: Vault, folder: Path, *, now: datetime, more: int = 0
) -> None:
    """Load a segment, blank cards and card data; cards 1 to 30 go to the clerk, 31 to 40 stay with the hall.

    Of `more` cards, from 61 on, the first half go to the clerk as well and the others stay with the hall.
    """
    admin = administrator(operator)
    await install_default(session, now=now)
    await add_hlr(session, admin, fresh(), code=HLR, name="HLR", smsc="+8613800888500", now=now)
    kind = CardKindRow(CARD_KIND, "4G 预置卡", "4G blank", "preset_key", 128, ["USIM"], _NETWORK, 1000)
    await add_card_kind(session, admin, fresh(), kind, now=now)
    segment = SegmentWish(prefixes=(SEGMENT,), kind=NumberKind.MOBILE, carrier="mobile", hlr_code=HLR, pool=HALL_POOL)
    await take_segments(session, admin, fresh(), segment, now=now)
    key, algorithm = Secret(VENDOR.transport_key), TransportAlgorithm.AES_128_ECB
    letter = TransportKeyWish(
        index=TRANSPORT_KEY_INDEX, algorithm=algorithm, parts=(key,), kcv=key_check_value(algorithm, key)
    )
    await found_transport_key(session, admin, fresh(), letter, vault=vault, now=now)
    delivery, pool = folder / "cards.out", folder / "imsi.csv"
    VENDOR.write_delivery(delivery, CARDS + more)
    write_imsi_pool(pool, HLR, CARDS + more)
    for path, file_kind in ((delivery, FileKind.SIM_VENDOR), (pool, FileKind.IMSI_POOL)):
        card_kind = CARD_KIND if file_kind is FileKind.SIM_VENDOR else None
        wish = FileWish(kind=file_kind, name=path.name, content=path.read_bytes(), card_kind=card_kind, pool=HALL_POOL)
        await load_file(session, admin, fresh(), wish, vault=vault, now=now)
    steps: tuple[tuple[str, str, str, ByRange | ByCount], ...] = (
        ("sim", "530700", "LI-D1", ByRange(VENDOR.card(1).iccid, VENDOR.card(40).iccid)),
        ("sim", "LI-D1", "LI-P1", ByRange(VENDOR.card(1).iccid, VENDOR.card(40).iccid)),
        ("sim", "LI-P1", "LI-C1", ByRange(VENDOR.card(1).iccid, VENDOR.card(30).iccid)),
        ("number", "530700", "LI-D1", ByCount(5000)),
        ("number", "LI-D1", "LI-P1", ByCount(2000)),
    )
    if more:
        rest, half = ByRange(VENDOR.card(CARDS + 1).iccid, VENDOR.card(CARDS + more).iccid), CARDS + more // 2
        to_clerk = ByRange(VENDOR.card(CARDS + 1).iccid, VENDOR.card(half).iccid)
        steps += (
            ("sim", "530700", "LI-D1", rest),
            ("sim", "LI-D1", "LI-P1", rest),
            ("sim", "LI-P1", "LI-C1", to_clerk),
        )
    for resource, giver, receiver, selection in steps:
        handed = MoveWish(
            verb=Verb.ISSUE,
            resource=resource,
            giver=giver,
            receiver=receiver,
            selection=selection,
            person="仓管员",
        )
        await move(session, admin, fresh(), handed, now=now)
