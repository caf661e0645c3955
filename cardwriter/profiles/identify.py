"""The generic read-only script that is run before any card family is known, and its reading."""

from __future__ import annotations

from typing import Final

from cardwriter.profiles.base import CardFacts, FactsError
from cardwriter.script import OK, TRANSIENT, Otherwise, Purpose, Report, Script, Step, SwMask
from cardwriter.usim import commands, fcp, files
from cardwriter.usim.bcd import FILLER, CodecError, is_blank, unpack
from cardwriter.usim.identity import ICCID_SIZE, IMSI_SIZE, decode_ad, decode_iccid

_TRIES: Final = SwMask("63cx")
_BLOCKED: Final = 0x6983
_TRIES_BITS: Final = 0x0F
_AD_SIZE: Final = 4

MEASURED: Final = {
    "hplmnwact": files.HPLMN_ACT,
    "ehplmn": files.EHPLMN,
    "fplmn": files.FPLMN,
    "spn": files.SPN,
    "smsp": files.SMSP,
    "msisdn": files.MSISDN,
}
"""Files whose size or record length differs between products, by the name in their step."""


def _step(name: str, apdu: bytes, *expect: SwMask, stop: bool = False) -> Step:
    return Step(
        name=name,
        apdu=apdu,
        expect=expect or OK,
        otherwise=Otherwise.STOP if stop else Otherwise.CONTINUE,
        returns=True,
    )


def identify_script(script_id: str, expires_at: int) -> Script:
    """Return the script that reads who the card is and what it is ready for; it changes nothing and spends no try.

    `expires_at` is UTC seconds since the epoch.
    """
    steps = [
        _step("select.iccid", commands.select_path(files.ICCID.path), stop=True),
        _step("read.iccid", commands.read_binary(ICCID_SIZE), stop=True),
        _step("select.serial", commands.select_path(files.SERIAL.path)),
        _step("read.serial", commands.read_binary(ICCID_SIZE)),
        _step("select.gsm_imsi", commands.select_path(files.GSM_IMSI.path)),
        _step("read.gsm_imsi", commands.read_binary(IMSI_SIZE)),
        _step("select.usim", commands.select_aid(files.USIM_AID, fcp=True), stop=True),
        _step("query.pin1", commands.query_tries(files.Pin.PIN1)),
        _step("query.adm1", commands.query_tries(files.Pin.ADM1), _TRIES),
        _step("read.imsi", commands.read_binary(IMSI_SIZE, sfi=files.IMSI.sfi)),
        _step("read.ad", commands.read_binary(_AD_SIZE, sfi=files.AD.sfi)),
    ]
    steps += [_step(f"select.{name}", commands.select_fid(ef.fid, fcp=True)) for name, ef in MEASURED.items()]
    return Script(id=script_id, purpose=Purpose.IDENTIFY, card=None, steps=tuple(steps), expires_at=expires_at)


def read_facts(report: Report) -> CardFacts:
    """Return what an identify report says about the card.

    Raises
    ------
    FactsError
        EF.ICCID was not read, so nobody knows which card this is.
    """
    iccid_raw = _data(report, "select.iccid", "read.iccid")
    if iccid_raw is None:
        raise FactsError(f"EF.ICCID could not be read (outcome {report.outcome}, error {report.error})")
    try:
        iccid = decode_iccid(iccid_raw)
    except CodecError as error:
        raise FactsError(str(error)) from None
    serial = _data(report, "select.serial", "read.serial")
    usim = _parameters(report, "select.usim")
    imsi_gsm = _data(report, "select.gsm_imsi", "read.gsm_imsi")
    return CardFacts(
        atr=report.atr,
        iccid_raw=iccid_raw,
        iccid=iccid,
        serial=None if serial is None or is_blank(serial) else unpack(serial).rstrip(FILLER),
        usim=usim is not None,
        imsi_usim=_data(report, "read.imsi"),
        imsi_gsm=imsi_gsm,
        gsm_hidden=not imsi_gsm and not _missing(report, "select.gsm_imsi"),
        mnc_length=_mnc_length(report),
        pin1_enabled=_pin1_enabled(report, usim),
        adm_tries=_tries(report),
        sizes=_sizes(report),
    )


def _data(report: Report, *steps: str) -> bytes | None:
    """Return the last step's data if all succeeded: a read after a failed SELECT reads some other file."""
    results = [report.result(step) for step in steps]
    if any(result is None or not any(mask.matches(result.sw) for mask in OK) for result in results):
        return None
    last = results[-1]
    return last.data if last is not None else None


def _missing(report: Report, select: str) -> bool:
    """Whether SELECT says that there is no such file; an answer without a diagnosis says nothing."""
    result = report.result(select)
    return result is not None and not any(mask.matches(result.sw) for mask in (*OK, *TRANSIENT))


def _parameters(report: Report, step: str) -> fcp.Fcp | None:
    answer = _data(report, step)
    try:
        return None if answer is None else fcp.parse(answer)
    except CodecError:
        return None


def _pin1_enabled(report: Report, usim: fcp.Fcp | None) -> bool | None:
    """Return the PIN status of the FCP, or else whether VERIFY without data says that the PIN is in use."""
    if usim is not None and files.Pin.PIN1 in usim.pins:
        return usim.pins[files.Pin.PIN1]
    query = report.result("query.pin1")
    return None if query is None else _TRIES.matches(query.sw) or query.sw == _BLOCKED


def _tries(report: Report) -> int | None:
    query = report.result("query.adm1")
    if query is not None and _TRIES.matches(query.sw):
        return query.sw & _TRIES_BITS
    return 0 if query is not None and query.sw == _BLOCKED else None


def _mnc_length(report: Report) -> int | None:
    content = _data(report, "read.ad")
    try:
        return None if content is None else decode_ad(content).mnc_length
    except CodecError:
        return None


def _sizes(report: Report) -> dict[str, int]:
    found = {ef.name: _parameters(report, f"select.{name}") for name, ef in MEASURED.items()}
    return {name: one.record_length or one.size for name, one in found.items() if one is not None}
