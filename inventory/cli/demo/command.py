"""`haoka demo`: from an empty data folder to a sold line; on the next start, another line."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.cli.audit import report as audit_report
from inventory.cli.database import running_database
from inventory.cli.demo import hall, stocking
from inventory.cli.demo.memory import Memory
from inventory.cli.demo.operator import found, founder
from inventory.cli.demo.screen import Report, Screen
from inventory.cli.processes import Processes, ProcessFailed, environment, listen, service_and_worker
from inventory.domain.errors import DomainError
from inventory.runtime import Runtime, open_runtime, utc_now
from inventory.services.auditing import audit
from inventory.services.reporting import LifeEntry, read_history
from inventory.settings import Settings

app = typer.Typer()
FOLDER = "demo"


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the sale instead of staying up.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw the demo's data away and start over.")] = False,
) -> None:
    """Load the stock of a city, write a blank 4G card and sell one line, on real parts, all on this machine."""
    settings = _settings(Settings(), fresh=fresh)
    screen, memory = Screen(), Memory.open(settings.data_dir / "demo.json")
    with running_database(settings, screen.say) as ready:
        try:
            asyncio.run(_prepare(screen, memory, ready))
            _sell_and_stay(screen, memory, ready, once=once)
        except (ProcessFailed, SaleFailed) as failure:
            typer.echo(f"haoka demo: {failure}", err=True)
            raise typer.Exit(1) from None


class SaleFailed(Exception):
    """The line could not be sold, or the books do not agree afterwards."""


def _settings(given: Settings, *, fresh: bool) -> Settings:
    """Return settings with a data folder of the demo's own, empty if asked for."""
    folder = (given.data_dir / FOLDER).absolute()
    if fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return given.model_copy(update={"data_dir": folder, "key_file": given.key_file})


async def _prepare(screen: Screen, memory: Memory, settings: Settings) -> None:
    """Load whatever an earlier run has not loaded."""
    runtime = open_runtime(settings, application="haoka-demo")
    folder = settings.data_dir
    try:
        async with runtime.database.session() as session:
            given = (session, memory, screen, runtime, folder)
            for name, title, work in _STEPS:
                if name not in memory.done:
                    with screen.step(title) as report:
                        await work(*given, report)
                    memory.finish(name)
    finally:
        await runtime.close()


_Work = Callable[[AsyncSession, Memory, Screen, Runtime, Path, Report], Awaitable[None]]


async def _plan(
    session: AsyncSession, _memory: Memory, screen: Screen, _runtime: Runtime, _folder: Path, report: Report
) -> None:
    await stocking.load_plan(session, screen, report, now=utc_now())


async def _operator(
    session: AsyncSession, memory: Memory, _screen: Screen, _runtime: Runtime, _folder: Path, _report: Report
) -> None:
    await found(session, memory, now=utc_now())


async def _numbers(
    session: AsyncSession, memory: Memory, screen: Screen, _runtime: Runtime, _folder: Path, report: Report
) -> None:
    await stocking.take_numbers(session, memory, screen, report, now=utc_now())


async def _cards(
    session: AsyncSession, memory: Memory, _screen: Screen, runtime: Runtime, folder: Path, report: Report
) -> None:
    await stocking.load_cards(session, memory, runtime.vault, folder, report, now=utc_now())


async def _hand_down(
    session: AsyncSession, memory: Memory, screen: Screen, _runtime: Runtime, _folder: Path, report: Report
) -> None:
    await stocking.hand_down(session, memory, screen, report, now=utc_now())


_STEPS: tuple[tuple[str, str, _Work], ...] = (
    ("plan", "National number segments / 全国号段", _plan),
    ("operator", "Demo operator: Lijiang / 演示运营商：丽江", _operator),
    ("numbers", "Own segments into stock, classed / 号段入库并定级", _numbers),
    ("cards", "Vendor file and IMSI pool / 卡商文件与 IMSI 池入库", _cards),
    ("issue", "Issue city → district → point → clerk / 逐级发放", _hand_down),
)


def _sell_and_stay(screen: Screen, memory: Memory, settings: Settings, *, once: bool) -> None:
    """Start service, worker, reader and station, sell a line, print what it left, and stay up unless told not to."""
    cards = settings.data_dir / "cards"
    cards.mkdir(exist_ok=True, mode=0o700)
    env = environment(settings)
    with (
        listen(settings.host, settings.port, or_any=True) as listening,
        Processes(settings.data_dir / "log") as processes,
    ):
        with screen.step("Service, worker, reader and station / 服务、后台、读卡器、写卡站"):
            address = service_and_worker(settings, processes, listening)
            card = hall.make_card(memory, memory.sold + 1, cards)
            opened = hall.open_hall(processes, card, settings.data_dir, env)
            hall.open_station(processes, opened, memory, address, settings.data_dir, env)
        before = hall.files_of(card)
        with screen.step("One line, sold by an acceptance system through /v1 / 受理系统经 /v1 开户"):
            sold = _acceptance(memory, address, settings.data_dir)
        memory.sold += 1
        memory.save()
        screen.files(before, hall.files_of(card))
        asyncio.run(_tell(screen, memory, settings, sold))
        if not once and not processes.stopped.is_set():
            opened.insert(hall.make_card(memory, memory.sold + 1, cards))
            _greet(screen, memory, address)
            processes.wait()


def _acceptance(memory: Memory, address: str, folder: Path) -> dict[str, Any]:
    """Run the acceptance system to its end and return what it sold."""
    login, result = memory.logins["acceptance"], folder / "sold.json"
    given = {"address": address, "interface_no": login.interface_no, "staff_no": login.staff_no, "key": login.key}
    done = subprocess.run(  # noqa: S603 - our own module, no shell
        [sys.executable, "-P", "-m", "inventory.cli.demo.acceptance", "--result", str(result)],
        input=json.dumps(given),
        text=True,
        check=False,
    )
    if done.returncode:
        raise SaleFailed("the acceptance system could not sell a line; its last call says why")
    sold: dict[str, Any] = json.loads(result.read_text())
    return sold


async def _tell(screen: Screen, memory: Memory, settings: Settings, sold: dict[str, Any]) -> None:
    """Print the life of card and number, and the audit."""
    runtime = open_runtime(settings, application="haoka-demo")
    try:
        async with runtime.database.session() as session:
            for resource, name in (("sim", sold["iccid"]), ("number", sold["number"])):
                life = await read_history(session, founder(memory), resource=resource, name=name)
                rows = [_line(entry) for entry in life]
                screen.table(f"Life of {resource} {name} / 履历", ("time", "what", "state", "custody", "by"), rows)
            checked = await audit(session, now=utc_now())
    except DomainError as refusal:
        raise SaleFailed(str(refusal)) from None
    finally:
        await runtime.close()
    for line in audit_report(checked):
        screen.say(line)
    if not checked.ok:
        raise SaleFailed("the audit found something")


def _line(entry: LifeEntry) -> tuple[str, ...]:
    """Return an entry of a life as a row."""
    states = f"{entry.from_state or ''} → {entry.to_state or ''}".strip(" →")
    custody = " → ".join(code for code in (entry.giver, entry.receiver) if code)
    return (f"{entry.at:%H:%M:%S}", entry.what, states, custody, entry.staff_no)


def _greet(screen: Screen, memory: Memory, address: str) -> None:
    screen.console.rule("Haoka 号卡")
    screen.say(f"console 控制台  {address}   (Ctrl-C ends it / Ctrl-C 结束)")
    rows = [
        (name, login.interface_no, login.staff_no, login.password or "")
        for name, login in memory.logins.items()
        if name != "acceptance"
    ]
    heads = ("who", "interface 接口编号", "staff 工号", "password 密码")
    screen.table("Logins / 登录", heads, rows)
    screen.say("a new blank is in the reader: sell the next line at the hall desk as clerk or keeper")
