"""One write job under a cut: a card, its slot, a station with its journal, and the service's judges.

The scripts and verdicts are the families' own, the runner and the journal are the station's, what a verdict does to the
data is the service's own table. Only the database is missing: here it is one job in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol, Self

from cardwriter.profiles import (
    CardFacts,
    CardProfile,
    CardRefused,
    Expectation,
    FactsError,
    Failure,
    Kind,
    Personalisation,
    Verdict,
    challenge,
    identify_script,
    measured_for,
    read_facts,
    settle,
)
from cardwriter.script import Outcome, Report, Script
from cardwriter.station.journal import Entry, Journal
from cardwriter.station.runner import run
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop.samples import Sample
from drivers.base import CardConnection
from drivers.errors import CardUnresponsiveError, DriverError, ReaderLostError
from drivers.trace import TracingConnection
from drivers.virtual import VirtualSource
from inventory.domain.cardjobs import Ending, consequence
from inventory.domain.lifecycle import DATA_LIFECYCLE, DataState

LOOKS: Final = 3
"""Times that an unknown card is put in again; the cut strikes once, so that two would do."""
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LATER: Final = int(_NOW.timestamp()) + 3600
_RAND: Final = bytes(range(16))
_MEMORY, _LENGTH = b"\x65\x81", b"\x67\x00"  # TS 102 221 §10.2.1.5


class Cut(StrEnum):
    """What goes wrong at one command."""

    TORN_BEFORE = "torn_before"
    TORN_AFTER = "torn_after"
    MUTE = "mute"
    MEMORY_FAILURE = "memory_failure"
    WRONG_LENGTH = "wrong_length"
    RESET = "reset"
    """The card restarts by itself and goes on: selection and rights are gone, nobody is told."""
    READER_LOST = "reader_lost"
    STATION_KILLED = "station_killed"
    """The card has acted, the station's process is gone before the answer is noted."""
    SERVICE_KILLED = "service_killed"
    """The script runs on; its report waits for the service to come back, which has only its database."""
    ANSWER_LOST = "answer_lost"


_BEFORE: Final = frozenset({Cut.TORN_BEFORE, Cut.READER_LOST, Cut.RESET})
_CUT_OFF: Final = frozenset({Cut.TORN_BEFORE, Cut.READER_LOST})
_NO_ANSWER: Final = frozenset({Cut.TORN_BEFORE, Cut.TORN_AFTER, Cut.ANSWER_LOST})


class StationKilled(BaseException):
    """The station's process ends here and now: nothing in it may tidy up."""


class Slot:
    """A card in its slot; `cut` strikes once, at the `at`-th command on the wire from 1. `sent` is all that came."""

    def __init__(self, card: VirtualUicc, cut: Cut | None = None, at: int = 0) -> None:
        self.card = card
        self.sent: list[bytes] = []
        self.struck = False
        self.cut = cut
        self._at, self._silent = at, False

    def reset(self) -> bytes:
        """Power the card up."""
        self._silent = False
        return self.card.reset()

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one command, or suffer the cut.

        Raises
        ------
        DriverError
            As a reader would report it.
        StationKilled
            That is the cut.
        """
        self.sent.append(apdu)
        if self._silent:
            raise CardUnresponsiveError
        if len(self.sent) == self._at and self.cut is not None:
            self.struck = True
            return self._strike(apdu, self.cut)
        return self._answer(apdu)

    def _answer(self, apdu: bytes) -> bytes:
        return self.card.transmit(apdu)

    def _strike(self, apdu: bytes, cut: Cut) -> bytes:
        """Suffer the cut; the card has acted unless it was cut off or refused."""
        if cut is Cut.MEMORY_FAILURE:
            return _MEMORY
        if cut is Cut.WRONG_LENGTH:
            return _LENGTH
        if cut in _BEFORE:
            self.card.reset()
        answer = b"" if cut in _CUT_OFF else self._answer(apdu)
        if cut is Cut.READER_LOST:
            raise ReaderLostError
        if cut is Cut.STATION_KILLED:
            raise StationKilled
        if cut is Cut.MUTE:
            self._silent = True
            raise CardUnresponsiveError
        if cut is Cut.TORN_AFTER:
            self.card.reset()
        return b"" if cut in _NO_ANSWER else answer


def survey(family: CardProfile, data: Personalisation, name: str) -> Script:
    """Return the script that a job identifies its card with: it knows the product."""
    return identify_script(name, _LATER, measured=measured_for(data.product), adm=family.adm, greeting=family.greeting)


class Hands(Protocol):
    """The station of a job: it has a card in its reader and says all that it shows anybody."""

    said: list[str]

    def carry_out(self, script: Script, *, job: str) -> Report:
        """Run a script on the card and give its report, however late."""
        ...

    def put_in(self) -> None:
        """Take the card out and put it in again."""
        ...


class TornHands:
    """A station in this process, with a card in a slot; it ends with the block."""

    def __init__(self, slot: Slot, folder: Path) -> None:
        self.said: list[str] = []
        self.slot = slot
        self._folder = folder
        self._journal = Journal(folder)
        self._source = VirtualSource(slot)

    def __enter__(self) -> Self:
        """Give the station."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._journal.close()

    def put_in(self) -> None:
        """See `Hands.put_in`."""
        self._source.insert(self.slot)

    def carry_out(self, script: Script, *, job: str) -> Report:
        """See `Hands.carry_out`."""
        entry = self._journal.open(script, job=job, reader=self._source.name, insertion=self._source.insertion)
        if entry is None:
            raise RuntimeError(f"{script.id} was run before")
        try:
            report = run_on(lambda: self._source.connect(self._source.name), script, entry, self.said.append)
        except StationKilled:
            report = self._restart_station(script)
        self.said.append(repr(report))
        self._journal.acknowledge(script.id)
        return report

    def _restart_station(self, script: Script) -> Report:
        """Start the station anew: all it knows is on its disk."""
        self._journal.close()
        self._journal = Journal(self._folder)
        self._journal.settle()
        self._source.insert(self.slot)
        filed = self._journal.find(script.id)
        if filed is None:
            raise RuntimeError(f"the journal has lost {script.id}")
        return filed.report


def run_on(connect: Callable[[], CardConnection], script: Script, entry: Entry, said: Callable[[str], None]) -> Report:
    """Run a script on a card as the station does; a reader that fails is in the report."""
    try:
        card = connect()
        try:
            return run(
                TracingConnection(card, said),
                script,
                entry,
                on_step=lambda index, result: said(f"{index} {result!r}"),
                cancelled=lambda: False,
                now=_NOW,
            )
        finally:
            card.close()
    except DriverError as error:
        report = Report(script_id=script.id, outcome=Outcome.LOST, results=(), error=error.code, changed=False)
        entry.close(report)
        return report


@dataclass
class TornJob:
    """One job on one card. `data_state` is where its data are afterwards, `said` all that anybody was shown."""

    family: CardProfile
    sample: Sample
    data: Personalisation
    hands: Hands
    name: str
    data_state: DataState = DataState.RESERVED
    _scripts: int = 0
    _facts: CardFacts | None = None

    @property
    def said(self) -> list[str]:
        """What the station and the service's side have shown."""
        return self.hands.said

    def run(self) -> Verdict:
        """Identify, write, prove; then put an unknown card in again until reading it settles what it is."""
        verdict = self._write()
        if verdict.failure is Failure.NOT_PROVEN:
            verdict = self._prove()
        if self._facts is not None:
            self._move_data(verdict, by_reading=False)
        for _ in range(LOOKS):
            if verdict.kind is Kind.UNKNOWN:
                verdict = self._look()
                self._move_data(verdict, by_reading=True)
        self.said.append(repr(verdict))
        return verdict

    def _write(self) -> Verdict:
        """Write the card; one that is refused, or does not say who it is, ends before anything is leased."""
        try:
            facts = read_facts(self._carry_out(survey(self.family, self.data, self._next())))
            script = self._write_script(facts, name := self._next())
        except (CardRefused, FactsError) as refused:
            self.said.append(str(refused))
            return Verdict(kind=Kind.NOTHING_WRITTEN, failure=Failure.WRONG_KIND)
        self._facts, self.data_state = facts, DataState.LEASED
        report = self._carry_out(script)
        # A service that was killed has no script any more: it builds the same one from what the job keeps.
        return self.family.judge_write(self._write_script(facts, name), report)

    def _write_script(self, facts: CardFacts, name: str) -> Script:
        return self.family.write_script(facts, self.data, name, _LATER)

    def _prove(self) -> Verdict:
        if self._facts is None:
            raise RuntimeError("a card was written that nobody has identified")
        asked = challenge(self.sample.keys, _RAND)
        script = self.family.verify_script(self._facts, self.data, asked, self._next(), _LATER)
        expected = Expectation(self._facts, self.data, self.sample.keys, asked)
        return self.family.judge_verify(script, self._carry_out(script), expected)

    def _look(self) -> Verdict:
        """Put the card in again and read what it is."""
        self.hands.put_in()
        try:
            facts = read_facts(self._carry_out(identify_script(self._next(), _LATER)))
        except FactsError as error:
            self.said.append(str(error))
            return Verdict(kind=Kind.UNKNOWN, failure=Failure.READER_LOST)
        verdict = settle(facts, None, blank=self.family.is_blank(facts))
        return self._prove() if verdict.kind is Kind.UNKNOWN else verdict

    def _move_data(self, verdict: Verdict, *, by_reading: bool) -> None:
        """Move the data as the service does; those of a card that stays unknown stay where they are."""
        if verdict.kind is Kind.UNKNOWN and by_reading:
            return
        moves = consequence(Ending(verdict.kind.value), self.data_state, hold_alive=False, by_reading=by_reading)
        for event in moves.data:
            self.data_state = DATA_LIFECYCLE.advance(self.data_state, event)

    def _next(self) -> str:
        self._scripts += 1
        return f"{self.name}.{self._scripts}"

    def _carry_out(self, script: Script) -> Report:
        return self.hands.carry_out(script, job=self.name)
