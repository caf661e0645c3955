"""`haoka kinds`: card products, how their cards are written and authenticate; add one, close one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)


@app.callback()
def kinds(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the card products."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/card-kinds")
        columns = ("code", "name_zh", "profile", "algorithm", "fee_fen", "max_numbers", "active")
        rows = [{**row, "algorithm": row["algorithm"]["name"]} for row in answer["card_kinds"]]
        show_rows(answer, rows, columns, as_json=as_json)


@app.command("add")
def add(
    file: Annotated[
        Path, typer.Argument(help="JSON as POST /v1/card-kinds takes it.", exists=True, dir_okay=False, readable=True)
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Add a card product from a file; nothing in it is secret."""
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise typer.BadParameter(f"{file} is not JSON: {error}") from None
    show_fields(connect().write("/v1/card-kinds", body), as_json=as_json)


@app.command("close")
def close(code: Annotated[str, typer.Argument(help="Code of the product.")], *, as_json: AsJson = False) -> None:
    """Take a product off what may be loaded; its cards in stock stay."""
    show_fields(connect().write(f"/v1/card-kinds/{quote(code, safe='')}:close", {}), as_json=as_json)
