"""Runs one script on one card: the only place that moves bytes to a card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
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

VERIFY: Final = 0x20
READING: Final = frozenset(
    {
        0xA4,  # SELECT, TS 102 221 §11.1.1
        0xF2,  # STATUS, §11.1.2
        0xB0,  # READ BINARY, §11.1.3
        0xB2,  # READ RECORD, §11.1.5
        0xA2,  # SEARCH RECORD, §11.1.7
        0x84,  # GET CHALLENGE, §11.1.15
        0x88,  # AUTHENTICATE, §11.1.16: moves SQN, changes no file
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
    }
)
ALLOWED: Final = READING | CHANGING | {VERIFY}
"""Every instruction a script may hold; a script with another one is refused whole."""


class _RefusedError(Exception):
    """The script may not run here; the argument is the report's error code."""


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

    The card is reset first, so that every script starts from the same state. A card-changing step is on disk before it
    is sent. A cancel counts until the first card-changing step; after that the script runs to its end, because a half
    written card helps nobody.

    Parameters
    ----------
    card
        Held exclusively; the caller closes it.
    journal
        The script's open entry; it is closed with the report.
    on_step
        Told each step's position and result; must not raise.
    cancelled
        Asked before each step.
    now
        Start of the run, aware; compared with the script's expiry.

    Returns
    -------
    Report
        `Outcome.REFUSED` with error `expired`, `forbidden_command`, `malformed_apdu`, `two_verifies`,
        `not_read_only`, `card_not_named`, `card_not_readable` or `other_card`: no step was sent.
        `Outcome.LOST` with the code of a `DriverError`: card or reader failed under way.
    """
    results: list[StepResult] = []
    error: str | None = None
    atr = b""
    try:
        _check(script, now)
        atr = card.reset()
        if script.card is not None:
            _check_identity(card, script.card)
        outcome = _run_steps(card, script, journal, results, on_step, cancelled)
    except _RefusedError as refused:
        outcome, error = Outcome.REFUSED, str(refused)
    except DriverError as failure:
        outcome, error = Outcome.LOST, failure.code
    report = Report(
        script_id=script.id,
        outcome=outcome,
        results=tuple(results),
        atr=atr,
        error=error,
        changed=journal.changed,
    )
    journal.close(report)
    return report


def changes_card(step: Step) -> bool:
    """Whether a step must be journaled first: the service says so, or its instruction does."""
    return step.changes_card or CommandAPDU.parse(step.apdu).ins in CHANGING


def _check(script: Script, now: datetime) -> None:
    """Refuse a script that may not run on any card."""
    if now.timestamp() >= script.expires_at:
        raise _RefusedError("expired")
    try:
        commands = [CommandAPDU.parse(step.apdu) for step in script.steps]
        for command in commands:
            check_allowed(command)
    except DriverError as error:
        raise _RefusedError(error.code) from None
    if any(command.ins not in ALLOWED for command in commands):
        raise _RefusedError("forbidden_command")
    # VERIFY without data asks for the counter (TS 102 221 §11.1.9.1.2) and spends no try.
    tries = sum(command.ins == VERIFY and bool(command.data) for command in commands)
    if tries > 1:
        raise _RefusedError("two_verifies")
    if script.card is None and script.purpose is not Purpose.IDENTIFY:
        raise _RefusedError("card_not_named")
    changes = any(changes_card(step) for step in script.steps)
    if (changes and script.purpose is not Purpose.WRITE) or (tries and script.purpose is Purpose.IDENTIFY):
        raise _RefusedError("not_read_only")


def _check_identity(card: CardConnection, wanted: str) -> None:
    """Refuse a card other than the one the script was made for: it was swapped since the service saw it.

    The reset has made the MF current, so one read by short id does (TS 102 221 §8.4.1). Whatever else comes back than
    the number wanted is asked for again by name: some cards know no short ids.
    """
    for way in ((READ_ICCID_BY_SFI,), (SELECT_MF, SELECT_ICCID, READ_ICCID)):
        answer = _ask(card, way)
        if answer is not None and answer.hex() == wanted.lower():
            return
    raise _RefusedError("card_not_readable" if answer is None else "other_card")


def _ask(card: CardConnection, commands: Sequence[bytes]) -> bytes | None:
    """Give the answer to the last of the commands, None as soon as one fails."""
    data = b""
    for command in commands:
        data, sw = card.transmit(command)
        if not any(mask.matches(sw) for mask in OK):
            return None
    return data


def _run_steps(
    card: CardConnection,
    script: Script,
    journal: Entry,
    results: list[StepResult],
    on_step: Callable[[int, StepResult], None],
    cancelled: Callable[[], bool],
) -> Outcome:
    """Send the steps in order, appending to `results`, until the end, a surprise or a cancel."""
    for index, step in enumerate(script.steps):
        if not journal.changed and cancelled():
            return Outcome.CANCELLED
        if changes_card(step):
            journal.before_change(index)
        data, sw = card.transmit(step.apdu)
        result = StepResult(name=step.name, sw=sw, data=data if step.returns else b"")
        results.append(result)
        journal.after(result, secret=step.secret)
        on_step(index, result)
        if not step.expects(sw) and step.otherwise is Otherwise.STOP:
            return Outcome.STOPPED
    return Outcome.COMPLETED
