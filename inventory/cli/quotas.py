"""`haoka quotas`: how many items a place may be issued in a day or a month, and what is left of it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows
from inventory.domain.quotas import Period

app = typer.Typer(help=__doc__, invoke_without_command=True)

Place = Annotated[str, typer.Argument(help="Code of the organisation, below your own.")]
Resource = Annotated[str, typer.Argument(help="number or sim.")]
Sort = Annotated[str, typer.Option(help="A card product, or a class of numbers; without it any.")]
Per = Annotated[Period, typer.Option("--per", help="In which time.", case_sensitive=False)]


@app.callback()
def quotas(
    context: typer.Context,
    *,
    place: Annotated[str | None, typer.Option(help="Only this place; by default all of your part.")] = None,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List quotas with what is left of them."""
    if context.invoked_subcommand is not None:
        return
    client = connect()
    if csv is not None:
        client.save("/v1/quotas", csv, place=place)
        return
    answer = client.read("/v1/quotas", place=place)
    columns = ("place", "resource", "sort", "period", "most", "left")
    show_rows(answer, answer["quotas"], columns, as_json=as_json)


@app.command("set")
def set_quota(
    place: Place,
    resource: Resource,
    most: Annotated[int, typer.Argument(help="So many at most.")],
    *,
    sort: Sort = "",
    per: Per = Period.MONTH,
    as_json: AsJson = False,
) -> None:
    """Set or change a quota; what was issued in the running period already is used of it."""
    _put(place, resource, sort, per, most, as_json=as_json)


@app.command("clear")
def clear(
    place: Place, resource: Resource, *, sort: Sort = "", per: Per = Period.MONTH, as_json: AsJson = False
) -> None:
    """Take a quota away."""
    _put(place, resource, sort, per, None, as_json=as_json)


def _put(place: str, resource: str, sort: str, per: Period, most: int | None, *, as_json: bool) -> None:
    body: dict[str, Any] = {"place": place, "resource": resource, "sort": sort, "period": per.value, "most": most}
    show_fields(connect().write("/v1/quotas", body), as_json=as_json)
