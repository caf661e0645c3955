"""`haoka station` and `haoka card`: the station's own commands, and those that know cards."""

from __future__ import annotations

import contextlib
import json
import secrets
import sqlite3
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from cardwriter.profiles import (
    CardRefused,
    FactsError,
    IdentityError,
    Kind,
    Verdict,
    identify_script,
    read_facts,
)
from cardwriter.station import cli as station_cli
from cardwriter.station.app import AlreadyRunningError, lock
from cardwriter.station.journal import Journal
from cardwriter.station.options import (
    DATA,
    AsJson,
    Data,
    LangOption,
    Readers,
    chosen,
    complain,
    console,
    open_readers,
    print_json,
)
from cardwriter.station.texts import Language, explain
from cardwriter.usim.bcd import CodecError, is_blank
from cardwriter.workshop import diff as comparison
from cardwriter.workshop import dump as dumping
from cardwriter.workshop.hands import SeveralCardsError, read, the_card
from cardwriter.workshop.identify import facts_shown
from cardwriter.workshop.texts import say, value
from cardwriter.workshop.trial import TrialIdentity, UnfitFileError
from cardwriter.workshop.writing import Workbench
from drivers.base import CardConnection
from drivers.errors import DriverError

station = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
station.add_typer(station_cli.app)
cards = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_USAGE: Final = 2
Full = Annotated[bool, typer.Option(help="Show IMSI, number and location too")]


@station.command()
def identify(reader: Readers = "pcsc:", lang: LangOption = None, *, as_json: AsJson = False) -> None:
    """Read which card this is and what it is ready for; changes nothing, spends no try, shows no secret."""
    language = chosen(lang)
    with _card(reader, language) as (name, card):
        try:
            facts = facts_shown(
                read_facts(read(card, lambda expires: identify_script("identify", expires), now=datetime.now(UTC)))
            )
        except FactsError as error:
            typer.echo(say("unreadable", language, reason=error), err=True)
            raise typer.Exit(1) from None
    if as_json:
        print_json({"reader": name, **facts})
        return
    console().print(name, markup=False)
    for code, found in facts.items():
        console().print(f"  {say(code, language)}: {value(found, language)}", markup=False)


@station.command()
def write(
    identity: Annotated[Path, typer.Argument(help="JSON with iccid, imsi, smsc, spn, k, opc, adm1 of one test card")],
    reader: Readers = "pcsc:",
    data: Data = DATA,
    lang: LangOption = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Write an identity of the test network 001/01 to the test card that the file names; touches no stock.

    A card that bears an operator's number, takes no keys in the field, or holds another identity is left as it is. Ends
    with 1 unless the card was written, read back and has proven its keys.
    """
    language = chosen(lang)
    try:
        wanted = TrialIdentity.load(identity)
    except UnfitFileError as error:
        typer.echo(say(error.code, language, **error.values), err=True)
        raise typer.Exit(_USAGE) from None

    def tell(index: int, of: int, name: str, sw: int) -> None:
        if not as_json:
            console().print(say("write_step", language, index=index, of=of, name=name, sw=f"{sw:04x}"), markup=False)

    with _card(reader, language) as (name, card), _journal(data / "workbench", language) as journal:
        bench = Workbench(card, name, journal, lambda: uuid.uuid4().hex, lambda: datetime.now(UTC), tell)
        try:
            verdict = bench.write(wanted, secrets.token_bytes(16))
        except CardRefused as refused:
            failure = say(f"failure_{refused.failure}", language)
            typer.echo(say("write_refused", language, failure=failure, detail=refused.detail), err=True)
            raise typer.Exit(1) from None
        except FactsError as error:
            typer.echo(say("unreadable", language, reason=error), err=True)
            raise typer.Exit(1) from None
        except (IdentityError, CodecError) as error:
            typer.echo(say("write_unfit", language, reason=error), err=True)
            raise typer.Exit(1) from None
    if as_json:
        print_json({"reader": name, **asdict(verdict)})
    else:
        console().print(_verdict(verdict, language), markup=False)
    raise typer.Exit(int(verdict.kind is not Kind.VERIFIED))


def _verdict(verdict: Verdict, language: Language) -> str:
    """Return what became of the card, and what to do next."""
    sw = "" if verdict.sw is None else f"{verdict.sw:04x}"
    return say(
        f"write_{verdict.kind}",
        language,
        failure=say(f"failure_{verdict.failure}", language) if verdict.failure else "",
        detail=" ".join(filter(None, (verdict.step, sw, verdict.detail))),
        sqn=verdict.sqn_ms,
    )


@contextlib.contextmanager
def _journal(folder: Path, language: Language) -> Iterator[Journal]:
    """Hold a journal for the workbench alone, a station's goes to its service; tell of a writing that was cut."""
    try:
        held = lock(folder)
    except AlreadyRunningError:
        typer.echo(say("workbench_busy", language, folder=folder), err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        raise typer.Exit(complain("data_unusable", language, folder=folder, reason=error)) from None
    try:
        try:
            book = Journal(folder)
        except sqlite3.Error as error:
            raise typer.Exit(complain("data_unusable", language, folder=folder, reason=error)) from None
        with contextlib.closing(book) as journal:
            journal.settle()
            for line in journal.lines():
                if line.changed:
                    cut = {"reader": line.reader, "started_at": line.started_at, "step": line.step}
                    typer.echo(say("write_cut", language, **cut), err=True)
            _forget(journal)
            yield journal
            _forget(journal)
    finally:
        held.release()


def _forget(journal: Journal) -> None:
    for filed in journal.unacknowledged():
        journal.acknowledge(filed.report.script_id)


@cards.command()
def dump(reader: Readers = "pcsc:", lang: LangOption = None, *, full: Full = False, as_json: AsJson = False) -> None:
    """Read every file that a card shows to anybody: shape, rights, content. Presents no code, reads no key."""
    language = chosen(lang)
    with _card(reader, language) as (name, card):
        found = dumping.dump(card, now=datetime.now(UTC), full=full)
    if as_json:
        print_json(found)
        return
    console().print(f"{name}  ATR {found['atr']}", markup=False)
    table = Table(*(say(f"dump_{column}", language) for column in ("file", "name", "shape", "rights", "content")))
    for place, file in found["files"].items():
        if "kind" in file:
            rights = ", ".join(f"{what} {who}" for what, who in (file["rights"] or {}).items())
            table.add_row(place, file["name"], _shape(file), rights or file["rule"], _content(file, language))
    console().print(table)


@cards.command()
def diff(
    golden: Annotated[Path, typer.Argument(help="What haoka card dump --json printed of the card that is right")],
    reader: Readers = "pcsc:",
    lang: LangOption = None,
    *,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="card (all that differs from card to card), or a file's name, whose content may differ"),
    ] = None,
    full: Full = False,
    as_json: AsJson = False,
) -> None:
    """Compare the card in the reader with a golden dump; ends with 1 if they differ."""
    language = chosen(lang)
    try:
        right = comparison.load(golden)
    except comparison.NotADumpError as error:
        typer.echo(say("not_a_dump", language, reason=error), err=True)
        raise typer.Exit(_USAGE) from None
    with _card(reader, language) as (_, card):
        found = dumping.dump(card, now=datetime.now(UTC), full=full)
    if odd := comparison.unknown(ignore or (), right, found):
        typer.echo(say("ignore_unknown", language, names=", ".join(odd)), err=True)
        raise typer.Exit(_USAGE)
    differences = tuple(comparison.differences(right, found, ignore=ignore or ()))
    if as_json:
        print_json([asdict(one) for one in differences])
    for one in () if as_json else differences:
        text = say(f"diff_{one.aspect}", language)
        console().print(f"{one.place} {one.name}  {text}: {_said(one.golden)} → {_said(one.card)}", markup=False)
    if not differences and not as_json:
        console().print(say("diff_none", language))
    raise typer.Exit(int(bool(differences)))


def _shape(file: dict[str, Any]) -> str:
    """Return a file's structure and size, such as `linear 2x40` or `transparent 9`."""
    size = f"{file['records']}x{file['record_length']}" if file["record_length"] else file["size"]
    return f"{file['kind']} {size}"


def _content(file: dict[str, Any], language: Language) -> str:
    match file:
        case {"hidden": "personal", "value": str(shown)}:
            return shown
        case {"hidden": "key" | "personal" as why}:
            return say(f"hidden_{why}", language)
        case {"hidden": sw}:
            return say("hidden_protected", language, sw=sw)
        case {"value": list() as values}:
            return "\n".join(map(_words, values, file["content"]))
        case _:
            return _words(file["value"], file["content"])


def _words(said: str | None, raw: str) -> str:
    """Return what a file says, or its bytes; of one that was never written only how many there are."""
    return said or (f"{raw[:2]} x {len(raw) // 2}" if is_blank(bytes.fromhex(raw)) and raw else raw)


def _said(found: Any) -> str:
    """Return one side of a difference on one line."""
    match found:
        case {"value": list() as values, "content": list() as contents}:
            return " | ".join(map(_words, values, contents))
        case {"value": said, "content": str(raw)}:
            return _words(said, raw)
        case dict() | list():
            return json.dumps(found)
        case _:
            return str(found)


@contextlib.contextmanager
def _card(url: str, language: Language) -> Iterator[tuple[str, CardConnection]]:
    """Hold the card meant, or end with a sentence."""
    try:
        with the_card(open_readers(url, language)) as held:
            yield held
    except SeveralCardsError as error:
        typer.echo(say("several_cards", language, readers=error), err=True)
        raise typer.Exit(1) from None
    except DriverError as error:
        reason = explain(error.code, language)
        typer.echo(
            say("failed", language, reader=error.reader or url.removesuffix(":"), reason=reason, detail=error.detail),
            err=True,
        )
        raise typer.Exit(1) from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `station …` or `card …`."""
    command, *given = sys.argv[1:] if arguments is None else arguments
    if command == "card":
        cards(args=given, prog_name="haoka card")
    else:
        station_cli.main(given, app=station)
