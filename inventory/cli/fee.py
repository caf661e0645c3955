"""`haoka fee`: change what one number costs, and list its changes (选号费修改)."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.approvals import Approval, Ask, ask_second
from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows
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
    approval: Approval = None,
    ask: Ask = False,
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
    }
    if ask:
        ask_second("change_fee", {"number": number, **body}, as_json=as_json)
    else:
        answer = connect().write(f"/v1/numbers/{number}:change-fee", {**body, "approval": approval})
        show_fields(answer, as_json=as_json)


@app.command("changes")
def changes(
    number: Annotated[str | None, typer.Argument(help="The number; without it all changes.")] = None,
    *,
    staff: Annotated[str | None, typer.Option(help="Only those of this staff id.")] = None,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List changes of fees, newest first."""
    client = connect()
    path = "/v1/fee-changes" if number is None else f"/v1/numbers/{number}/fee-changes"
    if csv is not None:
        client.save(path, csv, staff=staff)
        return
    answer = client.read(path, staff=staff)
    rows = [
        {**row, "before": row["before"]["number_class"], "after": row["after"]["number_class"]}
        for row in answer["changes"]
    ]
    columns = ("at", "number", "before", "after", "staff", "approver", "reason")
    show_rows(answer, rows, columns, as_json=as_json)
