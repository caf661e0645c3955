"""`haoka interfaces`: grant, list, bind, key, window, replace and disable interface numbers (接口编号)."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from inventory.access.interfaces import InterfaceKind
from inventory.access.permissions import Role
from inventory.cli.client import connect, show
from inventory.domain.errors import InvalidField

_HOURS = re.compile(r"([1-7]+)@(\d\d:\d\d)-(\d\d:\d\d)(\+holidays)?(\+closed)?", re.ASCII)

app = typer.Typer(no_args_is_help=True, help=__doc__)
No = Annotated[str, typer.Argument(help="Interface number, such as HALL-530700-001.")]
StaffNo = Annotated[str, typer.Argument(help="Staff id (工号).")]


@app.command("add")
def add(
    kind: InterfaceKind,
    org_id: Annotated[int, typer.Argument(help="Id of the organisation it belongs to.")],
    *,
    name_zh: Annotated[str, typer.Option(help="Chinese name.")],
    name_en: Annotated[str, typer.Option(help="English name.")],
    pool: Annotated[list[str] | None, typer.Option(help="Sale pool it may take from; repeat for more.")] = None,
    no: Annotated[str | None, typer.Option(help="Its number; by default the next of its kind.")] = None,
) -> None:
    """Grant an interface number."""
    wish = {"kind": kind, "org_id": org_id, "name_zh": name_zh, "name_en": name_en, "pools": pool or [], "no": no}
    show(connect().write("/v1/interfaces", wish))


@app.command("list")
def list_all() -> None:
    """List the interfaces of the city, closed ones too."""
    show(connect().read("/v1/interfaces"))


@app.command("staff")
def add_staff(
    staff_no: StaffNo,
    name: Annotated[str, typer.Argument(help="The person's or system's name.")],
    role: Role,
    org_id: Annotated[int, typer.Argument(help="Id of the organisation whose part it sees.")],
    *,
    interface: Annotated[list[str] | None, typer.Option(help="Interface it works through; repeat for more.")] = None,
    ask_password: Annotated[bool, typer.Option(help="Ask for a password, so that it can sign in.")] = False,
) -> None:
    """Make a staff id; without a password it can only use keys."""
    wish: dict[str, Any] = {"staff_no": staff_no, "name": name, "role": role, "org_id": org_id}
    if ask_password:
        wish["password"] = typer.prompt("password", hide_input=True, confirmation_prompt=True)
    show(connect().write("/v1/staff", {**wish, "interfaces": interface or []}))


@app.command("bind")
def bind(no: No, staff_no: StaffNo) -> None:
    """Let a staff id work through an interface."""
    show(connect().write(f"/v1/interfaces/{no}/staff/{staff_no}", method="PUT"))


@app.command("key")
def key(
    no: No,
    staff_no: Annotated[str | None, typer.Argument(help="Staff id that gets a key.")] = None,
    *,
    revoke: Annotated[str | None, typer.Option(help="End the key that begins like this instead.")] = None,
) -> None:
    """Issue an API key, shown this once, or revoke one."""
    if (staff_no is None) == (revoke is None):
        raise typer.BadParameter("give either a staff id or --revoke PREFIX")
    if revoke is not None:
        show(connect().write(f"/v1/interfaces/{no}/keys/{revoke}:revoke"))
    else:
        show(connect().write(f"/v1/interfaces/{no}/keys", {"staff_no": staff_no}))


@app.command("window")
def window(
    no: No,
    hours: Annotated[
        list[str] | None,
        typer.Argument(help="12345@09:00-18:00, 1 is Monday; +holidays: open on them, +closed: no reading outside."),
    ] = None,
) -> None:
    """Set the working hours of an interface; without any it is always open."""
    windows = [window_of(text) for text in hours or ()]
    show(connect().write(f"/v1/interfaces/{no}/windows", {"windows": windows}, method="PUT"))


@app.command("replace")
def replace(
    no: No, new: Annotated[str | None, typer.Argument(help="The new number; by default the next.")] = None
) -> None:
    """Give an interface another number; the old one stays on record."""
    show(connect().write(f"/v1/interfaces/{no}:replace", {"no": new}))


@app.command("disable")
def disable(no: No) -> None:
    """Close an interface for good."""
    show(connect().write(f"/v1/interfaces/{no}:disable"))


def window_of(text: str) -> dict[str, Any]:
    """Read a window such as `12345@09:00-18:00+holidays` into the form of the API.

    Raises
    ------
    InvalidField
        It has another form.
    """
    found = _HOURS.fullmatch(text)
    if found is None:
        raise InvalidField(field="hours", value=text, reason="12345@09:00-18:00")
    weekdays, opens, closes, holidays, closed = found.groups()
    return {
        "weekdays": sorted({int(day) for day in weekdays}),
        "opens": opens,
        "closes": closes,
        "on_holidays": holidays is not None,
        "reading_outside": closed is None,
    }
