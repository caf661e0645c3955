"""What the demo prints: numbered steps with a live bar, and tables; plain lines where there is no terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Report = Callable[[int, int], None]
"""Told how far a step is: done, total."""
LOG_WIDTH = 100
"""Columns where no terminal says how wide it is."""
_BLANK_SHOWN = 4


class Screen:
    """Prints to standard output; without a terminal a step is a line when it begins and one when it is done."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        if not self.console.is_terminal:
            self.console.width = LOG_WIDTH
        self._steps = 0

    @contextmanager
    def step(self, title: str, *, bar: bool = True) -> Iterator[Report]:
        """Show a step while the block lasts; the value given takes its progress.

        Without `bar` other processes may print meanwhile.
        """
        self._steps += 1
        began = time.monotonic()
        self.console.print(f"[bold]{self._steps}. {title}[/bold]")
        if bar and self.console.is_terminal:
            columns = (SpinnerColumn(), BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
            with Progress(*columns, console=self.console, transient=True) as progress:
                task = progress.add_task("", total=None)
                yield lambda done, total: progress.update(
                    task, completed=done, total=total, description=f"{done:,} / {total:,}"
                )
        else:
            yield lambda _done, _total: None
        self.console.print(f"   [green]ok[/green]  [dim]{time.monotonic() - began:.1f} s[/dim]")

    def skip(self, title: str) -> None:
        """Show a step that an earlier run has done."""
        self._steps += 1
        self.console.print(f"[bold]{self._steps}. {title}[/bold]  [dim]done before / 已完成[/dim]")

    def say(self, text: str) -> None:
        """Print a line below the step, never cut: what it names may be copied."""
        self.console.print(f"   {text}", markup=False, soft_wrap=True)

    def table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a small table; numbers stand right, with separators."""
        self.say(title)
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("")
        for index, head in enumerate(heads):
            right = bool(rows) and isinstance(rows[0][index], int)
            table.add_column(Text(head), justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row("   ", *(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
        self.console.print(table)

    def files(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Print the files of the card as hex, before and after; `=` is unchanged."""
        rows = [
            (name, _hex(before.get(name, "")), _hex(content) if content != before.get(name) else "=")
            for name, content in after.items()
        ]
        self.table("Files on the card / 卡内文件", ("file", "before", "after"), rows)


def _hex(content: str) -> str:
    """Return the content, with a long end of FF told by its length."""
    kept = content.rstrip("f")
    kept += "f" * (len(kept) % 2)
    blank = (len(content) - len(kept)) // 2
    return content if blank < _BLANK_SHOWN else f"{kept} ff×{blank}".strip()
