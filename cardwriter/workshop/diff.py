"""Holds one dump against another: which files differ in existence, shape, rights or content."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cardwriter.workshop.decode import PER_CARD
from cardwriter.workshop.dump import FORMAT, key_of

CARD: Final = "card"
"""What `ignore` names to leave out the contents that differ from card to card."""
_SHAPE: Final = ("kind", "size", "record_length", "records", "sfi", "life_cycle")
_HEX: Final = re.compile(r"([0-9a-f]{2})*")
_PER_CARD: Final = frozenset(map(key_of, PER_CARD))


class NotADumpError(ValueError):
    """A file is no dump of ours; the message says what to do."""


@dataclass(frozen=True)
class Difference:
    """One difference: `place` is a file's key or `card`; `golden` and `card` what the two say."""

    place: str
    name: str
    aspect: str
    golden: Any
    card: Any


def load(path: Path) -> dict[str, Any]:
    """Read a golden dump.

    Raises
    ------
    NotADumpError
        The file cannot be read, or is something else.
    """
    try:
        found = json.loads(path.read_bytes())  # whichever UTF: PowerShell redirects into UTF-16
    except OSError as error:
        raise NotADumpError(f"{path}: {error.strerror}") from None
    except (RecursionError, ValueError):
        raise NotADumpError(str(path)) from None
    well_formed = (
        isinstance(found, dict)
        and found.get("format") == FORMAT
        and isinstance(files := found.get("files"), dict)
        and all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in files.values())
        and all(_is_hex(one.get("content", "")) for one in files.values())
    )
    if not well_formed:
        raise NotADumpError(str(path))
    return dict(found)


def unknown(ignore: Collection[str], *dumps: dict[str, Any]) -> list[str]:
    """Return what `ignore` names and no dump has: a slip of the pen, which would leave nothing out."""
    names = {CARD} | {file["name"] for found in dumps for file in found["files"].values()}
    return [name for name in ignore if name not in names]


def _is_hex(content: Any) -> bool:
    """Whether a dump could say so of what a file holds, whole or record by record."""
    pieces = content if isinstance(content, list) else [content]
    return all(isinstance(piece, str) and _HEX.fullmatch(piece) for piece in pieces)


def differences(golden: dict[str, Any], card: dict[str, Any], *, ignore: Collection[str] = ()) -> Iterator[Difference]:
    """Give each difference, in the order of the file tree.

    `ignore` holds names of files (such as `EF.SPN`) whose content may differ, and `CARD` for all that are per card. A
    content that one of the dumps hides is not compared.
    """
    for aspect in ("atr", "applications", "pins"):
        if golden.get(aspect) != card.get(aspect):
            yield Difference(CARD, "", aspect, golden.get(aspect), card.get(aspect))
    for place in {**golden["files"], **card["files"]}:
        before, now = golden["files"].get(place, {}), card["files"].get(place, {})
        name = (before or now)["name"]
        if ("kind" in before) != ("kind" in now):
            yield Difference(place, name, "existence", "kind" in before, "kind" in now)
            continue
        for aspect in (*_SHAPE, "rights"):
            if before.get(aspect) != now.get(aspect):
                yield Difference(place, name, aspect, before.get(aspect), now.get(aspect))
        if name not in ignore and not (CARD in ignore and place in _PER_CARD):
            yield from _content(place, name, before, now)


def _content(place: str, name: str, before: dict[str, Any], now: dict[str, Any]) -> Iterator[Difference]:
    hidden = {before.get("hidden"), now.get("hidden")}
    if hidden & {"key", "personal"}:
        return
    if hidden != {None} and len(hidden) > 1:
        yield Difference(place, name, "readable", before.get("hidden") or "yes", now.get("hidden") or "yes")
    elif before.get("content") != now.get("content"):
        yield Difference(place, name, "content", _shown(before), _shown(now))


def _shown(file: dict[str, Any]) -> Any:
    return {"content": file.get("content"), "value": file.get("value")}
