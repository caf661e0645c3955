from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from cardwriter.signing import Signer
from cardwriter.station.enrol import (
    FILE_NAME,
    Credential,
    EnrolmentError,
    OutdatedCredentialError,
    enrol,
    load,
    trust_of,
)
from cardwriter.station.link import LinkRefusedError
from tests.station.enrolment_desk import GIVEN, Desk

CODE = "K7QX-9M2P"


def test_a_code_is_traded_for_a_credential_that_is_kept(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    credential = enrol(desk.url + "/", CODE, folder, name="pc-3")
    assert credential == Credential(
        service=desk.url, station_id="s-1", name="Hall desk 1", signer="ab" * 32, secret="very-secret"
    )
    assert load(folder) == credential
    assert [(path, body) for path, _, body in desk.asked] == [("/v1/stations:enrol", {"code": CODE, "name": "pc-3"})]


def test_the_kept_credential_is_its_owners_alone(desk: Desk, tmp_path: Path) -> None:
    enrol(desk.url, CODE, tmp_path, name="pc-3")
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600


def test_a_credential_shows_in_no_repr(desk: Desk, tmp_path: Path) -> None:
    assert "very-secret" not in repr(enrol(desk.url, CODE, tmp_path, name="pc-3"))


def test_a_repeated_code_repeats_its_idempotency_key_without_showing_the_code(desk: Desk, tmp_path: Path) -> None:
    enrol(desk.url, CODE, tmp_path, name="pc-3")
    enrol(desk.url, CODE, tmp_path, name="pc-3")
    enrol(desk.url, "another", tmp_path, name="pc-3")
    first, second, third = (key for _, key, _ in desk.asked)
    assert first == second != third
    assert CODE not in first


@pytest.mark.parametrize("status", [HTTPStatus.BAD_REQUEST, HTTPStatus.GONE, HTTPStatus.CONFLICT])
def test_a_refused_code_leaves_nothing_behind(desk: Desk, tmp_path: Path, status: HTTPStatus) -> None:
    desk.status = status
    with pytest.raises(EnrolmentError, match=str(status.value)):
        enrol(desk.url, CODE, tmp_path, name="pc-3")
    assert load(tmp_path) is None


@pytest.mark.parametrize(
    "answer", [{}, [], {"station_id": "s-1"}, None, {**GIVEN, "signer": None}, {**GIVEN, "signer": "no hex"}]
)
def test_an_answer_that_is_none_is_refused(desk: Desk, tmp_path: Path, answer: Any) -> None:
    desk.answer = answer
    with pytest.raises(EnrolmentError, match="not the service"):
        enrol(desk.url, CODE, tmp_path, name="pc-3")


def test_a_service_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnrolmentError, match="cannot be reached"):
        enrol("http://127.0.0.1:1", CODE, tmp_path, name="pc-3")


def test_a_folder_that_takes_no_file_is_named_before_the_code_is_spent(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    with pytest.raises(EnrolmentError, match="data takes no file"):
        enrol(desk.url, CODE, tmp_path / "data", name="pc-3")
    assert desk.asked == []


def test_a_code_is_never_sent_in_clear_beyond_this_machine(tmp_path: Path) -> None:
    with pytest.raises(LinkRefusedError):
        enrol("http://haoka.example.cn", CODE, tmp_path, name="pc-3")


def test_a_credential_from_before_scripts_were_signed_is_told_apart(desk: Desk, tmp_path: Path) -> None:
    enrol(desk.url, CODE, tmp_path, name="pc-3")
    kept = json.loads((tmp_path / FILE_NAME).read_text())
    del kept["signer"]
    (tmp_path / FILE_NAME).write_text(json.dumps(kept))
    with pytest.raises(OutdatedCredentialError):
        load(tmp_path)


def test_a_key_that_takes_over_is_kept_for_the_next_start(desk: Desk, tmp_path: Path) -> None:
    old, new = Signer(bytes(32)), Signer(bytes(range(32)))
    desk.answer = {**GIVEN, "signer": old.public.hex()}
    trust = trust_of(enrol(desk.url, CODE, tmp_path, name="pc-3"), tmp_path)
    trust.follow(new.public.hex(), old.endorse(new.public).hex())
    kept = load(tmp_path)
    assert kept is not None
    assert (kept.signer, kept.secret, trust.signer) == (new.public.hex(), "very-secret", new.public)
