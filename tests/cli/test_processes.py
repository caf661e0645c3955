from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inventory.cli.processes import Processes, ProcessFailed, dies_with_us, environment, listen
from inventory.settings import Settings
from tests.patience import PATIENCE

SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('awake', flush=True); time.sleep(600)",
]
PARENT = """
import pathlib, sys, time
from inventory.cli.processes import Processes
with Processes(pathlib.Path(sys.argv[1])) as processes:
    child = processes.start("child", [sys.executable, "-c", "import time; time.sleep(600)"], env={})
    print(child.process.pid, flush=True)
    processes.wait()
"""


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path / "log") as running:
        yield running


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that is certain to come."""
    patience = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < patience
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_leaving_the_block_ends_every_process(tmp_path: Path) -> None:
    with Processes(tmp_path) as running:
        pids = [running.start(name, SLEEPER, env={}).process.pid for name in ("a", "b")]
        assert all(map(is_alive, pids))
    assert not any(map(is_alive, pids))


def test_process_that_ignores_sigterm_is_killed(processes: Processes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.cli.processes._STOP_SECONDS", 0.2)
    child = processes.start("stubborn", STUBBORN, env={})
    until(lambda: "awake" in child.last_words())
    processes.stop()
    assert child.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_no_process_outlives_us(tmp_path: Path, number: signal.Signals) -> None:
    argv = [sys.executable, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(number)
    until(lambda: not is_alive(child))


def test_program_whose_parent_died_before_it_began_does_not_begin() -> None:
    hello = [sys.executable, "-c", "print('begun')"]
    assert subprocess.run([*dies_with_us(), *hello], stdout=subprocess.PIPE, check=True).stdout == b"begun\n"
    orphan = [*dies_with_us(parent=1), *hello]  # stands for one that init has adopted meanwhile
    assert subprocess.run(orphan, stdout=subprocess.PIPE, check=False).stdout == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_waiting_and_leaves_the_ending_to_us(processes: Processes, number: signal.Signals) -> None:
    child = processes.start("child", SLEEPER, env={})
    os.kill(os.getpid(), number)
    processes.wait()
    assert child.process.poll() is None


def test_process_that_ends_by_itself_is_named_with_its_last_words(processes: Processes) -> None:
    processes.start("worker", [sys.executable, "-c", "import sys; sys.exit('no database')"], env={})
    with pytest.raises(ProcessFailed, match=r"worker ended with status 1:\nno database"):
        processes.wait()


def test_service_that_never_answers_is_given_up_with_the_logs(processes: Processes) -> None:
    child = processes.start("service", SLEEPER, env={})
    until(lambda: "awake" in child.last_words())
    with listen("127.0.0.1", 0) as taken, pytest.raises(ProcessFailed, match="service: awake"):
        processes.wait_ready(f"http://127.0.0.1:{taken.getsockname()[1]}/", seconds=0)


def test_port_in_use_is_refused_or_another_taken() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", port)
        with listen("127.0.0.1", port, or_any=True) as second:
            assert second.getsockname()[1] != port


def test_children_find_exactly_our_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql://u:p@h/d", language="en", sign_in_failures=7)
    for name, value in environment(settings).items():
        monkeypatch.setenv(name, value)
    assert Settings() == settings
