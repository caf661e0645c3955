"""`haoka docs`: writes the pages of docs/ that say what the code says; a test fails while one is out of date."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import typer

from inventory.cli import reference_doc, requirements_doc

ROOT = Path(__file__).parents[2]

PAGES: Mapping[str, Callable[[], str]] = {
    "docs/cli.md": reference_doc.commands,
    "docs/states.md": reference_doc.states,
    "docs/settings.md": reference_doc.settings,
    "docs/permissions.md": reference_doc.permissions,
    "docs/errors.md": reference_doc.errors,
    "docs/metrics.md": reference_doc.metrics,
    "docs/requirements.md": lambda: requirements_doc.page(ROOT),
}

app = typer.Typer()


@app.command()
def write() -> None:
    """Write the pages of docs/ anew: commands, states, settings, permissions, errors, metrics, requirements."""
    for path, page in PAGES.items():
        (ROOT / path).write_text(page(), encoding="utf-8")
