"""A card behind a Phoenix or smartmouse interface: the machines of ISO 7816-3 on a serial port."""

from __future__ import annotations

import contextlib
import math
import time
from typing import Final, TypeVar

from drivers import errors
from drivers.iso7816_3.atr import INITIAL, AnswerToReset, Rate, read_atr
from drivers.iso7816_3.line import ETU_PER_CHARACTER, Convention, Machine, Turn, play
from drivers.iso7816_3.pps import settle
from drivers.iso7816_3.t0 import carry
from drivers.phoenix_wiring import Wiring
from drivers.serial_line import SerialLine

T = TypeVar("T")

_RESET: Final = 0.02
"""Seconds the card is held in reset; 400 cycles would do (§6.2.3), a USB port needs more."""
GLANCE: Final = 0.25
"""Seconds between two looks at a line that tells of a card: no hand swaps cards faster."""
_PARITY: Final = {Convention.DIRECT: "E", Convention.INVERSE: "O"}


class PhoenixWire:
    """An open interface and whatever card is in it; for one thread at a time.

    A card may take `deadline` seconds for one command, however often it asks for patience; port and network may add
    `latency` seconds to each answer. Raises what `SerialLine` raises.
    """

    def __init__(self, wiring: Wiring, *, deadline: float, latency: float) -> None:
        self._wiring = wiring
        self._deadline = deadline
        self._latency = latency
        self._start_over()
        line, held = wiring.reset
        self._line = SerialLine(
            wiring.port,
            reader=wiring.reader,
            baudrate=self._baud,
            parity=_PARITY[Convention.DIRECT],
            stop_bits=2,
            rts=line != "rts" or not held,
            dtr=line != "dtr" or not held,
        )

    def present(self) -> bool | None:
        """Return whether a card is in, None when the interface cannot tell.

        Raises
        ------
        ReaderLostError
            The port is gone.
        """
        self._drain()
        return self._detected()

    def power_up(self) -> AnswerToReset:
        """Reset the card and bring it to T=0, at its best speed where that is wished and works.

        Raises
        ------
        MuteCardError, BadAtrError, ProtocolError, ReaderLostError and others
            There is no card to talk to.
        """
        if self._wiring.faster:
            with contextlib.suppress(
                errors.ProtocolError, errors.CardUnresponsiveError, errors.EchoError, errors.ReaderFailureError
            ):
                return self._power_up(faster=True)
        return self._power_up(faster=False)

    def carry(self, tpdu: bytes) -> bytes:
        """Carry one command to the card and return data and status word.

        Raises
        ------
        CardUnresponsiveError, EchoError, ProtocolError, ReaderLostError
            The card may have acted, and only a reset brings it back into step.
        """
        end = time.monotonic() + self._deadline
        return self._play(carry(tpdu, waiting=self._waiting), self._convention, end)

    def close(self) -> None:
        """Let go of the port."""
        self._line.close()

    @property
    def _baud(self) -> int:
        return self._rate.baud(self._wiring.clock)

    def _start_over(self) -> None:
        """Forget what the last card was like."""
        self._rate: Rate = INITIAL
        self._convention = Convention.DIRECT
        self._guard = 0
        self._ahead = b""
        self._waiting = 0

    def _power_up(self, *, faster: bool) -> AnswerToReset:
        self._start_over()
        line, held = self._wiring.reset
        self._line.set_up(baudrate=self._baud, parity=_PARITY[self._convention])
        self._line.put(line, asserted=held)
        time.sleep(_RESET)
        self._drain()
        self._line.put(line, asserted=not held)
        atr = self._play(read_atr(), Convention.DIRECT)
        self._convention, self._guard, self._waiting = atr.convention, atr.extra_guard, atr.waiting
        self._line.set_up(baudrate=self._baud, parity=_PARITY[self._convention])
        self._rate = self._play(settle(atr, clock=self._wiring.clock, faster=faster), self._convention)
        self._line.set_up(baudrate=self._baud, parity=_PARITY[self._convention])
        return atr

    def _play(self, machine: Machine[T], convention: Convention, end: float = math.inf) -> T:
        """Run a machine on the port, until `end` at most."""

        def take(turn: Turn) -> bytes:
            if time.monotonic() >= end:  # a card may ask for patience again and again
                raise errors.CardUnresponsiveError(detail=f"at work for {self._deadline:g} s")
            self._write(convention.translate(turn.send))
            idle = turn.cycles / self._wiring.clock + ETU_PER_CHARACTER / self._baud + self._latency
            return convention.translate(self._read(turn.count, idle))

        return play(machine, take)

    def _write(self, data: bytes) -> None:
        """Send at the card's pace."""
        if not self._guard:
            self._line.write(data)
            return
        for byte in data:
            self._line.write(bytes([byte]))
            time.sleep((ETU_PER_CHARACTER + self._guard) / self._baud)

    def _read(self, count: int, idle: float) -> bytes:
        """Return exactly so many bytes, each at most `idle` seconds after the one before, from a card that stays in."""
        patience = time.monotonic() + idle
        while len(self._ahead) < count:
            part = self._line.read(min(time.monotonic() + GLANCE, patience))
            now = time.monotonic()
            if part:
                self._ahead += part
                patience = now + idle
            elif now >= patience or self._detected() is False:
                raise TimeoutError
        data, self._ahead = self._ahead[:count], self._ahead[count:]
        return data

    def _detected(self) -> bool | None:
        if self._wiring.detect is None:
            return None
        line, level = self._wiring.detect
        asserted = self._line.get(line)
        return None if asserted is None else asserted is level

    def _drain(self) -> None:
        self._ahead = b""
        self._line.drain()
