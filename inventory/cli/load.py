"""`haoka load FILE`: load a vendor's cards or a pool of IMSIs; `haoka show` lists the faults of a refused file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import progress
from rich.console import Console

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields
from inventory.services.loading import FileKind

app = typer.Typer(help=__doc__)


@app.command()
def load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file, as delivered.")],
    *,
    kind: Annotated[FileKind, typer.Option(help="What the file holds.")] = FileKind.SIM_VENDOR,
    card_kind: Annotated[str | None, typer.Option(help="Card product of a vendor's file.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Who made the cards.")] = None,
    pool: Annotated[str | None, typer.Option(help="Sale pool the items go to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Load the file whole, or nothing of it."""
    fields = {"kind": kind.value, "card_kind": card_kind, "vendor": vendor, "pool": pool}
    with progress.open(file, "rb", description=file.name, console=Console(stderr=True)) as content:
        answer = connect().write(
            "/v1/loads",
            data={name: value for name, value in fields.items() if value is not None},
            files={"file": (file.name, content)},
        )
    show_fields(answer, as_json=as_json)
