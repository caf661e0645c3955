"""Whole stations as processes, against a real service end."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from cardwriter.script import Outcome, Purpose
from cardwriter.station.journal import FILE_NAME, KILLED
from tests.drivers.bench import Bench, wait_until
from tests.patience import PATIENCE
from tests.station.conftest import Start, StationProcess
from tests.station.fake_service import CREDENTIAL, FakeService, report_of
from tests.station.faulty_card import HANGS
from tests.station.scripts import AUTHENTICATE, IDENTIFY, SELECT_IMSI, VERIFY_ADM, WRITE, WRITE_IMSI, script
from tests.station.tiny_card import ADM, ATR, OTHER_ICCID, SECRET_ANSWER

pytestmark = pytest.mark.e2e

HANGING = "virtual:tests.station.faulty_card:hanging"


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_station_tells_its_readers_and_runs_a_script_with_live_steps(
    service: FakeService, start_station: Start
) -> None:
    start_station()
    reader = service.wait_state("card")
    assert reader == {"name": "virtual", "state": "card", "atr": ATR.hex(), "insertion": 1_000_001}
    service.send_run(WRITE)
    message = service.wait_report(WRITE.id)
    assert (message["job"], message["reader"], message["insertion"]) == ("job-1", "virtual", 1_000_001)
    assert report_of(message).outcome is Outcome.COMPLETED
    steps = [one for one in service.heard if one["type"] == "step"]
    assert [one["name"] for one in steps] == [one.name for one in WRITE.steps]
    assert steps[0] == {
        "type": "step",
        "job": "job-1",
        "script": WRITE.id,
        "index": 0,
        "of": 5,
        "name": "verify ADM",
        "sw": "9000",
    }


@pytest.mark.parametrize(("with_imsi", "changed"), [(True, True), (False, False)], ids=["after", "before"])
def test_a_station_killed_in_mid_script_settles_it_after_the_restart(
    service: FakeService, start_station: Start, *, with_imsi: bool, changed: bool
) -> None:
    """A power cut before the first card-changing step is told apart from one after it."""
    steps = (VERIFY_ADM, SELECT_IMSI, WRITE_IMSI) if with_imsi else (VERIFY_ADM, SELECT_IMSI, AUTHENTICATE)
    hanging = script(*steps, named="killed-1")
    station = start_station(readers=HANGING)
    service.wait_state("card")
    service.send_run(hanging)
    wait_until(lambda: HANGS in station.text(), "the card has the third command")
    station.kill()
    service.forget()
    start_station()
    assert service.wait_state("card")["insertion"] == 2_000_001, "no insertion number comes twice"
    filed = service.wait_report("killed-1")
    report = report_of(filed)
    assert (report.outcome, report.error, report.changed) == (Outcome.LOST, KILLED, changed)
    assert (filed["job"], filed["reader"], filed["insertion"]) == ("job-1", "virtual", 1_000_001)
    names = [result.name for result in report.results]
    assert names == (["verify ADM", "select EF.IMSI"] if with_imsi else [])


def test_no_secret_reaches_disk_or_log(service: FakeService, start_station: Start, tmp_path: Path) -> None:
    """Neither the card's ADM nor the answer of AUTHENTICATE nor the credential is written or printed."""
    station = start_station("--verbose")
    service.wait_state("card")
    service.send_run(WRITE)
    service.wait_report(WRITE.id)
    service.send_run(script(AUTHENTICATE, named="verify-1", purpose=Purpose.VERIFY))
    live = report_of(service.wait_report("verify-1"))
    assert live.results[0].data == SECRET_ANSWER
    station.kill()
    text = station.text()
    kept = all_bytes(tmp_path / "data")
    assert WRITE.id.encode() in kept
    assert "0020000a [8 bytes] > 9000" in text, "the trace must be on, or this test shows nothing"
    for secret in (ADM, SECRET_ANSWER, SECRET_ANSWER[2:]):
        assert secret not in kept
        assert secret.hex().encode() not in kept
        assert secret.hex() not in text
    assert ADM.decode() not in text
    assert CREDENTIAL not in text
    assert CREDENTIAL.encode() not in (tmp_path / "data" / FILE_NAME).read_bytes()


def test_a_station_ends_cleanly_on_sigterm_and_on_ctrl_c(service: FakeService, start_station: Start) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        station = start_station("--lang", "en")
        service.wait_state("card")
        service.forget()
        station.process.send_signal(number)
        assert station.process.wait(PATIENCE) == 0
        assert station.text().endswith("Station stopped.\n")


def test_a_station_needs_nothing_that_windows_lacks(service: FakeService, start_station: Start) -> None:
    station = start_station("--lang", "en", module="tests.station.windows")
    service.wait_state("card")
    service.send_run(WRITE)
    assert report_of(service.wait_report(WRITE.id)).outcome is Outcome.COMPLETED
    second = start_station("--lang", "en", module="tests.station.windows")
    assert second.process.wait(PATIENCE) == 1
    assert station.stop() == 0
    assert "Station stopped." in station.text()


def test_a_second_station_in_the_same_folder_is_refused(service: FakeService, start_station: Start) -> None:
    start_station()
    service.wait_state("card")
    second = start_station("--lang", "zh")
    assert second.process.wait(PATIENCE) == 1
    assert "另一个工位程序正在使用这个数据目录" in second.text()


def test_a_revoked_station_ends_with_a_plain_sentence(service: FakeService, start_station: Start) -> None:
    station = start_station("--lang", "zh")
    service.wait_state("card")
    service.send({"type": "revoked"})
    assert station.process.wait(PATIENCE) == 1
    assert "服务端已注销本工位" in station.text()


def station_on(bench: Bench, start_station: Start) -> StationProcess:
    return start_station("--lang", "en", readers="pcsc:", PCSCLITE_CSOCK_NAME=str(bench.socket))


@pytest.mark.card
def test_a_card_in_a_real_reader_is_seen_written_and_swapped(
    service: FakeService, start_station: Start, bench: Bench
) -> None:
    """REQ-HW-01: readers are found, named and watched."""
    station_on(bench, start_station)
    service.wait_state("no_card")
    first_card = bench.insert(0)
    first = service.wait_state("card")
    assert first["name"] == bench.readers[0]
    service.send_run(WRITE, reader=bench.readers[0])
    assert report_of(service.wait_report(WRITE.id)).outcome is Outcome.COMPLETED
    bench.remove(first_card)
    bench.insert(0, "--iccid", OTHER_ICCID.hex())
    service.wait_for(
        lambda message: any(
            one["state"] == "card" and one["insertion"] > first["insertion"] for one in message.get("readers", [])
        )
    )
    again = script(SELECT_IMSI, named="write-2")
    service.send_run(again, reader=bench.readers[0])
    report = report_of(service.wait_report("write-2"))
    assert (report.outcome, report.error, report.changed) == (Outcome.REFUSED, "other_card", False)


@pytest.mark.card
@pytest.mark.parametrize(
    ("module", "encoding"),
    [("tests.station.unheard", "utf-8"), ("cardwriter.station", "ascii")],
    ids=["nobody reads it", "it takes no Chinese"],
)
def test_what_a_station_cannot_tell_its_hall_stops_neither_watch_nor_script(
    service: FakeService, start_station: Start, bench: Bench, module: str, encoding: str
) -> None:
    """REQ-HW-01: readers are watched although what the station prints goes nowhere."""
    out = {"PCSCLITE_CSOCK_NAME": str(bench.socket), "PYTHONIOENCODING": encoding}
    start_station("--lang", "zh", readers="pcsc:", module=module, **out)
    service.wait_state("no_card")
    bench.insert(0)
    service.wait_state("card")
    service.send_run(WRITE, reader=bench.readers[0])
    assert report_of(service.wait_report(WRITE.id)).outcome is Outcome.COMPLETED


@pytest.mark.card
def test_a_card_torn_out_of_a_real_reader_in_mid_write_is_lost_and_changed(
    service: FakeService, start_station: Start, bench: Bench
) -> None:
    station_on(bench, start_station)
    bench.insert(0, "--die-on", "d6")
    service.wait_state("card")
    service.send_run(WRITE, reader=bench.readers[0])
    report = report_of(service.wait_report(WRITE.id))
    assert (report.outcome, report.error, report.changed) == (Outcome.LOST, "answer_lost", True)
    assert [result.name for result in report.results] == ["verify ADM", "select EF.AD"]


@pytest.mark.card
def test_a_station_outlives_the_pcsc_service(service: FakeService, start_station: Start, bench: Bench) -> None:
    """REQ-HW-01: restarting the PC/SC service is survived."""
    station = station_on(bench, start_station)
    bench.insert(0)
    service.wait_state("card")
    service.forget()
    bench.stop()
    service.wait_state("service_down")
    service.send_run(IDENTIFY, reader=bench.readers[0])
    assert report_of(service.wait_report(IDENTIFY.id)).error == "service_down"
    service.forget()
    bench.start()
    bench.insert(0)
    service.wait_state("card")
    service.send_run(WRITE, reader=bench.readers[0])
    assert report_of(service.wait_report(WRITE.id)).outcome is Outcome.COMPLETED
    assert "pcscd" in station.text()


def test_the_kept_credential_belongs_to_its_service(start_station: Start, tmp_path: Path) -> None:
    elsewhere = tmp_path / "data" / "credential.json"
    kept = json.loads(elsewhere.read_text())
    elsewhere.write_text(json.dumps(kept | {"service": "https://other.example.cn"}))
    station = start_station("--lang", "en")
    assert station.process.wait(PATIENCE) == 1
    assert "not enrolled yet" in station.text()
