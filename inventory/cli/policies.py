"""`haoka policies`: what the city decides for itself about custody."""

from __future__ import annotations

from typing import Annotated

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsJson, show_fields, show_rows

app = typer.Typer(help=__doc__, invoke_without_command=True)


@app.callback()
def policies(context: typer.Context, *, as_json: AsJson = False) -> None:
    """Show what holds."""
    if context.invoked_subcommand is None:
        show_fields(connect().read("/v1/policies"), as_json=as_json)


@app.command("set")
def decide(
    policy: Annotated[str, typer.Argument(help="signing, level_skipping, port_notice_days or port_cooling_days.")],
    value: Annotated[str, typer.Argument(help="optional or required; refused or allowed; a number of days.")],
    *,
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Change what the city has decided."""
    answer = connect().write(f"/v1/policies/{policy}:set", {"value": value, "reason": reason})
    show_fields(answer, as_json=as_json)


@app.command("hold-times")
def hold_times(*, as_json: AsJson = False) -> None:
    """List for how long the city holds what; of the rules that fit a hold the one that names most decides."""
    answer = connect().read("/v1/hold-times")
    columns = ("kind", "channel", "flow", "number_class", "minutes", "own")
    show_rows(answer, answer["hold_times"], columns, as_json=as_json)


@app.command("hold-time")
def decide_hold_time(
    minutes: Annotated[str, typer.Argument(help="How many minutes, or default: as the product has it.")],
    *,
    kind: Annotated[str | None, typer.Option(help="Only number or sim.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only this sales channel, such as own_hall.")] = None,
    flow: Annotated[str | None, typer.Option(help="Only this flow, such as booking_unpaid.")] = None,
    number_class: Annotated[int | None, typer.Option("--class", help="Only numbers of this class.")] = None,
    reason: Annotated[str, typer.Option(help="Why.")],
    as_json: AsJson = False,
) -> None:
    """Set for how long the city holds what, or take that back."""
    if minutes != "default" and not minutes.isdecimal():
        raise typer.BadParameter("a number of minutes, or default", param_hint="MINUTES")
    facts = {"kind": kind, "channel": channel, "flow": flow, "number_class": number_class}
    given = {name: value for name, value in facts.items() if value is not None}
    wanted = None if minutes == "default" else int(minutes)
    answer = connect().write("/v1/hold-times:set", {**given, "minutes": wanted, "reason": reason})
    show_fields(answer, as_json=as_json)
