"""`haoka deliveries`: what is on its way; the receiver signs for it (签收) or sends it back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.moves import Batch, Boxes, First, Item, Last, Person, selection
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows
from inventory.services.disputing import Outcome

app = typer.Typer(help=__doc__, invoke_without_command=True)

Document = Annotated[str, typer.Argument(help="The document's id, such as m-530700-12.")]
_COLUMNS = ("id", "resource", "giver", "receiver", "count", "accepted", "refused", "mine", "at")


@app.callback()
def deliveries(context: typer.Context, *, csv: AsFile = None, as_json: AsJson = False) -> None:
    """List the documents with items on their way, oldest first."""
    if context.invoked_subcommand is None and csv is not None:
        connect().save("/v1/movements:open", csv)
    elif context.invoked_subcommand is None:
        answer = connect().read("/v1/movements:open")
        show_rows(answer, answer["deliveries"], _COLUMNS, as_json=as_json)


@app.command()
def accept(
    document: Document,
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    box: Boxes = None,
    batch: Batch = None,
    person: Person = None,
    as_json: AsJson = False,
) -> None:
    """Sign for items that arrived; without any named, for all that are still on their way."""
    _answer(document, "accept", _named(item, first, last, box, batch), {"person": person}, as_json=as_json)


@app.command()
def scan(
    document: Document,
    scanned: Annotated[typer.FileText, typer.Argument(help="File with one scan to a line; - is standard input.")],
    *,
    person: Person = None,
    as_json: AsJson = False,
) -> None:
    """Scan in what arrived: items or labels of boxes. Exit 1 if something came that should not be here."""
    items = [line.strip("\ufeff \t\r\n") for line in scanned if line.strip()]
    answer = connect().write(f"/v1/movements/{document}:scan", {"items": items, "person": person})
    if as_json:
        show_fields(answer, as_json=True)
    else:
        show_fields({name: answer[name] for name in ("id", "accepted", "left", "receipt")}, as_json=False)
        ways = ("again", "elsewhere", "unannounced")
        strays = [{"what": what, "item": item} for what in ways for item in answer[what]]
        show_rows(answer, strays, ("what", "item"), as_json=False)
    if answer["elsewhere"] or answer["unannounced"]:
        raise typer.Exit(1)


@app.command()
def refuse(
    document: Document,
    reason: Annotated[str, typer.Option(help="Why they are sent back.")],
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    box: Boxes = None,
    batch: Batch = None,
    person: Person = None,
    as_json: AsJson = False,
) -> None:
    """Send items back to the giver; without any named, all that are still on their way."""
    body = {"person": person, "reason": reason}
    _answer(document, "refuse", _named(item, first, last, box, batch), body, as_json=as_json)


@app.command()
def dispute(
    document: Document,
    reason: Annotated[str, typer.Option(help="What is not as written.")],
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    box: Boxes = None,
    batch: Batch = None,
    person: Person = None,
    as_json: AsJson = False,
) -> None:
    """Put items in dispute; they wait on the giver's account until both sides settle it."""
    body = {"person": person, "reason": reason}
    _answer(document, "dispute", _named(item, first, last, box, batch), body, as_json=as_json)


@app.command()
def withdraw(
    document: Document,
    reason: Annotated[str, typer.Option(help="Why they are taken back.")],
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    box: Boxes = None,
    batch: Batch = None,
    as_json: AsJson = False,
) -> None:
    """Take back what the receiver has not answered yet."""
    _answer(document, "withdraw", _named(item, first, last, box, batch), {"reason": reason}, as_json=as_json)


@app.command()
def settle(
    document: Document,
    outcome: Annotated[Outcome, typer.Argument(help="How it ends.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    *,
    item: Item = None,
    first: First = None,
    last: Last = None,
    box: Boxes = None,
    batch: Batch = None,
    approval: Approval = None,
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Settle a dispute with the other side's word; without items named, all of it."""
    body = {"outcome": outcome.value, "selection": _named(item, first, last, box, batch), "reason": reason}
    if ask:
        ask_second("settle_dispute", {"dispute": document, **body}, as_json=as_json)
    else:
        answer = connect().write(f"/v1/movements/{document}:settle", {**body, "approval": approval})
        show_fields(answer, as_json=as_json)


def _named(
    item: list[str] | None, first: str | None, last: str | None, box: list[str] | None, batch: str | None
) -> dict[str, Any] | None:
    """Return the selection, or None for all that are still on their way."""
    if not (item or first or last or box or batch):
        return None
    return selection(item, first, last, None, None, boxes=box, batch=batch)


def _answer(
    document: str, verb: str, named: dict[str, Any] | None, body: dict[str, str | None], *, as_json: bool
) -> None:
    answer = connect().write(f"/v1/movements/{document}:{verb}", {"selection": named, **body})
    show_fields(answer, as_json=as_json)
