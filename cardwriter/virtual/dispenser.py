"""An emulated CRT-571 card dispenser: its frames, its movements and its faults, written from the protocol's text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from cardwriter.virtual.phoenix_card import Card

ACK, NAK, EOT = b"\x06", b"\x15", b"\x04"
Data = bytes

_INITIALISE: Final = 0x30
_GATE, _CONTACTS, _BIN = 0x30, 0x31, 0x33  # where command 32 moves a card
_COLD, _POWER_OFF, _T0, _T1, _WARM = 0x30, 0x31, 0x33, 0x34, 0x38  # what command 51 does with the one at the contacts
_FEW: Final = 3


class RefusedError(Exception):
    """The device answers with this error code."""


@dataclass
class Dispenser:
    """Cards in a stacker, at the contacts, at the gate, in the bin; every fault is a field that a test sets."""

    stacker: list[Card] = field(default_factory=list)
    contacts: Card | None = None
    gate: Card | None = None
    bin: list[Card] = field(default_factory=list)
    bin_size: int = 10
    atr_type: bytes = b"0"
    atr: bytes | None = None
    """What cards answer to reset; None lets them answer for themselves, nothing makes them mute."""
    wants_5_volts: bool = False
    reset_fails: dict[int, str] = field(default_factory=dict)
    """Parameter of a reset, cold or warm, to the error that it answers."""
    refuse: dict[int, str] = field(default_factory=dict)
    """Command to the error it answers, until taken out."""
    naks: int = 0
    """Commands that are answered NAK before one is understood."""
    drop_acks: int = 0
    drop_replies: int = 0
    garble_replies: int = 0
    stale: bytes = b""
    """Sent before the next ACK."""
    dead: bool = False
    ready: bool = False
    powered: bool = False
    told_count: bytes | None = None
    """What it says of its bin; None for the truth."""
    done: list[tuple[int, int]] = field(default_factory=list)
    """Commands carried out."""
    _later: tuple[int, dict[str, int]] = (0, {})
    _input: bytes = b""
    _last: bytes = b""

    def receive(self, data: bytes) -> bytes:
        """Take what the host sends, return what goes back."""
        if self.dead:
            return b""
        self._input += data
        answer = b""
        while self._input:
            head, rest = self._input[:1], self._input[1:]
            if head == b"\xf2":
                size = 6 + int.from_bytes(self._input[2:4], "big")
                if len(self._input) < size:
                    break
                frame, self._input = self._input[:size], self._input[size:]
                answer += self._frame(frame)
            else:
                self._input = rest
                answer += self._last if head == NAK else EOT if head == EOT else b""
        return answer

    def faults_from(self, cm: int, **faults: int) -> None:
        """Let these faults begin with the next command of this kind."""
        self._later = (cm, faults)

    def lose_power(self) -> None:
        """Forget everything but where the cards lie."""
        self.ready = self.powered = False

    def _frame(self, frame: bytes) -> bytes:
        xor = 0
        for byte in frame:
            xor ^= byte
        if xor or self.naks:
            self.naks -= bool(self.naks)
            return NAK
        cm, pm, data = frame[5], frame[6], frame[7:-2]
        if cm == self._later[0]:
            vars(self).update(self._later[1])
            self._later = (0, {})
        try:
            told = self._obey(cm, pm, data)
            reply = b"P" + bytes([cm, pm]) + self._status() + told
            self.done.append((cm, pm))
        except RefusedError as refused:
            reply = b"E" + bytes([cm, pm]) + str(refused).encode()
        self._last = framed(frame[1], reply)
        return self._spoiled(self._last)

    def _spoiled(self, reply: bytes) -> bytes:
        """Give ACK and reply as the faults leave them."""
        ack, self.stale = self.stale + ACK, b""
        if self.drop_acks:
            self.drop_acks -= 1
            return b""
        if self.drop_replies:
            self.drop_replies -= 1
            return ack
        if self.garble_replies:
            self.garble_replies -= 1
            return ack + reply[:-1] + bytes([reply[-1] ^ 1])
        return ack + reply

    def _status(self) -> bytes:
        card = b"2" if self.contacts else b"1" if self.gate else b"0"
        stock = b"0" if not self.stacker else b"1" if len(self.stacker) < _FEW else b"2"
        return card + stock + (b"1" if len(self.bin) >= self.bin_size else b"0")

    def _obey(self, cm: int, pm: int, data: bytes) -> bytes:
        if cm in self.refuse:
            raise RefusedError(self.refuse[cm])
        if cm == _INITIALISE:
            self.ready = True
            return b"CRT-571"
        if not self.ready:
            raise RefusedError("B0")
        handlers: dict[int, Callable[[int, Data], Data]] = {
            0x31: lambda _pm, _data: b"",
            0x32: self._move,
            0x51: self._card,
            0xA5: lambda _pm, _data: b"%03d" % len(self.bin) if self.told_count is None else self.told_count,
        }
        if cm not in handlers:
            raise RefusedError("00")
        return handlers[cm](pm, data)

    def _move(self, pm: int, _data: bytes) -> bytes:
        if self.powered:
            raise RefusedError("05")
        card = self.contacts or self.gate
        if pm == _CONTACTS and card is None:
            if not self.stacker:
                raise RefusedError("A0")
            card = self.stacker.pop(0)
        if card is None:
            raise RefusedError("02")
        if pm == _BIN and len(self.bin) >= self.bin_size:
            raise RefusedError("A1")
        self.contacts = self.gate = None
        if pm == _GATE:
            self.gate = card
        elif pm == _CONTACTS:
            self.contacts = card
        elif pm == _BIN:
            self.bin.append(card)
        else:
            raise RefusedError("01")
        return b""

    def _card(self, pm: int, data: bytes) -> bytes:
        if pm == _POWER_OFF:
            self.powered = False
            return b""
        if self.contacts is None:
            raise RefusedError("02")
        if pm in {_COLD, _WARM}:
            return self._reset(self.contacts, pm, data)
        if not self.powered:
            raise RefusedError("65")
        if pm != (_T0 if self.atr_type == b"0" else _T1):
            raise RefusedError("64")
        answer = self.contacts.transmit(data)
        if not answer:
            raise RefusedError("63")
        return answer

    def _reset(self, card: Card, pm: int, data: bytes) -> bytes:
        if pm == _WARM and not self.powered:
            raise RefusedError("65")
        if pm in self.reset_fails:
            raise RefusedError(self.reset_fails[pm])
        atr = card.reset() if self.atr is None else self.atr
        if not atr or (self.wants_5_volts and data == b"5"):
            raise RefusedError("61")
        self.powered = True
        return self.atr_type + atr


def framed(address: int, body: bytes) -> bytes:
    """Return a frame around a body."""
    frame = b"\xf2" + bytes([address]) + len(body).to_bytes(2, "big") + body + b"\x03"
    xor = 0
    for byte in frame:
        xor ^= byte
    return frame + bytes([xor])
