"""`haoka number-kinds`: what the city calls the kinds of numbers, and which it takes in."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Kind = Annotated[str, typer.Argument(help="The kind, such as iot.")]


@app.callback()
def number_kinds(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the kinds of numbers."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/number-kinds")
        show_rows(answer, answer["number_kinds"], ("kind", "name_zh", "name_en", "intake"), as_json=as_json)


@app.command("rename")
def rename(
    kind: Kind,
    *,
    zh: Annotated[str, typer.Option("--zh", help="Its Chinese name.")],
    en: Annotated[str, typer.Option("--en", help="Its English name.")],
    as_json: AsJson = False,
) -> None:
    """Call a kind otherwise on the city's pages."""
    body = {"name_zh": zh, "name_en": en}
    show_fields(connect().write(f"/v1/number-kinds/{quote(kind, safe='')}:rename", body), as_json=as_json)


@app.command("close")
def close(kind: Kind, *, as_json: AsJson = False) -> None:
    """Take no more numbers of a kind in; what is in stock stays and sells."""
    show_fields(connect().write(f"/v1/number-kinds/{quote(kind, safe='')}:close", {}), as_json=as_json)


@app.command("open")
def reopen(kind: Kind, *, as_json: AsJson = False) -> None:
    """Take numbers of a kind in again."""
    show_fields(connect().write(f"/v1/number-kinds/{quote(kind, safe='')}:open", {}), as_json=as_json)
