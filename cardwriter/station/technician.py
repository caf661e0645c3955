"""The hall technician's commands: readers, journal, selftest, bundle."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cardwriter.station.bundle import write_bundle
from cardwriter.station.journal import FILE_NAME, Journal
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
from cardwriter.station.selftest import Finding, Result, selftest
from cardwriter.station.texts import JOURNAL, WORDS, Language, explain, say
from drivers.base import Presence, ReaderSource, ReaderState
from drivers.errors import DriverError, ServiceDownError, SharingViolationError

LOOK_AGAIN = 5.0
"""Seconds until a look even without news: another program's grip on a reader makes no event."""

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.command("readers")
def list_readers(
    readers: Readers = "pcsc:",
    lang: LangOption = None,
    *,
    watch: Annotated[bool, typer.Option(help="Go on until Ctrl-C and print each change")] = False,
    as_json: AsJson = False,
) -> None:
    """List the readers, what is in them, and who holds one that is in use."""
    language = chosen(lang)
    source = open_readers(readers, language)
    with contextlib.closing(source), contextlib.suppress(KeyboardInterrupt):
        found = _look(source, language, {}, timeout=0, as_json=as_json)
        while watch:
            found = _look(source, language, found, timeout=LOOK_AGAIN, as_json=as_json)
        if not found:
            raise typer.Exit(complain("no_reader_at", language, readers=readers))


def _look(
    source: ReaderSource, language: Language, known: dict[str, dict[str, Any]], *, timeout: float, as_json: bool
) -> dict[str, dict[str, Any]]:
    """Print the readers that are not as `known`, and return how all are."""
    try:
        states = source.wait(timeout)
    except ServiceDownError:
        raise typer.Exit(complain("service_gone", language)) from None
    found = {state.name: reader_facts(source, state) for state in states}
    lost = {
        name: facts | {"state": Presence.LOST.value, "atr": "", "held_by": None}
        for name, facts in known.items()
        if name not in found
    }
    for name, facts in (lost | found).items():
        if known.get(name) == facts:
            continue
        if as_json:
            print_json(facts)
            continue
        console().print(say(facts["state"], language, reader=name), markup=False)
        if facts["atr"]:
            console().print(f"  ATR {bytes.fromhex(facts['atr']).hex(' ').upper()}", markup=False)
        if facts["held_by"]:
            console().print(f"  {say('held_by', language, holder=facts['held_by'])}", markup=False)
    return lost | found


def reader_facts(source: ReaderSource, state: ReaderState) -> dict[str, Any]:
    """Return what a technician wants to know of a reader, JSON-ready; `held_by` is a guess at who keeps it in use."""
    facts = {"name": state.name, "state": state.presence.value, "atr": state.atr.hex(), "insertion": state.insertion}
    held_by = None
    if state.presence is Presence.BUSY:
        try:
            source.connect(state.name).close()
        except SharingViolationError as error:
            held_by = error.detail
        except DriverError:
            held_by = None
    return {**facts, "held_by": held_by}


@app.command()
def journal(data: Data = DATA, lang: LangOption = None, *, as_json: AsJson = False) -> None:
    """List the scripts whose report the service has not acknowledged: job, step, status word, outcome; no contents."""
    language = chosen(lang)
    if not (data / FILE_NAME).exists():  # "nothing waits" would be a promise about a station that is elsewhere
        raise typer.Exit(complain("journal_missing", language, folder=data))
    try:
        with contextlib.closing(Journal(data)) as book:
            lines = book.lines()
    except (OSError, sqlite3.Error) as error:
        raise typer.Exit(complain("data_unusable", language, folder=data, reason=error)) from None
    if as_json:
        print_json([asdict(line) for line in lines])
        return
    if not lines:
        console().print(say("journal_empty", language))
        return
    table = Table(*JOURNAL[language])
    for line in lines:
        step = f"{line.done}/{line.steps} {line.step or ''}"
        purpose, outcome, changed = (
            WORDS[code][language] for code in (line.purpose, line.outcome or "running", "yes" if line.changed else "no")
        )
        ends = (line.sw or "", outcome, line.error or "", changed)
        table.add_row(line.started_at, line.job or "", line.script, purpose, line.reader, step, *ends)
    console().print(table)


def sentence_of(finding: Finding, language: Language) -> str:
    """Return what a finding means and what to do next."""
    reason = {"reason": explain(finding.values["error"], language)} if "error" in finding.values else {}
    return say(f"selftest_{finding.code}", language, **finding.values, **reason).rstrip()


@app.command("selftest")
def run_selftest(
    readers: Readers = "pcsc:",
    data: Data = DATA,
    lang: LangOption = None,
    *,
    removal: Annotated[bool, typer.Option(help="Ask for the card to be taken out, and see whether that shows")] = False,
    as_json: AsJson = False,
) -> None:
    """Try readers, cards, disk, service, credential and clock; say for each what to do next."""
    language = chosen(lang)
    source = open_readers(readers, language)
    failed = False

    def ask(reader: str) -> None:
        typer.echo(say("selftest_take_out", language, reader=reader), err=True)

    with contextlib.closing(source):
        for finding in selftest(source, data=data, clock=lambda: datetime.now(UTC), ask=ask if removal else None):
            failed = failed or finding.result is Result.FAILED
            sentence = sentence_of(finding, language)
            if as_json:
                print_json({**asdict(finding), "text": sentence})
            else:
                console().print(f"{say(f'selftest_{finding.result}', language)} {sentence}", markup=False)
    raise typer.Exit(int(failed))


@app.command()
def bundle(
    out: Annotated[Path, typer.Option(help="The file to write")] = Path("haoka-station.zip"),
    readers: Readers = "pcsc:",
    data: Data = DATA,
    lang: LangOption = None,
) -> None:
    """Put all that helps to find a fault into one file: versions, readers, self-test, journal, log; no secret in it."""
    language, now = chosen(lang), datetime.now(UTC)
    source = open_readers(readers, language)
    try:
        with contextlib.closing(source):
            write_bundle(
                out,
                data=data,
                readers=readers,
                shown=_shown(source),
                findings=selftest(source, data=data, clock=lambda: datetime.now(UTC)),
                sentence=lambda finding: sentence_of(finding, language),
                now=now,
            )
    except OSError as error:
        raise typer.Exit(complain("bundle_failed", language, path=out, reason=error.strerror)) from None
    console().print(say("bundle_written", language, path=out), markup=False)


def _shown(source: ReaderSource) -> list[dict[str, Any]]:
    """Return the readers, none while their service is down: the self-test says that."""
    try:
        return [reader_facts(source, state) for state in source.wait(0)]
    except ServiceDownError:
        return []
