"""What the demo prints: numbered steps with a live bar, tables, the calls of the acceptance system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

Report = Callable[[int, int], None]
"""Told how far a step is: done, total."""


class Screen:
    """Prints to standard output; without a terminal a step is one line when it is done."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self._steps = 0

    @contextmanager
    def step(self, title: str) -> Iterator[Report]:
        """Show a step while the block lasts; the value given takes its progress."""
        self._steps += 1
        began = time.monotonic()
        self.console.print(f"[bold]{self._steps}. {title}[/bold]")
        columns = (
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        )  # fmt: skip
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task("  ", total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total)
        self.console.print(f"   [green]ok[/green]  [dim]{time.monotonic() - began:.1f} s[/dim]")

    def say(self, text: str) -> None:
        """Print a line below the step."""
        self.console.print(f"    {text}", markup=False)

    def table(self, title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a small table; numbers stand right."""
        table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False, padding=(0, 2))
        for index, head in enumerate(heads):
            right = bool(rows) and isinstance(rows[0][index], int)
            table.add_column(head, justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
        self.console.print(table)

    def files(self, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Print the files of the card, before and after, changed ones marked."""
        rows = [(name, before.get(name, ""), after[name] if after[name] != before.get(name) else "=") for name in after]
        self.table("Files on the card / 卡内文件", ("file", "before", "after"), rows)
