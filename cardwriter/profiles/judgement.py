"""From reports to verdicts: the rules that hold for every card family."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

from cardwriter.crypto.aka import SQN_SIZE, AuthAlgorithm, MacError
from cardwriter.profiles.base import PROOF_SQN, CardFacts, Challenge, Expectation, Failure, Kind, Verdict
from cardwriter.script import OK, TRANSIENT, Otherwise, Outcome, Report, Script, Step, StepResult, SwMask
from cardwriter.usim.bcd import is_blank
from cardwriter.usim.identity import decode_iccid

AUTHENTICATE: Final = "authenticate"
VERIFY_ADM: Final = "verify.adm1"
_NUMBER: Final = "read.iccid"
"""Among the files compared only where the card gets its ICCID in the hall."""

_BROKEN: Final = (SwMask("6581"), SwMask("9240"))
"""The card's memory is worn or broken (TS 102 221 §10.2.1.5, TS 51.011 §9.4.3)."""
_CORRUPT: Final = (*_BROKEN, SwMask("6281"))
"""The same of a file that is read: part of its bytes may be corrupted (TS 102 221 §10.2.1.3)."""
_MAC_WRONG: Final = 0x9862
"""AUTHENTICATE: authentication error, incorrect MAC (TS 31.102 §7.3.1)."""
_ADM_WRONG: Final = (SwMask("63cx"), SwMask("6983"), SwMask("6982"))


def judge_write(script: Script, report: Report, marks: Collection[str]) -> Verdict:
    """Judge a write report; `marks` are the steps that put an identity on the card.

    Only two findings are final here: the journal proves that nothing was sent, or the card itself stopped the script
    before one of them, which the complete list of results of a stopped run shows. All else is UNKNOWN, also a report
    whose results belie its own words.

    Raises
    ------
    ValueError
        The report is of another script, or of steps that this script does not have.
    """
    _check(script, report)
    last = report.results[-1] if report.results else None
    if report.outcome is Outcome.COMPLETED:
        return Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN)
    kind = Kind.UNKNOWN
    ran = script.steps[: len(report.results)]
    if not report.changed:
        kind = Kind.UNKNOWN if any(step.changes_card for step in ran) else Kind.NOTHING_WRITTEN
    elif report.outcome is Outcome.STOPPED and last is not None and _stops(ran[-1], last):
        if _is(last, _BROKEN):
            kind = Kind.DAMAGED
        elif not any(result.name in marks for result in report.results):
            kind = Kind.NOTHING_WRITTEN
    return _finding(kind, _failure(report, last), last, report.error)


def tells_of_adm(report: Report) -> bool:
    """Whether a write report says what became of the one VERIFY of the ADM: never sent, or accepted.

    A refusal is told by the verdict; another answer, or none to a VERIFY that the journal saw go, leaves it in doubt. A
    run that the card itself stopped has an answer to all that was sent: it may end where a channel does not open.
    """
    answer = report.result(VERIFY_ADM)
    if answer is not None:
        return _ok(answer)
    return not report.changed or (report.outcome is Outcome.STOPPED and bool(report.results))


def _check(script: Script, report: Report) -> None:
    names = [step.name for step in script.steps]
    if report.script_id != script.id or [result.name for result in report.results] != names[: len(report.results)]:
        raise ValueError(f"report of script {report.script_id!r} does not belong to script {script.id!r}")


def _stops(step: Step, result: StepResult) -> bool:
    """Whether this answer to this step ends a script, as `Outcome.STOPPED` says of the last one."""
    return step.otherwise is Otherwise.STOP and not step.expects(result.sw)


def _failure(report: Report, last: StepResult | None) -> Failure:
    match report.outcome:
        case Outcome.REFUSED:
            return Failure.REFUSED
        case Outcome.CANCELLED:
            return Failure.CANCELLED
        case Outcome.STOPPED if last is not None:
            refused = last.name == VERIFY_ADM and _is(last, _ADM_WRONG)
            return Failure.ADM_REFUSED if refused else Failure.WRITE_ERROR
        case _:
            return Failure.READER_LOST


@dataclass(frozen=True)
class Who:
    """The step that reads who the card is, and what it must read; the steps of files that hold the IMSI."""

    step: str
    content: bytes
    marks: tuple[str, ...]


def judge_verify(
    script: Script,
    report: Report,
    expected: Expectation,
    contents: Mapping[str, bytes],
    who: Who,
) -> Verdict:
    """Judge a verify report; `contents` maps read steps to the bytes expected.

    In this order: the card must be the identified one and have answered everything; no IMSI on it means that nothing
    was written; a file with other bytes, or keys that are not those in stock, mean damaged. A card that keeps a file
    or its proof to itself has said nothing about either: it stays unknown.

    Raises
    ------
    ValueError
        The report is of another script, or of steps that this script does not have.
    """
    _check(script, report)
    name, iccid = report.result(who.step), report.result("read.iccid")
    if name is not None and _ok(name) and name.data != who.content:
        return Verdict(kind=Kind.UNKNOWN, failure=Failure.ANOTHER_CARD, step=who.step)
    whole = report.outcome is Outcome.COMPLETED and len(report.results) == len(script.steps)
    # A run that went on where its script stops belies itself: who the card is was not read then.
    whole = whole and not any(map(_stops, script.steps, report.results))
    if not whole or name is None or iccid is None:
        last = report.results[-1] if report.results else None
        return _finding(Kind.UNKNOWN, _failure(report, last), last, report.error)
    verdict = _compare(report, contents, who.marks)
    if verdict is not None:
        return verdict
    proof = report.result(AUTHENTICATE)
    if proof is None:
        return Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN)
    verdict = judge_proof(proof, expected.keys, expected.challenge)
    return replace(verdict, iccid=decode_iccid(iccid.data)) if verdict.kind is Kind.VERIFIED else verdict


def _compare(report: Report, contents: Mapping[str, bytes], marks: Collection[str]) -> Verdict | None:
    """Return what the files read back already decide, or None if they hold what they should."""
    reads = {name: result for name in contents if (result := report.result(name)) is not None}
    marked = [result for name, result in reads.items() if name in marks]
    if marked and all(map(_reads_blank, marked)):
        number = reads.get(_NUMBER)
        if number is None or _reads_blank(number):
            return Verdict(kind=Kind.NOTHING_WRITTEN)
        if _ok(number) and number.data == contents[_NUMBER]:
            # The number stays with this card, which can be written again with that number alone.
            return Verdict(kind=Kind.NOTHING_WRITTEN, iccid=decode_iccid(number.data))
    for name, result in reads.items():
        if _is(result, _CORRUPT) or (_answered(result, contents[name]) and result.data != contents[name]):
            return _finding(Kind.DAMAGED, Failure.VERIFY_MISMATCH, result)
        if not _answered(result, contents[name]):
            failure = Failure.READER_LOST if _ok(result) or _is(result, TRANSIENT) else Failure.NOT_PROVEN
            return _finding(Kind.UNKNOWN, failure, result)
    return None


def _is(result: StepResult, masks: Collection[SwMask]) -> bool:
    return any(mask.matches(result.sw) for mask in masks)


def _ok(result: StepResult) -> bool:
    return _is(result, OK)


def _reads_blank(result: StepResult) -> bool:
    return _ok(result) and bool(result.data) and is_blank(result.data)


def _answered(result: StepResult, content: bytes) -> bool:
    """Whether the card gave as many bytes as it was asked for."""
    return _ok(result) and len(result.data) == len(content)


def _finding(kind: Kind, failure: Failure, result: StepResult | None, detail: str | None = None) -> Verdict:
    if result is None:
        return Verdict(kind=kind, failure=failure, detail=detail)
    return Verdict(kind=kind, failure=failure, step=result.name, sw=result.sw, detail=detail)


def judge_proof(result: StepResult, keys: AuthAlgorithm, challenge: Challenge) -> Verdict:
    """Judge the answer to AUTHENTICATE (TS 31.102 §7.1.2.1).

    DC with an AUTS whose MAC-S fits, or DB with the right RES, CK and IK, prove K, OPc and algorithm. 9862, or wrong
    values of the right lengths, disprove them. All else says nothing about the keys and leaves the card unknown: no
    such service, a PIN asked for, a key not there (6D00, 6985, 6982, 6A88, 9864 ...), no diagnosis, or an answer of
    another shape, such as a shorter RES than the product's.
    """
    if result.sw == _MAC_WRONG:
        return _finding(Kind.DAMAGED, Failure.WRONG_KEY, result)
    if _is(result, _BROKEN):
        return _finding(Kind.DAMAGED, Failure.WRITE_ERROR, result)
    if not _ok(result) or not result.data:
        # A station that was killed before it could report has only its journal, which holds no secret answer.
        return _finding(Kind.UNKNOWN, Failure.NOT_PROVEN, result)
    expected = keys.f2345(challenge.rand)
    due = [len(expected.res), len(expected.ck), len(expected.ik)]
    fields = _fields(result.data)
    match result.data[:1], fields:
        case b"\xdc", [auts] if len(auts) == SQN_SIZE + keys.mac_size:
            sqn_ms = _sqn_ms(keys, challenge, auts)
        case b"\xdb", [res, ck, ik, *_] if [len(res), len(ck), len(ik)] == due:
            sqn_ms = PROOF_SQN if expected.equal(res, ck, ik) else None
        case _:
            found = ", ".join(str(len(one)) for one in fields)
            return _finding(Kind.UNKNOWN, Failure.NOT_PROVEN, result, f"an answer of fields of {found} bytes")
    if sqn_ms is None:
        return _finding(Kind.DAMAGED, Failure.WRONG_KEY, result)
    return Verdict(kind=Kind.VERIFIED, sqn_ms=sqn_ms)


def _sqn_ms(keys: AuthAlgorithm, challenge: Challenge, auts: bytes) -> int | None:
    try:
        return keys.open_auts(challenge.rand, auts)
    except MacError:
        return None


def _fields(answer: bytes) -> list[bytes]:
    """Return the length-value fields after the first byte; a cut-off one ends the list."""
    fields, at = [], 1
    while at < len(answer) and at + 1 + answer[at] <= len(answer):
        fields.append(answer[at + 1 : at + 1 + answer[at]])
        at += 1 + answer[at]
    return fields


def settle(facts: CardFacts, verify: Verdict | None, *, blank: bool | None = None) -> Verdict:
    """Settle an unknown card from a fresh identify and, unless that found it blank, a fresh verify.

    `blank` is what the card's profile says where that is known. A card without IMSI holds nothing that counts, whatever
    other files say: the next write rewrites them whole. With an IMSI it is what the verify says, and stays unknown
    until there is one.
    """
    if facts.blank if blank is None else blank:
        return Verdict(kind=Kind.NOTHING_WRITTEN)
    return verify or Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN)
