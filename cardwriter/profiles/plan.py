"""The files of one card with the bytes they are to hold, turned into the steps that write or read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from cardwriter.script import OK, Otherwise, Step, SwMask
from cardwriter.usim import commands, files

_UPDATED: Final = (*OK, SwMask("63cx"))
"""63Cx on UPDATE is success after x internal retries (TS 102 221 §10.2.1.2)."""
LONGEST: Final = 255
"""Data of a short command APDU (ISO/IEC 7816-3 §12.1.3)."""
_IN_USIM: Final = {files.Directory.FIVE_GS: 1, files.Directory.USIM: 2}
"""Where ADF.USIM must be the current application, in the order of reading."""


@dataclass(frozen=True)
class Planned:
    """One piece of a file: the name in its steps, where it lies, and its content.

    `record` is its number, 0 in a transparent file, where `offset` says where the content begins. A `secret` is kept
    out of every trace; it lies in a file that nobody can read back.
    """

    name: str
    ef: files.Ef
    content: bytes = field(repr=False)
    record: int = 0
    offset: int = 0
    secret: bool = False


def pieces(
    name: str, ef: files.Ef, contents: Sequence[bytes], *, records: bool, longest: int = LONGEST
) -> Iterator[Planned]:
    """Return a file as pieces that fit a command: its records from the first on, or its bytes in stretches."""
    for number, content in enumerate(contents, start=1):
        if records:
            yield Planned(name if number == 1 else f"{name}.{number}", ef, content, record=number)
            continue
        for offset in range(0, len(content), longest):
            part = content[offset : offset + longest]
            yield Planned(f"{name}+{offset}" if offset else name, ef, part, offset=offset)


def update_steps(plan: Sequence[Planned]) -> tuple[Step, ...]:
    """Return the steps that write the files in order; ADF.USIM is the current directory at the start."""
    return tuple(_steps(plan, _update, files.Directory.USIM, "reselect"))


def read_steps(plan: Sequence[Planned]) -> tuple[Step, ...]:
    """Return the steps that read back all that is no secret and leave ADF.USIM the current directory.

    A read that fails does not stop them: the judge wants all that the card says. Files outside the ADF come first,
    then those in directories below it, which spares SELECTs.
    """
    readable = [file for file in plan if not file.secret]
    outside_first = sorted(readable, key=lambda file: _IN_USIM.get(file.ef.directory, 0))
    return tuple(_steps(outside_first, _read, None, "select"))


def contents_of(plan: Iterable[Planned]) -> dict[str, bytes]:
    """Return what each step of `read_steps` must find."""
    return {f"read.{file.name}": file.content for file in plan if not file.secret}


def select_application(application: files.Directory, verb: str = "select") -> Step:
    """Return the step that makes an application the current directory."""
    return Step(name=f"{verb}.{application.name.lower()}", apdu=commands.select_aid(application.aid))


def _steps(
    plan: Sequence[Planned], act: Callable[[Planned, int | None], Step], here: files.Directory | None, verb: str
) -> Iterator[Step]:
    """Short ids save a SELECT inside an application; a file elsewhere is selected by path, the application again after.

    The pieces of one file follow each other, so that one SELECT does for all. The path of a directory below the USIM
    begins with 7FFF, the current application (TS 102 221 §8.3): after a reset, or in the ISIM, it leads elsewhere.
    """
    current: files.Ef | None = None
    for file in plan:
        there = file.ef.directory
        sfi = file.ef.sfi if there.aid and not file.record and not file.offset else None
        if file.ef is not current and not there.aid:
            if there in _IN_USIM and here not in _IN_USIM:
                yield select_application(files.Directory.USIM, verb)
            yield Step(name=f"select.{file.name}", apdu=commands.select_path(file.ef.path))
        elif file.ef is not current:
            if here is not there:
                yield select_application(there, verb)
            if sfi is None:
                yield Step(name=f"select.{file.name}", apdu=commands.select_fid(file.ef.fid))
        else:
            sfi = None
        yield act(file, sfi)
        here, current = there, file.ef


def _update(file: Planned, sfi: int | None) -> Step:
    if file.record:
        apdu = commands.update_record(file.record, file.content)
    else:
        apdu = commands.update_binary(file.content, sfi=sfi, offset=file.offset)
    return Step(name=f"update.{file.name}", apdu=apdu, expect=_UPDATED, secret=file.secret, changes_card=True)


def _read(file: Planned, sfi: int | None) -> Step:
    length = len(file.content)
    if file.record:
        apdu = commands.read_record(file.record, length)
    else:
        apdu = commands.read_binary(length, sfi=sfi, offset=file.offset)
    return Step(name=f"read.{file.name}", apdu=apdu, otherwise=Otherwise.CONTINUE, returns=True)
