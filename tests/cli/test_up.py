from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.cli.test_processes import is_alive, until
from tests.conftest import ROOT
from tests.patience import PATIENCE

pytestmark = [pytest.mark.e2e, pytest.mark.database]


@dataclass(frozen=True)
class Running:
    """A `haoka up` that has greeted: its process, what it said, and where it is."""

    process: subprocess.Popen[str]
    said: str

    @property
    def address(self) -> str:
        found = re.search(r"http://\S+", self.said)
        assert found is not None, self.said
        return found[0]

    @property
    def login(self) -> list[str]:
        """Interface number, staff id and password, as printed."""
        return re.findall(r"^  \w[^\n]* (\S+)$", self.said, re.MULTILINE)


def child_pids(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def environment(url: str, folder: Path) -> Mapping[str, str]:
    """Give the environment of a fresh shell that names a database."""
    settings = {"HAOKA_DATABASE_URL": url, "HAOKA_DATA_DIR": str(folder), "HAOKA_PORT": "0", "HAOKA_DATABASE_POOL": "2"}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **settings}


@contextmanager
def up(url: str, folder: Path, *options: str) -> Iterator[Running]:
    argv = [sys.executable, "-P", "-m", "inventory.cli", "up", *options]
    output = folder / "up.out"
    with output.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            argv, env=dict(environment(url, folder)), stdout=said, stderr=subprocess.STDOUT, text=True
        )
    try:
        until(lambda: "Ctrl-C" in output.read_text(encoding="utf-8") or process.poll() is not None)
        yield Running(process, output.read_text(encoding="utf-8"))
    finally:
        process.terminate()
        process.wait()


LIJIANG = ("--city", "530700", "--name-zh", "丽江", "--name-en", "Lijiang")


def test_first_start_lets_the_printed_login_work_sigterm_ends_everything_and_the_second_makes_no_login(
    empty_database_url: str, tmp_path: Path
) -> None:
    """REQ-IF-05: the first person comes in through the built-in interface."""
    with up(empty_database_url, tmp_path, *LIJIANG) as running:
        interface, staff, password = running.login
        body = {"interface_no": interface, "staff_no": staff, "password": password}
        token = httpx2.post(f"{running.address}/v1/sessions", json=body).json()["token"]
        who = {"HAOKA_INTERFACE": interface, "HAOKA_STAFF": staff, "HAOKA_SECRET": token}
        env = {**environment(empty_database_url, tmp_path), **who, "HAOKA_SERVICE_URL": running.address}
        argv = [sys.executable, "-P", "-m", "inventory.cli", "interfaces", "list"]
        listed = subprocess.run(argv, env=env, capture_output=True, text=True, check=True).stdout
        assert [found["no"] for found in json.loads(listed)["interfaces"]] == [interface]
        children = child_pids(running.process.pid)
        assert len(children) == 2
        running.process.terminate()
        assert running.process.wait(PATIENCE) == 0
    assert not any(map(is_alive, children))
    with up(empty_database_url, tmp_path) as again:
        assert again.login == []


def test_start_without_any_city_says_what_to_do(database_url: str, tmp_path: Path) -> None:
    with up(database_url, tmp_path) as running:
        assert running.process.wait() == 2
        assert "haoka up --city 530700" in running.said


def test_dead_service_ends_the_whole_with_its_name(operator_url: str, tmp_path: Path) -> None:
    with up(operator_url, tmp_path) as running:
        service, worker = child_pids(running.process.pid)
        os.kill(service, signal.SIGKILL)
        assert running.process.wait(PATIENCE) == 1
    assert "service ended with status" in (tmp_path / "up.out").read_text(encoding="utf-8")
    assert not is_alive(worker)


def test_a_port_in_use_is_named_before_anything_is_founded(database_url: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-P", "-m", "inventory.cli", "up", "--city", "530700"],
            env={**environment(database_url, tmp_path), "HAOKA_PORT": port},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "First login" not in done.stdout
