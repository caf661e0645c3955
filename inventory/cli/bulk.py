"""`haoka bulk`: have blanks finished in bulk at a station (批量写卡), and follow how far an order is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)

Order = Annotated[str, typer.Argument(help="Id of the order, such as bo-530700-7.")]
_COLUMNS = ("id", "station_name", "kind", "hlr", "state", "wanted", "written", "damaged", "unknown", "left")
_READER = ("name", "card", "what", "next")


@app.callback()
def bulk(context: typer.Context, *, as_json: AsJson = False) -> None:
    """List the newest bulk orders of your part."""
    if context.invoked_subcommand is None:
        answer = connect().read("/v1/bulk-orders")
        show_rows(answer, answer["orders"], _COLUMNS, as_json=as_json)


@app.command("open")
def open_order(
    station: Annotated[str, typer.Argument(help="Id of the station, such as st-530700-3.")],
    kind: Annotated[str, typer.Argument(help="Card product of the blanks.")],
    hlr: Annotated[str, typer.Argument(help="HLR whose data they get.")],
    count: Annotated[int, typer.Argument(help="So many finished cards.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Open an order: from now on each fitting blank that is put into a reader of the station is written."""
    body = {"station": station, "kind": kind, "hlr": hlr, "count": count}
    show_fields(connect().write("/v1/bulk-orders", body), as_json=as_json)


@app.command()
def show(order: Order, *, as_json: AsJson = False) -> None:
    """Show how far an order is, and what lies in each reader."""
    answer = connect().read(f"/v1/bulk-orders/{order}")
    if as_json:
        show_fields(answer, as_json=True)
        return
    show_fields({name: value for name, value in answer.items() if name != "readers"}, as_json=False)
    show_rows(answer, map(_line, answer["readers"]), _READER, as_json=False)


@app.command()
def pause(order: Order, *, as_json: AsJson = False) -> None:
    """Begin no further card; those under way are written to their end."""
    _move(order, "pause", as_json=as_json)


@app.command()
def resume(order: Order, *, as_json: AsJson = False) -> None:
    """Go on with a paused order."""
    _move(order, "resume", as_json=as_json)


@app.command()
def cancel(order: Order, *, as_json: AsJson = False) -> None:
    """End an order; what was written stays."""
    _move(order, "cancel", as_json=as_json)


@app.command("adm-again")
def adm_again(
    order: Order,
    reader: Annotated[str, typer.Argument(help="Name of the reader with the card.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Decide to try the ADM key of the card in a reader once more, of which nobody knows what came of it before."""
    show_fields(connect().write(f"/v1/bulk-orders/{order}:try-adm-again", {"reader": reader}), as_json=as_json)


def _move(order: str, verb: str, *, as_json: bool) -> None:
    show_fields(connect().write(f"/v1/bulk-orders/{order}:{verb}"), as_json=as_json)


def _line(reader: dict[str, Any]) -> dict[str, Any]:
    """Give a reader's line: its job's state and next step, or why there is no job, or what the reader shows."""
    job = reader["job"]
    what = reader["state"] if job is None else job["failure_text"] or job["state"]
    step = reader["not_taken_text"] if job is None else job["next_step_text"]
    return {"name": reader["name"], "card": reader["card"], "what": what, "next": step}
