"""`haoka deliveries`: what is on its way; the receiver signs for it (签收) or sends it back."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.moves import First, Item, Last, Person, selection
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Document = Annotated[str, typer.Argument(help="The document's id, such as m-530700-12.")]
_COLUMNS = ("id", "resource", "giver", "receiver", "count", "accepted", "refused", "mine", "at")


@app.callback()
def deliveries(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the documents with items on their way, oldest first."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/movements:open")
        show_rows(answer, answer["deliveries"], _COLUMNS, as_json=as_json)


@app.command()
def accept(
    document: Document,
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    person: Person = None,
    as_json: AsJson = False,
) -> None:
    """Sign for items that arrived; without any named, for all that are still on their way."""
    _answer(document, "accept", item, first, last, {"person": person}, as_json=as_json)


@app.command()
def refuse(
    document: Document,
    reason: Annotated[str, typer.Option(help="Why they are sent back.")],
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    person: Person = None,
    as_json: AsJson = False,
) -> None:
    """Send items back to the giver; without any named, all that are still on their way."""
    _answer(document, "refuse", item, first, last, {"person": person, "reason": reason}, as_json=as_json)


def _answer(
    document: str,
    verb: str,
    item: list[str] | None,
    first: str | None,
    last: str | None,
    body: dict[str, str | None],
    *,
    as_json: bool,
) -> None:
    named = selection(item, first, last, None, None) if item or first or last else None
    answer = connect().write(f"/v1/movements/{document}:{verb}", {"selection": named, **body})
    show_fields(answer, as_json=as_json)
