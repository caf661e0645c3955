"""Command APDUs as a card sees them: taken apart, answered, refused."""

from __future__ import annotations

from dataclasses import dataclass

from cardwriter.usim import files

_HEADER = 4
_WRONG_LENGTH, _WRONG_LE = 0x6700, 0x6C00
_MAX_ANSWER = 256
_BY_SFI, _SFI_BITS = 0x80, 0x1F


class Refused(Exception):
    """A command ends with this status word and without effect."""

    def __init__(self, sw: int) -> None:
        self.sw = sw
        super().__init__(f"{sw:04x}")


@dataclass(frozen=True)
class Command:
    """A command APDU taken apart; `le` is None where the case has none, 0 where it says 256."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None


def parse(apdu: bytes) -> Command:
    """Tell the four cases apart by length, short form only (ISO/IEC 7816-3 §12.1.3).

    Raises
    ------
    Refused
        The lengths contradict each other.
    """
    if len(apdu) < _HEADER:
        raise Refused(_WRONG_LENGTH)
    cla, ins, p1, p2, *body = apdu
    if len(body) <= 1:
        return Command(cla, ins, p1, p2, le=body[0] if body else None)
    data, rest = bytes(body[1 : 1 + body[0]]), body[1 + body[0] :]
    if len(data) != body[0] or len(rest) > 1:
        raise Refused(_WRONG_LENGTH)
    return Command(cla, ins, p1, p2, data, rest[0] if rest else None)


def near(here: str, fid: str) -> list[str]:
    """Return where SELECT by file id looks: the MF, below here, a directory beside here (TS 102 221 §8.4.2)."""
    if fid == f"{files.MF:04x}":
        return [""]
    return [f"{here}/{fid}" if here else fid, *([fid] if fid.startswith("7f") else [])]


def offset_of(command: Command) -> tuple[int | None, int]:
    """Return short id and offset of a binary command: bit 8 of P1 says that bits 5 to 1 are a short id."""
    if command.p1 & _BY_SFI:
        return command.p1 & _SFI_BITS, command.p2
    return None, command.p1 << 8 | command.p2


def cut(answer: bytes, le: int | None) -> bytes:
    """Return the answer if exactly so much was asked for.

    Raises
    ------
    Refused
        Another length was asked for; 6Cxx tells the right one.
    """
    if (le or _MAX_ANSWER) != len(answer):
        raise Refused(_WRONG_LE | len(answer) & 0xFF)
    return answer


def fields_of(data: bytes) -> list[bytes]:
    """Return the length-value fields of a command's data."""
    fields, at = [], 0
    while at < len(data):
        fields.append(data[at + 1 : at + 1 + data[at]])
        at += 1 + data[at]
    return fields


def join(*fields: bytes) -> bytes:
    """Return the fields with a length byte before each."""
    return b"".join(bytes([len(one)]) + one for one in fields)
