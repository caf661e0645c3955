"""The card's side of SCP03, written from the standards alone: CMAC by RFC 4493, CBC by hand, nothing of the host's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from cardwriter.crypto.secret import Secret
from cardwriter.virtual.apdu import Command, Refused

_BLOCK: Final = 16
_CARD_CRYPTOGRAM, _HOST_CRYPTOGRAM, _CARD_CHALLENGE, _S_ENC, _S_MAC, _S_RMAC = 0, 1, 2, 4, 6, 7
_ENCRYPTS, _SIGNS, _ENCRYPTS_ANSWERS = 0x02, 0x10, 0x20
_SECURE: Final = 0x04
_PARAMETERS: Final = b"\x03\x70"  # SCP03; pseudo-random challenges, R-MAC and R-ENCRYPTION
_PROTECTED: Final = (0x90, 0x91, 0x62, 0x63)
_WRONG_MAC, _WRONG_CRYPTOGRAM, _NOT_OPENED, _NO_KEY, _LENGTH = 0x6982, 0x6300, 0x6985, 0x6A88, 0x6700


@dataclass
class ChannelKeys:
    """A security domain's one key set, as the card keeps it; `failures` counts host cryptograms that were wrong."""

    version: int
    enc: Secret
    mac: Secret
    aid: bytes = bytes.fromhex("a000000151000000")
    size: int = 8
    sequence: int = 0
    failures: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the keys as JSON-ready values: this file is the card's silicon."""
        hidden = {"enc": self.enc.reveal().hex(), "mac": self.mac.reveal().hex(), "aid": self.aid.hex()}
        return {**vars(self), **hidden}

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Read the keys from their JSON form."""
        hidden = {"enc": Secret.fromhex(wire["enc"]), "mac": Secret.fromhex(wire["mac"])}
        return cls(**{**wire, **hidden, "aid": bytes.fromhex(wire["aid"])})


@lru_cache(maxsize=64)
def _ciphers(key: bytes) -> tuple[CipherContext, CipherContext]:
    """Return what encrypts and decrypts single blocks, to be chained by hand; making it costs more than using it."""
    cipher = Cipher(AES(key), ECB())  # noqa: S305  # single blocks, chained by hand
    return cipher.encryptor(), cipher.decryptor()


def encrypt(key: bytes, block: bytes) -> bytes:
    """Encrypt one block."""
    return _ciphers(key)[0].update(block)


def decrypt(key: bytes, block: bytes) -> bytes:
    """Decrypt one block."""
    return _ciphers(key)[1].update(block)


def cmac(key: bytes, message: bytes) -> bytes:
    """Return the CMAC of a message (RFC 4493 §2.4)."""
    first = _double(encrypt(key, bytes(_BLOCK)))
    whole = len(message) // _BLOCK * _BLOCK
    if message and len(message) == whole:
        head, last = message[:-_BLOCK], _xor(message[-_BLOCK:], first)
    else:
        head, last = message[:whole], _xor((message[whole:] + b"\x80").ljust(_BLOCK, b"\0"), _double(first))
    state = bytes(_BLOCK)
    for at in range(0, len(head), _BLOCK):
        state = encrypt(key, _xor(state, head[at : at + _BLOCK]))
    return encrypt(key, _xor(state, last))


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _double(block: bytes) -> bytes:
    number = int.from_bytes(block, "big") << 1
    return (number & (1 << 128) - 1 ^ (0x87 if number >> 128 else 0)).to_bytes(_BLOCK, "big")


def _derive(key: Secret, constant: int, bits: int, context: bytes) -> bytes:
    blocks = (bytes(11) + bytes([constant, 0, bits >> 8, bits & 0xFF, one]) + context for one in (1, 2))
    return b"".join(cmac(key.reveal(), block) for block in blocks)[: bits // 8]


class CardChannel:
    """What the card knows of one session, from INITIALIZE UPDATE to the next reset."""

    def __init__(self, keys: ChannelKeys, command: Command) -> None:
        """Draw the challenge of the next sequence number (amendment D §6.2.2.1).

        Raises
        ------
        Refused
            Another key set is asked for, or the host's challenge has the wrong length.
        """
        if command.p1 not in (0, keys.version):
            raise Refused(_NO_KEY)
        if len(command.data) != keys.size:
            raise Refused(_LENGTH)
        keys.sequence += 1
        self._keys, bits = keys, 8 * keys.size
        count, length = keys.sequence.to_bytes(3, "big"), 8 * len(keys.enc)
        challenge = _derive(keys.enc, _CARD_CHALLENGE, bits, count + keys.aid)
        context = command.data + challenge
        self._enc = _derive(keys.enc, _S_ENC, length, context)
        mac = Secret(_derive(keys.mac, _S_MAC, length, context))
        self._mac, self._rmac = mac.reveal(), _derive(keys.mac, _S_RMAC, length, context)
        self._host_cryptogram = _derive(mac, _HOST_CRYPTOGRAM, bits, context)
        head = bytes(10) + bytes([keys.version]) + _PARAMETERS
        self.greeting = head + challenge + _derive(mac, _CARD_CRYPTOGRAM, bits, context) + count
        self._chaining, self._counter, self._level = bytes(_BLOCK), 0, 0
        self.is_open = False

    def authenticate(self, command: Command) -> None:
        """Open the channel at the level of P1 (EXTERNAL AUTHENTICATE, amendment D §7.1.2).

        Raises
        ------
        Refused
            The C-MAC or the host's cryptogram is wrong.
        """
        cryptogram = self._checked(command)
        if cryptogram != self._host_cryptogram:
            self._keys.failures += 1
            raise Refused(_WRONG_CRYPTOGRAM)
        self._level, self.is_open = command.p1, True

    def opened(self, command: Command) -> Command:
        """Return the command that a wrapped one holds.

        Raises
        ------
        Refused
            No channel is open, or the C-MAC is wrong, which closes it.
        """
        if not self.is_open:
            raise Refused(_NOT_OPENED)
        data = self._checked(command)
        self._counter += 1
        if self._level & _ENCRYPTS and data:
            previous, plain = encrypt(self._enc, self._counter.to_bytes(_BLOCK, "big")), b""
            for at in range(0, len(data), _BLOCK):
                block = data[at : at + _BLOCK]
                plain, previous = plain + _xor(decrypt(self._enc, block), previous), block
            data = plain[: plain.rindex(b"\x80")]
        return Command(command.cla & ~_SECURE, command.ins, command.p1, command.p2, data, command.le)

    def closed(self, data: bytes, sw: int) -> bytes:
        """Return the answer as the channel's level protects it (amendment D §6.2.5 and 6.2.7)."""
        if not self._level & _SIGNS or sw >> 8 not in _PROTECTED:
            return data
        if self._level & _ENCRYPTS_ANSWERS and data:
            previous, padded = encrypt(self._enc, b"\x80" + self._counter.to_bytes(15, "big")), data + b"\x80"
            padded, data = padded.ljust(-(-len(padded) // _BLOCK) * _BLOCK, b"\0"), b""
            for at in range(0, len(padded), _BLOCK):
                previous = encrypt(self._enc, _xor(padded[at : at + _BLOCK], previous))
                data += previous
        return data + cmac(self._rmac, self._chaining + data + sw.to_bytes(2, "big"))[: self._keys.size]

    def _checked(self, command: Command) -> bytes:
        """Return the data before the C-MAC if that is right; if not the channel is closed (amendment D §6.2.4)."""
        data, mac = command.data[: -self._keys.size], command.data[-self._keys.size :]
        header = bytes([command.cla, command.ins, command.p1, command.p2, len(command.data)])
        chaining = cmac(self._mac, self._chaining + header + data)
        if mac != chaining[: self._keys.size]:
            self.is_open = False
            raise Refused(_WRONG_MAC)
        self._chaining = chaining
        return data
