"""Processes of our own, started together, watched, and ended together: none outlives the one that started it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self, TypeAlias

import httpx2

from inventory.settings import Settings

_STOP_SECONDS = 10
_LOOK_SECONDS = 0.1
_BACKLOG = 2048
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_Handler: TypeAlias = Callable[[int, FrameType | None], Any] | int | None
"""What `signal.signal` takes and gives back."""


class ProcessFailed(Exception):
    """A process of ours ended although it should run, or did not become ready; the message has its last log lines."""


@dataclass
class Child:
    """A running process and the file that its output goes to."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def last_words(self) -> str:
        """Return the end of what it wrote."""
        return self.log.read_text(errors="replace")[-2000:].strip()


class Stop:
    """What a signal handler may set; an `Event` could hold the lock that its `set` waits for in this very thread."""

    def __init__(self) -> None:
        self._asked = False

    def set(self) -> None:
        """Ask to stop."""
        self._asked = True

    def is_set(self) -> bool:
        """Whether that was asked."""
        return self._asked

    def wait(self, seconds: float) -> bool:
        """Wait so long, unless it was asked before; return whether it was."""
        if not self._asked:
            time.sleep(seconds)
        return self._asked


@dataclass
class Processes:
    """Starts processes, each with a log file in `log_dir`; leaving the `with` block ends them, the last one first.

    A signal that ends us (Ctrl-C, SIGTERM, a closed terminal) sets `stopped` instead; `wait` then returns.
    """

    log_dir: Path
    children: list[Child] = field(default_factory=list)
    stopped: Stop = field(default_factory=Stop)
    _handlers: dict[signal.Signals, _Handler] = field(default_factory=dict)

    def __enter__(self) -> Self:
        """Take over the signals."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        for number in _SIGNALS:
            self._handlers[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End every process and give the signals back."""
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.stopped.set()

    def start(self, name: str, argv: Sequence[str], *, env: Mapping[str, str], inherit: Sequence[int] = ()) -> Child:
        """Start a program; it gets SIGTERM when we die in whatever way, and no Ctrl-C of our terminal."""
        log = self.log_dir / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 - programs of this installation, no shell
                [*dies_with_us(), *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(env),
                pass_fds=inherit,
                start_new_session=True,
            )
        child = Child(name, log, process)
        self.children.append(child)
        return child

    def check(self) -> None:
        """Let pass while every process runs.

        Raises
        ------
        ProcessFailed
            One has ended.
        """
        for child in self.children:
            status = child.process.poll()
            if status is not None:
                raise ProcessFailed(f"{child.name} ended with status {status}:\n{child.last_words()}")

    def wait(self) -> None:
        """Return when a signal asks us to stop.

        Raises
        ------
        ProcessFailed
            A process has ended by itself.
        """
        while not self.stopped.wait(_LOOK_SECONDS):
            self.check()

    def wait_ready(self, url: str, *, seconds: float = 60) -> None:
        """Return when GET of the URL answers 200, or a signal asks us to stop.

        Raises
        ------
        ProcessFailed
            A process has ended, or there was no such answer in time.
        """
        until = time.monotonic() + seconds
        while not self.stopped.wait(_LOOK_SECONDS):
            self.check()
            with contextlib.suppress(httpx2.HTTPError):
                if httpx2.get(url, timeout=2, trust_env=False).status_code == httpx2.codes.OK:
                    return
            if time.monotonic() > until:
                words = "\n".join(f"{child.name}: {child.last_words()}" for child in self.children)
                raise ProcessFailed(f"{url} did not answer within {seconds:.0f} s\n{words}")

    def stop(self) -> None:
        """End the processes, the last one first: SIGTERM, and SIGKILL for what does not end; again is harmless."""
        while self.children:
            child = self.children.pop()
            child.process.terminate()
            try:
                child.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()


def dies_with_us(parent: int | None = None) -> list[str]:
    """Return the prefix that makes Linux send SIGTERM to a program when `parent` (we) dies (PR_SET_PDEATHSIG).

    Linux tells of deaths from then on only: the program does not begin if its parent has died by then.
    """
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return []
    begin = '[ "$PPID" = "$0" ] && exec "$@"'
    return [setpriv, "--pdeathsig", "TERM", "--", "/bin/sh", "-c", begin, str(parent or os.getpid())]


def ours(*arguments: str) -> list[str]:
    """Return the command line of one of our own commands: `ours("serve")` is `haoka serve`."""
    return [sys.executable, "-P", "-m", "inventory.cli", *arguments]


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which our commands find exactly these settings."""
    values = {
        f"HAOKA_{name.upper()}": str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
        for name, value in settings
        if value is not None
    }
    return {**os.environ, **values, "HAOKA_DATA_DIR": str(settings.data_dir.absolute())}


def service_and_worker(settings: Settings, processes: Processes, listening: socket.socket) -> str:
    """Start service and worker on a migrated database, wait until they can work, and return the service's address.

    Raises
    ------
    ProcessFailed
        One of them does not start.
    """
    host, port = listening.getsockname()[:2]
    if ip_address(host).is_unspecified:  # it listens everywhere: knock at loopback
        host = "::1" if ":" in host else "127.0.0.1"
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    env = environment(settings)
    processes.start("service", ours("serve", "--fd", str(listening.fileno())), env=env, inherit=[listening.fileno()])
    processes.start("worker", ours("worker"), env=env)
    processes.wait_ready(f"{address}/v1/health/ready")
    return address


def listen(host: str, port: int, *, or_any: bool = False) -> socket.socket:
    """Return a listening socket; with `or_any` any free port is taken where the wanted one is in use.

    Raises
    ------
    OSError
        The address is not this machine's, or the port is in use.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError:
        if not or_any:
            raise
        return socket.create_server((host, 0), family=family, backlog=_BACKLOG)
