"""The station's command line: run, enrol, readers, journal."""

from __future__ import annotations

import logging
import os
import platform
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from cardwriter.station import enrol as enrolment
from cardwriter.station.app import AlreadyRunningError, Station
from cardwriter.station.journal import Journal
from cardwriter.station.link import LinkRefusedError
from cardwriter.station.texts import Language, language_of, say
from drivers.base import ReaderSource
from drivers.errors import ServiceDownError, UnknownSchemeError
from drivers.registry import open_source


class Lang(StrEnum):
    """Languages of the station's sentences."""

    ZH = "zh"
    EN = "en"


Service = Annotated[str, typer.Option(help="Address of the service, such as https://haoka.example.cn")]
Data = Annotated[Path, typer.Option(help="Folder for the station's credential and journal")]
Code = Annotated[str, typer.Option(help="One-time enrolment code", envvar="HAOKA_STATION_CODE")]
Readers = Annotated[str, typer.Option("--readers", help="pcsc:, pcsc:PART-OF-NAME or virtual:MODULE:CALLABLE")]
LangOption = Annotated[Lang | None, typer.Option(help="Language; default from LANG")]

_DATA: Final = Path(".haoka/station")
_STOPPING: Final = {signal.SIGTERM, signal.SIGINT}

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
_console = Console(highlight=False, soft_wrap=True)


@app.command()
def run(
    service: Service,
    data: Data = _DATA,
    code: Code = "",
    readers: Readers = "pcsc:",
    lang: LangOption = None,
    *,
    verbose: Annotated[bool, typer.Option(help="Log each command's header, never its data")] = False,
) -> None:
    """Join this PC's readers to the service until stopped; enrol first if a code is given and none was used before."""
    language = _language(lang)
    source = _open(readers)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("cardwriter").setLevel(logging.DEBUG if verbose else logging.INFO)
    with _stop_signals_held():
        _run(source, service, data, code, language)


@contextmanager
def _stop_signals_held() -> Iterator[None]:
    """Keep SIGTERM and Ctrl-C for `sigwait`, in this thread and in all that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        while signal.sigtimedwait(_STOPPING, 0):
            """A second Ctrl-C asked for what has been done."""
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(source: ReaderSource, service: str, data: Path, code: str, language: Language) -> None:
    try:
        credential = enrolment.load(data)
        if credential is None or credential.service != service.rstrip("/"):
            if not code:
                raise typer.Exit(_complain("not_enrolled", language))
            credential = _enrol(service, code, data, language)
        station = Station(
            source,
            service=credential.service,
            credential=credential.secret,
            data=data,
            tell=lambda text, **values: _console.print(say(text, language, **values), markup=False),
            on_end=lambda: os.kill(os.getpid(), signal.SIGTERM),
        )
    except LinkRefusedError as error:
        raise typer.Exit(_complain("link_refused", language, reason=error)) from None
    except AlreadyRunningError:
        raise typer.Exit(_complain("already_running", language)) from None
    station.start()
    signal.sigwait(_STOPPING)
    station.stop()
    if station.refused is not None:
        raise typer.Exit(_complain("link_refused", language, reason=station.refused))
    _console.print(say("stopped", language))


@app.command()
def enrol(service: Service, code: Code, data: Data = _DATA, lang: LangOption = None) -> None:
    """Trade a one-time code for a new credential, in place of the one this station may have."""
    try:
        _enrol(service, code, data, _language(lang))
    except LinkRefusedError as error:
        raise typer.Exit(_complain("link_refused", _language(lang), reason=error)) from None


@app.command("readers")
def list_readers(readers: Readers = "pcsc:", lang: LangOption = None) -> None:
    """List the readers and what is in them."""
    language = _language(lang)
    source = _open(readers)
    try:
        states = source.wait(0)
    except ServiceDownError:
        raise typer.Exit(_complain("service_gone", language)) from None
    source.close()
    for state in states:
        _console.print(say(state.presence.value, language, reader=state.name), markup=False)
    if not states:
        raise typer.Exit(_complain("no_reader", language))


@app.command()
def journal(data: Data = _DATA, lang: LangOption = None) -> None:
    """Show the scripts whose report the service has not acknowledged."""
    book = Journal(data)
    table = Table("script", "reader", "outcome", "error", "changed", "steps")
    for entry in book.open_entries():
        progress = f"{entry['next_index']}/{entry['steps']}"
        table.add_row(entry["id"], entry["reader"], "-", "", str(bool(entry["changed"])), progress)
    for filed in book.unacknowledged():
        report = filed.report
        results = str(len(report.results))
        table.add_row(
            report.script_id, filed.reader, report.outcome.value, report.error or "", str(report.changed), results
        )
    book.close()
    if table.row_count:
        _console.print(table)
    else:
        _console.print(say("journal_empty", _language(lang)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; options alone are those of `run`: `haoka station --service URL` joins this PC to a service."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0].startswith("-") and given[0] != "--help":
        given.insert(0, "run")
    app(args=given, prog_name="haoka station")


def _open(readers: str) -> ReaderSource:
    try:
        return open_source(readers)
    except UnknownSchemeError as error:
        raise typer.BadParameter(str(error)) from None


def _enrol(service: str, code: str, data: Path, language: Language) -> enrolment.Credential:
    try:
        credential = enrolment.enrol(service, code, data, name=platform.node() or "station")
    except enrolment.EnrolmentError as error:
        raise typer.Exit(_complain("enrol_failed", language, reason=error)) from None
    _console.print(say("enrolled", language, name=credential.name), markup=False)
    return credential


def _complain(text: str, language: Language, **values: object) -> int:
    """Print one sentence to the error output; return the exit code."""
    typer.echo(say(text, language, **values), err=True)
    return 1


def _language(lang: Lang | None) -> Language:
    return lang.value if lang else language_of(os.environ.get("LC_ALL") or os.environ.get("LANG", ""))
