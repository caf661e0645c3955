"""What the demo says at its end: where the console is, who may sign in, and what else there is to try."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inventory.cli.demo.memory import Login, Memory, write_private
from inventory.cli.demo.screen import Screen
from inventory.settings import Settings
from inventory.store.running import running_url


def tell(
    screen: Screen, memory: Memory, settings: Settings, address: str, sold: Mapping[str, Any], *, stays: bool,
    kiosk: bool,
) -> None:  # fmt: skip
    """Print logins, and while the demo stays up the console's address and commands to try on the running service."""
    screen.console.rule("Haoka 号卡")
    folder = write_logins(memory, settings.data_dir / "logins", address)
    people = {name: login for name, login in memory.logins.items() if name != "acceptance"}
    rows = [(name, login.interface_no, login.staff_no, login.password) for name, login in people.items()]
    screen.table("Logins / 登录", ("who", "interface 接口编号", "staff 工号", "password 密码"), rows)
    if not stays:
        screen.say(f"sold {sold['number']} on card {sold['iccid']}; ./haoka demo goes on with this stock")
        return
    screen.say(f"console / 控制台   {settings.public_url or address}   (Ctrl-C ends everything / Ctrl-C 全部结束)")
    screen.say("a new blank is in the reader: sell the next line at the hall desk, as clerk or keeper")
    screen.say("one with a chip serial only is in the second reader, which the desk lets you choose: sell it as clerk")
    if kiosk:
        screen.say("")
        screen.say("self-service machine / 自助终端: in a private window sign in as keeper, open Self-service machines")
        screen.say(
            "(/kiosks), press Make this screen the machine's; then buy a number as a customer would. Identity and"
        )
        screen.say(
            "payment are found good 5 s after you agree; the first card is spoiled and goes into the bin; the card"
        )
        screen.say("is taken from the slot 8 s after it has come out")
    screen.say("")
    screen.say("from another terminal / 在另一个终端:")
    for line in commands(memory, folder, settings, sold):
        screen.say(f"  {line}")


def commands(memory: Memory, folder: Path, settings: Settings, sold: Mapping[str, Any]) -> list[str]:
    """Return shell lines that try what the sale did not show, in an order in which each works."""
    spare = [f"{sold['iccid'][:-6]}{memory.cards + place:06d}" for place in range(5, 10)]
    embedded = running_url(settings.data_dir) is not None
    database = f"HAOKA_DATA_DIR={shlex.quote(str(settings.data_dir))}" if embedded else "HAOKA_DATABASE_URL=…"
    return [
        f". {shlex.quote(str(folder / 'keeper.env'))}",
        f"./haoka show {sold['number']}",
        "./haoka stock",
        f"./haoka recall sim LJ-C1 LJ-P1 --from {spare[0]} --to {spare[-1]}",
        f"./haoka status sim {spare[0]} DAMAGED --reason 'bent in the drawer'",
        f". {shlex.quote(str(folder / 'city_admin.env'))}",
        f"APPROVAL=$(./haoka fee change {sold['spare_number']} --class 4 --reason 'agreed with the district' --ask)",
        f". {shlex.quote(str(folder / 'second_admin.env'))}",
        "./haoka approvals",
        "./haoka approvals grant $APPROVAL",
        f". {shlex.quote(str(folder / 'city_admin.env'))}",
        f"./haoka fee change {sold['spare_number']} --class 4 --reason 'agreed with the district' --approval $APPROVAL",
        f"./haoka fee changes {sold['spare_number']}",
        f"./haoka status number {sold['spare_number']} DISABLED --reason 'kept back'",
        "./haoka issue number 530700 LJ-D2 --count 1000",
        "./haoka recall number LJ-D2 530700 --count 1000",
        f"{database} ./haoka audit",
    ]


def write_logins(memory: Memory, folder: Path, address: str) -> Path:
    """Write a file per login that makes commands talk to this service as that person, for its owner only."""
    folder.mkdir(exist_ok=True, mode=0o700)
    for name, login in memory.logins.items():
        write_private(folder / f"{name}.env", environment_of(login, address))
    return folder


def environment_of(login: Login, address: str) -> str:
    """Return shell lines that set who calls, and which service."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables_of(login, address).items())


def variables_of(login: Login, address: str) -> dict[str, str]:
    """Return the environment's variables that say who calls, and which service."""
    values = {"SERVICE_URL": address, "INTERFACE": login.interface_no, "STAFF": login.staff_no, "SECRET": login.key}
    return {f"HAOKA_{name}": str(value) for name, value in values.items()}
