"""A preset-key blank as it leaves the factory: ICCID, serial, K and OPc inside, no subscriber, PIN1 disabled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cardwriter.crypto.algorithms import STANDARD, algorithm
from cardwriter.crypto.secret import Secret
from cardwriter.usim import files, tlv
from cardwriter.usim.access import Access, Always, Condition, Key, Never, Rule, encode_rules
from cardwriter.usim.bcd import pack, pad
from cardwriter.usim.identity import ICCID_SIZE, IMSI_SIZE, encode_iccid
from cardwriter.usim.network import KEYS_RESET
from cardwriter.usim.services import switch_services
from cardwriter.usim.texts import SPN_SIZE
from cardwriter.virtual.image import CardImage, Code, FileImage
from cardwriter.virtual.scp03 import ChannelKeys

_CODE_SIZE: Final = 8
_FID_SIZE: Final = 2  # TS 102 221 §8.2.1
_ADM_TRIES, _PIN_TRIES, _PUK_TRIES = 3, 3, 10
_PIN1: Final = Key(files.Pin.PIN1)
_AID: Final = files.USIM_AID + bytes.fromhex("ff86ffff89ffffffff")
"""Application provider code left open, country 86 (TS 101 220 annex E, TS 102 221 §13.1)."""
_SERVICES: Final = (10, 12, 17, 19, 20, 21, 27, 28, 29, 33, 38, 42, 43, 45, 46, 51, 71, 73, 74, 85, 86)
"""Services of a plain LTE USIM (TS 31.102 §4.2.8)."""
HISTORICAL: Final = bytes.fromhex("8031a073be211365") + b"HAOKA"

PUBLIC, IDENTITY, VOLATILE, FIXED, OPEN, HIDDEN = 1, 2, 3, 4, 5, 6
"""Records of EF.ARR from 1; what each allows stands in `_rules`."""
_RULE_SIZE: Final = 32


def _atr(historical: bytes) -> bytes:
    """Direct convention, Fi 512 and Di 32, T=0, classes A to C (ISO/IEC 7816-3 §8.2), and the check byte TCK."""
    head = bytes([0x90 | len(historical), 0x96, 0x80, 0x1F, 0xC7])
    check = 0
    for byte in head + historical:
        check ^= byte
    return b"\x3b" + head + historical + bytes([check])


def _rules(adm: int) -> tuple[tuple[Condition, Condition], ...]:
    """Return the records of EF.ARR from 1: who may read, who may update."""
    administrator = Key(adm)
    return (
        (Always(), administrator),
        (_PIN1, administrator),
        (_PIN1, _PIN1),
        (Always(), Never()),
        (Always(), _PIN1),
        (Never(), administrator),
    )


def _arr(adm: int) -> FileImage:
    records = (encode_rules([Rule(Access.READ, read), Rule(Access.UPDATE, update)]) for read, update in _rules(adm))
    content = b"".join(pad(record, _RULE_SIZE) for record in records)
    return FileImage(content, PUBLIC, files.MF_ARR.sfi, _RULE_SIZE)


def _dir() -> FileImage:
    entry = tlv.encode(0x61, tlv.encode(0x4F, _AID) + tlv.encode(0x50, b"USIM"))
    return FileImage(pad(entry, 38), PUBLIC, files.DIR.sfi, 38)


def path_of(ef: files.Ef) -> str:
    """Return where an image keeps a file."""
    if ef.directory is files.Directory.ISIM:
        return f"isim/{ef.fid:04x}"
    return ef.path.hex(":", 2).replace(":", "/") if len(ef.path) > _FID_SIZE else ef.path.hex()


def _blank(size: int) -> bytes:
    return b"\xff" * size


def blank_card(
    *,
    iccid: str | None,
    serial: str | None,
    k: Secret,
    opc: Secret,
    adm1: Secret,
    auth: Mapping[str, Any] = STANDARD,
    pin1: str = "1234",
    puk1: str = "12345678",
    gsm_linked: bool = True,
    adm: int = files.Pin.ADM1,
    historical: bytes = HISTORICAL,
    channel: ChannelKeys | None = None,
) -> CardImage:
    """Return a new blank card.

    `serial` is the chip serial (up to 20 digits), `adm1` 8 bytes, `pin1` and `puk1` digits; with `gsm_linked` False
    the EF.IMSI below DF.GSM has a body of its own. `auth` names the algorithm and its parameters. A card without
    `iccid` gets it in the hall, one without `serial` has no file for it. `adm1` is the code of the key reference `adm`,
    `channel` the keys of a card that is updated through a secure channel only.

    Raises
    ------
    CodecError
        ICCID or serial cannot be coded.
    ValueError
        K or OPc does not fit the algorithm.
    """
    ust = switch_services(bytes(11), on=_SERVICES)
    bodies = {
        files.DIR: _dir(),
        files.PL: FileImage(b"zhen" + _blank(2), OPEN, files.PL.sfi),
        files.MF_ARR: _arr(adm),
        files.ICCID: FileImage(_blank(ICCID_SIZE), PUBLIC, files.ICCID.sfi),
        files.LI: FileImage(b"zhen" + _blank(2), OPEN, files.LI.sfi),
        files.IMSI: FileImage(_blank(IMSI_SIZE), IDENTITY, files.IMSI.sfi),
        files.KEYS: FileImage(KEYS_RESET, VOLATILE, files.KEYS.sfi),
        files.KEYS_PS: FileImage(KEYS_RESET, VOLATILE, files.KEYS_PS.sfi),
        files.PLMN_ACT: FileImage(_blank(60), VOLATILE, files.PLMN_ACT.sfi),
        files.HPPLMN: FileImage(_blank(1), IDENTITY, files.HPPLMN.sfi),
        files.UST: FileImage(ust, IDENTITY, files.UST.sfi),
        files.SPN: FileImage(_blank(SPN_SIZE), PUBLIC),
        files.ACC: FileImage(_blank(2), IDENTITY, files.ACC.sfi),
        files.FPLMN: FileImage(_blank(12), VOLATILE, files.FPLMN.sfi),
        files.LOCI: FileImage(_blank(11), VOLATILE, files.LOCI.sfi),
        files.AD: FileImage(bytes.fromhex("00000002"), PUBLIC, files.AD.sfi),
        files.PSLOCI: FileImage(_blank(14), VOLATILE, files.PSLOCI.sfi),
        files.MSISDN: FileImage(_blank(2 * 30), IDENTITY, None, 30),
        files.SMSP: FileImage(_blank(2 * 40), VOLATILE, None, 40),
        files.OPLMN_ACT: FileImage(_blank(60), IDENTITY, files.OPLMN_ACT.sfi),
        files.HPLMN_ACT: FileImage(_blank(20), IDENTITY, files.HPLMN_ACT.sfi),
        files.EHPLMN: FileImage(_blank(24), IDENTITY, files.EHPLMN.sfi),
        files.EPSLOCI: FileImage(_blank(18), VOLATILE, files.EPSLOCI.sfi),
    }
    if iccid is not None:
        bodies[files.ICCID] = FileImage(encode_iccid(iccid), FIXED, files.ICCID.sfi)
    if serial is not None:
        bodies[files.SERIAL] = FileImage(pad(pack(serial), ICCID_SIZE), FIXED)
    if not gsm_linked:
        bodies[files.GSM_IMSI] = FileImage(_blank(IMSI_SIZE), IDENTITY, files.GSM_IMSI.sfi)
    links = {
        "7f20/6f07": path_of(files.IMSI),
        "7f20/6f78": path_of(files.ACC),
        "7f20/6fad": path_of(files.AD),
        "7f20/6f46": path_of(files.SPN),
        "7f10/6f42": path_of(files.SMSP),
        "7f10/6f40": path_of(files.MSISDN),
        "7fff/6f06": path_of(files.MF_ARR),
    }
    placed = {path_of(ef): body for ef, body in bodies.items()}
    return CardImage(
        atr=_atr(historical),
        aid=_AID,
        keys=algorithm(auth, k, opc),
        codes={
            files.Pin.PIN1: Code(_digits(pin1), _PIN_TRIES, _PIN_TRIES, enabled=False),
            adm: Code(adm1, _ADM_TRIES, _ADM_TRIES),
        },
        puk1=Code(_digits(puk1), _PUK_TRIES, _PUK_TRIES),
        files=placed,
        links={path: body for path, body in links.items() if path not in placed},
        channel=channel,
    )


def _digits(code: str) -> Secret:
    """ASCII digits filled with FF to 8 bytes (TS 102 221 §9.5.1)."""
    return Secret(pad(code.encode("ascii"), _CODE_SIZE))
