"""What every algorithm of authentication and key agreement gives, and the tokens made of it (TS 33.102 §6.3)."""

from __future__ import annotations

import hmac
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, ClassVar, Final, Self

from cardwriter.crypto.secret import Secret

RAND_SIZE: Final = 16
SQN_SIZE: Final = 6
AMF_SIZE: Final = 2
AMF_RESYNC: Final = bytes(AMF_SIZE)
"""The AMF that MAC-S is computed with (TS 33.102 §6.3.3)."""


class MacError(ValueError):
    """A token was not made with these keys and parameters, or its MAC was altered."""


class AlgorithmError(ValueError):
    """Keys or parameters do not fit the algorithm; says lengths, names and parameters, never a key."""


def xor(left: bytes, right: bytes) -> bytes:
    """Return the exclusive or of two equally long values.

    Raises
    ------
    ValueError
        One is longer than the other.
    """
    if len(left) != len(right):
        raise ValueError("values of different lengths")
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def _fold(value: bytes, size: int) -> bytes:
    return reduce(xor, (value[at : at + size] for at in range(0, len(value), size)))


@dataclass(frozen=True)
class Responses:
    """What both sides derive from RAND: RES (4 to 32 bytes), CK and IK (16 or 32), AK (6); one-time, yet secret."""

    res: bytes = field(repr=False)
    ck: bytes = field(repr=False)
    ik: bytes = field(repr=False)
    ak: bytes = field(repr=False)

    def equal_keys(self, ck: bytes, ik: bytes) -> bool:
        """Whether a card derived the same CK and IK, compared in constant time."""
        return hmac.compare_digest(self.ck, ck) & hmac.compare_digest(self.ik, ik)

    def equal(self, res: bytes, ck: bytes, ik: bytes) -> bool:
        """Whether a card answered all of the same, RES in the same length, compared in constant time."""
        return hmac.compare_digest(self.res, res) & self.equal_keys(ck, ik)

    @property
    def sres(self) -> bytes:
        """The 2G response, conversion function c2 (TS 33.102 §6.8.1.2)."""
        return _fold(self.res, 4)

    @property
    def kc(self) -> bytes:
        """The 2G cipher key, conversion function c3 (TS 33.102 §6.8.1.2); longer CK and IK are folded alike."""
        return _fold(self.ck + self.ik, 8)


@dataclass(frozen=True)
class AuthAlgorithm(ABC):
    """The functions f1..f5* of one subscriber: K, the operator's value bound to it, and the algorithm's parameters.

    `opc` is OPc of MILENAGE or TOPc of TUAK. RAND is 16 bytes, AMF 2 bytes, SQN an integer below 2**48.
    """

    name: ClassVar[str]
    """What the algorithm is called in a card kind's data; never changed once used."""
    k_sizes: ClassVar[tuple[int, ...]]
    opc_size: ClassVar[int]
    """How many bytes K may have, and OPc or TOPc has."""

    k: Secret
    opc: Secret

    @classmethod
    @abstractmethod
    def keyed(cls, k: Secret, opc: Secret, parameters: Mapping[str, Any]) -> Self:
        """Return the algorithm with these keys and JSON-ready parameters; those left out are the standard's.

        Raises
        ------
        AlgorithmError
            A key has another length, or a parameter is unknown or out of range.
        """

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the parameters as JSON-ready values that `keyed` takes; no key is among them."""

    @property
    @abstractmethod
    def mac_size(self) -> int:
        """How many bytes MAC-A and MAC-S have."""

    @abstractmethod
    def f1(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        """Return MAC-A."""

    @abstractmethod
    def f1_star(self, rand: bytes, sqn: int, amf: bytes = AMF_RESYNC) -> bytes:
        """Return MAC-S."""

    @abstractmethod
    def f2345(self, rand: bytes) -> Responses:
        """Return RES, CK, IK and AK."""

    @abstractmethod
    def f5_star(self, rand: bytes) -> bytes:
        """Return AK for resynchronisation (6 bytes)."""

    def autn(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        """Return the network's token: SQN xor AK, AMF, MAC-A (TS 33.102 §6.3.2)."""
        return xor(sqn.to_bytes(SQN_SIZE, "big"), self.f2345(rand).ak) + amf + self.f1(rand, sqn, amf)

    def open_autn(self, rand: bytes, autn: bytes) -> int:
        """Return the SQN of a token, as a card does before it looks at its window (TS 33.102 §6.3.3).

        Raises
        ------
        MacError
            MAC-A is wrong or the token has another length.
        """
        hidden, amf, mac = autn[:SQN_SIZE], autn[SQN_SIZE : SQN_SIZE + AMF_SIZE], autn[SQN_SIZE + AMF_SIZE :]
        if len(mac) != self.mac_size:
            raise MacError(f"AUTN has {SQN_SIZE + AMF_SIZE + self.mac_size} bytes")
        sqn = int.from_bytes(xor(hidden, self.f2345(rand).ak), "big")
        if not hmac.compare_digest(self.f1(rand, sqn, amf), mac):
            raise MacError("MAC-A is wrong")
        return sqn

    def auts(self, rand: bytes, sqn_ms: int) -> bytes:
        """Return the card's resynchronisation token: SQN_MS xor AK*, MAC-S (TS 33.102 §6.3.3)."""
        return xor(sqn_ms.to_bytes(SQN_SIZE, "big"), self.f5_star(rand)) + self.f1_star(rand, sqn_ms)

    def open_auts(self, rand: bytes, auts: bytes) -> int:
        """Return SQN_MS of a resynchronisation token; that MAC-S fits proves the card's keys (TS 33.102 §6.3.5).

        Raises
        ------
        MacError
            MAC-S is wrong or the token has another length.
        """
        hidden, mac = auts[:SQN_SIZE], auts[SQN_SIZE:]
        if len(mac) != self.mac_size:
            raise MacError(f"AUTS has {SQN_SIZE + self.mac_size} bytes")
        sqn_ms = int.from_bytes(xor(hidden, self.f5_star(rand)), "big")
        if not hmac.compare_digest(self.f1_star(rand, sqn_ms), mac):
            raise MacError("MAC-S is wrong")
        return sqn_ms
