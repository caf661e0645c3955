"""`haoka load FILE`: load a vendor's cards, a pool of IMSIs, or a list; `haoka show` lists the faults of a load."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import progress
from rich.console import Console

from inventory.cli.client import Client, Refused, connect
from inventory.cli.tables import AsJson, show_fields, show_rows
from inventory.services.loading import FileKind

app = typer.Typer(help=__doc__)


@app.command()
def load(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file, as delivered.")],
    *,
    kind: Annotated[FileKind, typer.Option(help="What the file holds.")] = FileKind.SIM_VENDOR,
    card_kind: Annotated[str | None, typer.Option(help="Card product of the cards.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Who made the cards.")] = None,
    pool: Annotated[str | None, typer.Option(help="Sale pool the items go to.")] = None,
    columns: Annotated[str | None, typer.Option(help="Where a list's columns are: iccid=2,serial=NAME.")] = None,
    keep_good: Annotated[bool, typer.Option("--keep-good", help="Take the good rows, list the bad ones.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, keep nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Write a list's bad rows here, to be mended.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load the file whole, or nothing of it; or its good rows, or only try."""
    fields = {"kind": kind.value, "card_kind": card_kind, "vendor": vendor, "pool": pool, "columns": columns}
    fields |= {name: "true" for name, wanted in (("keep_good", keep_good), ("dry_run", dry_run)) if wanted}
    client = connect()
    with progress.open(file, "rb", description=file.name, console=Console(stderr=True)) as content:
        try:
            answer = client.write(
                "/v1/loads",
                data={name: value for name, value in fields.items() if value is not None},
                files={"file": (file.name, content)},
            )
        except Refused as refused:
            if rejects is not None and "rows" in refused.params:
                _write_rejects(client, str(refused.params["batch"]), rejects)
            raise
    if rejects is not None and answer.get("rejected"):
        _write_rejects(client, str(answer["id"]), rejects)
    faults = [] if as_json else answer.pop("faults", [])
    show_fields(answer, as_json=as_json)
    if faults:
        show_rows(answer, faults, ("row", "column", "value", "code"), as_json=False)


def _write_rejects(client: Client, load_id: str, path: Path) -> None:
    path.write_bytes(client.fetch(f"/v1/loads/{load_id}/rejects"))
