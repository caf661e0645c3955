"""A self-service machine in one process: the real loop on a real database, real scripts on virtual cards, and a person.

Its body is a few lists; what moves are made, and what speaks against one, is the station's own code.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from cardwriter.crypto.secret import Secret
from cardwriter.station.dispensing import Movement, Stop, move
from cardwriter.virtual.uicc import VirtualUicc
from drivers.base import CardConnection, DispenserState, Place, ReaderState, Supply
from drivers.errors import BinFullError, CardJamError, NoCardError, StackerEmptyError
from inventory.access.caller import Caller
from inventory.domain.identifiers import parse_any_number
from inventory.domain.kiosk import TAKE_BACK
from inventory.domain.lifecycle import KioskState
from inventory.services import kiosk
from inventory.services.auditing import audit
from inventory.services.dispensers import hear_dispenser
from inventory.services.kiosk_loop import Loop
from inventory.services.once import Answer
from inventory.services.orders import Move
from inventory.services.sales import RealName
from tests.builders_stock import CITY, KIND, NOW, POOL, TOWN
from tests.cards.hall import KEYS, READER, CardKeys, Hall, InSlot, card_of, fresh

_PEOPLE = (
    """INSERT INTO interface (no, kind, name_zh, name_en, city_id, org_id, pools, created_at)
       VALUES ('LJ-HALL-01', 'own_hall', '厅', 'Hall', :city, :org, ARRAY[:pool], :now)""",
    "INSERT INTO staff (staff_no, name, org_id, role, language) VALUES ('LJ0001', 'K', :org, 'hall_keeper', 'zh-CN')",
    "INSERT INTO interface_staff (interface_no, staff_id) SELECT 'LJ-HALL-01', id FROM staff",
)
_SIM = "SELECT state FROM sim WHERE city_id = :city AND item_no = :item"


def spoiled(item_no: int) -> VirtualUicc:
    """Make a card that has other keys than its delivery says, which shows when it is written."""
    return card_of(item_no, replace(CardKeys.of(item_no), opc=CardKeys.of(item_no + 1).opc))


def locked(item_no: int) -> VirtualUicc:
    """Make a card that has another key for writing than its delivery says: nothing gets on it."""
    return card_of(item_no, replace(CardKeys.of(item_no), adm1=Secret(b"99999999")))


@dataclass
class Body:
    """The dispenser itself; it writes at the contacts of the hall's reader."""

    hall: Hall
    stack: list[VirtualUicc] = field(default_factory=list)
    bin: list[Any] = field(default_factory=list)
    gate: Any = None
    bin_size: int = 10
    jams: bool = False

    @property
    def inside(self) -> Any:
        """The card at the contacts."""
        return self.hall.source.card

    def state(self) -> DispenserState:
        """See `Dispenser`."""
        at = Place.CONTACTS if self.inside else Place.GATE if self.gate else Place.NOWHERE
        return DispenserState(at, Supply.FEW if self.stack else Supply.EMPTY, len(self.bin) >= self.bin_size)

    def feed(self) -> None:
        """See `Dispenser`."""
        if self.jams:
            raise CardJamError
        if not self.stack:
            raise StackerEmptyError
        self.hall.source.insert(InSlot(self.stack.pop(0)))

    def hand_out(self) -> None:
        """See `Dispenser`."""
        if self.jams:
            raise CardJamError
        self.gate = self.taken_out()

    def reject(self) -> None:
        """See `Dispenser`."""
        if len(self.bin) >= self.bin_size:
            raise BinFullError
        if not self.inside and not self.gate:
            raise NoCardError
        self.bin.append(self.taken_out() if self.inside else self.gate)
        self.gate = None

    def taken_out(self) -> Any:
        """Take the card away from the contacts, as a movement or a keeper does."""
        card = self.inside
        self.hall.source.remove()
        return card

    def rejected(self) -> int:
        """See `Dispenser`."""
        return len(self.bin)

    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """See `Dispenser`."""
        return self.hall.source.wait(timeout)

    def interrupt(self) -> None:
        """See `Dispenser`."""
        self.hall.source.interrupt()

    def connect(self, reader: str) -> CardConnection:
        """See `Dispenser`."""
        return self.hall.source.connect(reader)

    def close(self) -> None:
        """See `Dispenser`."""


@dataclass
class Machine:
    """A machine of the hall, and whoever stands before it."""

    hall: Hall
    most: int = 3
    take_back: timedelta | None = TAKE_BACK
    stopped: Stop | None = None
    moved: str | None = None
    made: list[str] = field(default_factory=list)
    """The movements, in order."""
    ended: list[KioskState] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Let it have an empty stack."""
        self.body = Body(self.hall)
        self.loop = Loop(database=self.hall.database, keys=KEYS, most=self.most, take_back=self.take_back)
        self.place = kiosk.Machine(station=f"st-{CITY}-{self.hall.station.station_id}", reader=READER)
        self.caller: Caller = self.hall.caller
        self.hold = ""

    @property
    def now(self) -> datetime:
        """The hall's clock."""
        return self.hall.now

    async def open(self, *stack: VirtualUicc) -> None:
        """Fill it, tell the service of it, and let a keeper open it to customers."""
        self.body.stack += stack
        async with self.hall.database.session() as session, session.begin():
            for statement in _PEOPLE:
                given = {"city": CITY, "org": TOWN.hall, "pool": POOL, "now": NOW}
                names = {name: value for name, value in given.items() if f":{name}" in statement}
                await session.execute(text(statement), names)
        await self.tell()
        async with self.hall.database.session() as session:
            await kiosk.open_machine(session, self.caller, fresh(), self.place, KIND, now=self.now)

    async def tell(self) -> None:
        """Say how machine and reader stand, and let the service look at a card that has come."""
        await self.hall.work(await self.hall.see_readers())
        wire = {**asdict(self.body.state()), "in_bin": len(self.body.bin), "stop": self.stopped, "moved": self.moved}
        async with self.hall.database.session() as session:
            await hear_dispenser(session, self.hall.station, {"reader": READER, **wire})

    async def choose(self, tail: int = 0, *, at: kiosk.Machine | None = None) -> Answer:
        """Touch a number; it is the machine's sale from now on."""
        number = parse_any_number(f"138888{10000 + tail:05d}")
        async with self.hall.database.session() as session, self.hall.database.autocommit() as connection:
            answer = await kiosk.choose(
                session, connection, self.caller, fresh(), at or self.place, number, keys=KEYS, now=self.now
            )
        self.hold = answer.body["hold"]
        return answer

    async def accept(self) -> None:
        """Accept fee and terms."""
        async with self.hall.database.session() as session:
            await kiosk.accept(session, self.caller, self.hold, TOWN.rule_set, now=self.now)

    async def check(self) -> None:
        """Be checked, and pay."""
        async with self.hall.database.session() as session:
            await kiosk.check(
                session, self.caller, fresh(), self.hold, RealName(self.now, "id_reader", "passed"), now=self.now
            )

    async def leave(self) -> None:
        """Touch what ends it."""
        async with self.hall.database.session() as session, self.hall.database.autocommit() as connection:
            await kiosk.leave(session, connection, self.caller, self.hold, keys=KEYS, now=self.now)

    async def give(self, caller: Caller | None = None) -> Answer:
        """Give the customer the card that was drawn in."""
        async with self.hall.database.session() as session:
            return await kiosk.give(session, caller or self.caller, fresh(), self.hold, now=self.now)

    async def kept(self) -> list[dict[str, Any]]:
        """List the cards that lie in the machines for their customers."""
        async with self.hall.database.session() as session:
            return await kiosk.read_kept(session, self.caller, now=self.now)

    async def buy(self, tail: int = 0) -> None:
        """Choose, accept and be checked, and let the machine go on."""
        await self.choose(tail)
        await self.accept()
        await self.check()
        await self.go_on()

    async def step(self) -> tuple[Move, ...]:
        """Let the loop look once and give the movements that it asks for, which nobody makes yet."""
        advanced = await self.loop.advance(self.hall.station, now=self.now)
        self.ended += advanced.ended
        return advanced.moves

    async def make(self, moves: tuple[Move, ...]) -> None:
        """Make movements as the station does."""
        for one in moves:
            self.made.append(one.movement)
            self.stopped, _ = move(self.body, Movement(one.movement))
            self.moved = one.name
            await self.tell()

    async def go_on(self) -> None:
        """Let service and station go on until nothing more happens."""
        for _ in range(40):
            moves = await self.step()
            await self.make(moves)
            orders = await self.hall.take_up()
            await self.hall.work(orders)
            if not moves and not orders:
                return
        raise AssertionError("the machine never comes to rest")

    async def sale(self) -> tuple[str, str | None, int]:
        """Give state, reason and cards of the sale."""
        number = int(self.hold.rsplit("-", 1)[1])
        row = await self.hall.one(
            "SELECT state, stop, cards FROM kiosk_sale WHERE city_id = :city AND hold_id = :h", h=number
        )
        return row[0], row[1], row[2]

    async def shows(self) -> str | None:
        """Give the state of the sale on the screen."""
        async with self.hall.database.session() as session:
            shown = await kiosk.read_sale(session, self.caller, self.place, now=self.now)
        return None if shown is None else shown["state"]

    async def card(self, item_no: int) -> str:
        """Give the state of the n-th card."""
        return str((await self.hall.one(_SIM, item=item_no))[0])

    async def number(self, item_no: int = 0) -> str:
        """Give the state of the n-th number."""
        question = "SELECT state FROM number WHERE city_id = :city AND item_no = :item"
        return str((await self.hall.one(question, item=item_no))[0])

    async def kit(self) -> str:
        """Give the state of the sale's kit."""
        number = int(self.hold.rsplit("-", 1)[1])
        return str((await self.hall.one("SELECT state FROM hold WHERE city_id = :city AND hold_id = :h", h=number))[0])

    async def quiet(self) -> None:
        """Fail with what the audit has found, if it has found anything."""
        async with self.hall.database.session() as session:
            assert (await audit(session, now=self.now)).findings == []
