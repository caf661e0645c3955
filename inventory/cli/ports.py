"""`haoka ports`: SMS ports and their tenants; rent one, extend its term, take it back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from inventory.cli.client import connect
from inventory.cli.tables import AsFile, AsJson, show_fields, show_rows
from inventory.domain.lifecycle import PortState

app = typer.Typer(help=__doc__, invoke_without_command=True)

Number = Annotated[str, typer.Argument(help="The base, such as 10690123.")]
_DAY = ["%Y-%m-%d"]
_COLUMNS = (
    "number", "state", "tenant", "tenant_ref", "extension_digits", "begins_on", "ends_on", "standing", "cooled_on"
)  # fmt: skip


@app.callback()
def ports(
    context: typer.Context,
    *,
    state: Annotated[PortState | None, typer.Option(help="Only those in this state.", case_sensitive=False)] = None,
    ending: Annotated[bool, typer.Option("--ending", help="Only those whose term ends soon or is over.")] = False,
    name: Annotated[str | None, typer.Option(help="How base, tenant or its reference begins.")] = None,
    csv: AsFile = None,
    as_json: AsJson = False,
) -> None:
    """List ports, those first whose term ends first."""
    if context.invoked_subcommand is not None:
        return
    asked = {"state": None if state is None else state.value, "ending": ending or None, "name": name}
    client = connect()
    if csv is not None:
        client.save("/v1/ports", csv, **asked)
        return
    answer = client.read("/v1/ports", **asked)
    show_rows(answer, answer["ports"], _COLUMNS, as_json=as_json)


@app.command("rent")
def rent(
    number: Number,
    *,
    tenant: Annotated[str, typer.Option(help="Name of the tenant.")],
    reference: Annotated[str, typer.Option(help="Its customer or contract number.")],
    begins_on: Annotated[datetime, typer.Option("--from", formats=_DAY, help="First day.")],
    ends_on: Annotated[datetime, typer.Option("--until", formats=_DAY, help="Last day.")],
    digits: Annotated[int, typer.Option(help="How many digits the tenant may put behind the base.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Rent a free port to a tenant."""
    body: dict[str, Any] = {
        "tenant": tenant,
        "tenant_ref": reference,
        "begins_on": f"{begins_on:%Y-%m-%d}",
        "ends_on": f"{ends_on:%Y-%m-%d}",
        "extension_digits": digits,
    }
    show_fields(connect().write(f"/v1/ports/{number}:rent", body), as_json=as_json)


@app.command("extend")
def extend(
    number: Number,
    *,
    ends_on: Annotated[datetime, typer.Option("--until", formats=_DAY, help="The later last day.")],
    as_json: AsJson = False,
) -> None:
    """Let a port stay with its tenant for longer."""
    body = {"ends_on": f"{ends_on:%Y-%m-%d}"}
    show_fields(connect().write(f"/v1/ports/{number}:extend-term", body), as_json=as_json)


@app.command("end")
def end(number: Number, *, reason: Annotated[str, typer.Option(help="Why.")], as_json: AsJson = False) -> None:
    """Take a port back; it cools for 90 days before another tenant gets it."""
    show_fields(connect().write(f"/v1/ports/{number}:end-rent", {"reason": reason}), as_json=as_json)
