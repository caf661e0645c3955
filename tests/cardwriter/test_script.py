from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.script import (
    OK,
    Otherwise,
    Outcome,
    Purpose,
    Report,
    Script,
    ScriptError,
    Step,
    StepResult,
    SwMask,
)

NAMES = st.text(min_size=1, max_size=200).filter(str.isprintable)
APDUS = st.binary(min_size=4, max_size=40)
MASKS = st.from_regex(r"[0-9a-fx]{4}", fullmatch=True).map(SwMask)
STEPS = st.builds(
    Step,
    name=NAMES,
    apdu=APDUS,
    expect=st.lists(MASKS, max_size=3).map(tuple),
    otherwise=st.sampled_from(Otherwise),
    returns=st.booleans(),
    secret=st.booleans(),
    changes_card=st.booleans(),
)
SCRIPTS = st.builds(
    Script,
    id=NAMES,
    purpose=st.sampled_from([Purpose.WRITE, Purpose.VERIFY]),
    card=st.none() | st.binary(min_size=10, max_size=10).map(bytes.hex),
    serial=st.none() | st.binary(min_size=10, max_size=10).map(bytes.hex),
    steps=st.lists(STEPS, max_size=4).map(tuple),
    expires_at=st.integers(0, 2**40),
)
RESULTS = st.builds(StepResult, name=NAMES, sw=st.integers(0, 0xFFFF), data=st.binary(max_size=30))
REPORTS = st.builds(
    Report,
    script_id=NAMES,
    outcome=st.sampled_from(Outcome),
    results=st.lists(RESULTS, max_size=4).map(tuple),
    atr=st.binary(max_size=33),
    error=st.none() | NAMES,
    changed=st.booleans(),
)


def through_json(wire: dict[str, Any]) -> dict[str, Any]:
    again: dict[str, Any] = json.loads(json.dumps(wire))
    return again


@given(SCRIPTS)
def test_script_survives_the_wire(script: Script) -> None:
    assert Script.from_wire(through_json(script.to_wire())) == script


@given(REPORTS)
def test_report_survives_the_wire(report: Report) -> None:
    assert Report.from_wire(through_json(report.to_wire())) == report


def test_bytes_travel_as_lower_case_hex() -> None:
    step = Step(name="select", apdu=bytes.fromhex("00A4000402"), expect=(SwMask("61xx"),))
    assert step.to_wire()["apdu"] == "00a4000402"
    assert StepResult(name="read", sw=0x9000, data=b"\xab").to_wire() == {"name": "read", "sw": "9000", "data": "ab"}


@pytest.mark.parametrize(("pattern", "sw"), [("9000", 0x9000), ("63cx", 0x63C2), ("91xx", 0x9120), ("xxxx", 0x6F00)])
def test_mask_matches_what_it_says(pattern: str, sw: int) -> None:
    assert SwMask(pattern).matches(sw)


@pytest.mark.parametrize(("pattern", "sw"), [("9000", 0x9001), ("63cx", 0x6382), ("61xx", 0x6200)])
def test_mask_matches_nothing_else(pattern: str, sw: int) -> None:
    assert not SwMask(pattern).matches(sw)


@pytest.mark.parametrize("pattern", ["", "900", "90000", "9OOO", "63CX", "61**"])
def test_malformed_mask_is_refused(pattern: str) -> None:
    with pytest.raises(ScriptError, match="mask"):
        SwMask(pattern)


def test_waiting_proactive_command_is_a_success() -> None:
    step = Step(name="update", apdu=b"\0\0\0\0")
    assert step.expect == OK
    assert step.expects(0x9000)
    assert step.expects(0x9112)
    assert not step.expects(0x6982)


def test_text_forms_hide_commands_and_answers() -> None:
    step = Step(name="verify", apdu=bytes.fromhex("0020000a083833373236313530"), secret=True)
    result = StepResult(name="authenticate", sw=0x9000, data=bytes.fromhex("db0811"))
    report = Report(script_id="1", outcome=Outcome.COMPLETED, results=(result,))
    assert "38333732" not in repr(step)
    assert "db0811" not in repr(report)
    assert "\\xdb" not in repr(report)


def test_last_result_of_a_name_is_found() -> None:
    first, second = StepResult(name="read", sw=0x6F00), StepResult(name="read", sw=0x9000)
    report = Report(script_id="1", outcome=Outcome.COMPLETED, results=(first, second))
    assert report.result("read") is second
    assert report.result("write") is None


def test_report_counts_as_changed_unless_it_says_otherwise() -> None:
    assert Report(script_id="1", outcome=Outcome.LOST, results=()).changed


A_STEP: dict[str, Any] = Step(name="update", apdu=b"\0\xd6\0\0\1\0", changes_card=True).to_wire()
A_SCRIPT: dict[str, Any] = {"id": "1", "purpose": "write", "card": None, "expires_at": 1, "steps": [A_STEP]}
A_RESULT: dict[str, Any] = {"name": "read", "sw": "9000", "data": ""}
A_REPORT: dict[str, Any] = Report(script_id="1", outcome=Outcome.COMPLETED, results=()).to_wire()


@pytest.mark.parametrize("change", [{"apdu": "0g"}, {"otherwise": "panic"}, {"expect": 3}, {"name": ...}])
def test_malformed_step_is_refused(change: dict[str, Any]) -> None:
    wire = {name: value for name, value in (A_STEP | change).items() if value is not ...}
    with pytest.raises(ScriptError):
        Step.from_wire(wire)
    with pytest.raises(ScriptError, match="malformed step"):
        Script.from_wire(A_SCRIPT | {"steps": [wire]})


@pytest.mark.parametrize("change", [{"purpose": "format"}, {"expires_at": "soon"}, {"steps": None}])
def test_malformed_script_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ScriptError, match="malformed script"):
        Script.from_wire(A_SCRIPT | change)


def test_identify_script_that_changes_the_card_is_refused() -> None:
    with pytest.raises(ScriptError, match="may not change"):
        Script.from_wire(A_SCRIPT | {"purpose": "identify"})
    harmless = A_SCRIPT | {"purpose": "identify", "steps": [A_STEP | {"changes_card": False}]}
    assert Script.from_wire(harmless).purpose is Purpose.IDENTIFY


@pytest.mark.parametrize(
    "change",
    [{"sw": "zz"}, {"data": "1"}, {"sw": 9}, {"sw": "10000"}, {"sw": "-001"}, {"name": "re\0ad"}, {"name": "n" * 201}],
)
def test_malformed_result_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ScriptError, match="malformed result"):
        Report.from_wire(A_REPORT | {"results": [A_RESULT | change]})


@pytest.mark.parametrize("change", [{"outcome": "fine"}, {"atr": "x"}, {"results": 1}])
def test_malformed_report_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ScriptError, match="malformed report"):
        Report.from_wire(A_REPORT | change)


@pytest.mark.parametrize("value", [None, 0, "", "false"])
def test_flag_that_is_not_true_or_false_is_refused(value: object) -> None:
    """Nothing taken for false would let a report prove that no card was changed."""
    with pytest.raises(ScriptError):
        Report.from_wire(A_REPORT | {"changed": value})
    for flag in ("returns", "secret", "changes_card"):
        with pytest.raises(ScriptError):
            Step.from_wire(A_STEP | {flag: value})


@pytest.mark.parametrize("change", [{"error": {}}, {"error": "a\0b"}, {"script_id": "\ud800"}, {"script_id": ""}])
def test_report_with_a_name_that_no_database_takes_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ScriptError):
        Report.from_wire(A_REPORT | change)
