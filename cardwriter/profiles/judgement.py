"""From reports to verdicts: the rules that hold for every card family."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from cardwriter.crypto.milenage import MacError, Milenage
from cardwriter.profiles.base import PROOF_SQN, CardFacts, Challenge, Expectation, Failure, Kind, Verdict
from cardwriter.script import OK, TRANSIENT, Otherwise, Outcome, Report, Script, Step, StepResult, SwMask
from cardwriter.usim.bcd import is_blank

AUTHENTICATE: Final = "authenticate"
VERIFY_ADM: Final = "verify.adm1"

_MEMORY_FAILURE: Final = 0x6581
"""The card's memory is worn or broken (TS 102 221 §10.2.1.5)."""
_MAC_WRONG: Final = 0x9862
"""AUTHENTICATE: authentication error, incorrect MAC (TS 31.102 §7.3.1)."""
_ADM_WRONG: Final = (SwMask("63cx"), SwMask("6983"), SwMask("6982"))


def judge_write(script: Script, report: Report, imsi_steps: Collection[str]) -> Verdict:
    """Judge a write report; `imsi_steps` are the steps that put an IMSI on the card.

    Only two findings are final here: the journal proves that nothing was sent, or the card itself stopped the script
    before an IMSI step, which the complete list of results of a stopped run shows. All else is UNKNOWN, also a report
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
        if last.sw == _MEMORY_FAILURE:
            kind = Kind.DAMAGED
        elif not any(result.name in imsi_steps for result in report.results):
            kind = Kind.NOTHING_WRITTEN
    return _finding(kind, _failure(report, last), last, report.error)


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
            refused = last.name == VERIFY_ADM and any(mask.matches(last.sw) for mask in _ADM_WRONG)
            return Failure.ADM_REFUSED if refused else Failure.WRITE_ERROR
        case _:
            return Failure.READER_LOST


def judge_verify(
    script: Script, report: Report, expected: Expectation, contents: Mapping[str, bytes], imsi_steps: Collection[str]
) -> Verdict:
    """Judge a verify report; `contents` maps read steps to the bytes expected, `imsi_steps` are those of EF.IMSI.

    In this order: the card must be the identified one and have answered everything; no IMSI on it means that nothing
    was written; a file with other bytes, or keys that are not those in stock, mean damaged.

    Raises
    ------
    ValueError
        The report is of another script, or of steps that this script does not have.
    """
    _check(script, report)
    iccid = report.result("read.iccid")
    if iccid is not None and _ok(iccid) and iccid.data != expected.facts.iccid_raw:
        return Verdict(kind=Kind.UNKNOWN, failure=Failure.ANOTHER_CARD, step="read.iccid")
    if report.outcome is not Outcome.COMPLETED or iccid is None:
        last = report.results[-1] if report.results else None
        return _finding(Kind.UNKNOWN, _failure(report, last), last, report.error)
    verdict = _compare(report, contents, imsi_steps)
    if verdict is not None:
        return verdict
    proof = report.result(AUTHENTICATE)
    if proof is None:
        return Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN)
    verdict = judge_proof(proof, expected.keys, expected.challenge)
    return replace(verdict, iccid=expected.facts.iccid) if verdict.kind is Kind.VERIFIED else verdict


def _compare(report: Report, contents: Mapping[str, bytes], imsi_steps: Collection[str]) -> Verdict | None:
    """Return what the files read back already decide, or None if they hold what they should."""
    reads = {name: result for name in contents if (result := report.result(name)) is not None}
    imsis = [result for name, result in reads.items() if name in imsi_steps]
    if imsis and all(_ok(result) and result.data and is_blank(result.data) for result in imsis):
        return Verdict(kind=Kind.NOTHING_WRITTEN)
    for name, result in reads.items():
        if _transient(result):
            return _finding(Kind.UNKNOWN, Failure.READER_LOST, result)
        if not _ok(result) or result.data != contents[name]:
            return _finding(Kind.DAMAGED, Failure.VERIFY_MISMATCH, result)
    return None


def _ok(result: StepResult) -> bool:
    return any(mask.matches(result.sw) for mask in OK)


def _transient(result: StepResult) -> bool:
    return any(mask.matches(result.sw) for mask in TRANSIENT)


def _finding(kind: Kind, failure: Failure, result: StepResult | None, detail: str | None = None) -> Verdict:
    if result is None:
        return Verdict(kind=kind, failure=failure, detail=detail)
    return Verdict(kind=kind, failure=failure, step=result.name, sw=result.sw, detail=detail)


def judge_proof(result: StepResult, keys: Milenage, challenge: Challenge) -> Verdict:
    """Judge the answer to AUTHENTICATE (TS 31.102 §7.1.2.1).

    DC with an AUTS whose MAC-S fits, or DB with the right RES, CK and IK, prove K, OPc and algorithm. Status words
    other than 9862 say nothing about the keys; only those that a repetition may cure leave the card unknown.
    """
    if result.sw == _MAC_WRONG:
        return _finding(Kind.DAMAGED, Failure.WRONG_KEY, result)
    if not _ok(result) and not _transient(result):
        return _finding(Kind.DAMAGED, Failure.NOT_PROVEN, result)
    if not _ok(result) or not result.data:
        # A station that was killed before it could report has only its journal, which holds no secret answer.
        return _finding(Kind.UNKNOWN, Failure.NOT_PROVEN, result)
    match result.data[:1], _fields(result.data):
        case b"\xdc", [auts] if (sqn_ms := _sqn_ms(keys, challenge, auts)) is not None:
            return Verdict(kind=Kind.VERIFIED, sqn_ms=sqn_ms)
        case b"\xdb", [res, ck, ik, *_] if keys.f2345(challenge.rand).equal(res, ck, ik):
            return Verdict(kind=Kind.VERIFIED, sqn_ms=PROOF_SQN)
        case _:
            return _finding(Kind.DAMAGED, Failure.WRONG_KEY, result)


def _sqn_ms(keys: Milenage, challenge: Challenge, auts: bytes) -> int | None:
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


def settle(facts: CardFacts, verify: Verdict | None) -> Verdict:
    """Settle an unknown card from a fresh identify and, unless that found it blank, a fresh verify.

    A card without IMSI holds nothing that counts, whatever other files say: the next write rewrites them whole. With
    an IMSI it is what the verify says, and stays unknown until there is one.
    """
    if facts.blank:
        return Verdict(kind=Kind.NOTHING_WRITTEN)
    return verify or Verdict(kind=Kind.UNKNOWN, failure=Failure.NOT_PROVEN)
