"""The diagnostic bundle of a station that has written a card: what is in it, and what must not be."""

from __future__ import annotations

import errno
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cardwriter.profiles import PROFILES, identify_script, read_facts
from cardwriter.script import Report, Script
from cardwriter.station.app import LOG_NAME
from cardwriter.station.bundle import LOG_LINES
from cardwriter.station.cli import app
from cardwriter.station.enrol import FILE_NAME
from cardwriter.station.journal import FILE_NAME as JOURNAL
from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from cardwriter.usim.identity import encode_imsi
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.workshop.samples import Sample, data_for, sample
from drivers.trace import TracingConnection
from drivers.virtual import VirtualSource
from tests.station.scripts import LATER, NOW

IMSI = "460001357924680"
CREDENTIAL = "credential-of-a-hall-desk"
TINY = "virtual:tests.station.tiny_card:TinyCard"


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, Sample]:
    """Give the data folder of a station that has written a card, and its card."""
    data = tmp_path / "data"
    journal = Journal(data)
    family, card, log = PROFILES[0], sample(PROFILES[0], 7), list[str]()
    source = VirtualSource(VirtualUicc(card.image))

    def carry_out(script: Script) -> Report:
        entry = journal.open(script, job="job-7", reader="virtual", insertion=1)
        assert entry is not None
        held = TracingConnection(source.connect("virtual"), log.append)
        report = run(held, script, entry, on_step=lambda *_: None, cancelled=lambda: False, now=NOW)
        held.close()
        return report

    facts = read_facts(carry_out(identify_script("identify-7", LATER)))
    carry_out(family.write_script(facts, data_for(family, card, IMSI), "write-7", LATER))
    journal.close()
    (data / LOG_NAME).write_text("an old line\n" * LOG_LINES + "".join(f"{line}\n" for line in log))
    known = {"station_id": "st-530700-1", "name": "Hall desk 1", "signer": "ab" * 32}
    kept = {"service": "http://127.0.0.1:1", **known, "secret": CREDENTIAL}
    (data / FILE_NAME).write_text(json.dumps(kept))
    return data, card


def bundled(data: Path, out: Path, *options: str) -> dict[str, str]:
    arguments = ["bundle", "--readers", TINY, "--data", str(data), "--out", str(out), *options]
    result = CliRunner().invoke(app, arguments, env={"LANG": "C", "LC_ALL": ""})
    assert result.exit_code == 0, result.output
    with zipfile.ZipFile(out) as bundle:
        return {name: bundle.read(name).decode() for name in bundle.namelist()}


def test_a_bundle_tells_how_the_station_is(written: tuple[Path, Sample], tmp_path: Path) -> None:
    found = bundled(written[0], tmp_path / "bundle.zip", "--lang", "en")
    about = json.loads(found["about.json"])
    assert about["station"] == {"service": "http://127.0.0.1:1", "id": "st-530700-1", "name": "Hall desk 1"}
    assert about["libraries"]["pyscard"]
    assert [reader["state"] for reader in json.loads(found["readers.json"])] == ["card"]
    assert "cannot be reached" in found["selftest.txt"]
    assert [(line["script"], line["sw"]) for line in json.loads(found["journal.json"])][-1] == ("write-7", "9000")
    assert len(found["station.log"].splitlines()) == LOG_LINES


def test_nothing_secret_leaves_in_a_bundle(written: tuple[Path, Sample], tmp_path: Path) -> None:
    """REQ-SEC-01: no key, code, credential or subscriber in the whole of a bundle."""
    data, card = written
    found = "\n".join(bundled(data, tmp_path / "bundle.zip").values()).encode().lower()
    hidden = [*card.secrets, CREDENTIAL.encode(), IMSI.encode(), encode_imsi(IMSI).hex().encode(), b"1234567"]
    assert [secret for secret in hidden if secret.lower() in found] == []


def test_the_search_would_find_a_code(written: tuple[Path, Sample], tmp_path: Path) -> None:
    data, card = written
    (data / LOG_NAME).write_text(f"VERIFY {card.adm1.reveal().decode()}\n")
    found = "\n".join(bundled(data, tmp_path / "bundle.zip").values()).encode()
    assert any(secret in found for secret in card.secrets)


def test_a_bundle_is_the_owners_alone(tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    out.touch()
    out.chmod(0o644)
    found = bundled(tmp_path / "data", out)
    assert out.stat().st_mode & 0o777 == 0o600
    assert (json.loads(found["about.json"])["station"], found["station.log"]) == (None, "")


def test_a_station_whose_journal_is_broken_has_a_bundle_too(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / JOURNAL).write_bytes(b"no database" * 100)
    (line,) = json.loads(bundled(data, tmp_path / "bundle.zip")["journal.json"])
    assert line == {"error": "DatabaseError: file is not a database"}


def test_a_folder_that_is_named_for_the_bundle_keeps_its_rights(tmp_path: Path) -> None:
    """A technician who names the folder itself, /tmp say, must not lock everybody out of it."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    arguments = ["bundle", "--readers", TINY, "--data", str(tmp_path), "--out", str(folder), "--lang", "en"]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "not a file" in result.output) == (1, True)
    assert folder.stat().st_mode & 0o777 == 0o777
    assert [path.name for path in (*folder.iterdir(), *tmp_path.glob(".*"))] == []


def test_bundle_that_cannot_be_finished_leaves_nothing_and_the_former_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "bundle.zip"
    bundled(tmp_path / "data", out)
    before = out.read_bytes()
    monkeypatch.setattr("cardwriter.station.bundle._log", _disk_full)
    arguments = ["bundle", "--readers", TINY, "--data", str(tmp_path / "data"), "--out", str(out), "--lang", "en"]
    assert CliRunner().invoke(app, arguments).exit_code == 1
    assert (out.read_bytes(), list(tmp_path.glob(".*"))) == (before, [])


def _disk_full(_data: Path) -> str:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_place_that_takes_no_file_is_refused_with_advice(tmp_path: Path) -> None:
    arguments = ["bundle", "--readers", TINY, "--data", str(tmp_path), "--out", str(tmp_path / "no" / "x.zip")]
    result = CliRunner().invoke(app, [*arguments, "--lang", "en"])
    assert (result.exit_code, "--out" in result.output) == (1, True)
