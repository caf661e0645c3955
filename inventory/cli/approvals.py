"""`haoka approvals`: give a second person's word on an act, or refuse it (授权)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Approval = Annotated[
    str | None, typer.Option(help="Id of the second person's word, where two are needed (haoka approvals).")
]
Ask = Annotated[bool, typer.Option("--ask", help="Do nothing yet; ask for a second person's word on exactly this.")]
Which = Annotated[str, typer.Argument(help="The approval's id, such as a-530700-12.")]
_NAMED = 3
"""Items that are named at most: as many as fit a line."""
_COLUMNS = ("for", "approval", "act", "state", "place", "count", "items", "reason", "asked_by", "expires_at")


@app.callback()
def approvals(context: typer.Context, *, csv: AsFile = None, as_json: AsJson = False) -> None:
    """List what waits for your word, and what you have asked for."""
    if context.invoked_subcommand is not None:
        return
    client = connect()
    if csv is not None:
        client.save("/v1/approvals", csv)
        return
    answer = client.read("/v1/approvals")
    rows = [{"for": sort, **_row(row)} for sort in ("answer", "asked") for row in answer[sort]]
    show_rows(answer, rows, _COLUMNS, as_json=as_json)


@app.command()
def grant(approval: Which, *, as_json: AsJson = False) -> None:
    """Give your word: the one who asked may do exactly this, once."""
    show_fields(connect().write(f"/v1/approvals/{approval}:grant", {}), as_json=as_json)


@app.command()
def refuse(approval: Which, *, reason: Annotated[str, typer.Option(help="Why.")], as_json: AsJson = False) -> None:
    """Refuse, with a reason."""
    show_fields(connect().write(f"/v1/approvals/{approval}:refuse", {"reason": reason}), as_json=as_json)


@app.command()
def withdraw(approval: Which, *, as_json: AsJson = False) -> None:
    """Take back what you asked for."""
    show_fields(connect().write(f"/v1/approvals/{approval}:withdraw", {}), as_json=as_json)


def ask_second(act: str, wish: Mapping[str, Any], *, as_json: bool) -> None:
    """Ask for a second person's word on an act; print the approval's id alone, so that a script can keep it."""
    answer = connect().write("/v1/approvals", {"act": act, **wish})
    if as_json:
        show_fields(answer, as_json=True)
    else:
        typer.echo(answer["approval"])


def _row(approval: Mapping[str, Any]) -> dict[str, Any]:
    """Give an approval with what its summary says of items and reason."""
    summary = approval["summary"]
    items = summary.get("items", ())
    named = ", ".join(items[:_NAMED]) + (" …" if len(items) > _NAMED else "")
    return {**approval, "count": summary.get("count"), "items": named, "reason": summary.get("reason")}
