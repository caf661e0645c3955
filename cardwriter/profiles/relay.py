"""Cards that only their operator's card-data system can write: its data go to the card, the card's answer goes back.

Four steps. The serial is read by identify (`read_serial`); the service requests issue data for it; a script carries
them to the card, unseen by anybody on the way (`apply_script`); the card's answer, which bears a MAC for the operator's
system, is reported as it came (`applied`). Whether the card was written is that system's word alone (`settled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from cardwriter.profiles import judgement
from cardwriter.profiles.base import CardFacts, CardRefused, Failure, Kind, Verdict
from cardwriter.script import OK, Outcome, Purpose, Report, Script, Step
from cardwriter.usim import commands

FAMILY: Final = "operator"
"""What a card kind in stock names as its profile; it is none of `PROFILES`, whose cards we write ourselves."""
SERIAL_SIZES: Final = (16, 20)
"""Digits of a blank's serial: cards of the older remote writing, and of writing on the spot."""
MOST_PARTS: Final = 64
LONGEST_PART: Final = 255
"""Data of a short command APDU (ISO/IEC 7816-3 §12.1.3)."""


@dataclass(frozen=True)
class Applied:
    """What came of carrying issue data to a card: the verdict so far, never VERIFIED, and the card's last answer.

    `answer` is what the card said to the last part, unmodified, empty if it did not get so far; `sw` its last word.
    """

    verdict: Verdict
    answer: bytes = field(repr=False)
    sw: int | None


def read_serial(facts: CardFacts) -> str:
    """Return the serial that the operator's system knows the blank by.

    Raises
    ------
    CardRefused
        The card has none, or bears an identity already.
    """
    if facts.serial is None or len(facts.serial) not in SERIAL_SIZES:
        raise CardRefused(Failure.WRONG_KIND, "the card has no serial of 16 or 20 digits")
    if not facts.blank:
        raise CardRefused(Failure.NOT_BLANK, "the card holds an identity or hides it")
    return facts.serial


def apply_script(facts: CardFacts, parts: Sequence[bytes], script_id: str, expires_at: int) -> Script:
    """Return the script that hands the parts to the card in their order, each in an ENVELOPE, and nothing else.

    Raises
    ------
    CardRefused
        As `read_serial`; or the parts are none, too many, or fit no command.
    """
    read_serial(facts)
    if not 0 < len(parts) <= MOST_PARTS or any(not 0 < len(part) <= LONGEST_PART for part in parts):
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, "the issue data fit no short commands")
    steps = tuple(
        # The answer bears a MAC and is no secret: it is journaled, so that a killed station can still report it.
        Step(name=name, apdu=commands.envelope(part), expect=OK, returns=True, changes_card=True)
        for name, part in zip(_names(len(parts)), parts, strict=True)
    )
    serial = (facts.serial_raw or b"").hex()
    return Script(id=script_id, purpose=Purpose.WRITE, card=None, serial=serial, steps=steps, expires_at=expires_at)


def applied(script: Script, report: Report) -> Applied:
    """Say what the report of such a script means by itself.

    Nothing was written if no part was sent; else only the operator's system can tell.

    Raises
    ------
    ValueError
        The report is of another script, or of steps that this script does not have.
    """
    verdict = judgement.judge_write(script, report, _names(len(script.steps)))
    last = report.results[-1] if report.results else None
    whole = report.outcome is Outcome.COMPLETED and len(report.results) == len(script.steps)
    return Applied(verdict, last.data if whole and last is not None else b"", None if last is None else last.sw)


def settled(found: Applied, *, accepted: bool | None) -> Verdict:
    """Give the verdict once the operator's system has spoken about the card's answer; None: it could not be asked.

    Accepted, the card is written, if it answered at all. Refused, it is spoiled: its data are used up, and whatever
    stands on it is none of ours. A card that was not sent anything stays unwritten whatever is said about it.
    """
    if found.verdict.kind is not Kind.UNKNOWN:
        return found.verdict
    if accepted is None:
        return replace(found.verdict, failure=Failure.REPORT_FAILED)
    if accepted:
        if found.answer:
            return Verdict(kind=Kind.VERIFIED)
        return replace(found.verdict, failure=Failure.NOT_PROVEN, detail="accepted without an answer of the card")
    return replace(found.verdict, kind=Kind.DAMAGED, failure=Failure.VERIFY_MISMATCH)


def read_back(found: Verdict, *, iccid: str, read: str | None) -> Verdict:
    """Give the verdict once the card itself was read: `read` is its ICCID, empty if it bears none, None if unread.

    A written card that does not bear the number of its issue is damaged; one that was not read is unknown until then.
    """
    if found.kind is not Kind.VERIFIED:
        return found
    if read is None:
        return replace(found, kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN, detail="the card was not read after it")
    if read != iccid:
        return replace(found, kind=Kind.DAMAGED, failure=Failure.VERIFY_MISMATCH, detail="it bears another ICCID")
    return replace(found, iccid=read)


def _names(count: int) -> tuple[str, ...]:
    return tuple(f"issue.{number}" for number in range(1, count + 1))
