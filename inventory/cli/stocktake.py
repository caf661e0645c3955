"""`haoka stocktake`: count a place with any number of scanners, close it, and set the book right (盘点单)."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.moves import Of, Person, Resource
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Stocktake = Annotated[str, typer.Argument(help="The stocktake's id, such as c-530700-5.")]
_COLUMNS = ("id", "resource", "place", "with_below", "of", "state", "opened_at", "counted_by")


@app.callback()
def stocktakes(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the newest stocktakes of your part."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/stocktakes")
        show_rows(answer, answer["stocktakes"], _COLUMNS, as_json=as_json)


@app.command(name="open")
def open_(
    resource: Resource,
    place: Annotated[str, typer.Argument(help="Code of the organisation that is counted.")],
    *,
    with_below: Annotated[bool, typer.Option("--with-below", help="With all below it.")] = False,
    of: Of = None,
    as_json: AsJson = False,
) -> None:
    """Open a count."""
    body = {"resource": resource, "place": place, "with_below": with_below, "of": of}
    show_fields(connect().write("/v1/stocktakes", body), as_json=as_json)


@app.command()
def scan(
    stocktake: Stocktake,
    scanned: Annotated[typer.FileText, typer.Argument(help="File with one item to a line; - is standard input.")],
    *,
    damaged: Annotated[bool, typer.Option("--damaged", help="All of it is broken.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send what was scanned; more may follow, from other devices too."""
    items = [line.strip("\ufeff \t\r\n") for line in scanned if line.strip()]
    body = {"items": items, "damaged": damaged}
    show_fields(connect().write(f"/v1/stocktakes/{stocktake}:scan", body), as_json=as_json)


@app.command()
def show(stocktake: Stocktake, *, as_json: AsJson = False) -> None:
    """Show a stocktake and, once it is closed, its first thousand differences."""
    answer = connect().read(f"/v1/stocktakes/{stocktake}", limit="1000")
    if not as_json:
        show_fields(answer["stocktake"], as_json=False)
    columns = ("no", "item", "code", "state", "holder", "document", "settled")
    show_rows(answer, answer["differences"], columns, as_json=as_json)


@app.command()
def close(
    stocktake: Stocktake,
    by: Annotated[str, typer.Option("--by", help="Who counted.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Compare the scans with the book; exit 1 if they differ."""
    answer = connect().write(f"/v1/stocktakes/{stocktake}:close", {"counted_by": by})
    show_fields(answer, as_json=as_json)
    if answer["figures"]["missing"] or answer["figures"]["extra"]:
        raise typer.Exit(1)


@app.command()
def post(
    stocktake: Stocktake,
    *,
    approval: Approval = None,
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Set the book right: what lies here comes here, what is broken is damaged, what is missing is lost."""
    if ask:
        ask_second("post_stocktake", {"stocktake": stocktake}, as_json=as_json)
    else:
        show_fields(connect().write(f"/v1/stocktakes/{stocktake}:post", {"approval": approval}), as_json=as_json)


@app.command()
def leave(
    leaver: Annotated[str, typer.Argument(help="Code of the clerk's organisation.")],
    reason: Annotated[str, typer.Option(help="Why.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Close the staff id of a clerk who leaves, give its holds back, and open the count of its drawer."""
    show_fields(connect().write("/v1/leavers", {"leaver": leaver, "reason": reason}), as_json=as_json)


@app.command(name="take-over")
def take_over(
    stocktake: Stocktake,
    receiver: Annotated[str, typer.Argument(help="Code of the leaver's hall, or of another clerk of it.")],
    *,
    person: Person = None,
    approval: Approval = None,
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Move what was scanned in a leaver's drawer to its receiver, before a witness."""
    body = {"receiver": receiver, "person": person}
    if ask:
        ask_second("take_over", {"stocktake": stocktake, **body}, as_json=as_json)
    else:
        answer = connect().write(f"/v1/stocktakes/{stocktake}:take-over", {**body, "approval": approval})
        show_fields(answer, as_json=as_json)


@app.command()
def cancel(stocktake: Stocktake, reason: Annotated[str, typer.Option(help="Why.")], *, as_json: AsJson = False) -> None:
    """Cancel a count, so that nothing follows from it."""
    show_fields(connect().write(f"/v1/stocktakes/{stocktake}:cancel", {"reason": reason}), as_json=as_json)
