"""The demo's stock: national plan, own segments, blank cards and their data, handed down to the hall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.secret import Secret
from inventory.cli.demo.memory import Memory
from inventory.cli.demo.operator import CITY, HLR, add_kind, founder, write
from inventory.cli.demo.screen import Report, Screen
from inventory.cli.demo.sizes import Size, Step
from inventory.cli.demo.vendor import (
    PRESET,
    SCP03,
    SCP03_CARDS,
    SERIAL,
    SERIAL_CARDS,
    TRANSPORT_KEY_INDEX,
    Article,
    DemoVendor,
    write_imsi_pool,
)
from inventory.domain.identifiers import NumberKind
from inventory.services.loading import FileKind, FileWish, load_file
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.numbers import SegmentWish, take_segments
from inventory.services.organisation import HALL_POOL
from inventory.services.plan import load_packaged_plan
from inventory.services.rule_sets import install_default
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.store.selection import ByCount, ByRange
from inventory.vault.envelope import Vault
from inventory.vault.transport import TransportAlgorithm, key_check_value

CARRIER = "mobile"
_WAY = ("530700", "LJ-D1", "LJ-P1", "LJ-C1")
_REPAIRS = {
    "zip_zero": "zip codes that had lost their leading zero / 邮编补零",
    "virtual_operator": "ranges of virtual operators that were labelled otherwise / 虚拟运营商号段更正",
}


async def load_plan(session: AsyncSession, screen: Screen, report: Report, size: Size, *, now: datetime) -> None:
    """Load the national plan of segments and tell what was repaired and what could not be mapped."""
    only_city = None if size.whole_plan else CITY.city_id
    source = await load_packaged_plan(session, now=now, only_city=only_city, on_progress=report)
    screen.say(f"{source.row_count:,} segments from {source.name} {source.version}, dated {source.dated}")
    repaired = [(count, _REPAIRS[name]) for name, count in source.repaired.items()]
    screen.table("Repaired / 修正", ("segments", "what"), repaired)
    unmapped = [(count, name.replace("|", " ")) for name, count in source.unmapped.items()]
    screen.table("Places without a GB/T 2260 code / 无国标代码的地名", ("segments", "as listed"), unmapped)


async def take_numbers(
    session: AsyncSession, memory: Memory, screen: Screen, report: Report, size: Size, *, now: datetime
) -> None:
    """Take every segment that China Mobile holds in the city into stock, each number with its class; tell the counts.

    The list gives it 202; one of them lies in a virtual operators' range, which the plan's repair names.
    """
    await install_default(session, now=now)
    wish = SegmentWish(
        prefixes=size.segments,
        kind=NumberKind.MOBILE,
        carrier=CARRIER,
        hlr_code=HLR,
        virtual_ranges=True,
        pool=HALL_POOL,
        group="LJ-MOBILE",
    )
    answer = await take_segments(session, founder(memory), write("segments"), wish, now=now, on_progress=report)
    screen.say(f"{answer.body['segments']} segments, {answer.body['numbers']:,} numbers, HLR {HLR} (synthetic)")
    rows = list(answer.body["by_class"].items())
    screen.table("Numbers per class / 各等级号码数", ("class", "numbers"), rows)


async def load_cards(
    session: AsyncSession, memory: Memory, screen: Screen, vault: Vault, folder: Path, report: Report, size: Size, *,
    now: datetime,
) -> None:  # fmt: skip
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
    await found_transport_key(session, caller, write("transport key"), key, vault=vault, now=now)
    delivery, pool = folder / PRESET.file_name, folder / "imsi-pool.csv"
    vendor.write_delivery(delivery, size.cards)
    write_imsi_pool(pool, HLR, size.cards)
    await _load(session, memory, screen, vault, report, PRESET, (delivery, pool), now=now)


async def stock_serial_blanks(
    session: AsyncSession, memory: Memory, screen: Screen, vault: Vault, folder: Path, report: Report, *, now: datetime
) -> None:
    """Load blanks that have a chip serial only, with the ICCIDs that they get, and issue all to the clerk."""
    vendor = DemoVendor(bytes.fromhex(memory.seed))
    await add_kind(session, memory, SERIAL, now=now)
    delivery, pool = folder / SERIAL.file_name, folder / "imsi-iccid-pool.csv"
    vendor.write_article(delivery, SERIAL_CARDS)
    vendor.write_numbered_pool(pool, HLR)
    await _load(session, memory, screen, vault, report, SERIAL, (delivery, pool), now=now)
    cards = ByRange(vendor.card(SERIAL_CARDS[0]).serial, vendor.card(SERIAL_CARDS[-1]).serial)
    await _issue(session, memory, screen, report, _to_the_clerk(SERIAL_CARDS), cards, " by serial", now=now)


async def stock_scp03_blanks(
    session: AsyncSession, memory: Memory, screen: Screen, vault: Vault, folder: Path, report: Report, *, now: datetime
) -> None:
    """Load blanks that take their keys through a secure channel, with that channel's keys, and issue all to the clerk.

    Their card data come from the pool of the preset blanks.
    """
    vendor, delivery = DemoVendor(bytes.fromhex(memory.seed)), folder / SCP03.file_name
    await add_kind(session, memory, SCP03, now=now)
    vendor.write_article(delivery, SCP03_CARDS)
    await _load(session, memory, screen, vault, report, SCP03, (delivery,), now=now)
    cards = ByRange(vendor.card(SCP03_CARDS[0]).iccid, vendor.card(SCP03_CARDS[-1]).iccid)
    await _issue(session, memory, screen, report, _to_the_clerk(SCP03_CARDS), cards, " of SCP03", now=now)


def _to_the_clerk(cards: range) -> list[Step]:
    return [Step("sim", giver, receiver, len(cards)) for giver, receiver in pairwise(_WAY)]


async def _load(
    session: AsyncSession, memory: Memory, screen: Screen, vault: Vault, report: Report, article: Article,
    files: Sequence[Path], *, now: datetime,
) -> None:  # fmt: skip
    """Load the delivery of an article, and the pool of card data that comes with it, if one does."""
    caller, rows = founder(memory), []
    for path, kind in zip(files, (FileKind.SIM_VENDOR, FileKind.IMSI_POOL), strict=False):
        wish = FileWish(
            kind=kind,
            name=path.name,
            content=path.read_bytes(),
            card_kind=article.kind if kind is FileKind.SIM_VENDOR else None,
            vendor="Haoka demo vendor",
            pool=HALL_POOL,
        )
        name = f"load {path.name}"
        answer = await load_file(session, caller, write(name), wish, vault=vault, now=now, on_progress=report)
        rows.append((answer.body["id"], path.name, answer.body["rows"]))
    screen.table("Loads / 入库批次", ("load", "file in the data folder", "rows"), rows)


async def hand_down(
    session: AsyncSession, memory: Memory, screen: Screen, report: Report, size: Size, *, now: datetime
) -> None:
    """Issue cards city, district, point, clerk and numbers city, district, point, each step with a document."""
    await _issue(session, memory, screen, report, size.steps, None, "", now=now)


async def _issue(
    session: AsyncSession, memory: Memory, screen: Screen, report: Report, steps: Sequence[Step],
    cards: ByRange | None, which: str, *, now: datetime,
) -> None:  # fmt: skip
    """Take each step, with these cards or as many items as it says; `which` tells these moves from others' alike."""
    rows = []
    for done, step in enumerate(steps, start=1):
        wish = MoveWish(
            verb=Verb.ISSUE,
            resource=step.resource,
            giver=step.giver,
            receiver=step.receiver,
            selection=cards or ByCount(step.count),
            person=f"{step.receiver} keeper",
        )
        name = f"issue {step.resource} {step.giver} {step.receiver}{which}"
        answer = await move(session, founder(memory), write(name), wish, now=now)
        rows.append((answer.body["id"], step.resource, step.giver, step.receiver, answer.body["count"]))
        report(done, len(steps))
    screen.table("Documents / 单据", ("document", "kind", "from", "to", "items"), rows)
