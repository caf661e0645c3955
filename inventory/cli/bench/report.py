"""What a bench reports: one JSON object a line, the same shape for every bench."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_DIGITS = 4
"""Significant digits of a reported figure: more would pretend a precision that no run has."""


class BenchFailed(RuntimeError):
    """There is nothing to report: one of the sides did not do its work; the message says why."""


@dataclass(frozen=True)
class Measurement:
    """How far our side comes, as a ratio of the raw engine or of a limit, taken in the same run; 1 is as good.

    `figures` are what the ratio was made of: `ours`, `raw`, `unit`, sizes, and whatever explains it.
    """

    name: str
    ratio: float
    target: float
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether the target is reached."""
        return self.ratio >= self.target

    def line(self, machine: Mapping[str, Any]) -> str:
        """Give the measurement as one line of JSON; `machine` says where it was taken."""
        head = {"name": self.name, "ratio": self.ratio, "target": self.target, "ok": self.ok}
        return json.dumps(_rounded(head | dict(self.figures)) | {"machine": dict(machine)}, ensure_ascii=False)


@dataclass
class Lines:
    """Says each measurement as it comes; with a folder, leaving the block keeps all of them there as `NAME.jsonl`.

    What an earlier run left stays until this one has ended well.
    """

    name: str
    machine: Mapping[str, Any]
    say: Callable[[str], None]
    folder: Path | None
    _said: list[str] = field(default_factory=list)

    def add(self, found: Measurement) -> None:
        """Say a measurement."""
        self._said.append(found.line(self.machine))
        self.say(self._said[-1])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
            text = "".join(f"{line}\n" for line in self._said)
            (self.folder / f"{self.name}.jsonl").write_text(text, encoding="utf-8")


def against_raw(name: str, *, target: float, ours: float, raw: float, unit: str, **figures: Any) -> Measurement:
    """Compare our rate with the raw engine's; `ours` and `raw` are per second, more is better."""
    return Measurement(name, ours / raw, target, {"ours": ours, "raw": raw, "unit": unit, **figures})


def machine_facts(postgresql: str | None, *, date: str | None) -> dict[str, Any]:
    """Say on what was measured: processors, versions, and the date if one is given."""
    facts = {"cores": os.cpu_count(), "python": platform.python_version(), "postgresql": postgresql, "date": date}
    return {name: value for name, value in facts.items() if value is not None}


def _rounded(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value for name, value in values.items()
    }
