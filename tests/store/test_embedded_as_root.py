"""How root runs the embedded server; collected for root only (tests/store/conftest.py)."""

from __future__ import annotations

import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inventory.store import cluster
from inventory.store.account import NoAccountForServer, choose_account
from inventory.store.cluster import ServerFailed
from inventory.store.embedded import EmbeddedServer, packaged_bin_dir
from tests.store.servers import QUICK, ask, cluster_of, tell

pytestmark = pytest.mark.database


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a data folder that every account may reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="haoka-test-") as parent:
        Path(parent).chmod(0o711)
        yield Path(parent) / "data 号卡"


def test_root_runs_it_in_a_user_namespace_with_files_still_its_own_or_where_refused_as_nobody(folder: Path) -> None:
    in_namespace = choose_account().prefix[0] == "unshare"
    with EmbeddedServer(folder, settings=QUICK) as server:
        assert cluster_of(server).owner() == ("root" if in_namespace else "nobody")


def test_root_without_namespaces_runs_it_as_nobody(open_folder: Path) -> None:

    with EmbeddedServer(open_folder, settings=QUICK, namespaces=False) as server:
        assert ask(server, "SELECT 1") == "1"
        assert cluster_of(server).owner() == "nobody"
        assert server.remarks == []


def test_folder_that_nobody_cannot_enter_keeps_its_data_in_a_named_refuge(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    with EmbeddedServer(folder, settings=QUICK, namespaces=False) as server:
        tell(server, "CREATE TABLE kept AS SELECT 7 AS seven")
        assert [remark for remark in server.remarks if "/haoka-0/" in remark]

    with EmbeddedServer(folder, settings=QUICK, namespaces=False) as server:
        assert ask(server, "SELECT seven FROM kept") == "7"


def test_binaries_that_nobody_cannot_reach_are_copied_for_the_run(folder: Path) -> None:
    hidden = folder.parent / "hidden"
    hidden.mkdir(mode=0o700)
    bin_dir = copy_of_the_wheel(hidden)

    with EmbeddedServer(folder, bin_dir=bin_dir, settings=QUICK, namespaces=False) as server:
        assert ask(server, "SELECT 1") == "1"
        copy = server.bin_dir
    assert not copy.exists()


def test_server_whose_copied_binaries_are_gone_starts_again(folder: Path) -> None:
    hidden = folder.parent / "hidden"
    hidden.mkdir(mode=0o700)
    server = EmbeddedServer(folder, bin_dir=copy_of_the_wheel(hidden), settings=QUICK, namespaces=False)

    for _ in range(2):
        with server:
            assert ask(server, "SELECT 1") == "1"
            assert len([remark for remark in server.remarks if "binaries" in remark]) == 1


def test_narrow_umask_does_not_lock_the_server_out(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with EmbeddedServer(folder, settings=QUICK, namespaces=False) as server:
            assert ask(server, "SELECT 1") == "1"
    finally:
        os.umask(before)


def test_refuge_that_somebody_else_made_is_not_taken(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir(mode=0o700)
    theirs = folder.parent / "theirs"
    theirs.mkdir()
    shutil.chown(theirs, "nobody")
    monkeypatch.setattr(cluster, "places", lambda data_dir: (data_dir / "home", theirs / "refuge"))

    with pytest.raises(ServerFailed, match="belongs to somebody else"):
        EmbeddedServer(folder, settings=QUICK, namespaces=False).start()


def test_data_made_in_a_namespace_are_found_again_without_one(open_folder: Path) -> None:
    with EmbeddedServer(open_folder, settings=QUICK) as server:
        tell(server, "CREATE TABLE kept AS SELECT 7 AS seven")

    with EmbeddedServer(open_folder, settings=QUICK, namespaces=False) as server:
        assert ask(server, "SELECT seven FROM kept") == "7"


def test_refused_unshare_makes_root_switch_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = tmp_path / "unshare"
    refusing.write_text("#!/bin/sh\necho 'unshare failed: Operation not permitted' >&2\nexit 1\n")
    refusing.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    assert choose_account().prefix[0] == "setpriv"


def test_no_namespace_and_no_setpriv_is_one_clear_refusal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(NoAccountForServer, match="HAOKA_DATABASE_URL"):
        choose_account()


def test_plain_user_under_an_empty_environment_runs_its_own_server(open_folder: Path) -> None:
    home = open_folder.parent / "home of 用户"
    bin_dir = copy_of_the_wheel(home)
    shutil.chown(home, "nobody", "nogroup")

    def start_twice() -> None:
        for _ in range(2):
            with EmbeddedServer(home / "data", bin_dir=bin_dir, settings=QUICK) as server:
                assert ask(server, "SELECT 1") == "1"

    assert as_nobody(start_twice, {"PATH": "/usr/bin:/bin", "HOME": str(home)}) == 0
    assert next((home / "data").glob("*/PG_VERSION")).owner() == "nobody"


def as_nobody(work: Callable[[], None], environment: dict[str, str]) -> int:
    """Do the work in a process of the account nobody and give its exit status."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 1
    try:
        nobody = pwd.getpwnam("nobody")
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        os.environ.clear()
        os.environ.update(environment)
        work()
        status = 0
    finally:
        os._exit(status)


def copy_of_the_wheel(folder: Path) -> Path:
    """Copy the server's package into the folder, as pip lays it, and give the folder of its programs."""
    package = packaged_bin_dir().parents[1]
    for name in (package.name, package.name + ".libs"):
        shutil.copytree(package.with_name(name), folder / name, symlinks=True)
    return folder / packaged_bin_dir().relative_to(package.parent)
