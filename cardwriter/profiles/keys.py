"""How families keep K and OPc: which files, and what stands in them. Data, filled in with one subscriber's keys."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.crypto.milenage import DEFAULT_CONSTANTS, Milenage
from cardwriter.crypto.tuak import Tuak
from cardwriter.profiles.plan import Planned
from cardwriter.usim import files


class Part(enum.Enum):
    """A place in a key file that a subscriber's own value fills."""

    K = "k"
    OPC = "opc"
    """OPc of MILENAGE, TOPc of TUAK."""
    CONFIG = "config"
    """Algorithm and lengths, as the sysmoISIM family codes them in one byte."""
    BODY = "body"
    """What follows that byte: K and OPc in MILENAGE; lengths, iterations, TOPc and K in TUAK."""


@dataclass(frozen=True)
class KeyFile:
    """One key file: the name in its steps, where it lies, and its content from the start, fixed bytes and parts."""

    name: str
    ef: files.Ef
    content: tuple[bytes | Part, ...]


@dataclass(frozen=True)
class KeyStrategy:
    """How a family is given K and OPc: its files in writing order, the algorithms that they can say.

    r and c of MILENAGE stay those of the factory, which are the standard's.
    """

    name: str
    files: tuple[KeyFile, ...]
    algorithms: tuple[type[AuthAlgorithm], ...] = (Milenage,)
    short_res: bool = False
    """Whether the card can be told to answer with a RES of 32 bits in MILENAGE."""

    def supports(self, keys: AuthAlgorithm) -> bool:
        """Whether these files can say this algorithm with its parameters."""
        if type(keys) not in self.algorithms:
            return False
        if isinstance(keys, Tuak):
            return keys.ck_bits == keys.ik_bits
        long_res = getattr(keys, "res_bits", _RES_BITS) == _RES_BITS
        return getattr(keys, "constants", DEFAULT_CONSTANTS) == DEFAULT_CONSTANTS and (self.short_res or long_res)

    def plan(self, keys: AuthAlgorithm) -> Iterator[Planned]:
        """Return the key files filled in; nobody can read them back, the card's AUTHENTICATE proves them."""
        for file in self.files:
            content = b"".join(part if isinstance(part, bytes) else _fill(part, keys) for part in file.content)
            yield Planned(file.name, file.ef, content, secret=True)


_RES_BITS: Final = 64
_MILENAGE, _TUAK = 0x04, 0x06
_OPC_GIVEN, _VARIANT = 0x10, 0x40
"""Bits of the configuration byte: OPc rather than OP; a RES of 4 bytes in MILENAGE, a K of 32 bytes in TUAK."""
_LONG_K: Final = 32
_RES_CODE: Final = {32: 0, 64: 1, 128: 2, 256: 3}
_MAC_CODE: Final = {64: 0, 128: 1, 256: 2}
_LONG_CK_IK: Final = 0x40
_LONG_CK_BITS: Final = 256


def _fill(part: Part, keys: AuthAlgorithm) -> bytes:
    match part:
        case Part.K:
            return keys.k.reveal()
        case Part.OPC:
            return keys.opc.reveal()
        case Part.CONFIG:
            return bytes([_config(keys)])
        case Part.BODY if isinstance(keys, Tuak):
            return _lengths(keys) + keys.opc.reveal() + keys.k.reveal()
        case _:
            return keys.k.reveal() + keys.opc.reveal()


def _config(keys: AuthAlgorithm) -> int:
    if isinstance(keys, Tuak):
        return _TUAK | _OPC_GIVEN | (_VARIANT if len(keys.k) == _LONG_K else 0)
    short = getattr(keys, "res_bits", _RES_BITS) != _RES_BITS
    return _MILENAGE | _OPC_GIVEN | (_VARIANT if short else 0)


def _lengths(keys: Tuak) -> bytes:
    lengths = _RES_CODE[keys.res_bits] | _MAC_CODE[keys.mac_bits] << 3
    return bytes([lengths | (_LONG_CK_IK if keys.ck_bits == _LONG_CK_BITS else 0), keys.iterations])
