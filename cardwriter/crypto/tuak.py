"""TUAK (TS 35.231): the second standard algorithm, on Keccak, with keys and answers of several lengths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

from typing_extensions import override

from cardwriter.crypto.aka import AMF_RESYNC, AMF_SIZE, RAND_SIZE, SQN_SIZE, AlgorithmError, AuthAlgorithm, Responses
from cardwriter.crypto.keccak import permute
from cardwriter.crypto.secret import Secret

_NAME: Final = b"TUAK1.0"
_K_SIZES: Final = (16, 32)
_TOP_SIZE: Final = 32
_PADDING: Final = b"\x1f" + bytes(38) + b"\x80" + bytes(64)
"""From bit 768 of the state: the padding of a message of 96 bytes, then the capacity (TS 35.231 §6.1)."""
_CK_AT, _IK_AT, _AK_AT = 32, 64, 96
_SIZES: Final[Mapping[str, Mapping[int, int]]] = {
    "mac_bits": {64: 0x08, 128: 0x10, 256: 0x20},
    "res_bits": {32: 0x00, 64: 0x08, 128: 0x10, 256: 0x20},
    "ck_bits": {128: 0x00, 256: 0x04},
    "ik_bits": {128: 0x00, 256: 0x02},
}
"""The lengths allowed and how each is told in INSTANCE (TS 35.231 §6.2 to 6.4)."""
_TOPC, _F1, _F1_STAR, _F2345, _F5_STAR, _LONG_K = 0x00, 0x00, 0x80, 0x40, 0xC0, 0x01
_MOST_ITERATIONS: Final = 255  # cards keep the number in a byte


def _out(k: Secret, top: Secret, instance: int, iterations: int, rand: bytes, amf: bytes, sqn: bytes) -> bytes:
    """Return the permuted state; each field stands in it with its bytes reversed (TS 35.231 §6.1)."""
    instance |= _LONG_K * (len(k) == _K_SIZES[1])
    fields = (top.reveal(), bytes([instance]), _NAME, rand, amf, sqn, k.reveal())
    state = b"".join(field[::-1] for field in fields) + bytes(_K_SIZES[1] - len(k)) + _PADDING
    for _ in range(iterations):
        state = permute(state)
    return state


def _check(k: Secret, top: Secret, iterations: int) -> None:
    if len(k) not in _K_SIZES or len(top) != _TOP_SIZE:
        raise AlgorithmError("K of TUAK has 16 or 32 bytes, TOP and TOPc 32")
    if type(iterations) is not int or not 1 <= iterations <= _MOST_ITERATIONS:
        raise AlgorithmError("TUAK takes 1 to 255 iterations")


def derive_topc(k: Secret, top: Secret, iterations: int = 1) -> Secret:
    """Return TOPc of an operator's TOP and a subscriber's K (TS 35.231 §6.2).

    Raises
    ------
    AlgorithmError
        A key has another length, or the iterations are not 1 to 255.
    """
    _check(k, top, iterations)
    state = _out(k, top, _TOPC, iterations, bytes(RAND_SIZE), bytes(AMF_SIZE), bytes(SQN_SIZE))
    return Secret(state[_TOP_SIZE - 1 :: -1])


@dataclass(frozen=True)
class Tuak(AuthAlgorithm):
    """TUAK of one subscriber: K of 16 or 32 bytes, TOPc of 32 (as `opc`), lengths in bits, Keccak's iterations."""

    name: ClassVar[str] = "tuak"
    k_sizes: ClassVar[tuple[int, ...]] = _K_SIZES
    opc_size: ClassVar[int] = _TOP_SIZE

    mac_bits: int = 64
    res_bits: int = 64
    ck_bits: int = 128
    ik_bits: int = 128
    iterations: int = 1

    def __post_init__(self) -> None:
        """Refuse lengths that the standard does not know.

        Raises
        ------
        AlgorithmError
            A key, an answer or the number of iterations is out of range.
        """
        _check(self.k, self.opc, self.iterations)
        for name, sizes in _SIZES.items():
            bits = getattr(self, name)
            if type(bits) is not int or bits not in sizes:
                raise AlgorithmError(f"{name} of TUAK is one of {', '.join(map(str, sizes))}")

    @classmethod
    @override
    def keyed(cls, k: Secret, opc: Secret, parameters: Mapping[str, Any]) -> Self:
        """Take `mac_bits`, `res_bits`, `ck_bits`, `ik_bits`, `iterations`; each may be left out."""
        if unknown := parameters.keys() - {*_SIZES, "iterations"}:
            raise AlgorithmError(f"TUAK has no parameter {', '.join(sorted(unknown))}")
        return cls(k, opc, **parameters)

    @override
    def parameters(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*_SIZES, "iterations")}

    @property
    @override
    def mac_size(self) -> int:
        return self.mac_bits // 8

    def _run(self, instance: int, rand: bytes, amf: bytes = bytes(AMF_SIZE), sqn: int = 0) -> bytes:
        return _out(self.k, self.opc, instance, self.iterations, rand, amf, sqn.to_bytes(SQN_SIZE, "big"))

    def _mac(self, function: int, rand: bytes, sqn: int, amf: bytes) -> bytes:
        instance = function | _SIZES["mac_bits"][self.mac_bits]
        return self._run(instance, rand, amf, sqn)[: self.mac_size][::-1]

    @override
    def f1(self, rand: bytes, sqn: int, amf: bytes) -> bytes:
        return self._mac(_F1, rand, sqn, amf)

    @override
    def f1_star(self, rand: bytes, sqn: int, amf: bytes = AMF_RESYNC) -> bytes:
        return self._mac(_F1_STAR, rand, sqn, amf)

    @override
    def f2345(self, rand: bytes) -> Responses:
        lengths = {name: getattr(self, name) for name in ("res_bits", "ck_bits", "ik_bits")}
        state = self._run(_F2345 | sum(_SIZES[name][bits] for name, bits in lengths.items()), rand)
        return Responses(
            res=state[: self.res_bits // 8][::-1],
            ck=state[_CK_AT : _CK_AT + self.ck_bits // 8][::-1],
            ik=state[_IK_AT : _IK_AT + self.ik_bits // 8][::-1],
            ak=state[_AK_AT : _AK_AT + SQN_SIZE][::-1],
        )

    @override
    def f5_star(self, rand: bytes) -> bytes:
        return self._run(_F5_STAR, rand)[_AK_AT : _AK_AT + SQN_SIZE][::-1]
