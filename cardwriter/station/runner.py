"""Runs one script on one card: the only place that moves bytes to a card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import takewhile
from typing import Final

from cardwriter.script import OK, Otherwise, Outcome, Purpose, Report, Script, Step, StepResult
from cardwriter.station.journal import Entry
from drivers.apdu import CommandAPDU, check_allowed
from drivers.base import CardConnection
from drivers.errors import DriverError

READ_ICCID_BY_SFI: Final = bytes.fromhex("00b082000a")  # EF.ICCID has the short id 02, TS 102 221 §13.2
SELECT_MF: Final = bytes.fromhex("00a40004023f00")  # TS 102 221 §11.1.1
SELECT_ICCID: Final = bytes.fromhex("00a40004022fe2")  # EF.ICCID, TS 102 221 §13.2
READ_ICCID: Final = bytes.fromhex("00b000000a")
SELECT_SERIAL: Final = bytes.fromhex("00a40004022f02")  # the chip serial of Chinese blanks, in no standard
_ICCID_WAYS: Final = ((READ_ICCID_BY_SFI,), (SELECT_MF, SELECT_ICCID, READ_ICCID))
_SERIAL_WAYS: Final = ((SELECT_MF, SELECT_SERIAL, READ_ICCID),)

VERIFY: Final = 0x20
ENVELOPE: Final = 0xC2
INITIALIZE_UPDATE, EXTERNAL_AUTHENTICATE = 0x50, 0x82  # GlobalPlatform card specification 2.3, amendment D §7.1
READING: Final = frozenset(
    {
        0xA4,  # SELECT, TS 102 221 §11.1.1
        0xF2,  # STATUS, §11.1.2
        0xB0,  # READ BINARY, §11.1.3
        0xB2,  # READ RECORD, §11.1.5
        0xA2,  # SEARCH RECORD, §11.1.7
        0x84,  # GET CHALLENGE, §11.1.15
        0x88,  # AUTHENTICATE, §11.1.16: moves SQN, changes no file
        INITIALIZE_UPDATE,  # amendment D §7.1.1: moves the channel's sequence number, changes no file
    }
)
CHANGING: Final = frozenset(
    {
        0xD6,  # UPDATE BINARY, §11.1.4
        0xDC,  # UPDATE RECORD, §11.1.6
        0x24,  # CHANGE PIN, §11.1.10
        0x26,  # DISABLE PIN, §11.1.11
        0x28,  # ENABLE PIN, §11.1.12
        0x2C,  # UNBLOCK PIN, §11.1.13
        0x44,  # ACTIVATE FILE, §11.1.18
        ENVELOPE,  # §11.2.2: what is in it only the card can tell
    }
)
ALLOWED: Final = READING | CHANGING | {VERIFY, EXTERNAL_AUTHENTICATE}
"""Every instruction a script may hold; a script with another one is refused whole."""
SECURE: Final = 0x04
"""CLA bit of a command wrapped for a secure channel (card specification §11.1.4): its header stays readable."""
_ON_FILES: Final = ALLOWED - {ENVELOPE, INITIALIZE_UPDATE, EXTERNAL_AUTHENTICATE}
_IN_CLASS: Final = {
    0x00: _ON_FILES,  # TS 102 221 §10.1.1, basic channel
    0xA0: _ON_FILES,  # TS 51.011 §9.2
    0x00 | SECURE: _ON_FILES,
    0x80: frozenset({0xF2, ENVELOPE, INITIALIZE_UPDATE}),
    0x80 | SECURE: frozenset({EXTERNAL_AUTHENTICATE}),
}
"""What each class may hold (docs/adr/0027, 0030): of GlobalPlatform's own commands only the two that open a channel."""


class _RefusedError(Exception):
    """The script may not run here; the argument is the report's error code."""


@dataclass(frozen=True)
class _Said:
    """What the card said to a command that was the last it got."""

    command: bytes
    data: bytes = field(repr=False)
    sw: int


@dataclass
class _Answers:
    """What the card has said so far: it stands however the script ends."""

    atr: bytes = b""
    results: list[StepResult] = field(default_factory=list)


def run(
    card: CardConnection,
    script: Script,
    journal: Entry,
    *,
    on_step: Callable[[int, StepResult], None],
    cancelled: Callable[[], bool],
    now: datetime,
) -> Report:
    """Run a script on the card and report the raw answers; nothing is judged.

    The card is reset first, so that every script starts from the same state. A card-changing step is in the journal
    before it is sent. A cancel counts until the first card-changing step; after that the script runs to its end,
    because a half written card helps nobody.

    Parameters
    ----------
    card
        Held exclusively; the caller closes it.
    journal
        The script's open entry; it is closed with the report.
    on_step
        Told each step's position and result, perhaps from another thread; must not raise.
    cancelled
        Asked before each step.
    now
        Start of the run, aware; compared with the script's expiry.

    Returns
    -------
    Report
        `Outcome.REFUSED` with error `expired`, `forbidden_command`, `malformed_apdu`, `two_verifies`,
        `channel_not_open`, `not_read_only`, `card_not_named`, `card_not_readable` or `other_card`: no step was sent.
        `Outcome.LOST` with the code of a `DriverError`: card or reader failed under way.
    """
    answers = _Answers()
    error: str | None = None
    try:
        commands = _check(script, now)
        outcome = card.converse(lambda: _run_steps(card, script, commands, journal, answers, on_step, cancelled))
    except _RefusedError as refused:
        outcome, error = Outcome.REFUSED, str(refused)
    except DriverError as failure:
        outcome, error = Outcome.LOST, failure.code
    report = Report(
        script_id=script.id,
        outcome=outcome,
        results=tuple(answers.results),
        atr=answers.atr,
        error=error,
        changed=journal.changed,
    )
    journal.close(report)
    return report


def _changes_card(step: Step, command: CommandAPDU) -> bool:
    """Whether a step must be journaled first: the service says so, or its instruction does."""
    return step.changes_card or command.ins in CHANGING


def _spends_try(command: CommandAPDU) -> bool:
    """Whether a wrong key in this command costs the card one of its tries.

    VERIFY without data asks for the counter (TS 102 221 §11.1.9.1.2) and costs none.
    """
    return command.ins == EXTERNAL_AUTHENTICATE or (command.ins == VERIFY and bool(command.data))


def _check(script: Script, now: datetime) -> list[CommandAPDU]:
    """Return the command of each step; refuse a script that may not run on any card."""
    if now.timestamp() >= script.expires_at:
        raise _RefusedError("expired")
    try:
        commands = [CommandAPDU.parse(step.apdu) for step in script.steps]
        for command in commands:
            check_allowed(command)
    except DriverError as error:
        raise _RefusedError(error.code) from None
    if any(command.ins not in _IN_CLASS.get(command.cla, ()) for command in commands):
        raise _RefusedError("forbidden_command")
    tries = [command.ins for command in commands if _spends_try(command)]
    if len(tries) > len(set(tries)):
        raise _RefusedError("two_verifies")
    before_channel = takewhile(lambda command: command.ins != EXTERNAL_AUTHENTICATE, commands)
    if any(command.cla & SECURE for command in before_channel):
        raise _RefusedError("channel_not_open")
    if script.card is None and script.serial is None and script.purpose is not Purpose.IDENTIFY:
        raise _RefusedError("card_not_named")
    changes = any(map(_changes_card, script.steps, commands))
    if (changes and script.purpose is not Purpose.WRITE) or (tries and script.purpose is Purpose.IDENTIFY):
        raise _RefusedError("not_read_only")
    return commands


def _check_identity(card: CardConnection, wanted: str, ways: Sequence[Sequence[bytes]]) -> _Said:
    """Refuse a card other than the one the script was made for: it was swapped since the service saw it.

    The reset has made the MF current, so one read by short id does (TS 102 221 §8.4.1). Whatever else comes back than
    the number wanted is asked for again by name: some cards know no short ids.
    """
    for way in ways:
        said = _ask(card, way)
        if said is not None and said.data.hex() == wanted.lower():
            return said
    raise _RefusedError("card_not_readable" if said is None else "other_card")


def _ask(card: CardConnection, commands: Sequence[bytes]) -> _Said | None:
    """Give what the card said to the last of the commands, None as soon as one fails."""
    said = None
    for command in commands:
        said = _Said(command, *card.transmit(command))
        if not any(mask.matches(said.sw) for mask in OK):
            return None
    return said


def _run_steps(
    card: CardConnection,
    script: Script,
    commands: Sequence[CommandAPDU],
    journal: Entry,
    answers: _Answers,
    on_step: Callable[[int, StepResult], None],
    cancelled: Callable[[], bool],
) -> Outcome:
    """Reset the card, see that it is the one meant, and send the steps in order until the end, a surprise or a cancel.

    What must outlive a power cut is on disk before the next change: that the card counts as changed, and what became of
    a try (docs/adr/0034). Which of the steps after it was the last, reading the card tells. A first step that asks what
    the card has just said is not sent once more.
    """
    answers.atr = card.reset()
    said = None
    for wanted, ways in ((script.card, _ICCID_WAYS), (script.serial, _SERIAL_WAYS)):
        if wanted is not None:
            said = _check_identity(card, wanted, ways)
    on_disk = False
    for index, (step, command) in enumerate(zip(script.steps, commands, strict=True)):
        if not journal.changed and cancelled():
            return Outcome.CANCELLED
        if _changes_card(step, command):
            journal.before_change(index, synced=not on_disk)
            on_disk = True
        if said is not None and step.apdu == said.command:
            data, sw = said.data, said.sw
        else:
            data, sw = card.transmit(step.apdu)
        said = None
        result = StepResult(name=step.name, sw=sw, data=data if step.returns else b"")
        answers.results.append(result)
        journal.after(result, secret=step.secret)
        on_disk = on_disk and not _spends_try(command)
        on_step(index, result)
        if not step.expects(sw) and step.otherwise is Otherwise.STOP:
            return Outcome.STOPPED
    return Outcome.COMPLETED
