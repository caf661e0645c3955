"""Clients that know nothing but how to move one command to a card: the raw engines of the card path's measurements.

No time-outs, no recovery, no checks but that an answer came.
"""

from __future__ import annotations

import ctypes
import time
from functools import reduce
from operator import xor
from typing import Any, Final, Protocol

import serial

_HEADER: Final = 5
_STATUS_WORD: Final = 2
_LONGEST: Final = 256
_NULL: Final = 0x60  # ISO/IEC 7816-3 §10.3.3: wait
_PATIENCE: Final = 60.0


class Bare(Protocol):
    """One card, held by one such client."""

    def reset(self) -> None:
        """Reset the card."""
        ...

    def transmit(self, apdu: bytes) -> None:
        """Send one command as T=0 carries it and take its answer."""
        ...

    def close(self) -> None:
        """Let go of the card."""
        ...


class BareCard:
    """A card held through the C library of PC/SC and nothing else: the raw engine of the card path."""

    _EXCLUSIVE, _T0, _LEAVE, _RESET, _SYSTEM = 1, 1, 0, 1, 2
    _LONGEST_ANSWER = 258

    def __init__(self, reader: str) -> None:
        self._library = ctypes.CDLL("libpcsclite.so.1")
        self._context, self._card, self._active = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
        self._header = ctypes.c_char.in_dll(self._library, "g_rgSCardT0Pci")
        self._answer = ctypes.create_string_buffer(self._LONGEST_ANSWER)
        self._call("SCardEstablishContext", ctypes.c_ulong(self._SYSTEM), None, None, ctypes.byref(self._context))
        name, card, active = reader.encode(), ctypes.byref(self._card), ctypes.byref(self._active)
        share, protocol = ctypes.c_ulong(self._EXCLUSIVE), ctypes.c_ulong(self._T0)
        self._call("SCardConnect", self._context, name, share, protocol, card, active)

    def reset(self) -> None:
        """Reset the card."""
        share, protocol, reset = (ctypes.c_ulong(value) for value in (self._EXCLUSIVE, self._T0, self._RESET))
        self._call("SCardReconnect", self._card, share, protocol, reset, ctypes.byref(self._active))

    def transmit(self, apdu: bytes) -> None:
        """Send one command and take its answer."""
        length, room = ctypes.c_ulong(len(apdu)), ctypes.c_ulong(self._LONGEST_ANSWER)
        header = ctypes.byref(self._header)
        self._call("SCardTransmit", self._card, header, apdu, length, None, self._answer, ctypes.byref(room))

    def close(self) -> None:
        """Let go of the card."""
        self._call("SCardDisconnect", self._card, ctypes.c_ulong(self._LEAVE))
        self._call("SCardReleaseContext", self._context)

    def _call(self, name: str, *arguments: object) -> None:
        result = getattr(self._library, name)(*arguments) & 0xFFFFFFFF
        if result:
            raise RuntimeError(f"{name}: 0x{result:08X}")


class BareModem:
    """A card behind AT+CSIM, line by line."""

    def __init__(self, url: str) -> None:
        self._port = serial.serial_for_url(url, timeout=_PATIENCE)
        self._port.exclusive = True
        self._ask("ATE0")

    def reset(self) -> None:
        """Take the card's power and give it back."""
        self._ask("AT+CFUN=0")
        self._ask("AT+CFUN=4")

    def transmit(self, apdu: bytes) -> None:
        """Send one command and take its answer."""
        self._ask(f'AT+CSIM={2 * len(apdu)},"{apdu.hex()}"')

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _ask(self, command: str) -> None:
        self._port.write(f"{command}\r".encode())
        answer = self._port.read_until(b"OK\r\n")
        if not answer.endswith(b"OK\r\n"):
            raise RuntimeError(f"the modem does not answer: {answer!r}")


class BareDispenser:
    """A card at a dispenser's contacts, frame by frame."""

    _ACK: Final = b"\x06"

    def __init__(self, url: str) -> None:
        self._port = serial.serial_for_url(url, timeout=_PATIENCE)
        self._do(0x30, 0x33)

    def reset(self) -> None:
        """Reset the card cold, at 3 V."""
        self._do(0x51, 0x30, b"\x35")

    def transmit(self, apdu: bytes) -> None:
        """Send one command and take its answer."""
        self._do(0x51, 0x33, apdu)

    def close(self) -> None:
        """Give the line back."""
        self._port.close()

    def _do(self, command: int, parameter: int, data: bytes = b"") -> None:
        body = b"C" + bytes([command, parameter]) + data
        frame = b"\xf2\x00" + len(body).to_bytes(2, "big") + body + b"\x03"
        self._port.write(frame + bytes([reduce(xor, frame)]))
        head = self._port.read(1 + 4)  # ACK; F2, address, length
        reply = self._port.read(int.from_bytes(head[3:], "big") + 2)
        if head[:1] != self._ACK or reply[:1] != b"P":
            raise RuntimeError(f"the dispenser does not answer: {head!r} {reply!r}")
        self._port.write(self._ACK)


class BarePhoenix:
    """A card on a Phoenix interface, byte by byte; `atr` is what it answers to reset."""

    _RESET: Final = 0.02

    def __init__(self, url: str, atr: bytes) -> None:
        self._atr = atr
        settings: dict[str, Any] = {"baudrate": 9600, "parity": "E", "stopbits": 2, "timeout": _PATIENCE}
        self._port = serial.serial_for_url(url, **settings)

    def reset(self) -> None:
        """Hold the card in reset, and take its answer."""
        self._port.rts = True
        time.sleep(self._RESET)
        self._port.rts = False
        if self._port.read(len(self._atr)) != self._atr:
            raise RuntimeError("the card does not answer to reset")

    def transmit(self, apdu: bytes) -> None:
        """Send one command and take its answer; the line gives back what it is sent."""
        header, data = apdu[:_HEADER], apdu[_HEADER:]
        self._say(header)
        while (said := self._port.read(1)[0]) == _NULL:
            pass
        if said != header[1]:
            self._port.read(1)  # a status word at once
        elif data:
            self._say(data)
            self._port.read(_STATUS_WORD)
        else:
            self._port.read((header[4] or _LONGEST) + _STATUS_WORD)

    def close(self) -> None:
        """Give the port back."""
        self._port.close()

    def _say(self, data: bytes) -> None:
        self._port.write(data)
        if self._port.read(len(data)) != data:
            raise RuntimeError("the line has no echo")
