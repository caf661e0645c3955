"""File control parameters, the answer to SELECT (TS 102 221 §11.1.1.3 and §11.1.1.4)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from cardwriter.usim import tlv
from cardwriter.usim.bcd import CodecError

_FCP, _DESCRIPTOR, _SIZE, _FID, _AID, _SFI = 0x62, 0x82, 0x80, 0x83, 0x84, 0x88
_LIFE_CYCLE, _ARR, _PIN_STATUS, _PIN_BITS, _KEY = 0x8A, 0x8B, 0xC6, 0x90, 0x83
_SHAREABLE = 0x40
_DATA_CODING = 0x21
_RULE_SIZE = 3  # TS 102 221 §11.1.1.4.7.1: file id of EF.ARR and one record number
ACTIVATED = 0x05
"""Life cycle status "operational, activated" (TS 102 221 §11.1.1.4.9)."""


class Kind(enum.Enum):
    """File descriptor without the shareable bit (TS 102 221 §11.1.1.4.3)."""

    TRANSPARENT = 0x01
    LINEAR = 0x02
    CYCLIC = 0x06
    DIRECTORY = 0x38


@dataclass(frozen=True, kw_only=True)
class Fcp:
    """What a card tells about a file: sizes in bytes, `arr` = file id and record of its access rule.

    `pins` (directories only) maps a key reference to whether that PIN is enabled.
    """

    kind: Kind
    fid: int
    size: int = 0
    record_length: int = 0
    records: int = 0
    sfi: int | None = None
    aid: bytes = b""
    life_cycle: int = ACTIVATED
    arr: tuple[int, int] | None = None
    pins: Mapping[int, bool] = field(default_factory=dict)


def encode(fcp: Fcp) -> bytes:
    """Return the FCP template as a card answers it.

    Raises
    ------
    CodecError
        A field is too long for its length byte.
    """
    descriptor = bytes([_SHAREABLE | fcp.kind.value, _DATA_CODING])
    if fcp.kind in (Kind.LINEAR, Kind.CYCLIC):
        descriptor += fcp.record_length.to_bytes(2, "big") + bytes([fcp.records])
    body = tlv.encode(_DESCRIPTOR, descriptor) + tlv.encode(_FID, fcp.fid.to_bytes(2, "big"))
    if fcp.aid:
        body += tlv.encode(_AID, fcp.aid)
    body += tlv.encode(_LIFE_CYCLE, bytes([fcp.life_cycle]))
    if fcp.arr is not None:
        body += tlv.encode(_ARR, fcp.arr[0].to_bytes(2, "big") + bytes([fcp.arr[1]]))
    if fcp.kind is Kind.DIRECTORY:
        return tlv.encode(_FCP, body + tlv.encode(_PIN_STATUS, _encode_pins(fcp.pins)))
    body += tlv.encode(_SIZE, fcp.size.to_bytes(2, "big"))
    body += tlv.encode(_SFI, b"" if fcp.sfi is None else bytes([fcp.sfi << 3]))
    return tlv.encode(_FCP, body)


def _encode_pins(pins: Mapping[int, bool]) -> bytes:
    """PIN status template: a bit string, first PIN in the highest bit, then the key references in that order."""
    bits = sum(0x80 >> place for place, enabled in enumerate(pins.values()) if enabled)
    return tlv.encode(_PIN_BITS, bytes([bits])) + b"".join(tlv.encode(_KEY, bytes([key])) for key in pins)


def _parse_pins(template: bytes) -> dict[int, bool]:
    objects = tlv.parse(template)
    bits = tlv.first(objects, _PIN_BITS) or b""
    keys = [found.value[0] for found in objects if found.tag == _KEY and found.value]
    flags = "".join(f"{byte:08b}" for byte in bits)
    return {key: flag == "1" for key, flag in zip(keys, flags, strict=False)}


def parse(content: bytes) -> Fcp:
    """Return what an FCP template says.

    Raises
    ------
    CodecError
        Not an FCP template, or its file descriptor is missing or of no known kind.
    """
    template = tlv.first(tlv.parse(content), _FCP)
    objects = tlv.parse(template or b"")
    descriptor = tlv.first(objects, _DESCRIPTOR)
    if not descriptor:
        raise CodecError("no file descriptor in the answer to SELECT")
    kind = _kind(descriptor[0])
    sfi = tlv.first(objects, _SFI)
    rule = tlv.first(objects, _ARR) or b""
    life_cycle = tlv.first(objects, _LIFE_CYCLE)
    return Fcp(
        kind=kind,
        fid=int.from_bytes(tlv.first(objects, _FID) or b"", "big"),
        size=int.from_bytes(tlv.first(objects, _SIZE) or b"", "big"),
        record_length=int.from_bytes(descriptor[2:4], "big"),
        records=int.from_bytes(descriptor[4:5], "big"),
        sfi=sfi[0] >> 3 if sfi else None,
        aid=tlv.first(objects, _AID) or b"",
        life_cycle=life_cycle[0] if life_cycle else ACTIVATED,
        arr=(int.from_bytes(rule[:2], "big"), rule[2]) if len(rule) == _RULE_SIZE else None,
        pins=_parse_pins(tlv.first(objects, _PIN_STATUS) or b""),
    )


def _kind(byte: int) -> Kind:
    if byte & Kind.DIRECTORY.value == Kind.DIRECTORY.value:
        return Kind.DIRECTORY
    try:
        return Kind(byte & 0x07)
    except ValueError:
        raise CodecError(f"unknown file descriptor {byte:02x}") from None
