"""`haoka places`: the city company, its districts, halls and clerks; add one."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)


@app.callback()
def places(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the places of your part, each below its parent."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/organisations")
        columns = ("id", "parent_id", "level", "code", "name_zh", "name_en", "active")
        show_rows(answer, answer["nodes"], columns, as_json=as_json)


@app.command("add")
def add(
    code: Annotated[str, typer.Argument(help="Its code, such as LJ-D1.")],
    below: Annotated[str, typer.Option(help="Code of the place right above it; the level follows from it.")],
    *,
    name_zh: Annotated[str, typer.Option(help="Chinese name.")],
    name_en: Annotated[str, typer.Option(help="English name.")],
    as_json: AsJson = False,
) -> None:
    """Add a district, hall or clerk's drawer."""
    client = connect()
    found = [node["id"] for node in client.read("/v1/organisations")["nodes"] if node["code"] == below]
    if not found:
        raise typer.BadParameter(f"no place of your part has the code {below}; `haoka places` lists them")
    body = {"parent_id": found[0], "code": code, "name_zh": name_zh, "name_en": name_en}
    show_fields(client.write("/v1/organisations", body), as_json=as_json)
