"""Cards that the operator's own system writes, through a whole sale: a real HTTP system and cards of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from typing_extensions import override

from cardwriter.script import Purpose
from cardwriter.virtual.uicc import Torn
from inventory.domain.cardjobs import FAILING_AFTER
from inventory.domain.errors import InvalidField, NoDataUnit
from inventory.domain.identifiers import parse_chip_serial
from inventory.observability import Metrics
from inventory.operator.adapter import CardSaid, Receipt
from inventory.operator.reference import ReferenceAdapter
from inventory.services import card_writing
from inventory.services.auc_answers import read_failing_calls
from inventory.services.kits import CardWish
from inventory.services.operator_calls import call_next
from inventory.services.orders import Run
from inventory.stock_metrics import StockMetrics
from tests.builders_stock import TOWN
from tests.cards.hall import Hall, fresh
from tests.cards.test_bulk import opened
from tests.cards.test_sale import quiet
from tests.operator.card_system import KEY, CardSystem, OperatorsCard
from tests.promises.conftest import Counter

pytestmark = [pytest.mark.database, pytest.mark.anyio]
NUMBERS = tuple(f"138888{10000 + item_no:05d}" for item_no in range(8))
SERIALS = tuple(f"{item_no:016d}" for item_no in range(4))
OPERATORS_STOCK = """
INSERT INTO card_kind (code, name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen)
SELECT 'operator-5g', name_zh, name_en, 'operator', capacity_kb, capabilities, '{}', fee_fen FROM card_kind;
DELETE FROM identifier i USING sim s WHERE s.item_no < 4 AND i.kind = 'iccid' AND i.value = s.iccid;
DELETE FROM card_secret WHERE item_no < 4;
UPDATE sim SET kind_code = 'operator-5g', iccid = NULL WHERE item_no < 4
"""
_LINE = (
    "SELECT s.state, n.state, i.state, i.auc, d.state, s.iccid, i.imsi, j.state, d.iccid FROM sim s"
    " JOIN sim_identity i ON i.city_id = s.city_id AND i.item_no = s.item_no"
    " JOIN subscription_data d ON d.city_id = s.city_id AND d.imsi = i.imsi"
    " JOIN hold h ON h.city_id = s.city_id AND h.sim_item_no = s.item_no"
    " JOIN number n ON n.city_id = s.city_id AND n.item_no = h.number_item_no"
    " JOIN write_job j ON j.city_id = s.city_id AND j.sim_item_no = s.item_no"
    " WHERE s.city_id = :city AND s.item_no = 0 ORDER BY j.job_id DESC LIMIT 1"
)


@dataclass
class Desk:
    """A counter with a station, and the operator's system behind it; `call` makes the one call that is due."""

    hall: Hall
    system: CardSystem
    adapter: ReferenceAdapter

    async def call(self) -> bool:
        """Let the service's worker call the operator's system once."""
        async with self.hall.database.session() as session:
            return await call_next(session, self.adapter, vault=self.hall.bench.vault, clock=lambda: self.hall.now)

    async def held(self, item_no: int = 0) -> tuple[Counter, str]:
        """Hold the n-th number with the n-th card."""
        counter = Counter(self.hall.database, self.hall.caller, self.hall.now)
        answer = await counter.hold(NUMBERS[item_no], chip_serial=parse_chip_serial(SERIALS[item_no]))
        return counter, str(answer.body["hold"])

    async def asked(self, hold: str) -> str:
        """Start a job and let its card be identified."""
        started = await self.hall.start(hold)
        await self.hall.work(await self.hall.take_up())
        return str(started.body["id"])

    async def applied(self, hold: str) -> str:
        """Go on until the card has its data and its answer is kept."""
        job = await self.asked(hold)
        assert await self.call()
        await self.hall.work(await self.hall.take_up())
        return job

    async def written(self, hold: str) -> str:
        """Go on until the system has spoken."""
        job = await self.applied(hold)
        assert await self.call()
        return job

    async def torn(self, hold: str) -> str:
        """Let the station die once it has run the write script, before it is heard."""
        job = await self.asked(hold)
        assert await self.call()
        [run] = [order for order in await self.hall.take_up() if isinstance(order, Run)]
        assert run.script.purpose is Purpose.WRITE
        self.hall.run(run)
        return job

    async def given_up(self) -> None:
        """Let the station be silent for too long."""
        async with self.hall.database.session() as session:
            await card_writing.give_up(session, self.hall.station, now=self.hall.now)

    async def state(self, job: str) -> tuple[Any, ...]:
        """Give state, failure and next step of a job."""
        found = await self.hall.job(job)
        return found["state"], found["failure"], found["next_step"]

    def down(self) -> None:
        """Let the system answer "later"."""
        self.system.instead = lambda _number, _path: (503, b"")

    def up(self) -> None:
        """Let it answer again."""
        self.system.instead = lambda _number, _path: None


@pytest.fixture
def desk(hall: Hall) -> Iterator[Callable[[], Desk]]:
    """Give the maker of a desk whose operator's system is up."""

    async def at_once(_: int) -> None:
        """Wait for nothing."""

    with CardSystem() as system:
        yield lambda: Desk(hall, system, ReferenceAdapter(system.url, KEY, pause=at_once))


@pytest.fixture
async def here(hall: Hall, desk: Callable[[], Desk]) -> Desk:
    """Give a desk with four cards of the operator's, without secrets, and no data unit of ours for them."""
    for statement in OPERATORS_STOCK.split(";"):
        await hall.change(statement)
    return desk()


async def test_a_card_of_the_operators_system_becomes_a_working_line(here: Desk) -> None:
    """REQ-HW-04, REQ-HW-12: one request, data unseen to the card, its answer accepted, the ICCID read back; sold."""
    counter, hold = await here.held()
    card = OperatorsCard(SERIALS[0])
    await here.hall.insert(card)
    job = await here.written(hold)
    assert await here.state(job) == ("verified", None, "confirm_sale")
    assert (await counter.confirm(hold)).body["iccid"] == "89860077000000000001"
    line = await here.hall.one(_LINE)
    assert tuple(line) == (
        "IN_USE", "IN_USE", "VERIFIED", "confirmed", "BOUND",
        "89860077000000000001", "460007770000001", "verified", None,
    )  # fmt: skip
    assert [body.get("serial") for _, _, body in here.system.asked] == [SERIALS[0]] * 2
    assert here.system.asked[0][2]["number"] == NUMBERS[0]
    assert not await here.call()
    assert await here.hall.one("SELECT parts FROM card_issue") == (None,)
    await quiet(here.hall)


async def test_while_the_system_is_silent_nothing_is_written_and_the_same_request_is_asked_again(here: Desk) -> None:
    """The first answer was lost on the way: the next job asks under the first one's name, and gets the same data."""
    counter, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))

    def lose(_number: int, _path: str) -> tuple[int, bytes]:
        here.system.issue(here.system.asked[-1][1], here.system.asked[-1][2])
        return 504, b""

    here.system.instead = lose
    job = await here.asked(hold)
    await here.call()
    assert await here.state(job) == ("nothing_written", "operator_silent", "try_again")
    here.up()
    assert await here.state(await here.written(hold)) == ("verified", None, "confirm_sale")
    assert len(here.system.issued) == 1
    await counter.confirm(hold)
    await quiet(here.hall)


async def test_a_card_that_the_system_does_not_know_stays_blank(here: Desk) -> None:
    _, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    here.system.instead = lambda _number, _path: (404, b"")
    job = await here.asked(hold)
    await here.call()
    assert await here.state(job) == ("nothing_written", "operator_refused", "take_another_card")
    assert (await here.hall.states(0))[0] == "HELD"
    await quiet(here.hall)


async def test_a_refused_answer_spoils_the_card_and_the_next_one_gets_data_of_its_own(here: Desk) -> None:
    """REQ-RSV-16: the fetched data are used up; kit, number and quote stay."""
    counter, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.applied(hold)
    await here.hall.change("UPDATE card_issue SET answer = '\\x00'")
    await here.call()
    assert await here.state(job) == ("damaged", "verify_mismatch", "swap_card")
    assert await here.hall.states(0) == ("DAMAGED", "RETIRED", None)
    await quiet(here.hall)
    await here.hall.give(hold, CardWish(chip_serial=parse_chip_serial(SERIALS[1])))
    here.hall.source.remove()
    await here.hall.insert(OperatorsCard(SERIALS[1]))
    assert await here.state(await here.written(hold)) == ("verified", None, "confirm_sale")
    assert (await counter.confirm(hold)).body["iccid"] == "89860077000000000002"
    await quiet(here.hall)


async def test_an_answer_that_cannot_be_told_leaves_the_card_unknown_until_it_is(here: Desk) -> None:
    """REQ-HW-07: told again by itself, without a new card, and without a new request."""
    counter, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.applied(hold)
    here.down()
    await here.call()
    assert await here.state(job) == ("unknown", "operator_silent", "ask_operator")
    await quiet(here.hall)
    assert not await here.call()
    here.up()
    here.hall.later(seconds=15)
    assert await here.call()
    assert (await here.state(job))[0] == "verified"
    await counter.confirm(hold)
    await quiet(here.hall)


async def test_calls_that_fail_for_long_are_told_once_and_stand_with_their_cause(here: Desk) -> None:
    """REQ-HW-07: counted for whoever watches, named for whoever mends it; and told once when the system took it."""
    _, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.applied(hold)
    begun = here.hall.now
    here.down()
    for _ in range(FAILING_AFTER + 1):
        assert await here.call()
        here.hall.later(minutes=10)
    metrics, admin = Metrics(), TOWN.caller(TOWN.city)
    await StockMetrics(metrics, here.hall.database, now=begun).refresh()
    shown = metrics.registry.get_sample_value
    assert (shown("haoka_operator_calls_waiting"), shown("haoka_operator_calls_failing")) == (1, 1)
    assert shown("haoka_operator_calls_failing_since_seconds") == begun.timestamp()
    async with here.hall.database.session() as session:
        [call], counts = await read_failing_calls(session, admin)
    assert (call.serial, call.number, call.transaction, call.since) == (SERIALS[0], NUMBERS[0], "T-1", begun)
    assert (call.tries, call.why, counts.failing) == (FAILING_AFTER + 1, "status 503", 1)
    here.up()
    assert await here.call()
    told = "SELECT array_agg(name ORDER BY event_no), max(reason) FROM event WHERE name LIKE 'operator.%'"
    assert await here.hall.one(told) == (["operator.calls_failing", "operator.calls_mended"], "status 503")
    async with here.hall.database.session() as session:
        assert (await read_failing_calls(session, admin))[1].waiting == 0
    assert (await here.state(job))[0] == "verified"


async def test_the_answer_in_a_killed_stations_journal_is_told_and_settles_the_card(here: Desk) -> None:
    """The station ran the script and died; the service gave it up; its journal brings the answer."""
    counter, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.torn(hold)
    await here.given_up()
    assert (await here.state(job))[0] == "unknown"
    await here.hall.restart_station()
    assert await here.call()
    assert (await here.state(job))[0] == "verified"
    await counter.confirm(hold)
    await quiet(here.hall)


async def test_a_card_whose_answer_is_lost_is_for_the_system_to_judge(here: Desk) -> None:
    """Read again at its own station it bears its number, but nothing proves it: the system is told that none came."""
    _, hold = await here.held()
    card = OperatorsCard(SERIALS[0])
    await here.hall.insert(card)
    job = await here.torn(hold)
    for filed in here.hall.journal.unacknowledged():
        here.hall.journal.acknowledge(filed.report.script_id)
    here.hall.source.remove()
    await here.hall.reconnect()
    assert (await here.state(job))[0] == "unknown"
    assert not await here.call()
    await here.hall.insert(card)
    assert await here.call()
    assert here.system.asked[-1][2]["card_answer"] is None
    assert (await here.state(job))[0] == "damaged"
    await quiet(here.hall)


async def test_a_card_pulled_out_before_its_data_came_whole_is_read_blank_and_gets_new_ones(here: Desk) -> None:
    """What was fetched is used up and the system told so; the same card is written with the next data."""

    class Cut(OperatorsCard):
        left = 10_000

        @override
        def transmit(self, apdu: bytes) -> bytes:
            """Answer until nothing is left."""
            self.left -= apdu[1] == 0xC2
            if self.left <= 0:
                raise Torn
            return super().transmit(apdu)

    counter, hold = await here.held()
    card = Cut(SERIALS[0])
    await here.hall.insert(card)
    card.left = 2
    job = await here.torn(hold)
    for filed in here.hall.journal.unacknowledged():
        here.hall.journal.acknowledge(filed.report.script_id)
    here.hall.source.remove()
    await here.hall.reconnect()
    assert (await here.state(job))[0] == "unknown"
    card.left = 10_000
    await here.hall.insert(card)
    assert await here.state(job) == ("nothing_written", None, "try_again")
    assert (await here.hall.states(0))[:2] == ("HELD", "RETIRED")
    await quiet(here.hall)
    assert await here.call()
    assert here.system.accepted == {"T-1": False}
    assert (await here.state(await here.written(hold)))[0] == "verified"
    await counter.confirm(hold)
    await quiet(here.hall)


async def test_an_identity_that_exists_already_never_reaches_a_second_card(here: Desk) -> None:
    """REQ-SIM-04: whatever a system answers, an IMSI is on one card."""
    _, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    await here.hall.change("INSERT INTO identifier (kind, value, city_id) VALUES ('imsi', '460007770000001', 530700)")
    job = await here.applied(hold)
    assert await here.state(job) == ("nothing_written", "data_not_available", "call_keeper")
    assert (await here.hall.one("SELECT count(*) FROM subscription_data WHERE batch_id IS NULL"))[0] == 0
    await here.hall.change("DELETE FROM identifier WHERE value = '460007770000001'")
    assert (await here.state(await here.written(hold)))[0] == "verified"


async def test_a_worker_that_dies_while_it_asks_leaves_the_call_to_the_next(here: Desk) -> None:
    """A call that nobody ended is made again a minute later, under the same name."""
    _, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.asked(hold)
    here.system.instead = lambda _number, _path: (_ for _ in ()).throw(AssertionError)
    await here.hall.change("UPDATE card_issue SET due_at = due_at + interval '60 seconds'")
    assert not await here.call()
    here.hall.later(seconds=60)
    here.up()
    assert await here.call()
    await here.hall.work(await here.hall.take_up())
    assert await here.call()
    assert (await here.state(job))[0] == "verified"


async def test_a_cancelled_job_leaves_its_request_to_the_next_one(here: Desk) -> None:
    _, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.asked(hold)
    async with here.hall.database.session() as session:
        await card_writing.cancel_job(session, here.hall.caller, fresh(), job, now=here.hall.now)
    assert not await here.call()
    await here.written(hold)
    assert {key for _, key, _ in here.system.asked} == {job, "T-1"}


async def test_a_silent_station_does_not_make_a_card_unknown_whose_answer_is_here(here: Desk) -> None:
    _, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.applied(hold)
    await here.given_up()
    assert (await here.state(job))[0] == "verifying"
    await here.call()
    assert (await here.state(job))[0] == "verified"


async def test_such_a_card_is_not_written_without_a_number(here: Desk) -> None:
    """Neither alone nor in bulk: the system gives data for a number."""
    counter = Counter(here.hall.database, here.hall.caller, here.hall.now)
    answer = await counter.hold(None, chip_serial=parse_chip_serial(SERIALS[0]))
    with pytest.raises(NoDataUnit):
        await here.hall.start(str(answer.body["hold"]))
    with pytest.raises(InvalidField, match="number"):
        await opened(here.hall, kind="operator-5g")


async def test_without_a_system_that_is_set_the_card_is_refused_by_name(here: Desk) -> None:
    _, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.asked(hold)
    async with here.hall.database.session() as session:
        await call_next(session, None, vault=here.hall.bench.vault, clock=lambda: here.hall.now)
    found = await here.hall.job(job)
    assert (found["failure"], found["detail"]) == (
        "operator_refused",
        "no operator's system is set: HAOKA_OPERATOR_URL",
    )


async def test_an_adapter_that_breaks_leaves_one_card_unknown_and_the_worker_alive(here: Desk) -> None:
    """Whatever an operator's own adapter raises is about one card; it is tried again like any silence."""

    class Broken(ReferenceAdapter):
        @override
        async def report(self, said: CardSaid) -> Receipt:
            """Do what no adapter should."""
            raise LookupError(said)

    counter, hold = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    job = await here.applied(hold)
    sound, here.adapter = here.adapter, Broken(here.system.url, KEY)
    assert await here.call()
    assert await here.state(job) == ("unknown", "operator_silent", "ask_operator")
    here.adapter = sound
    here.hall.later(seconds=15)
    assert await here.call()
    assert (await here.state(job))[0] == "verified"
    await counter.confirm(hold)
    await quiet(here.hall)


async def test_a_new_card_is_asked_for_before_what_failed_is_told_again(here: Desk) -> None:
    """A customer stands there; each failing call may take its whole deadline."""
    _, first = await here.held()
    await here.hall.insert(OperatorsCard(SERIALS[0]))
    await here.applied(first)
    here.down()
    await here.call()
    here.up()
    here.hall.later(seconds=20)
    here.hall.source.remove()
    _, second = await here.held(1)
    await here.hall.insert(OperatorsCard(SERIALS[1]))
    await here.asked(second)
    assert await here.call()
    assert here.system.asked[-1][2]["serial"] == SERIALS[1]
