"""Answers for people: a table on a terminal, JSON for pipes and with --json."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from inventory.cli.client import show

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
AsFile = Annotated[
    Path | None, typer.Option("--csv", help="Write the whole list to this file; as XLSX if its name ends with .xlsx.")
]


def show_rows(
    document: dict[str, Any], rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool
) -> None:
    """Print the rows as a table with these columns, or the whole document as JSON."""
    if as_json:
        show(document)
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    _print(table)


def show_fields(document: dict[str, Any], *, as_json: bool) -> None:
    """Print an answer's fields one below the other, or as JSON."""
    if as_json:
        show(document)
        return
    table = Table(show_header=False, box=None)
    for name, value in document.items():
        table.add_row(name, "" if value is None else str(value))
    _print(table)


def _print(table: Table) -> None:
    """Print it as it is: a name may hold brackets and colons, which rich would take for styles and pictures."""
    Console(markup=False, emoji=False).print(table)
