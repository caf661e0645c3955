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
    "load": Command("inventory.cli.load", "load a vendor's file of cards, a pool of IMSIs, or a list"),
    "segments": Command("inventory.cli.segments", "list number segments with states of numbers; take whole ones"),
    "loads": Command("inventory.cli.loads", "list loads, leave one that runs, undo one that was a mistake"),
    "issue": Command("inventory.cli.issue", "hand numbers or cards one level down"),
    "recall": Command("inventory.cli.recall", "take numbers or cards one level up again"),
    "transfer": Command("inventory.cli.transfer", "hand numbers or cards to another place below the same parent"),
    "deliveries": Command(
        "inventory.cli.deliveries", "list what is on its way; sign, send back, dispute, settle, withdraw"
    ),
    "orders": Command("inventory.cli.orders", "order everything of a sort back, and see who still owes what"),
    "end": Command(
        "inventory.cli.end", "scrap, lose, find, write off, return, send to a city, void, disable, enable items"
    ),
    "legal": Command("inventory.cli.legal", "put items under an outside order, list such holds, lift one with two"),
    "status": Command("inventory.cli.status", "set the state of a number or card, with a reason"),
    "fee": Command("inventory.cli.fee", "change what one number costs, and list changes"),
    "approvals": Command("inventory.cli.approvals", "list what needs a second person's word, give it or refuse it"),
    "stock": Command("inventory.cli.stock", "count what there is, per place, kind and state"),
    "alerts": Command("inventory.cli.alerts", "list what runs low and who beside could help; set thresholds"),
    "ports": Command("inventory.cli.ports", "list SMS ports, rent one, extend its term, take it back"),
    "quotas": Command("inventory.cli.quotas", "list how much places may be issued and what is left; set it"),
    "places": Command("inventory.cli.places", "list the city company, its districts, halls and clerks; add one"),
    "hlrs": Command("inventory.cli.hlrs", "list the HLRs of the city; add one, close one"),
    "plan": Command("inventory.cli.plan", "show the national number plan in force; load a later version"),
    "kinds": Command("inventory.cli.kinds", "list card products and how they authenticate; add one, close one"),
    "number-kinds": Command("inventory.cli.number_kinds", "list the kinds of numbers; rename, close, open one"),
    "bulk": Command("inventory.cli.bulk", "have blanks finished in bulk at a station; follow, pause, end an order"),
    "spoiled": Command("inventory.cli.spoiled", "count spoiled cards by station, load and fault; claim them"),
    "flow": Command("inventory.cli.flow", "count what came to a place, went, was sold, was damaged, day by day"),
    "documents": Command("inventory.cli.documents", "list what was issued, recalled, transferred, signed for and sold"),
    "items": Command("inventory.cli.items", "list numbers or cards by name, place, state and what they are"),
    "count": Command("inventory.cli.count", "compare what was scanned in a drawer with the book"),
    "box": Command("inventory.cli.box", "pack cards into sealed boxes that are moved as one"),
    "stocktake": Command("inventory.cli.stocktake", "count a place with any number of scanners and set the book right"),
    "show": Command("inventory.cli.show", "show a number, card, document or load and its life"),
    "policies": Command("inventory.cli.policies", "show and change what the city decides about custody"),
    "reasons": Command("inventory.cli.reasons", "list the reasons that are offered; add, rename, close, count them"),
    "sign-in": Command("inventory.cli.sign_in", "work at this command line as a person with a password"),
    "interfaces": Command("inventory.cli.interfaces", "grant, bind, key, limit and close interface numbers"),
    "holidays": Command("inventory.cli.holidays", "list the city's holidays; add some, remove one"),
    "keys": Command("inventory.cli.keys", "list, rotate, rewrap and retire the keys of the vault"),
    "transport-keys": Command(
        "inventory.cli.transport_keys", "list vendors' and networks' transport keys; take one in with two persons"
    ),
    "auc": Command("inventory.cli.auc", "tell the network of proven cards, keys enclosed, and take in its answers"),
    "bench": Command("inventory.cli.bench", "measure against the raw engine, each figure a ratio of one run"),
    "test": Command("inventory.cli.checks", "run every check and test of this checkout, pytest last"),
    "docs": Command("inventory.cli.docs", "write the pages of docs/ that are made from the code"),
}

CARD_SIDE: Mapping[str, str] = {
    "station": "join this PC's card readers to a service, and find out what keeps it from writing",
    "card": "read every file of the card in a reader, compare it with a golden one",
}
"""Commands of the card side with their summaries: programs of their own, which the service's code never touches."""


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
    summaries = {**{name: command.summary for name, command in COMMANDS.items()}, **CARD_SIDE}
    width = max(map(len, summaries))
    lines = [f"  {name:<{width}}  {summary}" for name, summary in summaries.items()]
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
