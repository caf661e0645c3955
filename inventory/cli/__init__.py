"""The command line: `haoka COMMAND …`; each command is a module here, loaded only when it is called.

To add one: a module with `app = typer.Typer()`, and its line in `COMMANDS`.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import typer

from inventory import __version__
from inventory.cli.refusals import exit_status, language, text_of
from inventory.domain.errors import DomainError
from inventory.store.account import EmbeddedServerError


class Command(NamedTuple):
    """Where a command lives and what it does, in one line."""

    module: str
    summary: str


COMMANDS: Mapping[str, Command] = {
    "demo": Command("inventory.cli.demo", "load a city, write a blank 4G card, sell one line; --once ends then"),
    "up": Command("inventory.cli.up", "start database, service and worker and stay up, for real use"),
    "serve": Command("inventory.cli.serve", "serve the API and the pages on a database that is there"),
    "worker": Command("inventory.cli.worker", "end holds, seal events and audit in the background"),
    "audit": Command("inventory.cli.audit", "check that stock, ledger, events and promises agree"),
    "load": Command("inventory.cli.load", "load a vendor's file of cards or a pool of IMSIs"),
    "issue": Command("inventory.cli.issue", "hand numbers or cards one level down"),
    "recall": Command("inventory.cli.recall", "take numbers or cards one level up again"),
    "transfer": Command("inventory.cli.transfer", "hand numbers or cards to another place below the same parent"),
    "deliveries": Command("inventory.cli.deliveries", "list what is on its way, sign for it or send it back"),
    "status": Command("inventory.cli.status", "set the state of a number or card, with a reason"),
    "fee": Command("inventory.cli.fee", "change what one number costs, and list changes"),
    "stock": Command("inventory.cli.stock", "count what there is, per place, kind and state"),
    "count": Command("inventory.cli.count", "compare what was scanned in a drawer with the book"),
    "show": Command("inventory.cli.show", "show a number, card, document or load and its life"),
    "interfaces": Command("inventory.cli.interfaces", "grant, bind, key, limit and close interface numbers"),
    "bench": Command("inventory.cli.bench", "measure against the raw engine, each figure a ratio of one run"),
    "test": Command("inventory.cli.checks", "run every check and test of this checkout, pytest last"),
    "docs": Command("inventory.cli.docs", "write the pages of docs/ that are made from the code"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status: 0 done, else as docs/cli.md lists."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.command is None:
        parser.print_help()
        return 0
    app: typer.Typer = importlib.import_module(COMMANDS[given.command].module).app
    try:
        app(args=given.arguments, prog_name=f"haoka {given.command}")
    except DomainError as refusal:
        typer.echo(text_of(refusal, language(given.lang)), err=True)
        return exit_status(refusal.refusal)
    except EmbeddedServerError as failure:
        typer.echo(str(failure), err=True)
        return 1
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return 0


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, [*COMMANDS, "station"]))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    lines.append(f"  {'station':<{width}}  join this PC's card reader to a service (haoka station --help)")
    parser = argparse.ArgumentParser(
        prog="haoka",
        description="Stock of SIM cards and numbers: what there is, who holds it, what it costs, what was promised.",
        epilog="commands:\n" + "\n".join(lines) + "\n\n'haoka COMMAND --help' tells more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"haoka {__version__}")
    parser.add_argument("--lang", choices=["zh", "en"], help="language of refusals (default: from LANG)")
    parser.add_argument("command", nargs="?", choices=list(COMMANDS), metavar="COMMAND", help="one of those below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser
