"""`haoka demo`: from an empty data folder to a sold line; on the next start, another line."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.cli.database import running_database
from inventory.cli.demo import sale, stocking
from inventory.cli.demo.errors import DemoFailed, DemoStopped
from inventory.cli.demo.memory import CardChoice, Memory
from inventory.cli.demo.operator import CITY, found, places
from inventory.cli.demo.screen import Report, Screen
from inventory.cli.demo.sizes import FULL, SMALL, Size
from inventory.cli.processes import ProcessFailed
from inventory.runtime import Runtime, open_runtime, utc_now
from inventory.services.bootstrap import cities
from inventory.settings import Settings
from inventory.store.embedded import EmbeddedServer

app = typer.Typer()
FOLDER = "demo"
_INTERRUPTED = 130


@app.command()
def demo(
    *,
    once: Annotated[bool, typer.Option("--once", help="End after the sale instead of staying up.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw the demo's data away and start over.")] = False,
    card: Annotated[
        CardChoice, typer.Option("--card", help="Blanks to sell on: keys preset, or written through a secure channel.")
    ] = CardChoice.PRESET,
    kiosk: Annotated[
        bool, typer.Option("--kiosk", help="Have a self-service machine, too, with a stack of blanks.")
    ] = False,
    small: Annotated[bool, typer.Option("--small", hidden=True, help="Three segments and 50 cards only.")] = False,
) -> None:
    """Load the stock of a city, write a blank 4G card and sell one line, on real parts, all on this machine."""
    if kiosk and once:
        raise typer.BadParameter("a machine that ends at once serves nobody", param_hint="--kiosk --once")
    try:
        settings = _settings(Settings(), fresh=fresh)
        screen, memory = Screen(), Memory.open(settings.data_dir / "demo.json")
        with _leaving_cleanly(), ExitStack() as ends:
            with screen.step("Database, with its tables / 数据库"):
                ready = ends.enter_context(running_database(settings, screen.say))
            size = SMALL if small else FULL
            asyncio.run(_prepare(screen, memory, ready, size))
            sale.run(screen, memory, ready, size, card, once=once, kiosk=kiosk)
    except DemoStopped:
        raise typer.Exit(_INTERRUPTED) from None
    except (DemoFailed, ProcessFailed) as failure:
        typer.echo(f"haoka demo: {failure}", err=True)
        raise typer.Exit(1) from None
    except DBAPIError as failure:
        typer.echo(f"haoka demo: the database failed: {failure.orig}", err=True)
        raise typer.Exit(1) from None


def _settings(given: Settings, *, fresh: bool) -> Settings:
    """Return settings with a data folder of the demo's own, empty if asked for.

    Raises
    ------
    DemoFailed
        Emptying it would leave a database behind that nobody has the keys of, or take away what is not a demo's.
    """
    folder = (given.data_dir / FOLDER).absolute()
    if fresh and given.database_url is not None:
        raise DemoFailed(
            "--fresh does not empty a database of yours; name an empty one in HAOKA_DATABASE_URL, "
            "and another data folder in HAOKA_DATA_DIR"
        )
    if fresh and folder.exists():
        if any(folder.iterdir()) and not any((*folder.glob("demo.json"), *folder.glob("postgresql-*"))):
            raise DemoFailed(f"{folder} holds something else than a demo; name another data folder in HAOKA_DATA_DIR")
        EmbeddedServer(folder).erase()
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return given.model_copy(update={"data_dir": folder})


@contextmanager
def _leaving_cleanly() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end us as Ctrl-C does: through every `finally`."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True)
class _Work:
    """What a step of the preparation works with."""

    session: AsyncSession
    memory: Memory
    screen: Screen
    runtime: Runtime
    folder: Path
    size: Size


async def _prepare(screen: Screen, memory: Memory, settings: Settings, size: Size) -> None:
    """Load whatever an earlier run has not loaded.

    Raises
    ------
    DemoFailed
        The database is not the one that the data folder belongs to.
    """
    runtime = open_runtime(settings, application="haoka demo")
    try:
        async with runtime.database.session() as session:
            await _require_own_database(session, memory)
            work = _Work(session, memory, screen, runtime, settings.data_dir, size)
            for name, title, step in _STEPS:
                if name in memory.done:
                    screen.skip(title)
                    continue
                with screen.step(title) as report:
                    await step(work, report)
                memory.finish(name)
    finally:
        await runtime.close()


async def _require_own_database(session: AsyncSession, memory: Memory) -> None:
    """Let pass if what the database holds is what this data folder remembers."""
    known = CITY.city_id in await cities(session)
    if known and not memory.founded:
        raise DemoFailed(
            f"the database has the city {CITY.city_id} already, of which {memory.path.parent} knows nothing; "
            "name an empty database, or the data folder that belongs to it"
        )
    if memory.done and not known and "operator" in memory.done:
        raise DemoFailed(
            f"{memory.path.parent} belongs to another database than this one; name that one, "
            "or another data folder (HAOKA_DATA_DIR), or start over with --fresh"
        )


async def _plan(work: _Work, report: Report) -> None:
    await stocking.load_plan(work.session, work.screen, report, work.size, now=utc_now())


async def _operator(work: _Work, _report: Report) -> None:
    await found(work.session, work.memory, now=utc_now())
    work.screen.table("Places / 机构", ("code", "below", "name"), places())


async def _numbers(work: _Work, report: Report) -> None:
    await stocking.take_numbers(work.session, work.memory, work.screen, report, work.size, now=utc_now())


async def _cards(work: _Work, report: Report) -> None:
    await stocking.load_cards(
        work.session, work.memory, work.screen, work.runtime.vault, work.folder, report, work.size, now=utc_now()
    )


async def _serial_blanks(work: _Work, report: Report) -> None:
    await stocking.stock_serial_blanks(
        work.session, work.memory, work.screen, work.runtime.vault, work.folder, report, now=utc_now()
    )


async def _scp03_blanks(work: _Work, report: Report) -> None:
    await stocking.stock_scp03_blanks(
        work.session, work.memory, work.screen, work.runtime.vault, work.folder, report, now=utc_now()
    )


async def _hand_down(work: _Work, report: Report) -> None:
    await stocking.hand_down(work.session, work.memory, work.screen, report, work.size, now=utc_now())


_STEPS: tuple[tuple[str, str, Callable[[_Work, Report], Awaitable[None]]], ...] = (
    ("plan", "National number segments / 全国号段", _plan),
    ("operator", "Demo operator: Lijiang / 演示运营商：丽江", _operator),
    ("numbers", "Own segments into stock, classed / 号段入库并定级", _numbers),
    ("cards", "Vendor file and IMSI pool / 卡商文件与 IMSI 池入库", _cards),
    ("issue", "Issue city → district → point → clerk / 逐级发放", _hand_down),
    ("serial", "Blanks with a chip serial only / 序列号白卡入库并发放", _serial_blanks),
    ("scp03", "Blanks with a secure channel / 安全通道白卡入库并发放", _scp03_blanks),
)
