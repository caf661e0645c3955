"""The station's command line: run, enrol, and the technician's commands."""

from __future__ import annotations

import logging
import platform
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Annotated, Final

import typer

from cardwriter.station import enrol as enrolment
from cardwriter.station import technician
from cardwriter.station.app import LOG_NAME, AlreadyRunningError, Station
from cardwriter.station.bell import Bell
from cardwriter.station.link import LinkRefusedError
from cardwriter.station.options import DATA, Data, LangOption, Readers, Service, chosen, complain, console, open_readers
from cardwriter.station.texts import Language, say
from drivers.base import ReaderSource

Code = Annotated[str, typer.Option(help="One-time enrolment code", envvar="HAOKA_STATION_CODE")]

_LOG_BYTES: Final = 1_000_000

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(technician.app)


@app.command()
def run(
    service: Service,
    data: Data = DATA,
    code: Code = "",
    readers: Readers = "pcsc:",
    lang: LangOption = None,
    *,
    verbose: Annotated[bool, typer.Option(help="Log each command's header, never its data")] = False,
) -> None:
    """Join this PC's readers to the service until stopped; enrol first if a code is given and none was used before."""
    language = chosen(lang)
    source = open_readers(readers, language)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    logging.getLogger("cardwriter").setLevel(logging.DEBUG if verbose else logging.INFO)
    bell = Bell()
    with bell.rung_by_signals():
        _run(source, service, data, code, language, bell)


@contextmanager
def _log_kept(data: Path) -> Iterator[None]:
    """Keep the last of the log in the data folder too, for `haoka station bundle`."""
    handler = RotatingFileHandler(data / LOG_NAME, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _run(source: ReaderSource, service: str, data: Path, code: str, language: Language, bell: Bell) -> None:
    try:
        credential = _known(data, language, enrolling=bool(code))
        if credential is None or credential.service != service.rstrip("/"):
            if not code:
                raise typer.Exit(complain("not_enrolled", language))
            credential = _enrol(service, code, data, language)
        station = Station(
            source,
            service=credential.service,
            credential=credential.secret,
            trust=enrolment.trust_of(credential, data),
            data=data,
            tell=_telling(language),
            on_end=bell.ring,
        )
    except LinkRefusedError as error:
        raise typer.Exit(complain(error.code, language, **error.values)) from None
    except AlreadyRunningError:
        raise typer.Exit(complain("already_running", language)) from None
    except (OSError, sqlite3.Error) as error:
        raise typer.Exit(complain("data_unusable", language, folder=data, reason=error)) from None
    with _log_kept(data):
        station.start()
        bell.wait()
        station.stop()
    if station.refused is not None:
        raise typer.Exit(complain(station.refused.code, language, **station.refused.values))
    _telling(language)("stopped")


def _telling(language: Language) -> Callable[..., None]:
    """Return what tells the hall; an output that went away or takes no Chinese stops none of the threads that tell."""

    def tell(text: str, **values: object) -> None:
        # SystemExit is what rich makes of a pipe that nobody reads; whatever comes after it goes nowhere.
        with suppress(OSError, SystemExit, UnicodeError):
            console().print(say(text, language, **values), markup=False)

    return tell


def _known(data: Path, language: Language, *, enrolling: bool) -> enrolment.Credential | None:
    try:
        return enrolment.load(data)
    except enrolment.OutdatedCredentialError:
        if enrolling:
            return None
        raise typer.Exit(complain("enrol_again", language)) from None
    except (TypeError, ValueError):
        raise typer.Exit(complain("selftest_credential_unreadable", language, folder=data)) from None


@app.command()
def enrol(service: Service, code: Code, data: Data = DATA, lang: LangOption = None) -> None:
    """Trade a one-time code for a new credential, in place of the one this station may have."""
    try:
        _enrol(service, code, data, chosen(lang))
    except LinkRefusedError as error:
        raise typer.Exit(complain(error.code, chosen(lang), **error.values)) from None


def main(arguments: Sequence[str] | None = None, *, app: typer.Typer = app) -> None:
    """Run a command; options alone are those of `run`: `haoka station --service URL` joins this PC to a service."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0].startswith("-") and given[0] != "--help":
        given.insert(0, "run")
    app(args=given, prog_name="haoka station")


def _enrol(service: str, code: str, data: Path, language: Language) -> enrolment.Credential:
    try:
        credential = enrolment.enrol(service, code, data, name=platform.node() or "station")
    except enrolment.EnrolmentError as error:
        raise typer.Exit(complain(error.code, language, **error.values)) from None
    _telling(language)("enrolled", name=credential.name)
    return credential
