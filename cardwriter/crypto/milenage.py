"""MILENAGE (TS 35.206) and the tokens of authentication and key agreement built on it (TS 33.102 §6.3)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from cardwriter.crypto.secret import Secret

_BLOCK = 16
_BLOCK_BITS = 128
_SQN_SIZE, _AMF_SIZE, _MAC_SIZE = 6, 2, 8
_AUTN_SIZE, _AUTS_SIZE = 16, 14
AMF_RESYNC: Final = bytes(2)
"""The AMF that MAC-S is computed with (TS 33.102 §6.3.3)."""


class MacError(ValueError):
    """A token was not made with this K, OPc and these constants, or its MAC was altered."""


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _rotate(block: bytes, bits: int) -> bytes:
    value = int.from_bytes(block, "big")
    rotated = value << bits | value >> (_BLOCK_BITS - bits)
    return (rotated & (1 << _BLOCK_BITS) - 1).to_bytes(_BLOCK, "big")


def _encrypt(key: Secret, block: bytes) -> bytes:
    # ECB of one block is what TS 35.206 §4.1 calls the kernel function; no message is longer than a block.
    encryptor = Cipher(algorithms.AES(key.reveal()), modes.ECB()).encryptor()  # noqa: S305 - single blocks by standard
    return encryptor.update(block) + encryptor.finalize()


@dataclass(frozen=True)
class Constants:
    """Rotations r1..r5 in bits and additions c1..c5 as integers; operators may choose their own (TS 35.206 §5.3)."""

    r: tuple[int, int, int, int, int] = (64, 0, 32, 64, 96)
    c: tuple[int, int, int, int, int] = (0, 1, 2, 4, 8)


DEFAULT_CONSTANTS: Final = Constants()
"""TS 35.206 §4.1."""


@dataclass(frozen=True)
class Responses:
    """What both sides derive from RAND: RES (8 bytes), CK and IK (16), AK (6); one-time but still secret."""

    res: bytes = field(repr=False)
    ck: bytes = field(repr=False)
    ik: bytes = field(repr=False)
    ak: bytes = field(repr=False)

    def equal(self, res: bytes, ck: bytes, ik: bytes) -> bool:
        """Whether a card answered the same, compared in constant time."""
        return hmac.compare_digest(self.res + self.ck + self.ik, res + ck + ik)

    @property
    def sres(self) -> bytes:
        """The 2G response, conversion function c2 (TS 33.102 §6.8.1.2)."""
        return _xor(self.res[:4], self.res[4:])

    @property
    def kc(self) -> bytes:
        """The 2G cipher key, conversion function c3 (TS 33.102 §6.8.1.2)."""
        return _xor(_xor(self.ck[:8], self.ck[8:]), _xor(self.ik[:8], self.ik[8:]))


def derive_opc(k: Secret, op: Secret) -> Secret:
    """Return OPc = OP xor E_K(OP) (TS 35.206 §4.1)."""
    return Secret(_xor(_encrypt(k, op.reveal()), op.reveal()))


@dataclass(frozen=True)
class Milenage:
    """The functions f1..f5* of one subscriber: K, OPc and the operator's constants.

    RAND is 16 bytes, AMF 2 bytes, SQN an integer below 2**48.
    """

    k: Secret
    opc: Secret
    constants: Constants = DEFAULT_CONSTANTS

    def __post_init__(self) -> None:
        """Refuse keys of another length.

        Raises
        ------
        ValueError
            K or OPc is not 16 bytes.
        """
        if len(self.k) != _BLOCK or len(self.opc) != _BLOCK:
            raise ValueError("K and OPc have 16 bytes each")

    def _temp(self, rand: bytes) -> bytes:
        return _encrypt(self.k, _xor(rand, self.opc.reveal()))

    def _out(self, index: int, rand: bytes) -> bytes:
        """OUT2..OUT5 (TS 35.206 §4.1)."""
        opc, r, c = self.opc.reveal(), self.constants.r[index - 1], self.constants.c[index - 1]
        rotated = _rotate(_xor(self._temp(rand), opc), r)
        return _xor(_encrypt(self.k, _xor(rotated, c.to_bytes(_BLOCK, "big"))), opc)

    def _out1(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        opc, r, c = self.opc.reveal(), self.constants.r[0], self.constants.c[0]
        in1 = (sqn.to_bytes(_SQN_SIZE, "big") + amf) * 2
        mixed = _xor(_xor(self._temp(rand), _rotate(_xor(in1, opc), r)), c.to_bytes(_BLOCK, "big"))
        return _xor(_encrypt(self.k, mixed), opc)

    def f1(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        """Return MAC-A (8 bytes)."""
        return self._out1(rand, sqn, amf)[:_MAC_SIZE]

    def f1_star(self, rand: bytes, sqn: int, amf: bytes = AMF_RESYNC) -> bytes:
        """Return MAC-S (8 bytes)."""
        return self._out1(rand, sqn, amf)[_MAC_SIZE:]

    def f2345(self, rand: bytes) -> Responses:
        """Return RES, CK, IK and AK."""
        out2 = self._out(2, rand)
        return Responses(res=out2[8:], ck=self._out(3, rand), ik=self._out(4, rand), ak=out2[:_SQN_SIZE])

    def f5_star(self, rand: bytes) -> bytes:
        """Return AK for resynchronisation (6 bytes)."""
        return self._out(5, rand)[:_SQN_SIZE]

    def autn(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        """Return the network's token: SQN xor AK, AMF, MAC-A (TS 33.102 §6.3.2)."""
        return _xor(sqn.to_bytes(_SQN_SIZE, "big"), self.f2345(rand).ak) + amf + self.f1(rand, sqn, amf)

    def open_autn(self, rand: bytes, autn: bytes) -> int:
        """Return the SQN of a token, as a card does before it looks at its window (TS 33.102 §6.3.3).

        Raises
        ------
        MacError
            MAC-A is wrong or the token has not 16 bytes.
        """
        if len(autn) != _AUTN_SIZE:
            raise MacError("AUTN has 16 bytes")
        sqn = int.from_bytes(_xor(autn[:_SQN_SIZE], self.f2345(rand).ak), "big")
        amf, mac = autn[_SQN_SIZE : _SQN_SIZE + _AMF_SIZE], autn[_SQN_SIZE + _AMF_SIZE :]
        if not hmac.compare_digest(self.f1(rand, sqn, amf), mac):
            raise MacError("MAC-A is wrong")
        return sqn

    def auts(self, rand: bytes, sqn_ms: int) -> bytes:
        """Return the card's resynchronisation token: SQN_MS xor AK*, MAC-S (TS 33.102 §6.3.3)."""
        return _xor(sqn_ms.to_bytes(_SQN_SIZE, "big"), self.f5_star(rand)) + self.f1_star(rand, sqn_ms)

    def open_auts(self, rand: bytes, auts: bytes) -> int:
        """Return SQN_MS of a resynchronisation token; that MAC-S fits proves the card's keys (TS 33.102 §6.3.5).

        Raises
        ------
        MacError
            MAC-S is wrong or the token has not 14 bytes.
        """
        if len(auts) != _AUTS_SIZE:
            raise MacError("AUTS has 14 bytes")
        sqn_ms = int.from_bytes(_xor(auts[:_SQN_SIZE], self.f5_star(rand)), "big")
        if not hmac.compare_digest(self.f1_star(rand, sqn_ms), auts[_SQN_SIZE:]):
            raise MacError("MAC-S is wrong")
        return sqn_ms
