"""The demo's stock: national plan, own segments, blank cards and their data, handed down to the hall."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.secret import Secret
from inventory.cli.demo.memory import Memory
from inventory.cli.demo.operator import HLR, founder, write
from inventory.cli.demo.screen import Report, Screen
from inventory.cli.demo.vendor import CARD_KIND, TRANSPORT_KEY_INDEX, DemoVendor, write_imsi_pool
from inventory.domain.identifiers import NumberKind
from inventory.services.issuing import IssueWish, issue
from inventory.services.loading import FileKind, FileWish, load_file
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.organisation import HALL_POOL
from inventory.services.plan import load_packaged_plan
from inventory.services.rule_sets import install_default
from inventory.services.transport_keys import TransportKeyWish, import_transport_key
from inventory.store.selection import ByCount
from inventory.vault.envelope import Vault
from inventory.vault.transport import TransportAlgorithm, key_check_value

CARDS = 10_000
CARRIER = "mobile"


async def load_plan(session: AsyncSession, screen: Screen, report: Report, *, now: datetime) -> None:
    """Load the national plan of segments and tell what was repaired and what could not be mapped."""
    source = await load_packaged_plan(session, now=now, on_progress=report)
    screen.say(f"{source.row_count:,} segments from {source.name} {source.version}, dated {source.dated}")
    screen.say(f"repaired: {dict(source.repaired)}; places without a GB/T 2260 code: {sum(source.unmapped.values()):,}")


async def take_numbers(session: AsyncSession, memory: Memory, screen: Screen, report: Report, *, now: datetime) -> None:
    """Take every segment of China Mobile in the city into stock, each number with its class, and tell the counts."""
    await install_default(session, now=now)
    wish = SegmentWish(
        prefixes=None, kind=NumberKind.MOBILE, carrier=CARRIER, hlr_code=HLR, pool=HALL_POOL, group="LJ-MOBILE"
    )
    answer = await take_segments(session, founder(memory), write("segments"), wish, now=now, on_progress=report)
    screen.say(f"{answer.body['segments']} segments, {answer.body['numbers']:,} numbers")
    rows = list(answer.body["by_class"].items())
    screen.table("Numbers per class / 各等级号码数", ("class", "numbers"), rows)


async def load_cards(
    session: AsyncSession, memory: Memory, vault: Vault, folder: Path, report: Report, *, now: datetime
) -> None:
    """Write the vendor's files into the data folder and load them as warehouse staff do."""
    vendor = DemoVendor(bytes.fromhex(memory.seed))
    caller, transport_key = founder(memory), Secret(vendor.transport_key)
    algorithm = TransportAlgorithm.AES_128_ECB
    key = TransportKeyWish(
        index=TRANSPORT_KEY_INDEX,
        algorithm=algorithm,
        parts=(transport_key,),
        kcv=key_check_value(algorithm, transport_key),
    )
    await import_transport_key(session, caller, write("transport key"), key, vault=vault, now=now)
    delivery, pool = folder / "vendor-DEMO-0001.out", folder / "imsi-pool.csv"
    vendor.write_delivery(delivery, CARDS)
    write_imsi_pool(pool, HLR, CARDS)
    for path, kind in ((delivery, FileKind.SIM_VENDOR), (pool, FileKind.IMSI_POOL)):
        wish = FileWish(
            kind=kind,
            name=path.name,
            content=path.read_bytes(),
            card_kind=CARD_KIND if kind is FileKind.SIM_VENDOR else None,
            vendor="Haoka demo vendor",
            pool=HALL_POOL,
        )
        await load_file(session, caller, write(f"load {path.name}"), wish, vault=vault, now=now, on_progress=report)


async def hand_down(session: AsyncSession, memory: Memory, screen: Screen, report: Report, *, now: datetime) -> None:
    """Issue cards city, district, point, clerk and numbers city, district, point, each step with a document."""
    steps = (
        ("sim", "530700", "LJ-D1", 6_000),
        ("sim", "LJ-D1", "LJ-P1", 2_000),
        ("sim", "LJ-P1", "LJ-C1", 500),
        ("number", "530700", "LJ-D1", 1_000_000),
        ("number", "LJ-D1", "LJ-P1", 200_000),
    )
    rows = []
    for done, (resource, giver, receiver, count) in enumerate(steps, start=1):
        wish = IssueWish(
            resource=resource,
            giver=giver,
            receiver=receiver,
            selection=ByCount(count),
            receiver_name=f"{receiver} keeper",
        )
        name = f"issue {resource} {giver} {receiver}"
        answer = await issue(session, founder(memory), write(name), wish, now=now)
        rows.append((answer.body["id"], resource, giver, receiver, answer.body["count"]))
        report(done, len(steps))
    screen.table("Documents / 单据", ("document", "kind", "from", "to", "items"), rows)
