"""The files of one card with the bytes they are to hold, turned into the steps that write or read them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cardwriter.script import OK, Otherwise, Step, SwMask
from cardwriter.usim import commands, files

_UPDATED: Final = (*OK, SwMask("63cx"))
"""63Cx on UPDATE is success after x internal retries (TS 102 221 §10.2.1.2)."""


@dataclass(frozen=True)
class Planned:
    """One file: the name in its steps, where it lies, and its content: a whole record 1, or bytes from offset 0."""

    name: str
    ef: files.Ef
    content: bytes
    record: bool = False


def update_steps(plan: Sequence[Planned]) -> tuple[Step, ...]:
    """Return the steps that write the files in order; ADF.USIM is the current directory at the start."""
    return tuple(_steps(plan, _update, files.Directory.USIM, "reselect.usim"))


def read_steps(plan: Sequence[Planned]) -> tuple[Step, ...]:
    """Return the steps that read the files back and leave ADF.USIM the current directory.

    A read that fails does not stop them: the judge wants all that the card says. Files outside the ADF come first,
    which spares a SELECT.
    """
    outside_first = sorted(plan, key=lambda file: file.ef.directory is files.Directory.USIM)
    return tuple(_steps(outside_first, _read, None, "select.usim"))


def select_usim(name: str = "select.usim") -> Step:
    """Return the step that makes ADF.USIM the current directory."""
    return Step(name=name, apdu=commands.select_aid(files.USIM_AID))


def _steps(
    plan: Sequence[Planned],
    act: Callable[[Planned, int | None], Step],
    here: files.Directory | None,
    entering: str,
) -> Iterator[Step]:
    """Short ids save a SELECT inside ADF.USIM; a file elsewhere is selected by path, and the ADF again after it."""
    for file in plan:
        there = file.ef.directory
        sfi = file.ef.sfi if there is files.Directory.USIM else None
        if there is not files.Directory.USIM:
            yield Step(name=f"select.{file.name}", apdu=commands.select_path(file.ef.path))
        elif here is not files.Directory.USIM:
            yield select_usim(entering)
        if there is files.Directory.USIM and sfi is None:
            yield Step(name=f"select.{file.name}", apdu=commands.select_fid(file.ef.fid))
        yield act(file, sfi)
        here = there


def _update(file: Planned, sfi: int | None) -> Step:
    content = file.content
    apdu = commands.update_record(1, content) if file.record else commands.update_binary(content, sfi=sfi)
    return Step(name=f"update.{file.name}", apdu=apdu, expect=_UPDATED, changes_card=True)


def _read(file: Planned, sfi: int | None) -> Step:
    length = len(file.content)
    apdu = commands.read_record(1, length) if file.record else commands.read_binary(length, sfi=sfi)
    return Step(name=f"read.{file.name}", apdu=apdu, otherwise=Otherwise.CONTINUE, returns=True)
