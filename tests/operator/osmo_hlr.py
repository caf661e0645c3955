"""A real osmo-hlr with a database of its own: told of cards by its VTY, asked for vectors by GSUP as by an MME.

GSUP is that of the osmo-hlr manual, chapter "Generic Subscriber Update Protocol", carried in frames of IPA.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cardwriter.usim.bcd import pack
from tests.patience import PATIENCE

PROGRAM: Final = "/usr/bin/osmo-hlr"
_VTY_PORT, _GSUP_PORT = 4258, 4222
_CCM, _EXTENSION, _GSUP = 0xFE, 0xEE, 0x05
_ID_REQUEST, _ID_RESPONSE, _PING, _PONG = 0x04, 0x05, 0x00, 0x01
_NAMES: Final = ((0x00, b"haoka-tests\0"), (0x08, b"0/0/0\0"))
_SEND_AUTH_INFO, _AUTH_INFO = 0x08, 0x0A
_IMSI, _TUPLE, _RAND, _AUTN, _RES, _AUTS = 0x01, 0x03, 0x20, 0x25, 0x27, 0x26
_CONFIG: Final = """line vty
 bind {address}
ctrl
 bind {address}
hlr
 gsup
  bind ip {address}
"""


@dataclass(frozen=True)
class Vector:
    """What the network sends to a card, and the answer that it expects."""

    rand: bytes
    autn: bytes
    res: bytes


class Vty:
    """The HLR's command line."""

    def __init__(self, address: str) -> None:
        self._line = socket.create_connection((address, _VTY_PORT), PATIENCE)
        self._until_prompt()

    def say(self, command: str) -> str:
        """Give one command; return what it says to it."""
        self._line.sendall(command.encode() + b"\n")
        return self._until_prompt().partition("\n")[2].rpartition("\n")[0].replace("\r", "")

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _until_prompt(self) -> str:
        said = b""
        while not said.endswith((b"> ", b"# ")):
            part = self._line.recv(4096)
            assert part, said
            said += part
        return said.decode("latin-1")


class Gsup:
    """The connection of one that asks for vectors."""

    def __init__(self, address: str) -> None:
        self._link = socket.create_connection((address, _GSUP_PORT), PATIENCE)
        self._introduced = False
        while not self._introduced:
            self._link_message()

    def vector(self, imsi: str, *, after: tuple[bytes, bytes] | None = None) -> Vector:
        """Ask for vectors of a subscriber and give the first; `after` are RAND and AUTS of a card that was ahead."""
        message = bytes([_SEND_AUTH_INFO]) + _element(_IMSI, pack(imsi))
        if after is not None:
            rand, auts = after
            message += _element(_AUTS, auts) + _element(_RAND, rand)
        self._send(_EXTENSION, bytes([_GSUP]) + message)
        answer = self._receive()
        assert answer[0] == _AUTH_INFO, answer.hex()
        found = dict(_elements(dict(_elements(answer[1:], first=True))[_TUPLE]))
        return Vector(found[_RAND], found[_AUTN], found[_RES])

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def _receive(self) -> bytes:
        """Return the next message of GSUP."""
        while True:
            if (message := self._link_message()) is not None:
                return message

    def _link_message(self) -> bytes | None:
        """Take one message: one of GSUP is returned, what the link itself wants is answered."""
        size, protocol = int.from_bytes(self._exactly(2), "big"), self._exactly(1)[0]
        payload = self._exactly(size)
        if protocol == _EXTENSION and payload[0] == _GSUP:
            return payload[1:]
        if protocol == _CCM and payload[0] == _ID_REQUEST:
            names = ((len(value) + 1).to_bytes(2, "big") + bytes([tag]) + value for tag, value in _NAMES)
            self._send(_CCM, bytes([_ID_RESPONSE]) + b"".join(names))
            self._introduced = True
        elif protocol == _CCM and payload[0] == _PING:
            self._send(_CCM, bytes([_PONG]))
        return None

    def _send(self, protocol: int, payload: bytes) -> None:
        self._link.sendall(len(payload).to_bytes(2, "big") + bytes([protocol]) + payload)

    def _exactly(self, size: int) -> bytes:
        got = b""
        while len(got) < size:
            part = self._link.recv(size - len(got))
            assert part, "the HLR hung up"
            got += part
        return got


def _element(tag: int, value: bytes) -> bytes:
    return bytes([tag, len(value)]) + value


def _elements(content: bytes, *, first: bool = False) -> Iterator[tuple[int, bytes]]:
    """Take a message apart; of elements that repeat only the `first`."""
    seen: set[int] = set()
    while content:
        tag, end = content[0], 2 + content[1]
        if not first or tag not in seen:
            yield tag, content[2:end]
        seen.add(tag)
        content = content[end:]


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run an HLR while the block lasts; gives the loopback address that is its alone."""
    address = f"127.{100 + os.getpid() // 62500 % 100}.{os.getpid() // 250 % 250}.{os.getpid() % 250 + 1}"
    (folder / "hlr.cfg").write_text(_CONFIG.format(address=address), encoding="ascii")
    command = [PROGRAM, "-c", str(folder / "hlr.cfg"), "-l", str(folder / "hlr.db")]
    with (folder / "hlr.log").open("wb") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as hlr:
        try:
            end = time.monotonic() + PATIENCE
            while not _listens(address):
                assert hlr.poll() is None, (folder / "hlr.log").read_text(encoding="utf-8")
                assert time.monotonic() < end
                time.sleep(0.05)
            yield address
        finally:
            hlr.terminate()


def _listens(address: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, _GSUP_PORT)) == 0
