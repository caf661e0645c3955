"""`haoka bench`: how far we are from the raw engine, each figure a ratio taken side by side in one run.

Prints one JSON object a line: `name`, `ratio` (1: as good as the raw engine), `target`, `ok`, what the ratio was made
of, and the machine. A target that is missed is printed like any other: measuring is not judging (docs/performance.md).
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvloop

from inventory.cli.bench import card, hold, issue, ledger, load, search
from inventory.cli.bench import kills as killed
from inventory.cli.bench.engine import Engine
from inventory.cli.bench.ground import Ground, bench_database, prepared
from inventory.cli.bench.report import BenchFailed, Lines, Measurement, machine_facts
from inventory.cli.processes import ProcessFailed
from inventory.runtime import utc_now
from inventory.settings import Settings

_KEPT = Path("docs/measurements")
_TEAR_COLUMNS = (
    *("raw", "verified", "nothing_written", "damaged", "unknown"),
    *("imsi_twice", "tries_spent", "keys_shown"),
)
_TEAR_ROW = "{:<40} {:>5} {:>9} {:>16} {:>8} {:>8} {:>11} {:>12} {:>11} {:>6}"

app = typer.Typer(no_args_is_help=True, help=__doc__)
Dated = Annotated[str | None, typer.Option(help="Date to write beside each figure, such as 2026-11-22.")]
Out = Annotated[Path | None, typer.Option(file_okay=False, help="Folder that keeps the lines too, as NAME.jsonl.")]
Bench = Callable[[Ground], AsyncIterator[Measurement]]


@app.command("load")
def bench_load(
    *,
    rows: Annotated[int, typer.Option(min=1, help="Cards that each load takes.")] = 50_000,
    segments: Annotated[int, typer.Option(min=1, max=1000, help="Segments of ten thousand numbers.")] = 20,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each side; the best one counts.")] = load.ROUNDS,
    kills: Annotated[
        int, typer.Option(min=0, help="Instead: one file with faults, SIGKILLs of worker or server on the way.")
    ] = 0,
    date: Dated = None,
    out: Out = None,
) -> None:
    """Load prepared rows, a vendor's file and number segments, against psql's binary COPY of the same rows."""
    if kills:
        _on_database("load-killed", lambda ground: killed.measure(ground, rows=rows, kills=kills), date, out)
        return
    _on_database("load", lambda ground: load.measure(ground, rows=rows, segments=segments, rounds=rounds), date, out)


@app.command("hold")
def bench_hold(
    *,
    each: Annotated[int, typer.Option(min=1, help="Holds of each client and turn.")] = 500,
    http_each: Annotated[int, typer.Option(min=1, help="Holds of each client and turn over HTTP.")] = 150,
    clients: Annotated[int, typer.Option(min=1, max=100, help="Clients at once.")] = hold.CLIENTS,
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each side; the best one counts.")] = hold.ROUNDS,
    date: Dated = None,
    out: Out = None,
) -> None:
    """Hold through the service function and over HTTP, against pgbench running the same whole statement."""

    def bench(ground: Ground) -> AsyncIterator[Measurement]:
        return hold.measure(ground, each=each, http_each=http_each, clients=clients, rounds=rounds)

    _on_database("hold", bench, date, out)


@app.command("search")
def bench_search(
    *,
    numbers: Annotated[int, typer.Option(min=10_000, max=20_000_000, help="Numbers in stock.")] = 2_000_000,
    pages: Annotated[int, typer.Option(min=1, help="Pages asked for of each pattern.")] = 200,
    date: Dated = None,
    out: Out = None,
) -> None:
    """Ask for pages of numbers by pattern: the time in the database, of half and of 99 in 100, against its limits."""
    _on_database("search", lambda ground: search.measure(ground, numbers=numbers, pages=pages), date, out)


@app.command("issue")
def bench_issue(
    *,
    items: Annotated[str, typer.Option(help="Numbers on a document, one figure each way for each size.")] = (
        "10000,100000,1000000"
    ),
    rounds: Annotated[int, typer.Option(min=1, help="Turns of each side; the best one counts.")] = issue.ROUNDS,
    date: Dated = None,
    out: Out = None,
) -> None:
    """Issue and recall documents of many numbers, with fees and ledger, against a warehouse's expectation."""
    sizes = [int(size) for size in items.split(",")]
    _on_database("issue", lambda ground: issue.measure(ground, sizes=sizes, rounds=rounds), date, out)


@app.command("ledger")
def bench_ledger(
    *,
    movements: Annotated[int, typer.Option(min=1000, help="Lines in the ledger.")] = 12_000_000,
    lives: Annotated[int, typer.Option(min=1, help="Numbers whose life is read.")] = 1000,
    date: Dated = None,
    out: Out = None,
) -> None:
    """Read the whole life of single numbers from a long ledger: the time in the database against its limit."""
    _on_database("ledger", lambda ground: ledger.measure(ground, movements=movements, lives=lives), date, out)


@app.command("card")
def bench_card(
    *,
    cards: Annotated[int, typer.Option(min=1, help="Cards written for each figure, on each reader.")] = 20,
    readers: Annotated[str, typer.Option(help="How many readers at once, one figure each.")] = "1,4,8",
    wire: Annotated[str, typer.Option(help="Speed of the virtual card's wire, as F/D.")] = "512/32",
    date: Dated = None,
    out: Out = None,
) -> None:
    """Write virtual cards by every driver: commands a card, our time above the bare commands, many readers at once."""
    counts = [int(count) for count in readers.split(",")]
    with _failing_in_one_line(), Lines("card", machine_facts(None, date=date), typer.echo, out) as lines:
        for found in card.measure(rounds=cards, readers=counts, wire=wire):
            lines.add(found)


@app.command("tear")
def bench_tear(
    *,
    stride: Annotated[int, typer.Option(min=1, help="Cut every n-th command only.")] = 1,
    date: Dated = None,
    out: Out = None,
) -> None:
    """Cut the write of every card family at every command, in every way; a table of verdicts, 1 if one is wrong."""
    if wrong := _tear(stride, date, out):
        typer.echo("\n".join(wrong), err=True)
        raise typer.Exit(1)


def _tear(stride: int, date: str | None, out: Path | None) -> list[str]:
    """Print the table of verdicts and return what is wrong in it."""
    wrong: list[str] = []
    with _failing_in_one_line(), Lines("tear", machine_facts(None, date=date), lambda _: None, out) as lines:
        typer.echo(_TEAR_ROW.format("family and cut", *_TEAR_COLUMNS, "wrong"))
        for found in card.tear(stride=stride):
            lines.add(found)
            wrong += [] if found.ok else [f"{found.name}: {'; '.join(found.figures['wrong']) or 'see its columns'}"]
            counts = [found.figures[column] for column in _TEAR_COLUMNS]
            typer.echo(_TEAR_ROW.format(found.name.removeprefix("tear."), *counts, len(found.figures["wrong"])))
    return wrong


@app.command("all")
def bench_all(*, date: Dated = None, out: Annotated[Path, typer.Option(help="Folder for NAME.jsonl.")] = _KEPT) -> None:
    """Run every bench at its usual size and keep the lines."""
    bench_card(date=date, out=out)
    bench_tear(date=date, out=out)
    bench_load(date=date, out=out)
    bench_hold(date=date, out=out)
    bench_search(date=date, out=out)
    bench_issue(date=date, out=out)
    bench_ledger(date=date, out=out)


def _on_database(name: str, bench: Bench, date: str | None, out: Path | None) -> None:
    """Run a bench on a database of its own."""
    with (
        _failing_in_one_line(),
        tempfile.TemporaryDirectory(prefix="haoka-bench-") as folder,
        bench_database(Settings()) as engine,
        Lines(name, machine_facts(engine.version(), date=date), typer.echo, out) as lines,
    ):
        uvloop.run(_measure(bench, engine, Path(folder), lines))


async def _measure(bench: Bench, engine: Engine, folder: Path, lines: Lines) -> None:
    async with prepared(engine, folder, now=utc_now()) as ground:
        async for found in bench(ground):
            lines.add(found)


@contextmanager
def _failing_in_one_line() -> Iterator[None]:
    try:
        yield
    except (BenchFailed, ProcessFailed) as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from None
