"""A hall in one process: the real services on a real database, the real runner and journal, a virtual card."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text

from cardwriter.crypto.algorithms import STANDARD
from cardwriter.crypto.secret import Secret
from cardwriter.script import Outcome, Report, Script
from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from cardwriter.usim import files
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.uicc import Muted, Torn, VirtualUicc
from drivers.errors import DriverError
from drivers.virtual import VirtualSource
from inventory.access.caller import Caller
from inventory.domain.identifiers import parse_iccid
from inventory.services import card_reports, card_writing, kit_cards, links
from inventory.services.card_data import ADM_FIELD, SECRET_TABLE, Workbench
from inventory.services.card_reports import Reported
from inventory.services.card_writing import WriteJobWish
from inventory.services.kits import CardWish
from inventory.services.once import Answer, WriteKey
from inventory.services.orders import Ack, Order, Run
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.store import stations
from inventory.store.engine import Database
from inventory.store.schema import Base, CardSecret
from inventory.store.stations import StationRow
from inventory.vault.envelope import Vault
from inventory.vault.hold_keys import HoldKeys
from inventory.vault.keys import FileKeyProvider
from inventory.vault.transport import TransportAlgorithm
from tests.builders_stock import CITY, NOW, TOWN, add_data, add_numbers, add_sims, build_town
from tests.enclosing import enclosed

KEYS = HoldKeys(b"a secret of tests")
TRANSPORT_KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
READER = "virtual"
PIN, PUK = "4711", "87654321"
_keys = itertools.count(1)
_HOLD = """
INSERT INTO hold (city_id, state, interface_no, staff_no, org_id, business, number_item_no, sim_item_no, data_no, quote,
                  expires_at, first_seconds, extensions, created_at)
VALUES (:city, 'ACTIVE', 'LJ-HALL-01', 'LJ0001', 3, 'activation', :item, :item, :item, '{}', :until, 1800, 0, :now)
RETURNING hold_id
"""
_TAKE = """
WITH n AS (
    UPDATE number SET state = 'HELD', version = version + 1, hold_id = :hold, hold_until = :until
    WHERE city_id = :city AND item_no = :item
), s AS (
    UPDATE sim SET state = 'HELD', version = version + 1, hold_id = :hold, hold_until = :until
    WHERE city_id = :city AND item_no = :item
)
UPDATE subscription_data SET state = 'RESERVED', version = version + 1, hold_id = :hold
WHERE city_id = :city AND data_no = :item
"""
"""A kit as the hold's own statement leaves it."""


def fresh() -> WriteKey:
    """Give a write key that nobody has used."""
    return WriteKey.of(f"card-{next(_keys)}", "test", {})


@dataclass(frozen=True)
class CardKeys:
    """What is inside a card since the factory."""

    k: Secret
    opc: Secret
    adm1: Secret

    @classmethod
    def of(cls, item_no: int) -> CardKeys:
        """Give the keys of the n-th card; every card has its own."""
        return cls(
            Secret.fromhex(f"465b5ce8b199b49faa5f0a2e{item_no:08x}"),
            Secret.fromhex(f"cd63cb71954a9f4e48a5994e{item_no:08x}"),
            Secret(f"{31415926 + item_no:08d}".encode()),
        )


class InSlot:
    """A virtual UICC as a reader's slot sees it: lost power or silence is an empty answer."""

    def __init__(self, card: VirtualUicc) -> None:
        self.card = card
        self.dead = False

    def reset(self) -> bytes:
        """Reset the card."""
        return self.card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        """Answer, or nothing."""
        try:
            return b"" if self.dead else self.card.transmit(apdu)
        except (Torn, Muted):
            return b""


def card_of(item_no: int, keys: CardKeys | None = None, auth: Mapping[str, Any] = STANDARD) -> VirtualUicc:
    """Make the blank card of a stock record; other `keys` make one that the stock is wrong about."""
    inside = keys or CardKeys.of(item_no)
    image = blank_card(
        iccid=f"8986002600{item_no:010d}",
        serial=f"{item_no:016d}",
        k=inside.k,
        opc=inside.opc,
        adm1=inside.adm1,
        auth=auth,
        pin1=PIN,
        puk1=PUK,
    )
    return VirtualUicc(image)


def imsi_on(card: VirtualUicc) -> bytes:
    """Give EF.IMSI as it lies on the card."""
    found = card.image.file("7fff/6f07")
    assert found is not None
    return found.content


def adm_tries(card: VirtualUicc) -> int:
    """Give the tries of ADM1 that are left."""
    return card.image.codes[files.Pin.ADM1].tries


async def stock_hall(database: Database, folder: Path, *, cards: int) -> Hall:
    """Make a city with numbers, blank cards with secrets, data, and one station that is connected."""
    vault = Vault(FileKeyProvider(folder / "vault.key"))
    async with database.session() as session, session.begin():
        await build_town(session)
        await add_numbers(session, [f"138888{tail:05d}" for tail in range(10000, 10000 + cards)])
        await add_sims(session, cards)
        await add_data(session, cards)
        network = '{"spn": {"name": "Haoka"}, "ehplmns": ["46000", "46002"]}'
        await session.execute(
            text("UPDATE card_kind SET profile = 'preset_key', network = CAST(:network AS jsonb)"),
            {"network": network},
        )
        await session.execute(text("UPDATE subscription_data SET hlr_code = 'LJ1'"))
    admin = TOWN.caller(TOWN.city)
    async with database.session() as session:
        wish = TransportKeyWish(
            index="11",
            algorithm=TransportAlgorithm.AES_128_ECB,
            parts=(Secret(TRANSPORT_KEY),),
            kcv=encrypt(bytes(16))[:3],
        )
        await found_transport_key(session, admin, fresh(), wish, vault=vault, now=NOW)
    async with database.session() as session, session.begin():
        await session.execute(insert(CardSecret), [_secret_row(vault, item_no) for item_no in range(cards)])
        station_id = await stations.add_station(
            session, city_id=CITY, org_id=TOWN.hall, name="柜台一", credential_sha256=b"x" * 32, now=NOW
        )
        station = await stations.find_station(session, city_id=CITY, station_id=station_id)
    assert station is not None
    hall = Hall(database, Workbench(vault, os.urandom), TOWN.caller(TOWN.hall), station, folder)
    await hall.connect()
    return hall


def encrypt(block: bytes) -> bytes:
    """Encrypt as the vendor does under its transport key."""
    return enclosed(Secret(TRANSPORT_KEY), block)


def _secret_row(vault: Vault, item_no: int) -> dict[str, Any]:
    keys = CardKeys.of(item_no)
    place = {"table": SECRET_TABLE, "row": f"{CITY}/{item_no}"}
    return {
        "city_id": CITY,
        "item_no": item_no,
        "generation": 1,
        "transport_key_index": "11",
        "ki": encrypt(keys.k.reveal()),
        "opc": encrypt(keys.opc.reveal()),
        "adm1": vault.seal(keys.adm1.reveal(), **place, field=ADM_FIELD),
        "pin1": vault.seal(PIN.encode(), **place, field="pin1"),
        "puk1": vault.seal(PUK.encode(), **place, field="puk1"),
        "pin2": None,
        "puk2": None,
    }


@dataclass
class Hall:
    """The counter, its station and its reader. `work` does what the service orders until it orders nothing more."""

    database: Database
    bench: Workbench
    caller: Caller
    station: StationRow
    folder: Path
    now: datetime = NOW
    source: VirtualSource = field(default_factory=VirtualSource)
    sent: list[Script] = field(default_factory=list)
    reports: list[Reported] = field(default_factory=list)
    before_run: Callable[[Script], None] = lambda _: None

    def __post_init__(self) -> None:
        """Open the station's journal."""
        self.journal = Journal(self.folder / "journal")

    async def connect(self) -> None:
        """Bring the station's link up."""
        async with self.database.session() as session:
            await links.open_link(session, self.station, "link", now=self.now)

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    async def hold(self, item_no: int, minutes: float = 30) -> str:
        """Hold a kit: the n-th number, the n-th card and the n-th data unit."""
        given = {"city": CITY, "item": item_no, "now": self.now, "until": self.now + timedelta(minutes=minutes)}
        async with self.database.session() as session, session.begin():
            hold_id = await session.scalar(text(_HOLD), given)
            await session.execute(text(_TAKE), {**given, "hold": hold_id})
        return f"h-{CITY}-{hold_id}"

    async def take_card(self, hold: str, item_no: int) -> Answer:
        """Put the n-th card into the kit."""
        return await self.give(hold, CardWish(iccid=parse_iccid(f"8986002600{item_no:010d}").iccid))

    async def give(self, hold: str, wish: CardWish) -> Answer:
        """Put this card into the kit."""
        key = KEYS.key(CITY, int(hold.rsplit("-", 1)[1]))
        async with self.database.session() as session:
            return await kit_cards.take_card(
                session, self.caller, fresh(), hold, wish, keys=KEYS, key=key, now=self.now
            )

    async def start(self, hold: str, *, write: WriteKey | None = None, **changes: Any) -> Answer:
        """Start a write job for the kit in this hall's reader."""
        wish = WriteJobWish(
            hold=hold,
            hold_key=KEYS.key(CITY, int(hold.rsplit("-", 1)[1])),
            station=f"st-{CITY}-{self.station.station_id}",
            reader=READER,
        )
        async with self.database.session() as session:
            return await card_writing.start_job(
                session, self.caller, write or fresh(), replace(wish, **changes), keys=KEYS, now=self.now
            )

    async def take_up(self) -> list[Order]:
        """Let the link begin new jobs."""
        async with self.database.session() as session:
            return list(await card_writing.take_up(session, self.bench, self.station, now=self.now))

    async def report(self, reported: Reported) -> list[Order]:
        """Let the service take a report."""
        self.reports.append(reported)
        async with self.database.session() as session:
            taken = await card_reports.take_report(session, self.bench, self.station, reported, now=self.now)
        return taken.orders

    async def work(self, orders: Sequence[Order]) -> None:
        """Run what is ordered, report, and go on with what that brings."""
        queue = list(orders)
        while queue:
            match queue.pop(0):
                case Run() as order:
                    queue += await self.report(self.run(order))
                case Ack(script_id):
                    self.journal.acknowledge(script_id)
                case _:
                    pass

    def run(self, order: Run) -> Reported:
        """Run one script on the card in the reader, as the station does."""
        self.sent.append(order.script)
        self.before_run(order.script)
        entry = self.journal.open(order.script, job=order.job, reader=order.reader, insertion=self.source.insertion)
        assert entry is not None, "the script was here before"
        try:
            card = self.source.connect(order.reader)
        except DriverError as error:
            report = Report(
                script_id=order.script.id, outcome=Outcome.LOST, results=(), error=error.code, changed=False
            )
            entry.close(report)
            return Reported(order.job, order.reader, report)
        try:
            report = run(card, order.script, entry, on_step=lambda *_: None, cancelled=lambda: False, now=self.now)
        finally:
            card.close()
        return Reported(order.job, order.reader, report)

    async def see_readers(self) -> list[Order]:
        """Let the station tell what its reader shows."""
        self.source.interrupt()
        seen = self.source.wait(0)
        shown = [links.ReaderSeen(state.name, state.presence.value, state.insertion) for state in seen]
        async with self.database.session() as session:
            return list(await links.see_readers(session, self.bench, self.station, shown, now=self.now))

    async def insert(self, card: VirtualUicc) -> None:
        """Put a card in and let the service look at it."""
        self.source.insert(InSlot(card))
        await self.work(await self.see_readers())

    async def restart_station(self) -> None:
        """End the station as SIGKILL does and start it again: a new journal object on the old file, a new link."""
        self.journal.close()
        self.journal = Journal(self.folder / "journal")
        self.journal.settle()
        await self.reconnect()

    async def reconnect(self) -> None:
        """Bring the link up anew: hello with the journal, then the readers."""
        await self.connect()
        for filed in self.journal.unacknowledged():
            await self.work(await self.report(Reported(filed.job, filed.reader, filed.report)))
        async with self.database.session() as session:
            orders = await card_writing.resume(session, self.station, now=self.now)
        await self.work(orders)
        await self.work(await self.see_readers())

    async def sell(self, item_no: int) -> str:
        """Hold a kit, write its card as far as it goes, and give the job's id."""
        answer = await self.start(await self.hold(item_no))
        await self.work(await self.take_up())
        return str(answer.body["id"])

    async def job(self, job: str) -> dict[str, Any]:
        """Read a job as the API gives it."""
        async with self.database.session() as session:
            return await card_writing.read_job(session, self.caller, job)

    async def one(self, question: str, **parameters: Any) -> Any:
        """Give the first row that the database answers."""
        async with self.database.session() as session, session.begin():
            return (await session.execute(text(question), {"city": CITY, **parameters})).one_or_none()

    async def change(self, statement: str, **parameters: Any) -> None:
        """Change the database behind the service's back."""
        async with self.database.session() as session, session.begin():
            await session.execute(text(statement), parameters)

    async def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Give every row of every table, sorted."""
        async with self.database.session() as session, session.begin():
            return {
                table.name: sorted((tuple(row) for row in await session.execute(select(table))), key=repr)
                for table in Base.metadata.sorted_tables
            }

    async def states(self, item_no: int) -> tuple[str, str | None, int | None]:
        """Give the state of the n-th card, of the data that its last job leased, and the hold of that data."""
        row = await self.one(
            "SELECT s.state, d.state, d.hold_id FROM sim s"
            " LEFT JOIN write_job j ON j.city_id = s.city_id AND j.sim_item_no = s.item_no"
            " LEFT JOIN subscription_data d ON d.city_id = j.city_id AND d.data_no = j.data_no"
            " WHERE s.city_id = :city AND s.item_no = :item ORDER BY j.job_id DESC LIMIT 1",
            item=item_no,
        )
        return row[0], row[1], row[2]
