"""The host's side of secure channel protocol 03 (GlobalPlatform Card Specification 2.3, amendment D 1.1.2).

Nothing here waits for a card: with a pseudo-random card challenge the service knows what the card will draw next, so a
whole script is wrapped in advance and only this card, at this sequence number, opens it. Basic logical channel, short
APDUs; challenges, cryptograms and MACs of 8 bytes (S8) or 16 (S16).
"""

from __future__ import annotations

import enum
import hmac
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from cardwriter.crypto.secret import Secret

_BLOCK: Final = 16
_KEY_SIZES: Final = (16, 24, 32)
_SIZES: Final = (8, 16)
_CARD_CRYPTOGRAM, _HOST_CRYPTOGRAM, _CARD_CHALLENGE, _S_ENC, _S_MAC, _S_RMAC = 0, 1, 2, 4, 6, 7
"""Data derivation constants (amendment D §4.1.5, table 4-1)."""
_SECURE: Final = 0x04  # CLA: GlobalPlatform secure messaging (card specification §11.1.4)
_INITIALIZE_UPDATE, _EXTERNAL_AUTHENTICATE = (0x80, 0x50), (0x84, 0x82)
_PSEUDO_RANDOM: Final = 0x10  # amendment D §5.1, parameter i
_DIVERSIFICATION, _SEQUENCE, _SCP03 = 10, 3, 0x03  # amendment D §7.1.1, answer to INITIALIZE UPDATE
_LC_MAX: Final = 255
_LC_AT: Final = 4
_PROTECTED: Final = (0x90, 0x91, 0x62, 0x63)
"""SW1 of the answers that carry an R-MAC: success and warnings; an error comes bare (amendment D §6.2.5)."""


class ScpError(ValueError):
    """A command cannot be wrapped, or an answer is not the card's own; says what, never a key."""


class Level(enum.IntEnum):
    """What a channel protects, as P1 of EXTERNAL AUTHENTICATE (amendment D §7.1.2.1)."""

    C_MAC = 0x01
    C_MAC_ENC = 0x03
    C_MAC_R_MAC = 0x11
    C_MAC_ENC_R_MAC = 0x13
    ALL = 0x33

    @property
    def encrypts(self) -> bool:
        """Whether commands are encrypted."""
        return bool(self & 0x02)

    @property
    def signs_answers(self) -> bool:
        """Whether answers carry an R-MAC."""
        return bool(self & 0x10)

    @property
    def encrypts_answers(self) -> bool:
        """Whether answers are encrypted."""
        return bool(self & 0x20)


@dataclass(frozen=True)
class StaticKeys:
    """A key set of the card: version number, K-ENC and K-MAC, AES of one length."""

    version: int
    enc: Secret
    mac: Secret

    def __post_init__(self) -> None:
        """Refuse keys that AES does not have.

        Raises
        ------
        ScpError
            K-ENC and K-MAC are not both 16, 24 or 32 bytes.
        """
        if len(self.enc) not in _KEY_SIZES or len(self.mac) != len(self.enc):
            raise ScpError("K-ENC and K-MAC have 16, 24 or 32 bytes each, both the same")


@dataclass(frozen=True)
class Greeting:
    """The card's answer to INITIALIZE UPDATE; `sequence` is None where its challenges are truly random."""

    diversification: bytes
    version: int
    challenge: bytes
    cryptogram: bytes
    sequence: int | None

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the answer.

        Raises
        ------
        ScpError
            It is of another length or another protocol.
        """
        head, rest = data[: _DIVERSIFICATION + 3], data[_DIVERSIFICATION + 3 :]
        if len(rest) < 2 * _SIZES[0] or head[-2] != _SCP03:
            raise ScpError("the answer to INITIALIZE UPDATE is not that of SCP03")
        counted = _SEQUENCE if head[-1] & _PSEUDO_RANDOM else 0
        size = (len(rest) - counted) // 2
        if size not in _SIZES or len(rest) != 2 * size + counted:
            raise ScpError("challenge and cryptogram of SCP03 have 8 or 16 bytes each")
        return cls(
            diversification=head[:_DIVERSIFICATION],
            version=head[-3],
            challenge=rest[:size],
            cryptogram=rest[size : 2 * size],
            sequence=int.from_bytes(rest[2 * size :], "big") if counted else None,
        )


@dataclass(frozen=True)
class Wrapped:
    """A command as it goes to the card, and what the answer to it is held against."""

    apdu: bytes = field(repr=False)
    chaining: bytes = field(repr=False)
    counter: int


def initialize_update(version: int, host_challenge: bytes) -> bytes:
    """Return the command that opens a session with a key set; `host_challenge` is 8 or 16 fresh random bytes."""
    return bytes([*_INITIALIZE_UPDATE, version, 0x00, len(host_challenge)]) + host_challenge + b"\x00"


def capacity(level: Level, size: int) -> int:
    """Return how many bytes of data a command may carry in a channel with challenges and MACs of `size` bytes."""
    room = _LC_MAX - size
    return room // _BLOCK * _BLOCK - 1 if level.encrypts else room


def card_challenge(keys: StaticKeys, sequence: int, aid: bytes, size: int = 8) -> bytes:
    """Return the challenge that a card draws at a sequence number, if its challenges are pseudo-random (§6.2.2.1).

    `aid` is that of the application which opens the channel, the card's security domain as a rule.
    """
    return _derive(keys.enc, _CARD_CHALLENGE, sequence.to_bytes(_SEQUENCE, "big") + aid, size)


class HostChannel:
    """A session with one card; wraps commands in the order in which they will be sent."""

    def __init__(self, keys: StaticKeys, host_challenge: bytes, card_challenge: bytes, level: Level) -> None:
        """Derive the session's keys (amendment D §6.2.1).

        Raises
        ------
        ScpError
            The challenges are not both 8 or both 16 bytes.
        """
        if len(host_challenge) not in _SIZES or len(card_challenge) != len(host_challenge):
            raise ScpError("the challenges of SCP03 have 8 or 16 bytes each, both the same")
        self.level = level
        self._size, context, length = len(host_challenge), host_challenge + card_challenge, len(keys.enc)
        self._enc = Secret(_derive(keys.enc, _S_ENC, context, length))
        self._mac = Secret(_derive(keys.mac, _S_MAC, context, length))
        self._rmac = Secret(_derive(keys.mac, _S_RMAC, context, length))
        self._card_cryptogram = _derive(self._mac, _CARD_CRYPTOGRAM, context, self._size)
        self._host_cryptogram = _derive(self._mac, _HOST_CRYPTOGRAM, context, self._size)
        self._chaining, self._counter = bytes(_BLOCK), 0

    @property
    def capacity(self) -> int:
        """How many bytes of data a command may carry."""
        return capacity(self.level, self._size)

    def check(self, cryptogram: bytes) -> None:
        """Make sure that the card holds the same keys; in constant time.

        Raises
        ------
        ScpError
            The cryptogram is another.
        """
        if not hmac.compare_digest(self._card_cryptogram, cryptogram):
            raise ScpError("the card's cryptogram is wrong: other keys, or another challenge")

    def external_authenticate(self) -> bytes:
        """Return the command that ends the opening; the first of the session and sent once."""
        header = bytes([*_EXTERNAL_AUTHENTICATE, self.level, 0x00])
        return self._signed(header, self._host_cryptogram, b"")

    def wrap(self, apdu: bytes) -> Wrapped:
        """Return the command encrypted and signed; each call is the next command of the session.

        Raises
        ------
        ScpError
            It is not a short APDU, carries more than `capacity`, or is on another logical channel.
        """
        header, data, le = _split(apdu)
        if header[0] & 0x0F or len(data) > self.capacity:
            raise ScpError(f"a wrapped command is on the basic channel and carries at most {self.capacity} bytes")
        self._counter += 1
        if self.level.encrypts and data:
            data = _cbc(self._enc, self._icv(0x00, self._counter)).encryptor().update(_padded(data))
        signed = self._signed(bytes([header[0] | _SECURE]) + header[1:], data, le)
        return Wrapped(signed, self._chaining, self._counter)

    def open(self, command: Wrapped, answer: bytes, sw: int) -> bytes:
        """Return the data of an answer, proven to be this card's answer to this command where the level has R-MAC.

        Raises
        ------
        ScpError
            The R-MAC is wrong or missing, or an error came with data.
        """
        if not self.level.signs_answers:
            return answer
        if sw >> 8 not in _PROTECTED:
            if answer:
                raise ScpError("an error of the card came with data")
            return answer
        data, mac = answer[: -self._size], answer[-self._size :]
        if not hmac.compare_digest(
            _cmac(self._rmac, command.chaining + data + sw.to_bytes(2, "big"))[: self._size], mac
        ):
            raise ScpError("the answer's R-MAC is wrong")
        if not self.level.encrypts_answers or not data:
            return data
        if len(data) % _BLOCK:
            raise ScpError("an encrypted answer has whole blocks")
        return _unpadded(_cbc(self._enc, self._icv(0x80, command.counter)).decryptor().update(data))

    def _signed(self, header: bytes, data: bytes, le: bytes) -> bytes:
        """Append the C-MAC, which becomes the chaining value of the next command (amendment D §6.2.4)."""
        header += bytes([len(data) + self._size])
        self._chaining = _cmac(self._mac, self._chaining + header + data)
        return header + data + self._chaining[: self._size] + le

    def _icv(self, direction: int, counter: int) -> bytes:
        """Return the initial vector: the encrypted counter, its first byte 80 for answers (§6.2.6 and 6.2.7)."""
        block = bytes([direction]) + counter.to_bytes(_BLOCK - 1, "big")
        return _cbc(self._enc, bytes(_BLOCK)).encryptor().update(block)


def _split(apdu: bytes) -> tuple[bytes, bytes, bytes]:
    """Return header, data and Le of a short APDU."""
    if len(apdu) <= _LC_AT + 1:
        header, data, le, length = apdu[:_LC_AT], b"", apdu[_LC_AT:], 0
    else:
        length = apdu[_LC_AT]
        header, data, le = apdu[:_LC_AT], apdu[5 : 5 + length], apdu[5 + length :]
    if len(header) != _LC_AT or len(data) != length or len(le) > 1:
        raise ScpError("the command is not a short APDU")
    return header, data, le


def _derive(key: Secret, constant: int, context: bytes, size: int) -> bytes:
    """Derive `size` bytes: NIST SP 800-108 in counter mode with CMAC (amendment D §4.1.5)."""
    head = bytes(11) + bytes([constant, 0x00]) + (8 * size).to_bytes(2, "big")
    blocks = (_cmac(key, head + bytes([one]) + context) for one in range(1, -(-size // _BLOCK) + 1))
    return b"".join(blocks)[:size]


def _cmac(key: Secret, message: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key.reveal()))
    mac.update(message)
    return mac.finalize()


def _cbc(key: Secret, icv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key.reveal()), modes.CBC(icv))


def _padded(data: bytes) -> bytes:
    """Pad with 80 and zeros to whole blocks, at least one byte (amendment D §4.1.4)."""
    return data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)


def _unpadded(data: bytes) -> bytes:
    found = data.rstrip(b"\x00")
    if found[-1:] != b"\x80":
        raise ScpError("an encrypted answer is not padded")
    return found[:-1]
