"""`eval "$(haoka sign-in INTERFACE STAFF)"`: work at this command line as a person with a password."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from inventory.cli.client import connect

app = typer.Typer(help=__doc__)


@app.command()
def sign_in(
    interface: Annotated[str, typer.Argument(help="Interface number (接口编号), such as DIRECT-530700-001.")],
    staff: Annotated[str, typer.Argument(help="Staff id (工号).")],
) -> None:
    """Ask for the password and print the variables that the other commands read; the session ends as on a page."""
    password = typer.prompt("password", hide_input=True, err=True)
    body = {"interface_no": interface, "staff_no": staff, "password": password}
    token = connect().write("/v1/sessions", body)["token"]
    for name, value in (("INTERFACE", interface), ("STAFF", staff), ("SECRET", token)):
        typer.echo(f"export HAOKA_{name}={shlex.quote(value)}")
