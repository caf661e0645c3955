from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import pytest
from typing_extensions import override

from cardwriter.script import Otherwise, Outcome, Purpose, Report, Script, StepResult
from cardwriter.station.journal import Filed, Journal
from cardwriter.station.runner import run
from drivers.deadline import Lane
from drivers.errors import CardUnresponsiveError
from drivers.virtual import VirtualCard, VirtualConnection, VirtualSource
from tests.patience import PATIENCE
from tests.station.scripts import (
    AUTHENTICATE,
    IDENTIFY,
    IMSI,
    NOW,
    READ_IMSI,
    SELECT_IMSI,
    VERIFY_ADM,
    WRITE,
    WRITE_AD,
    WRITE_IMSI,
    script,
    step,
)
from tests.station.tiny_card import ATR, ICCID, OTHER_ICCID, SECRET_ANSWER, UPDATE, TinyCard

T = TypeVar("T")

BY_SHORT_ID = 1  # READ BINARY
BY_NAME = 5  # SELECT MF, SELECT EF.ICCID, each with its GET RESPONSE, and READ BINARY


@dataclass
class Desk:
    """A card in a reader, a journal, and what happened."""

    journal: Journal
    card: TinyCard = field(default_factory=TinyCard)
    steps: list[tuple[int, StepResult]] = field(default_factory=list)

    def run(
        self,
        script: Script,
        *,
        cancelled: Callable[[], bool] = lambda: False,
        on_step: Callable[[int, StepResult], None] | None = None,
        card: VirtualCard | None = None,
    ) -> Report:
        entry = self.journal.open(script, job="job-1", reader="virtual", insertion=1)
        assert entry is not None
        source = VirtualSource(card or self.card)
        connection = source.connect("virtual")
        tell = on_step or (lambda index, result: self.steps.append((index, result)))
        return run(connection, script, entry, on_step=tell, cancelled=cancelled, now=NOW)

    @property
    def imsi(self) -> bytes:
        return bytes(self.card.files[0x6F07])


MAC = "cd" * 8
OPEN = step("channel.open", "8482030010" + "ef" * 8 + MAC, changes=True)
"""EXTERNAL AUTHENTICATE; what follows may be wrapped."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    journal = Journal(tmp_path)
    yield Desk(journal)
    journal.close()


def test_a_write_script_runs_to_its_end_and_reports_raw_answers(desk: Desk) -> None:
    report = desk.run(WRITE)
    assert (report.outcome, report.error, report.changed, report.atr) == (Outcome.COMPLETED, None, True, ATR)
    assert [result.name for result in report.results] == [one.name for one in WRITE.steps]
    assert {result.sw for result in report.results} == {0x9000}
    assert desk.imsi == IMSI
    assert [index for index, _ in desk.steps] == [0, 1, 2, 3, 4]


def test_an_identify_script_needs_no_card_name_and_changes_nothing(desk: Desk) -> None:
    report = desk.run(IDENTIFY)
    assert (report.outcome, report.changed) == (Outcome.COMPLETED, False)
    read = report.result("read EF.ICCID")
    assert read is not None
    assert read.data == ICCID


def test_data_comes_back_only_when_asked_for(desk: Desk) -> None:
    report = desk.run(script(SELECT_IMSI, READ_IMSI, replace(READ_IMSI, name="again", returns=False)))
    assert [result.data for result in report.results] == [b"", b"\xff" * 9, b""]


def test_another_card_is_refused_before_the_first_step(desk: Desk) -> None:
    desk.card = TinyCard(OTHER_ICCID)
    report = desk.run(WRITE)
    assert (report.outcome, report.error, report.changed) == (Outcome.REFUSED, "other_card", False)
    assert len(desk.card.seen) == BY_SHORT_ID + BY_NAME
    assert desk.imsi == b"\xff" * 9


def test_the_identified_card_is_known_again_with_one_command(desk: Desk) -> None:
    desk.run(script(VERIFY_ADM))
    assert desk.card.seen[BY_SHORT_ID:] == [VERIFY_ADM.apdu]


READ_ICCID_AGAIN = step("read EF.ICCID", "00b082000a", returns=True)


def test_a_first_step_that_asks_what_the_card_has_just_said_is_not_sent_once_more(desk: Desk) -> None:
    report = desk.run(script(READ_ICCID_AGAIN, READ_ICCID_AGAIN, purpose=Purpose.VERIFY))
    assert [one.data for one in report.results] == [ICCID, ICCID]
    assert [index for index, _ in desk.steps] == [0, 1]
    assert (
        desk.card.seen == [READ_ICCID_AGAIN.apdu] * 2
    )  # for the check, and for the second step: only the first is spared


def test_a_card_that_knows_no_short_ids_is_asked_by_name(desk: Desk) -> None:
    desk.card.short_ids.clear()
    assert desk.run(WRITE).outcome is Outcome.COMPLETED
    assert desk.card.seen[BY_SHORT_ID + BY_NAME] == VERIFY_ADM.apdu


def test_a_card_without_a_readable_iccid_is_refused(desk: Desk) -> None:
    del desk.card.files[0x2FE2]
    assert desk.run(WRITE).error == "card_not_readable"


def test_a_card_that_has_no_number_yet_is_known_by_its_serial(desk: Desk) -> None:
    serial, other = bytes.fromhex("02020100000000000024"), bytes.fromhex("02020100000000000034")
    desk.card.files[0x2F02] = bytearray(serial)
    named = replace(WRITE, id="by-serial", card=None, serial=serial.hex())
    assert desk.run(named).outcome is Outcome.COMPLETED
    desk.card.files[0x2F02] = bytearray(other)
    report = desk.run(replace(named, id="by-serial-again"))
    assert (report.outcome, report.error, report.changed) == (Outcome.REFUSED, "other_card", False)


def test_an_expired_script_is_refused(desk: Desk) -> None:
    report = desk.run(replace(WRITE, expires_at=int(NOW.timestamp())))
    assert (report.outcome, report.error) == (Outcome.REFUSED, "expired")
    assert desk.card.seen == []


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (script(step("terminate", "00fe0000")), "forbidden_command"),
        (script(step("delete", "00e40000026f07")), "forbidden_command"),
        (script(step("unknown instruction", "80ca000001")), "forbidden_command"),
        (script(step("ENVELOPE", "80c2000001aa"), purpose=Purpose.VERIFY), "not_read_only"),
        (script(step("ENVELOPE of another class", "00c2000001aa")), "forbidden_command"),
        (script(step("another logical channel", "01a40004023f00")), "forbidden_command"),
        (script(OPEN, step("wrapped DELETE FILE", "04e400000a6f07" + MAC)), "forbidden_command"),
        (script(OPEN, step("wrapped STORE DATA", "84e20000091f" + MAC)), "forbidden_command"),
        (script(OPEN, step("wrapped PUT KEY", "84d80000091f" + MAC)), "forbidden_command"),
        (script(step("authentication of another kind", "0082000008" + MAC)), "forbidden_command"),
        (script(OPEN, OPEN), "two_verifies"),
        (script(OPEN, VERIFY_ADM, step("wrapped VERIFY", "0420000a10" + "ab" * 8 + MAC)), "two_verifies"),
        (script(step("wrapped too early", "04a400040a3f00" + MAC), OPEN), "channel_not_open"),
        (script(step("wrapped for nothing", "04a400040a3f00" + MAC)), "channel_not_open"),
        (script(OPEN, purpose=Purpose.IDENTIFY, card=None), "not_read_only"),
        (script(OPEN, step("wrapped UPDATE", "04d6000009ff" + MAC), purpose=Purpose.VERIFY), "not_read_only"),
        (script(step("no command", "00a4")), "malformed_apdu"),
        (script(VERIFY_ADM, VERIFY_ADM), "two_verifies"),
        (script(SELECT_IMSI, card=None), "card_not_named"),
        (script(SELECT_IMSI, card=None, purpose=Purpose.VERIFY), "card_not_named"),
        (script(WRITE_IMSI, purpose=Purpose.VERIFY), "not_read_only"),
        (script(replace(WRITE_IMSI, changes_card=False), card=None, purpose=Purpose.IDENTIFY), "not_read_only"),
        (script(VERIFY_ADM, card=None, purpose=Purpose.IDENTIFY), "not_read_only"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.steps[0].name,
)
def test_a_script_that_may_not_run_is_refused_whole(desk: Desk, bad: Script, error: str) -> None:
    report = desk.run(bad)
    assert (report.outcome, report.error, report.changed) == (Outcome.REFUSED, error, False)
    assert desk.card.seen == []


def test_asking_for_the_tries_left_is_no_try(desk: Desk) -> None:
    ask = step("ADM tries", "0020000a", expect=("63cx",))
    report = desk.run(script(ask, VERIFY_ADM, replace(ask, name="again")))
    assert [f"{result.sw:04x}" for result in report.results] == ["63c3", "9000", "63c3"]


def test_a_surprise_stops_the_script(desk: Desk) -> None:
    report = desk.run(script(SELECT_IMSI, WRITE_IMSI, READ_IMSI))
    assert (report.outcome, report.error) == (Outcome.STOPPED, None)
    assert [f"{result.sw:04x}" for result in report.results] == ["9000", "6982"]
    assert report.changed


def test_a_surprise_that_the_script_allows_is_passed(desk: Desk) -> None:
    optional = step("select optional file", "00a40004026fff", otherwise=Otherwise.CONTINUE)
    report = desk.run(script(optional, SELECT_IMSI))
    assert report.outcome is Outcome.COMPLETED
    assert [f"{result.sw:04x}" for result in report.results] == ["6a82", "9000"]


@pytest.mark.parametrize("commands", range(20))
def test_a_card_torn_at_any_command_is_lost_with_the_truth_about_change(desk: Desk, commands: int) -> None:
    desk.card.torn_after = commands
    report = desk.run(WRITE)
    if report.outcome is Outcome.COMPLETED:
        assert len(desk.card.seen) <= commands
        return
    assert (report.outcome, report.error) == (Outcome.LOST, "answer_lost")
    touched = any(apdu[1] == 0xD6 for apdu in desk.card.seen)
    assert report.changed is touched


def test_a_cancel_before_the_first_change_stops(desk: Desk) -> None:
    report = desk.run(WRITE, cancelled=lambda: True)
    assert (report.outcome, report.results, report.changed) == (Outcome.CANCELLED, (), False)


def test_a_cancel_after_the_first_change_is_too_late(desk: Desk) -> None:
    done: list[str] = []
    report = desk.run(
        WRITE, cancelled=lambda: "write EF.AD" in done, on_step=lambda _, result: done.append(result.name)
    )
    assert report.outcome is Outcome.COMPLETED
    assert desk.imsi == IMSI


def test_every_change_is_on_disk_before_the_card_sees_it(desk: Desk, tmp_path: Path) -> None:
    seen: list[tuple[bytes, int]] = []

    class Watched:
        """The card, and a look into the journal with each change."""

        def reset(self) -> bytes:
            return desk.card.reset()

        def transmit(self, apdu: bytes) -> bytes:
            if apdu[1] == 0xD6:
                reader = Journal(tmp_path)  # another connection: it sees what is committed, nothing else
                (line,) = reader.lines()
                seen.append((apdu, line.done))
                assert line.changed
                reader.close()
            return desk.card.transmit(apdu)

    desk.run(WRITE, card=Watched())
    assert seen == [(WRITE_AD.apdu, 2), (WRITE_IMSI.apdu, 4)]


class Watched(VirtualConnection):
    """A card whose commands run in a thread of their own, as in a PC/SC reader."""

    def __init__(self, source: VirtualSource) -> None:
        super().__init__(source)
        self.lane = Lane("card", 2.0)

    @override
    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """Send a command that may never return."""
        return self.lane.call(lambda: super(Watched, self).transmit(apdu))

    @override
    def converse(self, work: Callable[[], T]) -> T:
        """Give the whole conversation up when one of them does not."""
        try:
            return self.lane.converse(work)
        except TimeoutError:
            raise CardUnresponsiveError from None


class Silent(TinyCard):
    """A card that answers to the first UPDATE only when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer, sooner or later."""
        if apdu[1] == UPDATE:
            assert self.release.wait(PATIENCE)
        return super().transmit(apdu)


def test_a_card_that_falls_silent_in_a_change_is_given_up_for_good(desk: Desk) -> None:
    silent, ended = Silent(), threading.Event()
    desk.card = silent
    entry = desk.journal.open(WRITE, job=None, reader="virtual", insertion=1)
    assert entry is not None
    card = Watched(VirtualSource(silent))
    report = run(card, WRITE, entry, on_step=lambda *_: None, cancelled=lambda: False, now=NOW)
    silent.release.set()
    card.lane.close(ended.set, PATIENCE)
    assert ended.wait(PATIENCE)
    assert (report.outcome, report.error, report.changed) == (Outcome.LOST, "card_unresponsive", True)
    assert [result.name for result in report.results] == ["verify ADM", "select EF.AD"]
    assert silent.seen[-1] == WRITE_AD.apdu
    assert desk.journal.find(WRITE.id) == Filed(job=None, reader="virtual", insertion=1, report=report)


def test_a_change_that_cannot_be_journaled_is_not_sent(desk: Desk) -> None:
    entry = desk.journal.open(WRITE, job=None, reader="virtual", insertion=1)
    assert entry is not None
    source = VirtualSource(desk.card)
    connection = source.connect("virtual")
    desk.journal.close()
    with pytest.raises(Exception, match="closed database"):
        run(connection, WRITE, entry, on_step=lambda *_: None, cancelled=lambda: False, now=NOW)
    assert not any(apdu[1] == 0xD6 for apdu in desk.card.seen)


def test_the_answer_of_authenticate_travels_but_is_not_kept(desk: Desk, tmp_path: Path) -> None:
    report = desk.run(script(AUTHENTICATE, purpose=Purpose.VERIFY))
    proof = report.result("authenticate")
    assert proof is not None
    assert proof.data == SECRET_ANSWER
    desk.journal.close()
    after = Journal(tmp_path)
    (kept,) = after.unacknowledged()
    after.close()
    assert [(result.sw, result.data) for result in kept.report.results] == [(0x9000, b"")]


def test_the_card_is_reset_before_the_script(desk: Desk) -> None:
    desk.card.verified = True
    assert desk.run(script(SELECT_IMSI, WRITE_IMSI)).outcome is Outcome.STOPPED
