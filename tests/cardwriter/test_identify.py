"""Reading identify reports of cards that are not as they should be."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.profiles import CardRefused, FactsError, Failure, identify_script, matching, profile, read_facts
from cardwriter.profiles.file_set import MEASURED, USUAL
from cardwriter.script import Outcome, Purpose, Report, StepResult
from cardwriter.usim import tlv
from cardwriter.usim.bcd import CodecError
from cardwriter.usim.files import Pin
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import EXPIRES, ICCID, a_blank, some_data
from tests.cardwriter.station import run


def identified(image: CardImage) -> Report:
    return run(VirtualUicc(image), identify_script("identify", EXPIRES))


IDENTIFIED = identified(a_blank())


def with_result(report: Report, name: str, sw: int, data: bytes = b"") -> Report:
    """Return the report with another answer to one step."""
    changed = StepResult(name=name, sw=sw, data=data)
    return replace(report, results=tuple(changed if one.name == name else one for one in report.results))


def without(report: Report, name: str) -> Report:
    return replace(report, results=tuple(one for one in report.results if one.name != name))


def test_identify_may_run_on_any_card_and_is_read_only() -> None:
    script = identify_script("identify", EXPIRES)
    assert (script.purpose, script.card) == (Purpose.IDENTIFY, None)
    assert not any(step.changes_card or step.secret for step in script.steps)


def test_card_that_does_not_tell_its_number_is_nobody() -> None:
    with pytest.raises(FactsError, match="could not be read"):
        read_facts(Report(script_id="identify", outcome=Outcome.LOST, results=(), error="card_removed"))


def test_number_of_a_wrong_length_is_nobody() -> None:
    with pytest.raises(FactsError, match="10 bytes"):
        read_facts(with_result(identified(a_blank()), "read.iccid", 0x9000, b"\x98"))


def test_card_without_number_and_serial_is_told_so() -> None:
    image = a_blank()
    image.files["2fe2"].content = image.files["2f02"].content = b"\xff" * 10
    facts = read_facts(identified(image))
    assert (facts.iccid, facts.serial) == ("", None)
    assert matching(facts) == ()


def test_serial_of_sixteen_digits_is_read_without_its_padding() -> None:
    assert read_facts(identified(a_blank(serial="2026010000000042"))).serial == "2026010000000042"


def test_card_without_serial_file_does_not_pass_its_number_off_as_one() -> None:
    image = a_blank()
    del image.files["2f02"]
    facts = read_facts(identified(image))
    assert (facts.iccid, facts.serial) == (ICCID, None)


def test_card_without_usim_is_told_so() -> None:
    image = a_blank()
    image.aid = bytes.fromhex("a0000000871004")
    report = identified(image)
    assert report.outcome is Outcome.STOPPED
    facts = read_facts(report)
    assert not facts.usim
    assert facts.adm_tries is None
    assert facts.mnc_length is None
    assert matching(facts) == ()


def test_blocked_adm_has_no_tries() -> None:
    image = a_blank()
    image.codes[Pin.ADM1].tries = 0
    assert read_facts(identified(image)).adm_tries == 0


def test_missing_adm_is_unknown() -> None:
    image = a_blank()
    del image.codes[Pin.ADM1]
    assert read_facts(identified(image)).adm_tries is None


@pytest.mark.parametrize(("sw", "enabled"), [(0x9000, False), (0x63C3, True), (0x6983, True)])
def test_pin_status_comes_from_the_query_where_select_does_not_tell(sw: int, *, enabled: bool) -> None:
    report = with_result(identified(a_blank()), "select.usim", 0x9000, bytes.fromhex("620482027821"))
    assert read_facts(with_result(report, "query.pin1", sw)).pin1_enabled is enabled
    assert read_facts(without(report, "query.pin1")).pin1_enabled is None


def test_card_that_hides_its_imsi_is_not_blank() -> None:
    image = a_blank()
    image.codes[Pin.PIN1].enabled = True
    facts = read_facts(identified(image))
    assert facts.imsi_usim is None
    assert facts.pin1_enabled
    assert not facts.blank


def test_imsi_in_either_directory_makes_a_card_not_blank() -> None:
    for path in ("7f20/6f07", "7fff/6f07"):
        image = a_blank(gsm_linked=False)
        image.files[path].content = bytes.fromhex("084906002143658709")
        assert not read_facts(identified(image)).blank


def test_imsi_of_gsm_that_is_there_but_unread_makes_a_card_not_blank() -> None:
    report = identified(a_blank(gsm_linked=False))
    for unread in (
        with_result(report, "read.gsm_imsi", 0x6982),
        with_result(report, "read.gsm_imsi", 0x9000),
        without(report, "read.gsm_imsi"),
        with_result(report, "select.gsm_imsi", 0x6F00),
    ):
        assert not read_facts(unread).blank


@pytest.mark.parametrize("sw", [0x6281, 0x6283, 0x6581, 0x6982, 0x6985, 0x9240])
def test_imsi_of_gsm_that_is_not_denied_makes_a_card_not_blank(sw: int) -> None:
    """REQ-HW-03: a file that is deactivated, protected or in broken memory may hold an IMSI."""
    report = with_result(identified(a_blank(gsm_linked=False)), "select.gsm_imsi", sw)
    assert not read_facts(with_result(report, "read.gsm_imsi", 0x6986)).blank


def test_card_without_a_gsm_directory_is_blank() -> None:
    report = with_result(identified(a_blank()), "select.gsm_imsi", 0x6A82)
    assert read_facts(with_result(report, "read.gsm_imsi", 0x6986)).blank


def test_imsi_answered_without_a_byte_is_not_blank() -> None:
    assert not read_facts(with_result(identified(a_blank()), "read.imsi", 0x9000)).blank


def test_card_filled_with_zeros_is_blank() -> None:
    image = a_blank()
    image.files["7fff/6f07"].content = bytes(9)
    assert read_facts(identified(image)).blank


def test_unreadable_administrative_data_leave_the_mnc_length_open() -> None:
    image = a_blank()
    image.files["7fff/6fad"].content = b"\xff" * 4
    assert read_facts(identified(image)).mnc_length is None


def test_answer_to_select_that_is_no_fcp_gives_no_size() -> None:
    report = with_result(identified(a_blank()), "select.spn", 0x9000, b"\x6f\x00")
    assert "EF.SPN" not in read_facts(report).sizes


TRANSPARENT, LINEAR = "82024121", "82054221{:04x}01"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("hplmnwact", f"{TRANSPARENT}80020000"),
        ("hplmnwact", TRANSPARENT),
        ("hplmnwact", f"{TRANSPARENT}80028001"),
        ("hplmnwact", f"{TRANSPARENT}8003ffffff"),
        ("hplmnwact", f"{TRANSPARENT}8020{'ff' * 32}"),
        ("smsp", f"{LINEAR.format(0)}800200fa"),
        ("smsp", f"{LINEAR.format(256)}80020100"),
        ("smsp", f"{LINEAR.format(0xFFFF)}8002ffff"),
        ("smsp", "7800"),
    ],
)
def test_file_of_a_size_that_no_command_can_write_refuses_the_card(name: str, parameters: str) -> None:
    """REQ-HW-02: no offset reaches behind 32,768 bytes, where its first bit would name another file."""
    body = bytes.fromhex(parameters)
    report = with_result(identified(a_blank()), f"select.{name}", 0x9000, bytes([0x62, len(body)]) + body)
    facts = read_facts(report)
    with pytest.raises(CardRefused, match=f"missing: {MEASURED[name].name}") as refused:
        profile("preset_key").write_script(facts, some_data(), "write", EXPIRES)
    assert refused.value.failure is Failure.WRONG_KIND


@given(st.sampled_from(USUAL), st.binary(max_size=5), st.binary(max_size=5))
def test_whatever_a_card_says_of_a_file_it_is_written_or_refused_by_name(name: str, shape: bytes, size: bytes) -> None:
    """REQ-HW-02: nothing that stands in an answer to SELECT breaks the service."""
    body = tlv.encode(0x82, b"\x42" + shape) + tlv.encode(0x80, size)
    said = with_result(IDENTIFIED, f"select.{name}", 0x9000, tlv.encode(0x62, body))
    with suppress(CardRefused, CodecError):
        profile("preset_key").write_script(read_facts(said), some_data(), "write", EXPIRES)
