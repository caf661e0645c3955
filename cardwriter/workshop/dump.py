"""Reads what a card shows to anybody: every file we know by name, its parameters, rights and content. Read-only.

Two scripts, run by the station's runner, which refuses any command that could change something: the first selects every
file, the second reads those that are there. No code is ever presented; files of keys are not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from cardwriter.script import OK, Otherwise, Purpose, Report, Script, Step
from cardwriter.usim import access, commands, fcp, files, tlv
from cardwriter.usim.bcd import CodecError
from cardwriter.workshop.decode import KEYS, PERSONAL, decode, rights
from cardwriter.workshop.hands import read
from cardwriter.workshop.identify import imsi_shown
from drivers.base import CardConnection

FORMAT: Final = "haoka card dump 1"
_CHUNK: Final = 255
_FARTHEST: Final = 0x7FFF  # offset of READ BINARY, TS 102 221 §11.1.3.2
_ADF: Final = files.Directory.USIM.path
_IMSIS: Final = (files.IMSI, files.GSM_IMSI)
_RULE_FILES: Final = (files.MF_ARR, files.USIM_ARR)

ALL: Final[tuple[files.Ef, ...]] = tuple(ef for ef in vars(files).values() if isinstance(ef, files.Ef))
"""Every file that we know by name, in the order of the file tree's list."""


def key_of(ef: files.Ef) -> str:
    """Return how a dump names a file: its directory and its file id."""
    return f"{ef.directory.name}/{ef.fid:04x}"


def dump(card: CardConnection, *, now: datetime, full: bool = False) -> dict[str, Any]:
    """Return what the card shows, JSON-ready: `format`, `atr`, `pins`, `applications` and `files` by `key_of`.

    A file has `name` and `select` (status word); if it is there, `kind`, `size`, `record_length`, `records`, `sfi`,
    `life_cycle`, `rule`, `rights`, and either `content` (hex, a list of them for records) with `value` in words, or
    `hidden`: `key`, `personal` (unless `full`) or the status word that the card refused with. Of a hidden
    IMSI the country and network are in `value`.

    Raises
    ------
    DriverError
        Card or reader failed under way.
    """
    selected = read(card, lambda expires: _script("dump.select", _selections(), expires), now=now)
    found = {ef: _parameters(selected, ef) for ef in ALL}
    there = {ef: parameters for ef, parameters in found.items() if parameters is not None}
    contents = read(card, lambda expires: _script("dump.read", _reads(there), expires), now=now)
    bodies = {ef: _body(contents, ef, parameters) for ef, parameters in there.items()}
    return {
        "format": FORMAT,
        "atr": selected.atr.hex(),
        "pins": _pins(selected),
        "applications": _applications(bodies.get(files.DIR)),
        "files": {
            key_of(ef): {"name": ef.name, "select": _sw(selected, f"select.{key_of(ef)}")}
            | ({} if ef not in there else _facts(ef, there[ef], bodies, full=full))
            for ef in ALL
        },
    }


def _script(name: str, steps: Iterable[Step], expires: int) -> Script:
    return Script(id=name, purpose=Purpose.IDENTIFY, card=None, steps=tuple(steps), expires_at=expires)


def _step(name: str, apdu: bytes) -> Step:
    return Step(name=name, apdu=apdu, otherwise=Otherwise.CONTINUE, returns=True)


def _entered(chosen: Iterable[files.Ef]) -> Iterator[Step | files.Ef]:
    """Give the files, and before those of another application the step that selects it."""
    here = b""
    for ef in sorted(chosen, key=lambda ef: list(files.Directory).index(ef.directory)):
        aid = ef.directory.aid or (files.USIM_AID if ef.directory.path.startswith(_ADF) else b"")
        if aid and aid != here:
            yield _step(f"application.{aid.hex()}", commands.select_aid(aid, fcp=True))
            here = aid
        yield ef


def _select(ef: files.Ef) -> bytes:
    """Return SELECT with parameters: below an application by file id, which every card knows, else by path."""
    return commands.select_fid(ef.fid, fcp=True) if ef.directory.aid else commands.select_path(ef.path, fcp=True)


def _selections() -> Iterator[Step]:
    yield _step("select.mf", commands.select_fid(files.MF, fcp=True))
    for one in _entered(ALL):
        yield one if isinstance(one, Step) else _step(f"select.{key_of(one)}", _select(one))


def _reads(there: dict[files.Ef, fcp.Fcp]) -> Iterator[Step]:
    for one in _entered(ef for ef in there if ef not in KEYS):
        if isinstance(one, Step):
            yield one
            continue
        yield _step(f"reselect.{key_of(one)}", _select(one))
        for part, apdu in _commands(there[one]):
            yield _step(f"read.{key_of(one)}.{part}", apdu)


def _commands(parameters: fcp.Fcp) -> Iterator[tuple[int, bytes]]:
    """Give the commands that read the selected file: a record each, or a piece each."""
    if parameters.record_length:
        for number in range(1, parameters.records + 1):
            yield number, commands.read_record(number, parameters.record_length % 256)
        return
    for offset in range(0, min(parameters.size, _FARTHEST), _CHUNK):
        length = min(_CHUNK, parameters.size - offset)
        yield offset, bytes([0x00, 0xB0, *offset.to_bytes(2, "big"), length])  # READ BINARY, TS 102 221 §11.1.3


def _sw(report: Report, name: str) -> str | None:
    result = report.result(name)
    return None if result is None else f"{result.sw:04x}"


def _answer(report: Report, name: str) -> bytes | None:
    result = report.result(name)
    return result.data if result is not None and any(mask.matches(result.sw) for mask in OK) else None


def _parameters(report: Report, ef: files.Ef) -> fcp.Fcp | None:
    """Return what the card says of a file, None if it is not there."""
    answer = _selected(report, ef, "select")
    try:
        return None if answer is None else fcp.parse(answer)
    except CodecError:
        return None


def _selected(report: Report, ef: files.Ef, verb: str) -> bytes | None:
    """Return the answer to a file's selection, None if that failed; below an absent application nothing is."""
    aid = ef.directory.aid or (files.USIM_AID if ef.directory.path.startswith(_ADF) else b"")
    if aid and _answer(report, f"application.{aid.hex()}") is None:
        return None
    return _answer(report, f"{verb}.{key_of(ef)}")


_Body = list[bytes] | str
"""The pieces of a file, or why there are none."""


def _body(report: Report, ef: files.Ef, parameters: fcp.Fcp) -> _Body:
    if ef in KEYS:
        return "key"
    if _selected(report, ef, "reselect") is None:  # what was read then is of some other file
        return _sw(report, f"reselect.{key_of(ef)}") or "unread"
    pieces = []
    for part, _ in _commands(parameters):
        piece = _answer(report, f"read.{key_of(ef)}.{part}")
        if piece is None:
            return _sw(report, f"read.{key_of(ef)}.{part}") or "unread"
        pieces.append(piece)
    return pieces if parameters.record_length else [b"".join(pieces)]


def _facts(ef: files.Ef, parameters: fcp.Fcp, bodies: dict[files.Ef, _Body], *, full: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "kind": parameters.kind.name.lower(),
        "size": parameters.size or parameters.record_length * parameters.records,
        "record_length": parameters.record_length,
        "records": parameters.records,
        "sfi": parameters.sfi,
        "life_cycle": parameters.life_cycle,
        "rule": None if parameters.arr is None else f"{parameters.arr[0]:04x}/{parameters.arr[1]}",
        "rights": _rights(parameters, bodies),
    }
    body = bodies[ef]
    if isinstance(body, str):
        return facts | {"hidden": body}
    if ef in PERSONAL and not full:
        imsi = body[0] if body else None  # a card may say that the file has no record
        return facts | {"hidden": "personal"} | ({"value": imsi_shown(imsi)} if ef in _IMSIS else {})
    said = [decode(ef, piece) for piece in body]
    if parameters.record_length:
        return facts | {"content": [piece.hex() for piece in body], "value": said}
    return facts | {"content": body[0].hex(), "value": said[0]}


def _rights(parameters: fcp.Fcp, bodies: dict[files.Ef, _Body]) -> dict[str, str] | None:
    """Return who may do what, by the rule that the file names; None if that cannot be read."""
    if parameters.arr is None:
        return None
    fid, record = parameters.arr
    for ef in _RULE_FILES:
        body = bodies.get(ef)
        if ef.fid == fid and isinstance(body, list) and 0 < record <= len(body):
            try:
                return rights(access.decode_rules(body[record - 1]))
            except CodecError:
                return None
    return None


def _pins(report: Report) -> dict[str, bool]:
    """Return whether each PIN that the MF names is asked for, by its key reference."""
    answer = _answer(report, "select.mf")
    try:
        pins = fcp.parse(answer).pins if answer else {}
    except CodecError:
        return {}
    return {f"{key:02x}": enabled for key, enabled in pins.items()}


def _applications(directory: _Body | None) -> list[str]:
    """Return the AIDs of EF.DIR (TS 102 221 §13.1)."""
    found = []
    for record in directory if isinstance(directory, list) else []:
        try:
            entry = tlv.first(tlv.parse(record), 0x61) or b""
            aid = tlv.first(tlv.parse(entry), 0x4F)
        except CodecError:
            continue
        if aid:
            found.append(aid.hex())
    return found
