"""A virtual UICC: the commands of TS 102 221 §11 on a card image, in the shape that T=0 gives them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from cardwriter.crypto.aka import AMF_SIZE, RAND_SIZE, SQN_SIZE, AuthAlgorithm, MacError
from cardwriter.usim import fcp, files
from cardwriter.usim.access import Access, allows, decode_rules
from cardwriter.usim.fcp import Fcp
from cardwriter.virtual.apdu import Command, Refused, cut, fields_of, join, near, offset_of, parse
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.image import CardImage, Code, FileImage
from cardwriter.virtual.key_files import keys_of
from cardwriter.virtual.scp03 import CardChannel

OK: Final = 0x9000
_TRIES_LEFT: Final = 0x63C0
_NO_DIAGNOSIS, _LENGTH, _SECURITY, _BLOCKED, _DISABLED = 0x6F00, 0x6700, 0x6982, 0x6983, 0x6984
_STRUCTURE, _CONDITIONS, _NO_EF, _BAD_DATA, _NOT_FOUND = 0x6981, 0x6985, 0x6986, 0x6A80, 0x6A82
_NO_RECORD, _BAD_P1P2, _NO_KEY, _OFFSET, _BAD_INS, _BAD_CLA = 0x6A83, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6E00
_MAC_WRONG: Final = 0x9862
_ADF = f"{files.ADF:04x}"
_ISIM = "isim"
_ARR = "2f06"
_ARR_FID = 0x2F06
_P1_BY_AID, _P1_FROM_MF, _P1_FROM_HERE = 0x04, 0x08, 0x09  # TS 102 221 §11.1.1.2, coding of P1 of SELECT
_P2_RETURNED, _P2_FCP, _P2_NOTHING = 0x0C, 0x04, 0x0C  # the same, coding of P2: its mask, FCP, no data
_P2_MODE, _P2_ABSOLUTE = 0x07, 0x04  # TS 102 221 §11.1.5.2, absolute mode: the record's number stands in P1
_CODE_SIZE = 8
_GET_RESPONSE = 0xC0
_SECURE, _EXTERNAL_AUTHENTICATE = 0x04, 0x82  # CLA and INS, GlobalPlatform card specification §11.1.4, amendment D §7
_IND_BITS = 5
"""SQN = SEQ and 5 bits of IND, the example of TS 33.102 §C.3.2."""


_rules = lru_cache(decode_rules)


class Torn(Exception):
    """The card lost its power in the middle of a command; no answer comes."""


class Muted(Exception):
    """The card does not answer and will not before its next reset."""


@dataclass
class _Session:
    """What a reset forgets; `application` is what 7FFF stands for, nothing before one is selected (§8.3)."""

    directory: str = ""
    application: str = "none"
    ef: str | None = None
    verified: set[int] = field(default_factory=set)
    response: bytes = b""
    mute: bool = False
    channel: CardChannel | None = None
    wrapped: bool = False


class VirtualUicc:
    """A card in a reader: `reset` powers it up, `transmit` gives it one APDU.

    `save` is called after every change of the image. `apdus` counts all commands, GET RESPONSE included.
    """

    def __init__(
        self,
        image: CardImage,
        save: Callable[[CardImage], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.image = image
        self.apdus = 0
        self._save = save
        self._sleep = sleep
        self._session = _Session()
        self._handlers: dict[tuple[int, int], Callable[[Command], bytes]] = {
            (0x00, 0xA4): self._select,
            (0x00, 0xB0): self._read_binary,
            (0x00, 0xD6): self._update_binary,
            (0x00, 0xB2): self._read_record,
            (0x00, 0xDC): self._update_record,
            (0x00, 0x20): self._verify,
            (0x00, 0x2C): self._unblock,
            (0x00, 0x88): self._authenticate,
            (0x00, _GET_RESPONSE): self._get_response,
            (0x80, 0xF2): self._status,
            (0x80, _GET_RESPONSE): self._get_response,
            (0x80, 0x50): self._initialize_update,
            (0x84, _EXTERNAL_AUTHENTICATE): self._external_authenticate,
        }

    def reset(self) -> bytes:
        """Power the card up or reset it; return its ATR. Selection and rights are gone, the files stay."""
        self._session = _Session()
        return self.image.atr

    def transmit(self, apdu: bytes) -> bytes:
        """Give the card one command and return data and status word.

        Raises
        ------
        Torn
            A fault took the power away.
        Muted
            A fault made the card silent.
        """
        self.apdus += 1
        if self._session.mute:
            raise Muted
        fault = self._next_fault(apdu[1] if len(apdu) > 1 else 0)
        kind = fault.kind if fault else None
        if fault is not None and kind is FaultKind.SLOW:
            self._sleep(fault.seconds)
        if kind is FaultKind.RESET:
            self.reset()
        if kind is FaultKind.DIE_BEFORE:
            self.reset()
            raise Torn
        if fault is not None and kind is FaultKind.ANSWER:
            return fault.sw.to_bytes(2, "big")
        data, sw = self._run(apdu)
        if kind is FaultKind.DIE_AFTER:
            self.reset()
            raise Torn
        if kind is FaultKind.MUTE:
            self._session.mute = True
            raise Muted
        if fault is not None and kind is FaultKind.FINISH and sw == OK:
            sw = fault.sw
        return data + sw.to_bytes(2, "big")

    def _next_fault(self, ins: int) -> Fault | None:
        """Count the command in every fault and return the first that strikes; it strikes once, unless slow."""
        striking = [fault for fault in self.image.faults if fault.strikes(ins)]
        if not striking:
            return None
        if striking[0].kind is not FaultKind.SLOW:
            self.image.faults.remove(striking[0])
            self._save(self.image)
        return striking[0]

    def _run(self, apdu: bytes) -> tuple[bytes, int]:
        try:
            command = parse(apdu)
            if command.ins != _GET_RESPONSE:
                self._session.response = b""
            command = self._unwrapped(command)
            answer = self._handlers.get((command.cla, command.ins), self._unknown)(command)
        except Refused as refused:
            return b"", refused.sw
        if command.data and answer:
            # T=0 cannot carry data both ways: the answer waits for GET RESPONSE (TS 102 221 §7.3.1.1.4).
            self._session.response = answer
            return b"", 0x6100 | len(answer) & 0xFF
        return answer, OK

    def _unknown(self, command: Command) -> bytes:
        known = any(ins == command.ins for _, ins in self._handlers)
        raise Refused(_BAD_CLA if known or command.cla not in (0x00, 0x80) else _BAD_INS)

    # Secure channel

    def _unwrapped(self, command: Command) -> Command:
        """Return what came through the channel, and note that it did; EXTERNAL AUTHENTICATE is of its own kind."""
        self._session.wrapped = bool(command.cla & _SECURE) and command.ins != _EXTERNAL_AUTHENTICATE
        if not self._session.wrapped:
            return command
        if self._session.channel is None:
            raise Refused(_CONDITIONS)
        return self._session.channel.opened(command)

    def _initialize_update(self, command: Command) -> bytes:
        """INITIALIZE UPDATE (amendment D §7.1.1); the sequence number is spent for good."""
        if self.image.channel is None:
            raise Refused(_BAD_INS)
        self._session.channel = CardChannel(self.image.channel, command)
        self._save(self.image)
        return self._session.channel.greeting

    def _external_authenticate(self, command: Command) -> bytes:
        """EXTERNAL AUTHENTICATE (amendment D §7.1.2)."""
        if self._session.channel is None:
            raise Refused(_CONDITIONS)
        self._session.channel.authenticate(command)
        return b""

    # Selection

    def _select(self, command: Command) -> bytes:
        """SELECT (TS 102 221 §11.1.1)."""
        if command.p2 & _P2_RETURNED not in {_P2_FCP, _P2_NOTHING} or not command.data:
            raise Refused(_BAD_P1P2)
        path = self._target(command.p1, command.data)
        if self.image.file(path) is not None:
            self._session.directory, self._session.ef = path.rpartition("/")[0], path
        else:
            self._session.directory, self._session.ef = path, None
            if path in {_ADF, _ISIM}:
                self._session.application = path
        return fcp.encode(self._describe(path)) if command.p2 & _P2_RETURNED == _P2_FCP else b""

    def _target(self, how: int, reference: bytes) -> str:
        here = self._session.directory
        if how == _P1_BY_AID:
            for aid, place in ((self.image.aid, _ADF), (self.image.isim_aid, _ISIM)):
                if aid and aid.startswith(reference):
                    return place
            raise Refused(_NOT_FOUND)
        parts = [reference[i : i + 2].hex() for i in range(0, len(reference), 2)]
        if how == 0x00 and len(parts) == 1:
            candidates = near(here, parts[0])
        elif how == _P1_FROM_MF:
            candidates = ["/".join(parts)]
        elif how == _P1_FROM_HERE:
            candidates = ["/".join(filter(None, [here, *parts]))]
        else:
            raise Refused(_BAD_P1P2)
        for path in map(self._below_application, candidates):
            if self.image.file(path) is not None or self.image.is_directory(path):
                return path
        raise Refused(_NOT_FOUND)

    def _below_application(self, path: str) -> str:
        return self._session.application + path.removeprefix(_ADF) if path.startswith(_ADF) else path

    def _describe(self, path: str) -> Fcp:
        file = self.image.file(path)
        if file is None:
            fid = files.ADF if path == _ISIM else int(path.rpartition("/")[2], 16) if path else files.MF
            pins = {int(key): code.enabled for key, code in self.image.codes.items() if key == files.Pin.PIN1}
            aid = {_ADF: self.image.aid, _ISIM: self.image.isim_aid}.get(path, b"")
            return Fcp(kind=fcp.Kind.DIRECTORY, fid=fid, aid=aid, arr=(_ARR_FID, 1), pins=pins)
        return Fcp(
            kind=fcp.Kind.LINEAR if file.record_length else fcp.Kind.TRANSPARENT,
            fid=int(path.rpartition("/")[2], 16),
            size=len(file.content),
            record_length=file.record_length,
            records=len(file.content) // file.record_length if file.record_length else 0,
            sfi=file.sfi,
            arr=(_ARR_FID, file.rule),
        )

    def _status(self, command: Command) -> bytes:
        """STATUS (TS 102 221 §11.1.2)."""
        if command.p2 == _P2_NOTHING:
            return b""
        return cut(fcp.encode(self._describe(self._session.directory)), command.le)

    def _get_response(self, command: Command) -> bytes:
        """GET RESPONSE (TS 102 221 §11.1.21)."""
        if not self._session.response:
            raise Refused(_CONDITIONS)
        answer = cut(self._session.response, command.le)
        self._session.response = b""
        return answer

    # Files

    def _open(self, sfi: int | None, access: Access, *, records: bool) -> FileImage:
        """Return the current file, or the one with a short id, if its structure and rule allow the access."""
        if sfi is not None:
            self._session.ef = self._by_sfi(sfi)
        file = self.image.file(self._session.ef) if self._session.ef is not None else None
        if file is None:
            raise Refused(_NO_EF)
        if bool(file.record_length) is not records:
            raise Refused(_STRUCTURE)
        outside = self.image.channel is not None and not self._session.wrapped
        if not self._allowed(file, access) or (outside and access is Access.UPDATE):
            raise Refused(_SECURITY)
        return file

    def _by_sfi(self, sfi: int) -> str:
        here = self._session.directory
        for path in (*self.image.files, *self.image.links):
            file = self.image.file(path)
            if path.rpartition("/")[0] == here and file is not None and file.sfi == sfi:
                return path
        raise Refused(_NOT_FOUND)

    def _allowed(self, file: FileImage, access: Access) -> bool:
        arr = self.image.files[_ARR]
        record = arr.content[(file.rule - 1) * arr.record_length : file.rule * arr.record_length]
        disabled = {key for key, code in self.image.codes.items() if not code.enabled}
        return allows(_rules(record), access, self._session.verified | disabled)

    def _read_binary(self, command: Command) -> bytes:
        """READ BINARY (TS 102 221 §11.1.3)."""
        sfi, offset = offset_of(command)
        file = self._open(sfi, Access.READ, records=False)
        if offset > len(file.content):
            raise Refused(_OFFSET)
        rest = file.content[offset:]
        return rest[: command.le] if command.le and command.le <= len(rest) else cut(rest, command.le)

    def _update_binary(self, command: Command) -> bytes:
        """UPDATE BINARY (TS 102 221 §11.1.4)."""
        sfi, offset = offset_of(command)
        file = self._open(sfi, Access.UPDATE, records=False)
        end = offset + len(command.data)
        if end > len(file.content):
            raise Refused(_LENGTH)
        file.content = file.content[:offset] + command.data + file.content[end:]
        self._save(self.image)
        return b""

    def _record(self, command: Command, access: Access) -> tuple[FileImage, int]:
        """Return the file and the offset of the record that P1 and P2 name by its number."""
        if command.p2 & _P2_MODE != _P2_ABSOLUTE:
            raise Refused(_BAD_P1P2)
        file = self._open(command.p2 >> 3 or None, access, records=True)
        offset = (command.p1 - 1) * file.record_length
        if not 0 <= offset < len(file.content):
            raise Refused(_NO_RECORD)
        return file, offset

    def _read_record(self, command: Command) -> bytes:
        """READ RECORD (TS 102 221 §11.1.5)."""
        file, offset = self._record(command, Access.READ)
        return cut(file.content[offset : offset + file.record_length], command.le)

    def _update_record(self, command: Command) -> bytes:
        """UPDATE RECORD (TS 102 221 §11.1.6)."""
        file, offset = self._record(command, Access.UPDATE)
        if len(command.data) != file.record_length:
            raise Refused(_LENGTH)
        end = offset + file.record_length
        file.content = file.content[:offset] + command.data + file.content[end:]
        self._save(self.image)
        return b""

    # Codes

    def _verify(self, command: Command) -> bytes:
        """VERIFY PIN (TS 102 221 §11.1.9); without data it tells the tries left and spends none."""
        code = self.image.codes.get(command.p2)
        if code is None:
            raise Refused(_NO_KEY)
        if not command.data:
            if command.p2 in self._session.verified or not code.enabled:
                return b""
            raise Refused(_TRIES_LEFT | code.tries if code.tries else _BLOCKED)
        if not code.enabled:
            raise Refused(_DISABLED)
        self._session.verified.discard(command.p2)
        self._present(code, command.data)
        self._session.verified.add(command.p2)
        return b""

    def _present(self, code: Code, value: bytes) -> None:
        """Compare a code; a wrong one costs a try that stays spent after a power cut."""
        if len(value) != _CODE_SIZE:
            raise Refused(_LENGTH)
        if not code.tries:
            raise Refused(_BLOCKED)
        right = code.value.reveal() == value
        code.tries = code.limit if right else code.tries - 1
        self._save(self.image)
        if not right:
            raise Refused(_TRIES_LEFT | code.tries)

    def _unblock(self, command: Command) -> bytes:
        """UNBLOCK PIN of PIN1 (TS 102 221 §11.1.13)."""
        if command.p2 != files.Pin.PIN1:
            raise Refused(_NO_KEY)
        if len(command.data) != 2 * _CODE_SIZE:
            raise Refused(_LENGTH)
        self._present(self.image.puk1, command.data[:_CODE_SIZE])
        pin = self.image.codes[files.Pin.PIN1]
        pin.value, pin.tries, pin.enabled = type(pin.value)(command.data[_CODE_SIZE:]), pin.limit, True
        self._session.verified.add(files.Pin.PIN1)
        self._save(self.image)
        return b""

    # Authentication

    def _authenticate(self, command: Command) -> bytes:
        """AUTHENTICATE in 3G or GSM context (TS 31.102 §7.1.2)."""
        keys = keys_of(self.image, self._session.directory) if self._session.directory in (_ADF, _ISIM) else None
        if keys is None:
            raise Refused(_CONDITIONS)
        pin = self.image.codes[files.Pin.PIN1]
        if pin.enabled and files.Pin.PIN1 not in self._session.verified:
            raise Refused(_SECURITY)
        autn_size = SQN_SIZE + AMF_SIZE + keys.mac_size
        fields = fields_of(command.data)
        match command.p2, fields:
            case 0x81, [rand, autn] if len(rand) == RAND_SIZE and len(autn) == autn_size:
                return self._aka(keys, rand, autn)
            case 0x80, [rand] if len(rand) == RAND_SIZE:
                triplet = keys.f2345(rand)
                return join(triplet.sres, triplet.kc)
            case ((0x80 | 0x81), _):
                raise Refused(_BAD_DATA)
            case _:
                raise Refused(_BAD_P1P2)

    def _aka(self, keys: AuthAlgorithm, rand: bytes, autn: bytes) -> bytes:
        """MAC first, then the window of TS 33.102 §C.2.2: SEQ must exceed the highest one accepted for its IND."""
        try:
            sqn = keys.open_autn(rand, autn)
        except MacError:
            raise Refused(_MAC_WRONG) from None
        seq, ind = sqn >> _IND_BITS, sqn & (1 << _IND_BITS) - 1
        if seq <= self.image.seqs.get(ind, 0):
            sqn_ms = max((high << _IND_BITS | one for one, high in self.image.seqs.items()), default=0)
            return b"\xdc" + join(keys.auts(rand, sqn_ms))
        self.image.seqs[ind] = seq
        self._save(self.image)
        answer = keys.f2345(rand)
        return b"\xdb" + join(answer.res, answer.ck, answer.ik, answer.kc)
