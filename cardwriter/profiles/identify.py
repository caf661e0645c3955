"""The generic read-only script that is run before any card family is known, and its reading."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from cardwriter.profiles.base import CardFacts, FactsError
from cardwriter.profiles.file_set import MEASURED, USUAL
from cardwriter.script import OK, TRANSIENT, Otherwise, Purpose, Report, Script, Step, SwMask
from cardwriter.usim import commands, fcp, files
from cardwriter.usim.bcd import FILLER, CodecError, is_blank, unpack
from cardwriter.usim.identity import ICCID_SIZE, IMSI_SIZE, decode_ad, decode_iccid

GREETING: Final = "channel.greet"
_OWN_NUMBER: Final = "read.own_number"
_TRIES: Final = SwMask("63cx")
_BLOCKED: Final = 0x6983
_NOT_DENIED: Final = (*OK, *TRANSIENT, *map(SwMask, ("62xx", "63xx", "65xx", "69xx", "92xx")))
"""Answers to SELECT of a file that may be there: found, but deactivated, protected or in memory that failed, or no
diagnosis (TS 102 221 §10.2.1, TS 51.011 §9.4)."""
_TRIES_BITS: Final = 0x0F
_AD_SIZE: Final = 4
_ALL: Final = 0
"""Le that asks for whatever there is."""
_TABLES: Final = (files.UST, files.IST)
_LARGEST: Final = 0x8000
"""An offset has 15 bits (TS 102 221 §11.1.3.2)."""
_LONGEST_RECORD: Final = 255
"""Data of UPDATE RECORD, which writes a whole one (§8.2.2.2, §11.1.6)."""
_ROUTE: Final = tuple(map(files.Directory.__getitem__, ("USIM", "FIVE_GS", "MF", "TELECOM", "GSM", "ISIM")))
"""How directories follow each other: the USIM is the current one, what lies below it comes before other places."""


def _step(name: str, apdu: bytes, *expect: SwMask, stop: bool = False) -> Step:
    return Step(
        name=name,
        apdu=apdu,
        expect=expect or OK,
        otherwise=Otherwise.STOP if stop else Otherwise.CONTINUE,
        returns=True,
    )


def identify_script(
    script_id: str,
    expires_at: int,
    *,
    measured: Collection[str] = USUAL,
    adm: int = files.Pin.ADM1,
    greeting: bytes = b"",
) -> Script:
    """Return the script that reads who the card is and what it is ready for; it changes nothing and spends no try.

    `expires_at` is UTC seconds since the epoch. A job that knows its card's product asks for more: the files that
    `measured_for` names, the counter of the family's own `adm`, and its `greeting`, for which the card spends no more
    than a sequence number.
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
        _step("query.adm1", commands.query_tries(adm), _TRIES),
        _step("read.imsi", commands.read_binary(IMSI_SIZE, sfi=files.IMSI.sfi)),
        _step("read.ad", commands.read_binary(_AD_SIZE, sfi=files.AD.sfi)),
    ]
    if greeting:
        steps.append(_step(GREETING, greeting))
    steps += _measure({name: ef for name, ef in MEASURED.items() if name in measured})
    return Script(id=script_id, purpose=Purpose.IDENTIFY, card=None, steps=tuple(steps), expires_at=expires_at)


def _measure(wanted: Mapping[str, files.Ef]) -> Iterator[Step]:
    """Ask for sizes, those of the USIM first, which is the current directory; service tables are read whole.

    So is the record of the own number: whether it is blank decides if a write without a number has to blank it.
    """
    here = files.Directory.USIM
    for name, ef in sorted(wanted.items(), key=lambda one: _ROUTE.index(one[1].directory)):
        if ef.directory.aid and ef.directory is not here:
            yield _step(f"select.{ef.directory.name.lower()}", commands.select_aid(ef.directory.aid))
        here = ef.directory
        if ef in _TABLES:
            yield _step(f"read.{name}", commands.read_binary(_ALL, sfi=ef.sfi))
        elif here.aid:
            yield _step(f"select.{name}", commands.select_fid(ef.fid, fcp=True))
            if ef is files.MSISDN:
                yield _step(_OWN_NUMBER, commands.read_record(1, _ALL))
        else:
            yield _step(f"select.{name}", commands.select_path(ef.path, fcp=True))


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
        serial_raw=serial,
        contents=_contents(report),
        greeting=_data(report, GREETING),
        own_number=not is_blank(_data(report, "select.msisdn", _OWN_NUMBER) or b"?"),
    )


def _data(report: Report, *steps: str) -> bytes | None:
    """Return the last step's data if all succeeded: a read after a failed SELECT reads some other file."""
    results = [report.result(step) for step in steps]
    if any(result is None or not any(mask.matches(result.sw) for mask in OK) for result in results):
        return None
    last = results[-1]
    return last.data if last is not None else None


def _missing(report: Report, select: str) -> bool:
    """Whether SELECT says that there is no such file."""
    result = report.result(select)
    return result is not None and not any(mask.matches(result.sw) for mask in _NOT_DENIED)


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
    tables = {name: len(content) for name, content in _contents(report).items()}
    sizes = {name: _size(one) for name, one in found.items() if one is not None}
    return tables | {name: size for name, size in sizes.items() if size}


def _size(one: fcp.Fcp) -> int:
    """Return what a file's commands may carry; 0 of one that none can write, whatever its card says of it."""
    if one.kind is fcp.Kind.TRANSPARENT:
        return one.size if one.size <= _LARGEST else 0
    return one.record_length if one.record_length <= _LONGEST_RECORD else 0


def _contents(report: Report) -> dict[str, bytes]:
    found = {ef.name: _data(report, *_way(name, ef)) for name, ef in MEASURED.items() if ef in _TABLES}
    return {name: content for name, content in found.items() if content}


def _way(name: str, ef: files.Ef) -> tuple[str, ...]:
    """Return the steps behind a table: a short id means another file outside its application."""
    return (f"select.{ef.directory.name.lower()}", f"read.{name}")
