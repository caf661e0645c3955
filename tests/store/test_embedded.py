"""The embedded server's launcher, against real servers."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inventory.store import account as accounts
from inventory.store.account import Account, choose_account
from inventory.store.cluster import DataFolderOfOtherVersion, ServerFailed
from inventory.store.embedded import (
    SOCKET_PATH_BYTES,
    DataFolderInUse,
    EmbeddedServer,
)
from tests.conftest import ROOT
from tests.store.servers import QUICK, ask, cluster_of, tell

pytestmark = pytest.mark.database


def test_what_was_stored_is_there_after_a_restart(folder: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK) as server:
        tell(server, "CREATE TABLE kept AS SELECT '号卡' AS word")

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, "SELECT word FROM kept") == "号卡"


def test_server_has_utf8_utc_and_keeps_its_promises_over_a_power_cut(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        names = ("server_encoding", "timezone", "fsync", "synchronous_commit", "full_page_writes", "jit")
        settings = [ask(server, f"SHOW {name}") for name in names]

    assert settings == ["UTF8", "UTC", "on", "on", "on", "off"]


def test_no_tcp_port_is_open_and_the_socket_is_private(folder: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK) as server:
        socket_dir = Path(ask(server, "SHOW unix_socket_directories").strip('"'))

        assert ask(server, "SHOW listen_addresses") == ""
        assert socket_dir.stat().st_mode & 0o777 == 0o700

    assert not socket_dir.exists()


def test_second_start_in_the_same_data_folder_names_the_one_who_holds_it(folder: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK) as first:
        with pytest.raises(DataFolderInUse, match=f"in use by process {os.getpid()}"):
            EmbeddedServer(folder).start()

        assert ask(first, "SELECT 1") == "1"


def test_two_data_folders_run_side_by_side(folder: Path, tmp_path: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK) as one, EmbeddedServer(tmp_path / "b", settings=QUICK) as other:
        tell(one, "CREATE TABLE mine ()")

        assert ask(other, "SELECT to_regclass('mine')") == "None"
    other.erase()


@pytest.mark.parametrize("also_the_guard", [False, True], ids=["owner killed", "owner and guard killed"])
def test_server_of_a_killed_process_gives_way_to_the_next_start(folder: Path, *, also_the_guard: bool) -> None:
    script = (
        "import sys, time; from pathlib import Path; from inventory.store.embedded import EmbeddedServer\n"
        "server = EmbeddedServer(Path(sys.argv[1])); server.start()\n"
        "print(server._guard.pid, server._run_dir, flush=True)\n"
        "time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", script, folder], stdout=subprocess.PIPE, text=True, cwd=ROOT) as owner:
        assert owner.stdout is not None
        guard, run_dir = owner.stdout.readline().split()
        if also_the_guard:
            os.kill(int(guard), signal.SIGKILL)
        owner.kill()

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == "1"
    assert not Path(run_dir).exists()


def test_crashed_server_recovers_what_was_committed(folder: Path) -> None:
    with EmbeddedServer(folder) as server:
        tell(server, "CREATE TABLE kept AS SELECT 7 AS seven")
        postmaster = int((cluster_of(server) / "postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)

    with EmbeddedServer(folder) as server:
        assert ask(server, "SELECT seven FROM kept") == "7"


def test_pid_file_naming_a_stranger_does_not_keep_the_server_from_starting(folder: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK) as server:
        pid_file = cluster_of(server) / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    shutil.chown(pid_file, pid_file.parent.owner())

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == "1"


def test_interrupted_initdb_leaves_no_half_made_cluster(folder: Path) -> None:
    half = folder / f"postgresql-{os.getuid()}.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == "1"
    assert not half.exists()


def test_data_of_another_major_version_are_refused_by_name(folder: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK) as server:
        version = cluster_of(server) / "PG_VERSION"
    version.write_text("14\n")

    with pytest.raises(DataFolderOfOtherVersion, match="made by PostgreSQL 14"):
        EmbeddedServer(folder).start()


def test_failing_server_says_why_and_leaves_the_folder_free(folder: Path) -> None:
    with pytest.raises(ServerFailed, match="max_connections"):
        EmbeddedServer(folder, settings={"max_connections": "none"}).start()

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, "SELECT 1") == "1"


def test_erased_data_are_gone_and_the_server_starts_anew(folder: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK) as server:
        tell(server, "CREATE TABLE kept ()")
    server.erase()

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, "SELECT to_regclass('kept')") == "None"


def test_running_data_are_not_erased(folder: Path) -> None:
    with EmbeddedServer(folder, settings=QUICK), pytest.raises(DataFolderInUse):
        EmbeddedServer(folder).erase()


def test_url_of_a_server_that_is_not_running_is_refused(folder: Path) -> None:
    with pytest.raises(ServerFailed, match="not running"):
        _ = EmbeddedServer(folder).url


def test_caller_variables_of_postgresql_do_not_reach_the_server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("LC_ALL", "no_such_LOCALE")

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, "SELECT datctype FROM pg_database WHERE datname = current_database()") == "C.UTF-8"


def test_long_temporary_folder_does_not_break_the_socket(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = folder.parent / ("temporary " * 12)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))

    with EmbeddedServer(folder, settings=QUICK) as server:
        assert ask(server, f"SELECT length(current_setting('unix_socket_directories')) < {SOCKET_PATH_BYTES}") == "True"
    assert list(long.iterdir()) == []


def test_plain_user_runs_programs_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getuid", lambda: 65534)
    monkeypatch.setattr("os.getgid", lambda: 65534)

    assert choose_account() == Account((), 65534, 65534)


def test_uid_without_a_passwd_entry_gets_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    def works(account: Account) -> bool:
        return account.prefix[:1] == ("unshare",)

    monkeypatch.setattr("os.getuid", lambda: 4_000_000)
    monkeypatch.setattr(accounts, "_works", works)

    assert choose_account().prefix[0] == "unshare"
