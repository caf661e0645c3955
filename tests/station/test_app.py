from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cardwriter.script import Outcome
from cardwriter.signing import Signer
from cardwriter.station.app import AlreadyRunningError, Station, lock
from cardwriter.station.journal import Journal
from drivers.virtual import VirtualSource
from tests.drivers.bench import wait_until
from tests.station.fake_service import CREDENTIAL, SIGNER, FakeService, report_of, run_message, trust
from tests.station.faulty_card import failing
from tests.station.scripts import AUTHENTICATE, IDENTIFY, NOW, VERIFY_ADM, WRITE, script
from tests.station.tiny_card import ADM, SECRET_ANSWER, TinyCard

pytestmark = pytest.mark.usefixtures("station")


@pytest.fixture
def source() -> VirtualSource:
    return VirtualSource(TinyCard())


@pytest.fixture
def told() -> list[tuple[str, dict[str, Any]]]:
    """Collect what a person at the station was told."""
    return []


@pytest.fixture
def station(
    service: FakeService, source: VirtualSource, told: list[tuple[str, dict[str, Any]]], tmp_path: Path
) -> Iterator[Station]:
    station = Station(
        source,
        service=service.url,
        credential=CREDENTIAL,
        trust=trust(),
        data=tmp_path,
        tell=lambda code, **values: told.append((code, values)),
        on_end=lambda: told.append(("the link has ended", {})),
        clock=lambda: NOW,
    )
    station.start()
    yield station
    station.stop()


def wait_second_card(service: FakeService) -> None:
    """Wait until the station has told that a second card is in."""
    service.wait_for(lambda message: [one["insertion"] for one in message.get("readers", [])] == [1_000_002])


def test_steps_are_told_live_and_the_report_at_the_end(service: FakeService) -> None:
    service.wait_state("card")
    service.send_run(WRITE)
    message = service.wait_report(WRITE.id)
    assert (message["job"], message["reader"], message["insertion"]) == ("job-1", "virtual", 1_000_001)
    assert report_of(message).outcome is Outcome.COMPLETED
    steps = [one for one in service.heard if one["type"] == "step"]
    assert [one["name"] for one in steps] == [one.name for one in WRITE.steps]
    assert {(one["job"], one["script"], one["of"], one["sw"]) for one in steps} == {("job-1", WRITE.id, 5, "9000")}


def test_a_report_is_repeated_until_acknowledged(service: FakeService) -> None:
    service.wait_state("card")
    service.send_run(IDENTIFY, job=None)
    service.wait_report(IDENTIFY.id)
    service.forget()
    service.cut()
    again = service.wait_for(lambda message: message["type"] == "hello")
    assert [one["report"]["script_id"] for one in again["journal"]] == [IDENTIFY.id]
    service.send({"type": "ack", "script": IDENTIFY.id})
    service.send({"type": "ping"})
    service.wait_for(lambda message: message["type"] == "pong")
    service.forget()
    service.cut()
    assert service.wait_for(lambda message: message["type"] == "hello")["journal"] == []


def test_a_script_sent_twice_runs_once(service: FakeService) -> None:
    service.wait_state("card")
    service.send_run(WRITE)
    service.wait_report(WRITE.id)
    steps = sum(one["type"] == "step" for one in service.heard)
    service.forget()
    service.send_run(WRITE)
    assert report_of(service.wait_report(WRITE.id)).outcome is Outcome.COMPLETED
    assert steps == len(WRITE.steps)
    assert not [one for one in service.heard if one["type"] == "step"]


def test_a_malformed_script_is_refused_by_its_id(service: FakeService) -> None:
    service.wait_state("card")
    service.send({"type": "run", "job": "job-1", "reader": "virtual", "script": {"id": "bad-1", "purpose": "eat"}})
    report = report_of(service.wait_report("bad-1"))
    assert (report.outcome, report.error, report.changed) == (Outcome.REFUSED, "malformed_script", False)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({**run_message(WRITE), "signature": None}, "unsigned"),
        (run_message(WRITE, station="s-2"), "other_station"),
        ({**run_message(WRITE, job="job-2"), "job": "job-1"}, "wrong_signature"),
    ],
)
def test_a_script_that_was_not_signed_for_this_station_and_job_never_starts(
    service: FakeService, source: VirtualSource, message: dict[str, Any], why: str
) -> None:
    """REQ-HW-05: what the service then knows is that nothing was written."""
    card = TinyCard()
    source.insert(card)
    wait_second_card(service)
    service.send(message)
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.error, report.changed) == (Outcome.REFUSED, why, False)
    assert card.seen == []


def test_a_refused_script_does_not_hide_that_the_same_one_ran(service: FakeService) -> None:
    service.wait_state("card")
    service.send_run(WRITE)
    service.wait_report(WRITE.id)
    service.forget()
    service.send({**run_message(WRITE), "signature": "00"})
    assert report_of(service.wait_report(WRITE.id)).outcome is Outcome.COMPLETED


def test_scripts_of_a_key_that_the_one_before_endorsed_run(service: FakeService) -> None:
    """The service's key rotates without a visit to the halls."""
    service.wait_state("card")
    assert service.wait_for(lambda message: message["type"] == "hello")["signer"] == SIGNER.public.hex()
    successor = Signer(bytes(32))
    endorsement = SIGNER.endorse(successor.public).hex()
    service.send({"type": "signer", "key": successor.public.hex(), "endorsement": endorsement})
    service.send(run_message(IDENTIFY, signer=successor))
    assert report_of(service.wait_report(IDENTIFY.id)).outcome is Outcome.COMPLETED


def test_a_key_that_nobody_known_endorsed_ends_the_station_with_the_reason(
    service: FakeService, station: Station
) -> None:
    service.wait_state("card")
    service.send({"type": "signer", "key": Signer(bytes(32)).public.hex(), "endorsement": None})
    wait_until(lambda: station.refused is not None, "the station gave up")
    assert "enrol it again" in str(station.refused)


def test_a_new_key_that_cannot_be_kept_is_not_used_but_the_link_lives(service: FakeService, station: Station) -> None:
    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    station._trust._keep = full
    service.wait_state("card")
    successor = Signer(bytes(32))
    endorsement = SIGNER.endorse(successor.public).hex()
    service.send({"type": "signer", "key": successor.public.hex(), "endorsement": endorsement})
    service.send(run_message(IDENTIFY, signer=successor))
    assert report_of(service.wait_report(IDENTIFY.id)).error == "wrong_signature"


def test_a_reader_that_was_never_seen_is_named(service: FakeService) -> None:
    service.wait_state("card")
    service.send_run(WRITE, reader="elsewhere")
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.error, report.changed) == (Outcome.LOST, "no_reader", False)


def test_a_cancelled_script_stops_before_it_changes_the_card(service: FakeService) -> None:
    service.wait_state("card")
    service.send({"type": "cancel", "script": WRITE.id})
    service.send_run(WRITE)
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.changed) == (Outcome.CANCELLED, False)


def test_a_failure_of_the_station_itself_is_reported_and_survived(service: FakeService, source: VirtualSource) -> None:
    source.insert(failing())
    wait_second_card(service)
    service.send_run(WRITE)
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.error, report.changed) == (Outcome.LOST, "station_failure", True)
    service.send_run(IDENTIFY)
    assert report_of(service.wait_report(IDENTIFY.id)).outcome is Outcome.COMPLETED


def test_a_disk_that_takes_no_journal_is_reported_and_survived(service: FakeService, station: Station) -> None:
    service.wait_state("card")
    station._journal._db.execute("PRAGMA query_only = ON")
    service.send_run(WRITE)
    service.send({"type": "ack", "script": WRITE.id})
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.error, report.changed) == (Outcome.LOST, "station_failure", True)
    service.send({"type": "ping"})
    service.wait_for(lambda message: message["type"] == "pong")
    station._journal._db.execute("PRAGMA query_only = OFF")
    service.send_run(IDENTIFY)
    assert report_of(service.wait_report(IDENTIFY.id)).outcome is Outcome.COMPLETED


def test_a_reader_without_a_card_is_named(service: FakeService, source: VirtualSource) -> None:
    service.wait_state("card")
    source.remove()
    service.wait_state("no_card")
    service.send_run(WRITE)
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.error, report.changed) == (Outcome.LOST, "no_card", False)


def test_a_script_is_refused_when_another_card_was_put_in_since_it_was_accepted(
    service: FakeService, source: VirtualSource, station: Station
) -> None:
    """REQ-HW-05: a script waits in its reader's queue for one card only, even if the same card comes back."""
    service.wait_state("card")
    accepted = threading.Event()
    station._supervisor.submit("virtual", lambda: wait_until(accepted.is_set, "the card was changed"))
    service.send_run(WRITE)
    service.send({"type": "ping"})
    service.wait_for(lambda message: message["type"] == "pong")
    source.insert(TinyCard())
    wait_second_card(service)
    accepted.set()
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.error, report.changed) == (Outcome.REFUSED, "other_insertion", False)
    service.send_run(replace(WRITE, id="write-2"))
    assert report_of(service.wait_report("write-2")).outcome is Outcome.COMPLETED


def test_a_message_of_an_unknown_type_is_dropped(service: FakeService) -> None:
    service.wait_state("card")
    service.send({"type": "dance"})
    service.send({"type": "run", "reader": 7})
    service.send_run(IDENTIFY)
    assert report_of(service.wait_report(IDENTIFY.id)).outcome is Outcome.COMPLETED


def test_a_person_is_told_what_happens(service: FakeService, told: list[tuple[str, dict[str, Any]]]) -> None:
    service.wait_state("card")
    service.send_run(IDENTIFY)
    service.wait_report(IDENTIFY.id)
    wait_until(lambda: "ended" in [code for code, _ in told], "the end was told")
    assert {"card", "connected", "step", "ended"} <= {code for code, _ in told}
    assert [values["index"] for code, values in told if code == "step"] == [1, 2]


def test_a_revoked_station_says_why_it_ended(service: FakeService, station: Station) -> None:
    service.wait_state("card")
    service.send({"type": "revoked"})
    wait_until(lambda: station.refused is not None, "the station gave up")
    assert "revoked" in str(station.refused)


def test_a_data_folder_has_one_station(tmp_path: Path) -> None:
    with pytest.raises(AlreadyRunningError):
        lock(tmp_path)


def test_a_report_that_found_no_link_goes_out_with_the_next_hello(service: FakeService, tmp_path: Path) -> None:
    service.wait_state("card")
    service.send_run(WRITE)
    service.cut()
    assert report_of(service.wait_report(WRITE.id)).outcome is Outcome.COMPLETED
    journal = Journal(tmp_path)
    assert [filed.report.script_id for filed in journal.unacknowledged()] == [WRITE.id]
    journal.close()


def test_no_log_level_shows_frames_or_the_credential(service: FakeService, caplog: pytest.LogCaptureFixture) -> None:
    service.wait_state("card")
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="cardwriter")  # the command line, run in this process, has set it to less
    service.forget()
    service.cut()
    service.wait_for(lambda message: message["type"] == "hello")
    service.send_run(script(VERIFY_ADM, AUTHENTICATE))
    service.wait_report("script-1")
    text = "\n".join(line.getMessage() for line in caplog.records if not line.name.startswith("websockets.server"))
    assert "[8 bytes] > 9000" in text, "the trace must be on, or this test shows nothing"
    for secret in (ADM.hex(), SECRET_ANSWER.hex(), CREDENTIAL, "TEXT"):
        assert secret not in text
