"""Cards that the operator's own system writes, with the worker as it runs in a house: a process that may be killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from inventory.cli.processes import Processes, environment, ours
from inventory.operator.reference import ReferenceAdapter
from inventory.settings import Settings
from tests.cards.hall import Hall
from tests.cards.test_operators_cards import NUMBERS, OPERATORS_STOCK, SERIALS, Desk
from tests.cards.test_sale import quiet
from tests.operator.card_system import KEY, CardSystem, OperatorsCard
from tests.patience import PATIENCE
from tests.promises.conftest import Counter
from tests.waiting import until_locked

pytestmark = [pytest.mark.database, pytest.mark.e2e, pytest.mark.anyio]

_ISSUE = "SELECT transaction, parts IS NOT NULL, answered_at IS NOT NULL, accepted FROM card_issue"


class House:
    """A desk in the present whose worker is a process; it calls the operator's system over loopback HTTP."""

    def __init__(self, desk: Desk, processes: Processes, settings: Settings) -> None:
        self.desk, self.processes, self.settings = desk, processes, settings

    def start_worker(self) -> None:
        """Start `haoka worker`."""
        self.processes.start("worker", ours("worker"), env=environment(self.settings))

    def kill_worker(self) -> None:
        """Cut its power."""
        worker = self.processes.children.pop()
        worker.process.kill()
        worker.process.wait()

    async def until(self, reached: Callable[[], Awaitable[bool]]) -> None:
        """Wait for what the worker brings about."""
        async with asyncio.timeout(PATIENCE):
            while not await reached():
                self.processes.check()
                await asyncio.sleep(0.05)

    async def until_issue(self, *state: object) -> None:
        """Wait until the one issue is in this state: transaction, parts wait, answer kept, accepted."""

        async def reached() -> bool:
            return tuple(await self.desk.hall.one(_ISSUE)) == state

        await self.until(reached)

    async def killed_before_it_keeps(self, calls: int) -> None:
        """Kill the worker once the system has answered so many calls and it comes to keep what was said."""
        async with self.desk.hall.database.session() as session, session.begin():
            await session.execute(text("SELECT FROM write_job FOR UPDATE"))
            self.start_worker()
            await until_locked(self.desk.hall.database)
            assert len(self.desk.system.asked) == calls
            self.kill_worker()
        await self.desk.hall.change(
            "UPDATE card_issue SET due_at = now()"
        )  # a minute goes by: the dead one's claim ends


@pytest.fixture
async def house(hall: Hall, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """Give a house with four cards of the operator's; its worker does not run yet."""
    for statement in OPERATORS_STOCK.split(";"):
        await hall.change(statement)
    key = tmp_path / "operator.key"
    key.write_bytes(KEY.reveal())
    hall.now = datetime.now(UTC)
    await hall.connect()
    with CardSystem() as system, Processes(tmp_path / "log") as processes:
        settings = Settings(
            database_url=SecretStr(database_url),
            data_dir=tmp_path,
            operator_url=system.url,
            operator_key_file=key,
        )
        yield House(Desk(hall, system, ReferenceAdapter(system.url, KEY)), processes, settings)


async def begun(house: House) -> tuple[Counter, str, str]:
    """Hold a kit and let its card be identified; the system is to be asked."""
    counter, hold = await house.desk.held()
    await house.desk.hall.insert(OperatorsCard(SERIALS[0]))
    return counter, hold, await house.desk.asked(hold)


async def test_a_worker_process_brings_the_data_and_tells_what_the_card_said(house: House) -> None:
    """REQ-HW-04, REQ-HW-12: from the blank to the sold line; the worker alone calls the system."""
    house.start_worker()
    counter, hold, job = await begun(house)
    await house.until_issue("T-1", True, False, None)
    await house.desk.hall.work(await house.desk.hall.take_up())
    await house.until_issue("T-1", False, True, True)
    assert await house.desk.state(job) == ("verified", None, "confirm_sale")
    assert (await counter.confirm(hold)).body["number"] == NUMBERS[0]
    assert [key for _, key, _ in house.desk.system.asked] == [job, "T-1"]
    await quiet(house.desk.hall)
    assert KEY.reveal().decode() not in house.processes.children[0].log.read_text(encoding="utf-8")


async def test_a_worker_killed_with_the_systems_answer_in_hand_uses_no_second_data(house: House) -> None:
    """REQ-HW-07: SIGKILL between each answer and our keeping it; asked again under the same name, one issue of data."""
    counter, hold, job = await begun(house)
    await house.killed_before_it_keeps(1)
    house.start_worker()
    await house.until_issue("T-1", True, False, None)
    house.kill_worker()
    await house.desk.hall.work(await house.desk.hall.take_up())
    await house.killed_before_it_keeps(3)
    house.start_worker()
    await house.until_issue("T-1", False, True, True)
    asked = house.desk.system.asked
    assert [key for _, key, _ in asked] == [job, job, "T-1", "T-1"]
    assert asked[0] == asked[1]
    assert asked[2] == asked[3]
    assert len(house.desk.system.issued) == 1
    assert (await house.desk.state(job))[0] == "verified"
    await counter.confirm(hold)
    await quiet(house.desk.hall)
