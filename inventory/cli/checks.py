"""`haoka test`: the one list of checks, cheap ones first, pytest last; its closing line speaks for all of them."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from alembic.util.exc import CommandError

from inventory.store import migrate
from inventory.store.embedded import EmbeddedServer

ROOT = Path(__file__).parents[2]
SLOW = ("database", "card", "browser", "e2e")
COMPLETE = (
    *("-n", str(min((os.cpu_count() or 1) + 2, 5)), "--dist=worksteal"),
    *("--cov", "--cov-report=", "--coverage-gate"),
    "--maxfail=20",
)
"""Options of a complete run: for many tests wait, two processes more than processors, each with its own server.

It gives up where so much fails that the machine is the reason: tests that hang one after the other take hours.
"""

app = typer.Typer()


def _tool(*arguments: str) -> Callable[[], str | None]:
    """Make a check of a Python tool: it gives what the tool says if it is not content."""

    def check() -> str | None:
        done = subprocess.run(  # noqa: S603 - fixed tools of the checkout
            [sys.executable, *arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr if done.returncode else None

    return check


def _migrations() -> str | None:
    """Build the database from nothing and compare it with the tables in the code."""
    with tempfile.TemporaryDirectory(prefix="haoka-migrations-") as folder:
        server = EmbeddedServer(Path(folder), settings={"fsync": "off"})
        try:
            with server:
                migrate.upgrade(server.url)
                migrate.check(server.url)
        except CommandError as difference:
            return str(difference)
        finally:
            server.erase()
    return None


CHECKS: Mapping[str, Callable[[], str | None]] = {
    "format": _tool("-m", "ruff", "format", "--check", "--quiet", "."),
    "lint": _tool("-m", "ruff", "check", "--quiet", "."),
    "types": _tool("-m", "mypy", "--no-error-summary"),
    "imports": _tool("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
    "migrations": _migrations,
}
"""What runs before pytest, in this order (docs/conventions.md says why each is there)."""


@app.command("test")
def run_all(
    *,
    fast: Annotated[bool, typer.Option(help="Leave out what starts a server, a reader or a browser.")] = False,
    only: Annotated[str, typer.Option("-k", help="No checks, and only tests whose name matches, as pytest's -k.")] = "",
    arguments: Annotated[list[str] | None, typer.Argument(help="Further arguments for pytest, after --.")] = None,
) -> None:
    """Run formatter, linter, types, import contracts, migrations check and all tests; exit non-zero if one fails."""
    left_out = set(CHECKS) if only else {"migrations"} if fast else set()
    failed = [name for name, check in CHECKS.items() if name not in left_out and not _passes(name, check)]
    options = [f"--failed-check={name}" for name in failed]
    if fast:
        options += ["-m", " and ".join(f"not {mark}" for mark in SLOW)]
    if only:
        options += ["-k", only]
    if not (fast or only or arguments):
        options += COMPLETE
    typer.echo("haoka test: pytest …")
    command = [sys.executable, "-m", "pytest", *options, *(arguments or [])]
    os.chdir(ROOT)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # tests start hundreds of processes; one of them compiles for all
    os.execv(sys.executable, command)  # noqa: S606 - pytest takes our place, and every signal to us


def _passes(name: str, check: Callable[[], str | None]) -> bool:
    typer.echo(f"haoka test: {name} … ", nl=False)
    began = time.monotonic()
    complaint = check()
    seconds = time.monotonic() - began
    typer.echo(f"{'FAILED' if complaint else 'ok'} ({seconds:.1f} s)")
    if complaint:
        typer.echo(complaint)
    return complaint is None
