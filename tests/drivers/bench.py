"""A private PC/SC service with virtual readers, and cards for them that are processes of their own."""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.patience import PATIENCE

VPCD: Final = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
PCSCD: Final = "/usr/sbin/pcscd"
ROOT: Final = Path(__file__).parents[2]

# vpcd listens on every address, so the service runs in a network of its own where the kernel grants one.
_NAMESPACE: Final = ("unshare", "--user", "--map-current-user", "--keep-caps", "--net")

# The service takes its socket as systemd would hand it over: on descriptor 3, announced to its own process id.
# A new network's loopback is down: SIOCSIFFLAGS with IFF_UP raises it (netdevice(7)).
_LAUNCH: Final = """
import fcntl, os, socket, struct, sys
if sys.argv[4] == "isolated":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh22x", b"lo", 1))
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], ["pcscd", "--foreground", "--info", "-c", sys.argv[3]])
"""


class Bench:
    """One service on its own socket, with pairs of virtual readers."""

    def __init__(self, folder: Path, socket_path: Path, *, pairs: int = 1) -> None:
        self.socket = socket_path
        self.readers = [f"Bench{pair} 00 {slot:02X}" for pair in range(pairs) for slot in range(2)]
        self._folder = folder
        self._ports: list[int] = []
        self._daemon: subprocess.Popen[bytes] | None = None
        self._cards: list[subprocess.Popen[bytes]] = []
        config = folder / "readers"
        config.mkdir(parents=True)
        for pair in range(pairs):  # a copy each: the driver keeps one table of slots per loaded library
            port = _free_port_pair()
            self._ports += [port, port + 1]
            library = shutil.copy(VPCD, folder / f"libifdvpcd{pair}.so")
            (config / f"vpcd{pair}").write_text(
                f'FRIENDLYNAME "Bench{pair}"\nDEVICENAME /dev/null:0x{port:X}\n'
                f"LIBPATH {library}\nCHANNELID 0x{port:X}\n"
            )

    def start(self) -> None:
        """Start the service and wait until it answers."""
        self.socket.unlink(missing_ok=True)
        log = self._folder / "pcscd.log"
        with socket.socket(socket.AF_UNIX) as listener, log.open("wb") as output:
            listener.bind(os.fspath(self.socket))
            listener.listen()
            number = listener.fileno()
            self._daemon = subprocess.Popen(
                [
                    *(_NAMESPACE if _isolated() else ()),
                    *(sys.executable, "-c", _LAUNCH, str(number), PCSCD, os.fspath(self._folder / "readers")),
                    "isolated" if _isolated() else "shared",
                ],
                pass_fds=[number],
                stdout=output,
                stderr=output,
            )
        wait_until(lambda: b"daemon ready" in log.read_bytes(), "pcscd is ready")

    def stop(self) -> None:
        """Kill the service, and the cards with it."""
        for card in self._cards:
            _end(card)
        self._cards.clear()
        if self._daemon is not None:
            _end(self._daemon)
            self._daemon = None

    def insert(self, slot: int = 0, *options: str) -> subprocess.Popen[bytes]:
        """Put a card into a reader; options are those of `card_process`."""
        assert self._daemon is not None
        enter = ("nsenter", "--target", str(self._daemon.pid), "--user", "--preserve-credentials", "--net")
        card = subprocess.Popen(
            [
                *(enter if _isolated() else ()),
                sys.executable,
                "-m",
                "tests.drivers.card_process",
                str(self._ports[slot]),
                *options,
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert card.stdout is not None
        assert card.stdout.readline() == b"in\n"
        self._cards.append(card)
        return card

    def remove(self, card: subprocess.Popen[bytes]) -> None:
        """Take a card out."""
        self._cards.remove(card)
        _end(card)

    def remove_all(self) -> None:
        """Take all cards out."""
        for card in tuple(self._cards):
            self.remove(card)


def wait_until(condition: object, what: str, *, seconds: float = PATIENCE) -> None:
    """Ask until the condition holds; fail with what was waited for."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds:g} s in vain until {what}"
        time.sleep(0.02)


@functools.cache
def _isolated() -> bool:
    command = [*_NAMESPACE, "true"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _free_port_pair() -> int:
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
