"""What the self-test finds, fault by fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from cardwriter.station import selftest as module
from cardwriter.station.app import lock
from cardwriter.station.enrol import FILE_NAME
from cardwriter.station.link import LinkRefusedError, knock
from cardwriter.station.selftest import Finding, Result
from drivers.virtual import VirtualSource
from tests.station.enrolment_desk import Desk
from tests.station.fake_service import CREDENTIAL, SIGNER, FakeService
from tests.station.shown_readers import down
from tests.station.tiny_card import TinyCard


def selftest(source: VirtualSource, **options: Any) -> Iterator[Finding]:
    return module.selftest(source, clock=lambda: datetime.now(UTC), **options)


def codes(findings: Iterator[Finding] | list[Finding]) -> dict[str, str]:
    return {finding.code: finding.result.value for finding in findings}


def enrolled(folder: Path, url: str, secret: str = CREDENTIAL) -> Path:
    known = {"station_id": "st-530700-1", "name": "Hall desk 1", "signer": SIGNER.public.hex()}
    kept = {"service": url, **known, "secret": secret}
    (folder / FILE_NAME).write_text(json.dumps(kept))
    return folder


class Worn(TinyCard):
    """A card that answers nothing but errors."""

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Refuse."""
        return b"\x6f\x00"


class Loose(TinyCard):
    """A card with a bad contact: each reset answers otherwise."""

    @override
    def reset(self) -> bytes:
        """Answer a little more each time."""
        self.seen.append(b"")
        return bytes([0x3B, len(self.seen)])


def test_a_good_card_is_answering_and_steady(tmp_path: Path) -> None:
    found = codes(selftest(VirtualSource(TinyCard()), data=tmp_path))
    assert found == {
        "reader_ok": "ok",
        "card_ok": "ok",
        "apdus_ok": "ok",
        "resets_ok": "ok",
        "disk_ok": "ok",
        "service_unknown": "skipped",
    }


@pytest.mark.parametrize(
    ("card", "code"), [(Worn(), "apdus_refused"), (Loose(), "resets_differ"), (TinyCard(torn_after=3), "card_failed")]
)
def test_a_bad_card_is_told_by_what_is_bad_about_it(card: TinyCard, code: str, tmp_path: Path) -> None:
    assert codes(selftest(VirtualSource(card), data=tmp_path))[code] == "failed"


def test_the_commands_change_nothing(tmp_path: Path) -> None:
    card = TinyCard()
    list(selftest(VirtualSource(card), data=tmp_path))
    assert set(card.seen) == {module.SELECT_MF}
    assert len(card.seen) == module.APDUS


def test_an_empty_reader_is_not_a_fault(tmp_path: Path) -> None:
    assert codes(selftest(VirtualSource(), data=tmp_path))["card_none"] == "skipped"


def test_cards_are_left_alone_while_the_station_runs(tmp_path: Path) -> None:
    card = TinyCard()
    held = lock(tmp_path)
    found = codes(selftest(VirtualSource(card), data=tmp_path))
    held.release()
    assert found["card_station_runs"] == "skipped"
    assert card.seen == []


def test_a_reader_service_that_is_down_is_named(tmp_path: Path) -> None:
    assert codes(selftest(down(), data=tmp_path))["reader_service"] == "failed"


def test_a_removal_that_does_not_show_is_a_fault(tmp_path: Path) -> None:
    found = codes(selftest(VirtualSource(TinyCard()), data=tmp_path, ask=lambda _: None, hands=0.01))
    assert found["removal_unseen"] == "failed"


def test_a_data_folder_that_takes_no_file_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    assert codes(selftest(VirtualSource(), data=tmp_path / "data" / "below"))["disk_failed"] == "failed"


def test_a_credential_that_is_no_more_readable_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    assert codes(selftest(VirtualSource(), data=tmp_path))["credential_unreadable"] == "failed"


def test_a_credential_from_before_scripts_were_signed_asks_for_a_new_enrolment(tmp_path: Path) -> None:
    kept = json.loads((enrolled(tmp_path, "http://127.0.0.1:1") / FILE_NAME).read_text())
    (tmp_path / FILE_NAME).write_text(json.dumps({name: kept[name] for name in kept if name != "signer"}))
    assert codes(selftest(VirtualSource(), data=tmp_path))["credential_outdated"] == "failed"


def test_a_service_that_cannot_be_reached_is_a_fault(tmp_path: Path) -> None:
    enrolled(tmp_path, "http://127.0.0.1:1")
    assert codes(selftest(VirtualSource(), data=tmp_path))["service_unreachable"] == "failed"


def test_a_server_that_is_not_the_service_is_a_fault(desk: Desk, tmp_path: Path) -> None:
    enrolled(tmp_path, desk.url)
    assert codes(selftest(VirtualSource(), data=tmp_path))["service_other"] == "failed"


def test_the_service_takes_a_good_credential_and_its_link_is_left_alone(service: FakeService, tmp_path: Path) -> None:
    enrolled(tmp_path, service.url)
    found = list(selftest(VirtualSource(), data=tmp_path))
    assert {"service_ok": "ok", "credential_ok": "ok", "clock_ok": "ok"}.items() <= codes(found).items()
    assert service.heard == []
    assert CREDENTIAL not in repr(found)


def test_a_revoked_credential_is_a_fault(service: FakeService, tmp_path: Path) -> None:
    enrolled(tmp_path, service.url, secret="another")
    assert codes(selftest(VirtualSource(), data=tmp_path))["credential_refused"] == "failed"


def test_a_link_that_does_not_open_is_told_from_a_refusal(service: FakeService, tmp_path: Path) -> None:
    service.status = HTTPStatus.BAD_GATEWAY
    enrolled(tmp_path, service.url)
    assert codes(selftest(VirtualSource(), data=tmp_path))["credential_untried"] == "failed"


def test_an_address_without_tls_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(LinkRefusedError, match="https"):
        knock("http://example.cn", CREDENTIAL)


NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("date", "result"),
    [
        (format_datetime(NOW - timedelta(seconds=30), usegmt=True), Result.OK),
        (format_datetime(NOW + timedelta(seconds=31), usegmt=True), Result.FAILED),
        ("yesterday", Result.SKIPPED),
    ],
)
def test_the_clock_is_held_against_the_services(date: str, result: Result) -> None:
    assert module._clock(date, NOW).result is result
