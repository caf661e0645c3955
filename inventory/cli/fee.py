"""`haoka fee`: change what one number costs, and list its changes (选号费修改)."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows
from inventory.domain.money import parse_yuan

app = typer.Typer(help=__doc__, no_args_is_help=True)
Number = Annotated[str, typer.Argument(help="The number.")]
Yuan = Annotated[str | None, typer.Option(help="In yuan, such as 500.00.")]


@app.command("change")
def change(
    number: Number,
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
    number_class: Annotated[int | None, typer.Option("--class", help="The class whose terms hold from now on.")] = None,
    prepay: Yuan = None,
    min_monthly: Yuan = None,
    return_months: Annotated[int | None, typer.Option(help="Months over which the prepayment returns.")] = None,
    commitment_months: Annotated[int | None, typer.Option(help="Months of commitment.")] = None,
    approver: Annotated[str | None, typer.Option(help="Staff id of the second person, for classes 0 to 4.")] = None,
    as_json: AsJson = False,
) -> None:
    """Change the fee of one number; both values are kept."""
    body = {
        "number_class": number_class,
        "prepay_fen": None if prepay is None else parse_yuan(prepay, field="prepay"),
        "min_monthly_fen": None if min_monthly is None else parse_yuan(min_monthly, field="min_monthly"),
        "return_months": return_months,
        "commitment_months": commitment_months,
        "reason": reason,
        "approver": approver,
    }
    show_fields(connect().write(f"/v1/numbers/{number}:change-fee", body), as_json=as_json)


@app.command("changes")
def changes(
    number: Annotated[str | None, typer.Argument(help="The number; without it all changes.")] = None,
    *,
    staff: Annotated[str | None, typer.Option(help="Only those of this staff id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List changes of fees, newest first."""
    client = connect()
    answer = (
        client.read("/v1/fee-changes", staff=staff)
        if number is None
        else client.read(f"/v1/numbers/{number}/fee-changes")
    )
    rows = [
        {**row, "before": row["before"]["number_class"], "after": row["after"]["number_class"]}
        for row in answer["changes"]
    ]
    columns = ("at", "number", "before", "after", "staff", "approver", "reason")
    show_rows(answer, rows, columns, as_json=as_json)
