"""A card just large enough to run scripts on: transparent files, one ADM key with a counter, T=0 manners."""

from __future__ import annotations

from dataclasses import dataclass, field

ATR = bytes.fromhex("3b9f96801fc78031a073be21136743200718000001a5")
ICCID = bytes.fromhex("98681031325476981032")
OTHER_ICCID = bytes.fromhex("98681031325476981099")
ADM = b"41414141"
SECRET_ANSWER = bytes.fromhex("db08a1a2a3a4a5a6a7a8")
"""What AUTHENTICATE answers: RES after its tag and length."""

SELECT, READ, UPDATE, VERIFY, AUTHENTICATE, GET_RESPONSE, COUNT = 0xA4, 0xB0, 0xD6, 0x20, 0x88, 0xC0, 0xCA


def blank_files(iccid: bytes) -> dict[int, bytearray]:
    """MF, EF.ICCID, EF.IMSI and EF.AD of a card without an IMSI."""
    return {
        0x3F00: bytearray(),
        0x2FE2: bytearray(iccid),
        0x6F07: bytearray(b"\xff" * 9),
        0x6FAD: bytearray(b"\xff" * 4),
    }


@dataclass
class TinyCard:
    """Answers commands; `torn_after` commands it loses power: the one in hand is carried out, its answer is lost."""

    iccid: bytes = ICCID
    torn_after: int | None = None
    files: dict[int, bytearray] = field(default_factory=dict)
    short_ids: dict[int, int] = field(default_factory=lambda: {2: 0x2FE2})
    tries: int = 3
    seen: list[bytes] = field(default_factory=list)
    selected: int = 0x3F00
    verified: bool = False
    ready: bytes = b""

    def __post_init__(self) -> None:
        self.files = self.files or blank_files(self.iccid)

    def reset(self) -> bytes:
        """Forget selection and rights."""
        self.selected, self.verified, self.ready = 0x3F00, False, b""
        return ATR

    def transmit(self, apdu: bytes) -> bytes:
        """Answer one TPDU."""
        self.seen.append(apdu)
        answer = self._answer(apdu)
        return b"" if self.torn_after is not None and len(self.seen) > self.torn_after else answer

    def _answer(self, apdu: bytes) -> bytes:
        handlers = {
            SELECT: self._select,
            READ: self._read,
            UPDATE: self._update,
            VERIFY: self._verify,
            AUTHENTICATE: self._authenticate,
            GET_RESPONSE: self._get_response,
            COUNT: self._count,
        }
        handler = handlers.get(apdu[1])
        return handler(apdu) if handler else b"\x6d\x00"

    def _select(self, apdu: bytes) -> bytes:
        fid = int.from_bytes(apdu[5:], "big")
        if fid not in self.files:
            return b"\x6a\x82"
        self.selected = fid
        if apdu[3] == 0x0C:
            return b"\x90\x00"
        return self._offer(bytes.fromhex("62048002") + len(self.files[fid]).to_bytes(2, "big"))

    def _get_response(self, apdu: bytes) -> bytes:
        if apdu[4] != len(self.ready):
            return bytes([0x6C, len(self.ready)])
        ready, self.ready = self.ready, b""
        return ready + b"\x90\x00"

    def _read(self, apdu: bytes) -> bytes:
        offset = int.from_bytes(apdu[2:4], "big")
        if apdu[2] & 0x80:  # by short id
            fid = self.short_ids.get(apdu[2] & 0x1F)
            if fid not in self.files:
                return b"\x6a\x82"
            self.selected, offset = fid, apdu[3]
        content = bytes(self.files[self.selected][offset:])
        return content + b"\x90\x00" if apdu[4] == len(content) else bytes([0x6C, len(content)])

    def _update(self, apdu: bytes) -> bytes:
        if not self.verified:
            return b"\x69\x82"
        offset = int.from_bytes(apdu[2:4], "big")
        self.files[self.selected][offset : offset + apdu[4]] = apdu[5:]
        return b"\x90\x00"

    def _authenticate(self, _apdu: bytes) -> bytes:
        return self._offer(SECRET_ANSWER)

    def _count(self, _apdu: bytes) -> bytes:
        return bytes([len(self.seen) - 1]) + b"\x90\x00"

    def _offer(self, data: bytes) -> bytes:
        self.ready = data
        return bytes([0x61, len(data)])

    def _verify(self, apdu: bytes) -> bytes:
        code = apdu[5:]
        if not code or not self.tries:
            return bytes([0x63, 0xC0 + self.tries]) if self.tries else b"\x69\x83"
        self.verified = code == ADM
        self.tries = 3 if self.verified else self.tries - 1
        return b"\x90\x00" if self.verified else bytes([0x63, 0xC0 + self.tries])
