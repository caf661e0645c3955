"""`haoka keys` on the database of an installation, as its operator uses it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from inventory.cli import main
from inventory.vault.envelope import Vault
from inventory.vault.keys import FileKeyProvider
from inventory.vault.token import TokenGuard
from tests.cli.test_processes import until
from tests.cli.test_up import environment
from tests.vault.tokens import PIN, Hsm, make_hsm

pytestmark = pytest.mark.database

SECRET = b"ADM 31415926"


@pytest.fixture
def hsm(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Hsm:
    """Give a token with nothing in it."""
    return make_hsm(tmp_path_factory.mktemp("hsm"), monkeypatch)


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def seal_some(url: str, folder: Path, count: int) -> Vault:
    """Put so many envelopes into the database, under the key file of the folder."""
    vault = Vault(FileKeyProvider(folder / "vault.key"))
    rows = [
        (f"{no:03}", vault.seal(SECRET, table="transport_key", row=f"{no:03}", field="wrapped")) for no in range(count)
    ]
    with psycopg.connect(plain(url)) as connection:
        connection.cursor().executemany(
            "INSERT INTO transport_key (index, algorithm, wrapped, kcv) VALUES (%s, 'aes-128-ecb', %s, 'abc')", rows
        )
    return vault


def versions(url: str) -> Mapping[str, int]:
    with psycopg.connect(plain(url)) as connection:
        return {index: sealed[2] for index, sealed in connection.execute("SELECT index, wrapped FROM transport_key")}


@pytest.fixture
def shell(operator_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name the database and the folder to commands in this process, and give the database."""
    for name, value in environment(operator_url, tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "200")
    return operator_url


def test_keys_are_rotated_rewrapped_listed_and_retired_and_never_shown(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """REQ-HW-10."""
    vault = seal_some(shell, tmp_path, 3)
    hidden = [FileKeyProvider(tmp_path / "vault.key").key(1).reveal().hex()]
    said = []

    def run(*arguments: str) -> int:
        status = main(["--lang", "en", "keys", *arguments])
        said.append("".join(capsys.readouterr()))
        return status

    assert run("rotate") == 0
    assert run("retire", "1", "--reason", "a year old") == 1
    assert "key_version_in_use" in said[-1]
    assert run("rewrap") == 0
    assert run("retire", "1", "--reason", "a year old") == 0
    assert main(["keys", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["versions"]

    assert [(row["version"], row["state"], row["reason"], row["transport_key"]) for row in listed] == [
        (1, "retired", "a year old", 0),
        (2, "seals", None, 3),
    ]
    kept = FileKeyProvider(tmp_path / "vault.key")
    hidden += [kept.key(2).reveal().hex(), kept.root().reveal().hex(), SECRET.decode(), SECRET.hex()]
    assert not [secret for secret in hidden for text in said if secret in text]
    with psycopg.connect(plain(shell)) as connection:
        for index, sealed in connection.execute("SELECT index, wrapped FROM transport_key"):
            assert vault.open(sealed, table="transport_key", row=index, field="wrapped").reveal() == SECRET
        told = connection.execute("SELECT name FROM event WHERE kind = 'key_version' ORDER BY event_no").fetchall()
    assert [name for (name,) in told] == ["keys.rotated", "keys.rewrapped", "keys.retired"]


def test_what_is_left_under_an_older_key_ends_with_1_and_is_named(
    shell: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seal_some(shell, tmp_path, 2)
    with psycopg.connect(plain(shell)) as connection:
        connection.execute(
            "UPDATE transport_key SET wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) WHERE index = '001'"
        )
    FileKeyProvider(tmp_path / "vault.key")
    assert main(["keys", "rotate"]) == 0

    assert main(["keys", "rewrap"]) == 1

    said = capsys.readouterr().err
    assert "transport_key.wrapped of 001 was altered" in said
    assert "1 secrets are still under an older version" in said


@pytest.mark.usefixtures("shell")
def test_a_key_file_is_enclosed_in_a_token_and_moved_to_another_one(
    hsm: Hsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = FileKeyProvider(tmp_path / "vault.key")
    assert main(["keys", "enclose"]) == 2
    assert "HAOKA_KEY_TOKEN" in capsys.readouterr().err
    monkeypatch.setenv("HAOKA_KEY_TOKEN", hsm.uri)
    assert main(["--lang", "zh", "keys", "rotate"]) == 75
    assert "key_file_foreign" in capsys.readouterr().err

    assert main(["keys", "enclose"]) == 0
    assert main(["keys", "rotate"]) == 0
    monkeypatch.setenv("HAOKA_KEY_TOKEN", hsm.uri.replace("object=haoka-kek", "object=next"))
    assert main(["keys", "enclose", "--from", hsm.uri]) == 0
    assert main(["keys"]) == 0

    moved = FileKeyProvider(tmp_path / "vault.key", guard=TokenGuard(replace(hsm.address, key="next")))
    assert (moved.key(1), moved.root(), moved.current) == (plain.key(1), plain.root(), 2)
    said = "".join(capsys.readouterr())
    assert "sealed by pkcs11:token=haoka;object=next (made now)" in said
    assert PIN not in said


def test_a_new_installation_begins_with_a_key_file_in_the_token(
    hsm: Hsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAOKA_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HAOKA_KEY_TOKEN", hsm.uri)
    assert main(["keys", "enclose"]) == 0
    assert FileKeyProvider(tmp_path / "vault.key", guard=hsm.guard, make=False).current == 1


@pytest.mark.usefixtures("shell")
def test_without_a_key_file_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "zh", "keys", "rotate"]) == 75
    assert "key_file_missing" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.e2e
def test_rewrap_that_was_killed_in_its_midst_has_lost_nothing_and_is_finished_by_the_next(
    operator_url: str, tmp_path: Path
) -> None:
    vault = seal_some(operator_url, tmp_path, 20)
    FileKeyProvider(tmp_path / "vault.key")
    run = [sys.executable, "-P", "-m", "inventory.cli", "keys"]
    shell = dict(environment(operator_url, tmp_path))
    subprocess.run([*run, "rotate"], env=shell, check=True, capture_output=True)

    with psycopg.connect(plain(operator_url)) as holder:
        holder.execute("SELECT * FROM transport_key WHERE index = '012' FOR UPDATE")
        process = subprocess.Popen(
            [*run, "rewrap", "--rows", "4"], env=shell, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(lambda: versions(operator_url)["011"] == 2)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    halfway = versions(operator_url)
    done = subprocess.run([*run, "rewrap", "--json"], env=shell, check=True, capture_output=True, text=True)

    assert {f"{no:03}": halfway[f"{no:03}"] for no in range(16)} == {
        f"{no:03}": 2 if no < 12 else 1 for no in range(16)
    }
    assert [row["transport_key"] for row in json.loads(done.stdout)["versions"]] == [0, 20]
    with psycopg.connect(plain(operator_url)) as connection:
        for index, sealed in connection.execute("SELECT index, wrapped FROM transport_key"):
            assert vault.open(sealed, table="transport_key", row=index, field="wrapped").reveal() == SECRET
