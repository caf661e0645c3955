"""`haoka hlrs`: the HLRs of the city; add one, close one."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Code = Annotated[str, typer.Argument(help="Code of the HLR, such as HLR-530700-1.")]


@app.callback()
def hlrs(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the HLRs."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/hlrs")
        show_rows(answer, answer["hlrs"], ("code", "name", "smsc", "active"), as_json=as_json)


@app.command("add")
def add(
    code: Code,
    *,
    name: Annotated[str, typer.Option(help="What people call it.")],
    smsc: Annotated[str, typer.Option(help="Its short message centre, such as +8613800888500.")],
    as_json: AsJson = False,
) -> None:
    """Add an HLR."""
    body = {"code": code, "name": name, "smsc": smsc}
    show_fields(connect().write("/v1/hlrs", body), as_json=as_json)


@app.command("close")
def close(code: Code, *, as_json: AsJson = False) -> None:
    """Let nothing new come for an HLR; what is in stock stays and sells."""
    show_fields(connect().write(f"/v1/hlrs/{quote(code, safe='')}:close", {}), as_json=as_json)
