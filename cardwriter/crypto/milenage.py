"""MILENAGE (TS 35.206), with the standard's constants or an operator's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, Self

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from typing_extensions import override

from cardwriter.crypto.aka import AMF_RESYNC, SQN_SIZE, AlgorithmError, AuthAlgorithm, Responses, xor
from cardwriter.crypto.secret import Secret

_BLOCK = 16
_BLOCK_BITS = 128
_MAC_SIZE = 8
_RES_BITS = (32, 64)
_CONSTANTS = 5


def _rotate(block: bytes, bits: int) -> bytes:
    value = int.from_bytes(block, "big")
    rotated = value << bits | value >> (_BLOCK_BITS - bits)
    return (rotated & (1 << _BLOCK_BITS) - 1).to_bytes(_BLOCK, "big")


def _kernel(key: Secret) -> Callable[[bytes], bytes]:
    """Return the kernel function E_K (TS 35.206 §4.1): ECB, no message is longer than a block."""
    return Cipher(algorithms.AES(key.reveal()), modes.ECB()).encryptor().update  # noqa: S305 - single blocks by standard


@dataclass(frozen=True)
class Constants:
    """Rotations r1..r5 in bits and additions c1..c5 as integers; operators may choose their own (TS 35.206 §5.3)."""

    r: tuple[int, ...] = (64, 0, 32, 64, 96)
    c: tuple[int, ...] = (0, 1, 2, 4, 8)

    def __post_init__(self) -> None:
        """Refuse constants that no block has, or that make two functions one.

        Raises
        ------
        AlgorithmError
            Not five of each, one out of range, or two pairs of rotation and addition are the same.
        """
        if len(self.r) != _CONSTANTS or len(self.c) != _CONSTANTS:
            raise AlgorithmError("MILENAGE has five rotations r and five additions c")
        if not all(type(one) is int and 0 <= one < _BLOCK_BITS for one in self.r):
            raise AlgorithmError("a rotation r of MILENAGE is 0 to 127 bits")
        if not all(0 <= one < 1 << _BLOCK_BITS for one in self.c):
            raise AlgorithmError("an addition c of MILENAGE has 128 bits")
        if len(set(zip(self.r, self.c, strict=True))) != _CONSTANTS:
            raise AlgorithmError("no two pairs of r and c of MILENAGE may be the same")


DEFAULT_CONSTANTS: Final = Constants()
"""TS 35.206 §4.1."""


def derive_opc(k: Secret, op: Secret) -> Secret:
    """Return OPc = OP xor E_K(OP) (TS 35.206 §4.1)."""
    return Secret(xor(_kernel(k)(op.reveal()), op.reveal()))


@dataclass(frozen=True)
class Milenage(AuthAlgorithm):
    """MILENAGE of one subscriber: K and OPc of 16 bytes, the operator's constants, RES whole or its first 32 bits."""

    name: ClassVar[str] = "milenage"
    k_sizes: ClassVar[tuple[int, ...]] = (_BLOCK,)
    opc_size: ClassVar[int] = _BLOCK

    constants: Constants = DEFAULT_CONSTANTS
    res_bits: int = 64

    @cached_property
    def _encrypt(self) -> Callable[[bytes], bytes]:
        return _kernel(self.k)

    def __post_init__(self) -> None:
        """Refuse keys or a RES of another length.

        Raises
        ------
        AlgorithmError
            K or OPc is not 16 bytes, or RES neither 32 nor 64 bits.
        """
        if len(self.k) != _BLOCK or len(self.opc) != _BLOCK:
            raise AlgorithmError("K and OPc of MILENAGE have 16 bytes each")
        if type(self.res_bits) is not int or self.res_bits not in _RES_BITS:
            raise AlgorithmError("RES of MILENAGE has 32 or 64 bits")

    @classmethod
    @override
    def keyed(cls, k: Secret, opc: Secret, parameters: Mapping[str, Any]) -> Self:
        """Take `r` as five integers, `c` as five texts of hex, `res_bits`; each may be left out."""
        if unknown := parameters.keys() - {"r", "c", "res_bits"}:
            raise AlgorithmError(f"MILENAGE has no parameter {', '.join(sorted(unknown))}")
        try:
            r = tuple(parameters.get("r", DEFAULT_CONSTANTS.r))
            c = tuple(int(one, 16) for one in parameters["c"]) if "c" in parameters else DEFAULT_CONSTANTS.c
            return cls(k, opc, Constants(r, c), parameters.get("res_bits", 64))
        except AlgorithmError:
            raise
        except (TypeError, ValueError):
            raise AlgorithmError("r of MILENAGE is a list of integers, c a list of hex texts") from None

    @override
    def parameters(self) -> dict[str, Any]:
        additions = [one.to_bytes(_BLOCK, "big").hex() for one in self.constants.c]
        return {"r": list(self.constants.r), "c": additions, "res_bits": self.res_bits}

    @property
    @override
    def mac_size(self) -> int:
        return _MAC_SIZE

    def _temp(self, rand: bytes) -> bytes:
        return self._encrypt(xor(rand, self.opc.reveal()))

    def _out(self, index: int, temp: bytes) -> bytes:
        """OUT2..OUT5 (TS 35.206 §4.1)."""
        opc, r, c = self.opc.reveal(), self.constants.r[index - 1], self.constants.c[index - 1]
        rotated = _rotate(xor(temp, opc), r)
        return xor(self._encrypt(xor(rotated, c.to_bytes(_BLOCK, "big"))), opc)

    def _out1(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        opc, r, c = self.opc.reveal(), self.constants.r[0], self.constants.c[0]
        in1 = (sqn.to_bytes(SQN_SIZE, "big") + amf) * 2
        mixed = xor(xor(self._temp(rand), _rotate(xor(in1, opc), r)), c.to_bytes(_BLOCK, "big"))
        return xor(self._encrypt(mixed), opc)

    @override
    def f1(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        return self._out1(rand, sqn, amf)[:_MAC_SIZE]

    @override
    def f1_star(self, rand: bytes, sqn: int, amf: bytes = AMF_RESYNC) -> bytes:
        return self._out1(rand, sqn, amf)[_MAC_SIZE:]

    @override
    def f2345(self, rand: bytes) -> Responses:
        temp = self._temp(rand)
        out2 = self._out(2, temp)
        res = out2[8 : 8 + self.res_bits // 8]
        return Responses(res=res, ck=self._out(3, temp), ik=self._out(4, temp), ak=out2[:SQN_SIZE])

    @override
    def f5_star(self, rand: bytes) -> bytes:
        return self._out(5, self._temp(rand))[:SQN_SIZE]
