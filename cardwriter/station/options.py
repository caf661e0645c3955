"""What the station's commands have in common: options, opening readers, saying a sentence."""

from __future__ import annotations

import json
import locale
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from cardwriter.station.texts import Language, language_of, say
from drivers.base import ReaderSource
from drivers.errors import UnknownSchemeError
from drivers.registry import open_source


class Lang(StrEnum):
    """Languages of the station's sentences."""

    ZH = "zh"
    EN = "en"


Service = Annotated[str, typer.Option(help="Address of the service, such as https://haoka.example.cn")]
Data = Annotated[Path, typer.Option(help="Folder for the station's credential and journal")]
Readers = Annotated[
    str, typer.Option("--readers", "--reader", help="URL of the readers, such as pcsc: or at:/dev/ttyUSB2")
]
LangOption = Annotated[Lang | None, typer.Option(help="Language; default that of the system (LANG)")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs, not sentences for people")]

_USAGE: Final = 2
DATA: Final = Path(".haoka/station")


def console() -> Console:
    """Return what people are written to; made when it is needed, as wide as the terminal is then.

    It prints what it is given: no picture in a reader's name such as `phoenix:loop://`, no style in a card's `[b]`.
    """
    return Console(highlight=False, soft_wrap=True, emoji=False, markup=False)


def open_readers(readers: str, language: Language) -> ReaderSource:
    """Open the readers behind an address.

    Raises
    ------
    typer.Exit
        No driver knows the address; it was said, with what to do.
    """
    try:
        return open_source(readers)
    except UnknownSchemeError as error:
        complain("reader_address", language, readers=readers, detail=error.detail)
        raise typer.Exit(_USAGE) from None


def complain(text: str, language: Language, **values: object) -> int:
    """Print one sentence to the error output; return the exit code."""
    typer.echo(say(text, language, **values), err=True)
    return 1


def chosen(lang: Lang | None) -> Language:
    """Return the language asked for, or that of the environment."""
    if lang:
        return lang.value
    # Windows sets no such variable: the locale that Python found there speaks for it.
    return language_of(os.environ.get("LC_ALL") or os.environ.get("LANG") or locale.getlocale()[0] or "")


def print_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False))
