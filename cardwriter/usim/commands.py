"""Command APDUs of the UICC, short form, basic channel (TS 102 221 §11.1, TS 31.102 §7.1)."""

from __future__ import annotations

_SELECT, _READ_BINARY, _UPDATE_BINARY, _READ_RECORD, _UPDATE_RECORD = 0xA4, 0xB0, 0xD6, 0xB2, 0xDC
_VERIFY, _AUTHENTICATE = 0x20, 0x88
_ENVELOPE = 0xC2
_BY_FID, _BY_AID, _BY_PATH = 0x00, 0x04, 0x08
_FCP, _NO_DATA = 0x04, 0x0C
_SHORT_FILE = 0x80
_ABSOLUTE = 0x04
_CONTEXT_3G = 0x81


def _select(how: int, reference: bytes, *, fcp: bool) -> bytes:
    apdu = bytes([0x00, _SELECT, how, _FCP if fcp else _NO_DATA, len(reference)]) + reference
    return apdu + b"\x00" if fcp else apdu


def select_fid(fid: int, *, fcp: bool = False) -> bytes:
    """Return SELECT by file id in or next to the current directory; `fcp` asks for the parameters (§11.1.1)."""
    return _select(_BY_FID, fid.to_bytes(2, "big"), fcp=fcp)


def select_path(path: bytes, *, fcp: bool = False) -> bytes:
    """Return SELECT by path from the MF, which the path leaves out (§11.1.1.2)."""
    return _select(_BY_PATH, path, fcp=fcp)


def select_aid(aid: bytes, *, fcp: bool = False) -> bytes:
    """Return SELECT of the first application whose AID begins so (§11.1.1.2)."""
    return _select(_BY_AID, aid, fcp=fcp)


def read_binary(length: int, *, sfi: int | None = None, offset: int = 0) -> bytes:
    """Return READ BINARY of the current file from an offset, or of the file with this short id (§11.1.3)."""
    return bytes([0x00, _READ_BINARY, *_place(sfi, offset), length])


def update_binary(content: bytes, *, sfi: int | None = None, offset: int = 0) -> bytes:
    """Return UPDATE BINARY of the current file from an offset, or of the file with this short id (§11.1.4)."""
    return bytes([0x00, _UPDATE_BINARY, *_place(sfi, offset), len(content)]) + content


def _place(sfi: int | None, offset: int) -> bytes:
    """P1 and P2: an offset of 15 bits, or a short id, which this product uses only from the start (§11.1.3.2)."""
    return offset.to_bytes(2, "big") if sfi is None else bytes([_SHORT_FILE | sfi, 0x00])


def read_record(number: int, length: int) -> bytes:
    """Return READ RECORD of one record of the current file (§11.1.5)."""
    return bytes([0x00, _READ_RECORD, number, _ABSOLUTE, length])


def update_record(number: int, content: bytes) -> bytes:
    """Return UPDATE RECORD of one whole record of the current file (§11.1.6)."""
    return bytes([0x00, _UPDATE_RECORD, number, _ABSOLUTE, len(content)]) + content


def query_tries(key: int) -> bytes:
    """Return VERIFY without data: the card answers 63Cx, x tries left, and spends none (§11.1.9)."""
    return bytes([0x00, _VERIFY, 0x00, key])


def verify(key: int, code: bytes) -> bytes:
    """Return VERIFY of an 8-byte code; a wrong one costs a try (§11.1.9)."""
    return bytes([0x00, _VERIFY, 0x00, key, len(code)]) + code


def authenticate(rand: bytes, autn: bytes) -> bytes:
    """Return AUTHENTICATE in 3G context; the answer is DB (RES, CK, IK) or DC (AUTS) (TS 31.102 §7.1.2)."""
    challenge = bytes([len(rand)]) + rand + bytes([len(autn)]) + autn
    return bytes([0x00, _AUTHENTICATE, 0x00, _CONTEXT_3G, len(challenge)]) + challenge + b"\x00"


def envelope(content: bytes) -> bytes:
    """Return ENVELOPE, by which a card is handed data of its own applications; it may answer (§11.2.2)."""
    return bytes([0x80, _ENVELOPE, 0x00, 0x00, len(content)]) + content + b"\x00"
