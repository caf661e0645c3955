"""A private PC/SC daemon with virtual readers and cards: `python -m cardwriter.virtual.bench --ready-file FILE`.

The daemon listens on a socket of its own (clients set PCSCLITE_CSOCK_NAME), in a private folder; system services are
neither used nor touched. vpcd listens on all addresses, so daemon and cards live in a network namespace of their own
where the kernel allows one; their unix sockets are reached from outside all the same. The bench ends with its parent.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

from cardwriter.virtual.vpcd import Wire, order

_MODULE: Final = "cardwriter.virtual.bench"
_ROOT: Final = Path(__file__).parents[2]
_LIBRARIES: Final = ("/usr/lib/pcsc/drivers/serial/libifdvpcd.so", "/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so")
_DAEMONS: Final = ("/usr/sbin/pcscd", "/usr/bin/pcscd", "/usr/local/sbin/pcscd")
_NAMESPACE: Final = ("unshare", "--user", "--map-current-user", "--keep-caps", "--net", "--mount")
_SLOTS_PER_LIBRARY: Final = 2
_MOST_READERS: Final = 14
"""pcscd has 16, and at exactly 16 clients that also ask for the plug-and-play reader fail."""
_FIRST_PORT: Final = 35963
_LONGEST_SOCKET_PATH: Final = 107
_READY_SECONDS, _END_SECONDS, _POLL_SECONDS = 60.0, 3.0, 0.05
_RUN_FOLDER: Final = "/run/pcscd"
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1
_LISTENING: Final = "0A"

# The daemon takes a listening socket as systemd would hand it over: descriptor 3, announced to its own process id.
_HAND_OVER: Final = (
    'exec 3<&0 </dev/null; LISTEN_FDS=1 LISTEN_PID=$$; export LISTEN_FDS LISTEN_PID; exec setpriv --pdeathsig KILL "$@"'
)


class BenchError(RuntimeError):
    """The bench cannot start; the message says what to do."""


@dataclass(frozen=True)
class Slot:
    """One virtual reader: its PC/SC name, and the control socket of the card process behind it."""

    reader: str
    control: Path

    def insert(self, card: Path) -> None:
        """Put the card of an image file in, in place of any other; the daemon sees it within a second.

        Raises
        ------
        OrderRefused
            The file is not a card.
        """
        order(self.control, f"insert {card.resolve()}")

    def remove(self) -> None:
        """Pull the card out; the daemon sees it within 400 ms."""
        order(self.control, "remove")


@dataclass(frozen=True)
class Bench:
    """A running bench: the daemon's socket for PCSCLITE_CSOCK_NAME, its readers, whether a namespace hides it."""

    socket: Path
    slots: tuple[Slot, ...]
    isolated: bool
    pid: int

    @classmethod
    def read(cls, ready_file: Path) -> Bench:
        """Return what a ready file says.

        Raises
        ------
        OSError, ValueError, KeyError
            The file is not there or not one.
        """
        wire = json.loads(ready_file.read_text(encoding="utf-8"))
        slots = tuple(Slot(one["reader"], Path(one["control"])) for one in wire["slots"])
        return cls(Path(wire["socket"]), slots, wire["isolated"], wire["pid"])

    def write(self, ready_file: Path) -> None:
        """Write the ready file, whole or not at all."""
        slots = [{"reader": slot.reader, "control": str(slot.control)} for slot in self.slots]
        wire = {"socket": str(self.socket), "slots": slots, "isolated": self.isolated, "pid": self.pid}
        draft = ready_file.with_name(ready_file.name + ".new")
        draft.write_text(json.dumps(wire), encoding="utf-8")
        draft.replace(ready_file)


@contextlib.contextmanager
def running(
    readers: int = 2, cards: Sequence[Path] = (), wire: str | None = None, *, forgetful: bool = False
) -> Iterator[Bench]:
    """Run a bench as a process of its own while the block lasts; `forgetful`, its cards leave their files as they are.

    Raises
    ------
    BenchError
        It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="haoka-bench-") as folder:
        ready = Path(folder, "ready.json")
        command = [sys.executable, "-m", _MODULE, "--ready-file", str(ready), "--folder", folder]
        command += ["--readers", str(readers), *_card_options(wire, forgetful=forgetful)]
        process = _spawn([*command, *(part for card in cards for part in ("--card", str(card.resolve())))])
        try:
            _wait(ready.exists, process, "the bench is ready")
            yield Bench.read(ready)
        finally:
            _end(process)


def _card_options(wire: str | None, *, forgetful: bool) -> list[str]:
    return [*(["--wire", wire] if wire else []), *(["--forgetful"] if forgetful else [])]


def _spawn(command: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=_ROOT, **streams)  # noqa: S603 - our own programs, no shell, no user's text


def _wait(condition: object, process: subprocess.Popen[bytes], what: str) -> None:
    end = time.monotonic() + _READY_SECONDS
    while not (callable(condition) and condition()):
        if process.poll() is not None:
            raise BenchError(f"process ended with {process.returncode} before {what}")
        if time.monotonic() > end:
            raise BenchError(f"waited {_READY_SECONDS:g} seconds in vain until {what}")
        time.sleep(_POLL_SECONDS)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _first_existing(paths: Sequence[str]) -> str:
    found = next((path for path in paths if Path(path).exists()), None)
    if found is None:
        raise BenchError(f"{paths[0]} is missing: apt-get install --no-install-recommends pcscd vsmartcard-vpcd")
    return found


def _raise_loopback() -> None:
    """Bring up loopback, which is down in a new network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", 0).ljust(40, b"\0")
        flags = struct.unpack_from("16sh", fcntl.ioctl(any_socket, _GET_FLAGS, request))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh", b"lo", flags | _UP).ljust(40, b"\0"))


def _free_ports(count: int, *, isolated: bool) -> list[int]:
    """Return the first port of each pair that a copy of the driver listens on."""
    if isolated:
        return [_FIRST_PORT + _SLOTS_PER_LIBRARY * i for i in range(count)]
    found: list[int] = []
    while len(found) < count:
        with socket.socket() as first, socket.socket() as second, contextlib.suppress(OSError):
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            second.bind(("127.0.0.1", port + 1))
            if all(abs(port - other) >= _SLOTS_PER_LIBRARY for other in found):
                found.append(port)
    return found


def _listening(ports: Sequence[int]) -> bool:
    """Whether every port of the pairs is listened on; looking does not insert a card, as connecting would."""
    rows = [line.split() for line in Path("/proc/self/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    open_ports = {int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == _LISTENING}
    return all(port + i in open_ports for port in ports for i in range(_SLOTS_PER_LIBRARY))


def _configure(folder: Path, ports: Sequence[int]) -> Path:
    """One driver copy per pair of readers: the driver keeps one table of slots per library that is loaded."""
    library, readers = _first_existing(_LIBRARIES), folder / "readers"
    readers.mkdir()
    for i, port in enumerate(ports):
        copy = shutil.copyfile(library, folder / f"vpcd{i}.so")
        text = f'FRIENDLYNAME "Haoka {i}"\nDEVICENAME /dev/null:{port:#x}\nLIBPATH {copy}\nCHANNELID {port:#x}\n'
        (readers / f"vpcd{i}").write_text(text, encoding="ascii")
    return readers


def _start_daemon(folder: Path, readers: Path) -> subprocess.Popen[bytes]:
    path = folder / "pcscd.sock"
    if len(str(path)) > _LONGEST_SOCKET_PATH:
        raise BenchError(f"the path of {path} is too long for a unix socket, choose another TMPDIR")
    command = ["sh", "-c", _HAND_OVER, "sh", _first_existing(_DAEMONS), "--foreground", "--info", "-c", str(readers)]
    with socket.socket(socket.AF_UNIX) as listener, (folder / "pcscd.log").open("wb") as log:
        listener.bind(str(path))
        listener.listen()
        return _spawn(command, stdin=listener.fileno(), stdout=log, stderr=log)


def _start_card(slot: Slot, port: int, card: Path | None, options: Sequence[str]) -> subprocess.Popen[bytes]:
    command = ["setpriv", "--pdeathsig", "KILL", sys.executable, "-m", "cardwriter.virtual.vpcd", "--port", str(port)]
    command += ["--control", str(slot.control), *(["--card", str(card)] if card else [])]
    return _spawn([*command, *options], stdin=subprocess.DEVNULL)


def _serve(options: argparse.Namespace, folder: Path) -> None:
    """Start everything, say so, and stay until the parent or the daemon is gone."""
    parent, isolated = os.getppid(), bool(options.inside)
    ports = _free_ports((options.readers + 1) // _SLOTS_PER_LIBRARY, isolated=isolated)
    how = _card_options(options.wire, forgetful=options.forgetful)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        daemon = _start_daemon(folder, _configure(folder, ports))
        processes.append(daemon)
        _wait(lambda: _listening(ports), daemon, f"pcscd listens (its log: {folder / 'pcscd.log'})")
        slots = []
        for i in range(_SLOTS_PER_LIBRARY * len(ports)):
            pair, place = divmod(i, _SLOTS_PER_LIBRARY)
            slot = Slot(f"Haoka {pair} 00 {place:02X}", folder / f"card{i}.sock")
            card = options.card[i].resolve() if i < len(options.card) else None
            processes.append(_start_card(slot, ports[pair] + place, card, how))
            slots.append(slot)
        for slot, process in zip(slots, processes[1:], strict=True):
            _wait(slot.control.exists, process, f"the card process of {slot.reader} takes orders")
        Bench(folder / "pcscd.sock", tuple(slots), isolated, os.getpid()).write(options.ready_file)
        while os.getppid() == parent and daemon.poll() is None:
            time.sleep(_POLL_SECONDS)
    finally:
        for process in reversed(processes):
            _end(process)


def _enter_namespace() -> None:
    """Start over inside namespaces of our own; return only if the kernel refuses them."""
    with contextlib.suppress(OSError):
        if _spawn([*_NAMESPACE, "true"], stderr=subprocess.DEVNULL).wait() == 0:
            command = [*_NAMESPACE, sys.executable, "-m", _MODULE, "--inside", *sys.argv[1:]]
            os.execvp(command[0], command)  # noqa: S606 - our own program and arguments
    sys.stderr.write("bench: no namespaces here, the virtual readers listen on free ports of all addresses\n")


def _prepare_inside() -> None:
    _raise_loopback()
    if Path(_RUN_FOLDER).is_dir():
        # The daemon writes its process id there whatever its socket; hide a system daemon's folder from it.
        _spawn(["mount", "-t", "tmpfs", "tmpfs", _RUN_FOLDER]).wait()


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def main() -> None:
    """Run a bench until it is ended by a signal or with its parent."""
    parser = argparse.ArgumentParser(description="A private PC/SC daemon with virtual readers and cards.")
    parser.add_argument("--ready-file", type=Path, required=True, help="JSON written when all is up")
    parser.add_argument("--folder", type=Path, help="private folder to work in; a temporary one by default")
    parser.add_argument("--readers", type=int, default=2, help=f"how many, rounded up to even, at most {_MOST_READERS}")
    parser.add_argument("--card", type=Path, action="append", default=[], help="image to insert, in reader order")
    parser.add_argument("--wire", help="pretend this wire speed, as F/D")
    parser.add_argument("--forgetful", action="store_true", help="the cards leave their image files as they are")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not 1 <= options.readers <= _MOST_READERS or len(options.card) > options.readers:
        parser.error(f"1 to {_MOST_READERS} readers, and no more cards than readers")
    if options.wire:
        Wire.parse(options.wire)
    if options.inside:
        _prepare_inside()
    else:
        _enter_namespace()
    signal.signal(signal.SIGTERM, _stop)
    try:
        if options.folder is not None:
            _serve(options, options.folder)
        else:
            with tempfile.TemporaryDirectory(prefix="haoka-bench-") as folder:
                _serve(options, Path(folder))
    except BenchError as error:
        raise SystemExit(f"bench: {error}") from None
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None


if __name__ == "__main__":
    main()
