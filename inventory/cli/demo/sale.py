"""The sale: service, worker, reader and station up, one line sold by another process, and what it left."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inventory.cli.audit import report as audit_report
from inventory.cli.demo import closing, hall
from inventory.cli.demo.errors import DemoFailed, DemoStopped
from inventory.cli.demo.kiosk import open_kiosk
from inventory.cli.demo.memory import CardChoice, Memory
from inventory.cli.demo.operator import founder
from inventory.cli.demo.screen import Screen
from inventory.cli.demo.sizes import Size
from inventory.cli.processes import Processes, dies_with_us, environment, listen, service_and_worker
from inventory.domain.calendar import SHANGHAI
from inventory.domain.errors import DomainError
from inventory.runtime import open_runtime, utc_now
from inventory.services.auditing import audit
from inventory.services.reporting import LifeEntry, read_history
from inventory.settings import Settings

_LOOK_SECONDS = 0.1


def run(
    screen: Screen, memory: Memory, settings: Settings, size: Size, choice: CardChoice, *, once: bool, kiosk: bool
) -> None:
    """Start service, worker, reader and station, sell a line, print what it left, and stay up unless told not to.

    The line is sold on a blank of the chosen kind; so is the one that then lies in the reader. `size` is
    how much stock there is. With `kiosk`, a self-service machine stands there, too.

    Raises
    ------
    DemoFailed
        The line could not be sold, no such blank is left, or the books do not agree afterwards.
    DemoStopped
        A signal came before the line was sold.
    inventory.cli.processes.ProcessFailed
        A process of ours did not start or ended by itself.
    """
    memory.require(choice, size)
    try:
        listening = listen(settings.host, settings.port, or_any=True)
    except OSError as error:
        raise DemoFailed(f"cannot listen on {settings.host} (HAOKA_HOST): {error.strerror}") from None
    with listening, Processes(settings.data_dir / "log") as processes:
        cards = _cards_to_insert(memory, settings.data_dir, choice)
        with screen.step("Service, worker, reader and station / 服务、后台、读卡器、写卡站"):
            env = environment(settings)
            opened = hall.open_hall(processes, list(cards.values()), settings.data_dir, env)  # fails soonest
            address = reachable(service_and_worker(settings, processes, listening))
            _unless_stopped(processes)
            wired = {**env, "PCSCLITE_CSOCK_NAME": opened.socket}
            hall.open_station(processes, memory, address, settings.data_dir / "station", wired)
            _tell_processes(screen, processes, address, opened)
        before = {iccid: hall.files_of(card) for iccid, card in cards.items()}
        with screen.step("One line, sold by an acceptance system through /v1 / 受理系统经 /v1 开户", bar=False):
            sold = _acceptance(processes, memory, address, settings.data_dir)
        memory.unfinished = None
        memory.save()
        screen.files(before[sold["iccid"]], hall.files_of(cards[sold["iccid"]]))
        asyncio.run(_tell_lives(screen, memory, settings, sold))
        if not once:
            blanks = memory.next_blank(choice), memory.next_serial_card()
            for reader, number in enumerate(blanks):
                opened.insert(hall.make_card(memory, number, settings.data_dir / "cards"), reader=reader)
        if kiosk:
            open_kiosk(processes, memory, size, address, settings.data_dir, env)
        closing.tell(screen, memory, settings, address, sold, stays=not once, kiosk=kiosk)
        if not once:
            processes.wait()


def reachable(address: str) -> str:
    """Return the address at which a service on all addresses is reached from this machine."""
    return address.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def _cards_to_insert(memory: Memory, folder: Path, choice: CardChoice) -> dict[str, Path]:
    """Return the images of a new blank and of the card whose sale was broken off, by ICCID.

    The latter lies in the second reader, so that the service settles its job by reading it.
    """
    cards = folder / "cards"
    cards.mkdir(exist_ok=True, mode=0o700)
    left, memory.unfinished = memory.unfinished, memory.next_blank(choice)
    memory.save()
    numbers = [memory.unfinished, *([] if left is None else [left])]
    return {hall.iccid_of(memory, number): hall.make_card(memory, number, cards) for number in numbers}


def _unless_stopped(processes: Processes) -> None:
    if processes.stopped.is_set():
        raise DemoStopped


def _tell_processes(screen: Screen, processes: Processes, address: str, opened: hall.Hall) -> None:
    rows = [(child.name, str(child.process.pid)) for child in processes.children]
    screen.table("Processes / 进程", ("process", "pid"), rows)
    screen.say(f"their logs: {processes.log_dir}")
    screen.say(f"the service answers at {address}")
    if not opened.isolated:
        screen.say("no namespaces here: the virtual reader's ports are open to this machine's network while it runs")


def _acceptance(processes: Processes, memory: Memory, address: str, folder: Path) -> dict[str, Any]:
    """Run the acceptance system, a process of its own, to its end and return what it sold."""
    login, result = memory.logins["acceptance"], folder / "sold.json"
    given = {"address": address, "interface_no": login.interface_no, "staff_no": login.staff_no, "key": login.key}
    command = [sys.executable, "-P", "-m", "inventory.cli.demo.acceptance", "--result", str(result)]
    with subprocess.Popen(  # noqa: S603 - our own module, no shell
        [*dies_with_us(), *command], stdin=subprocess.PIPE, text=True, start_new_session=True
    ) as system:
        try:
            assert system.stdin is not None  # noqa: S101 - asked for above
            system.stdin.write(json.dumps(given))
            system.stdin.close()
            while system.poll() is None and not processes.stopped.wait(_LOOK_SECONDS):
                processes.check()
        finally:
            system.terminate()
    _unless_stopped(processes)
    if system.returncode:
        raise DemoFailed("the acceptance system could not sell a line; its last call says why")
    sold: dict[str, Any] = json.loads(result.read_text())
    return sold


async def _tell_lives(screen: Screen, memory: Memory, settings: Settings, sold: Mapping[str, Any]) -> None:
    """Print the life of card and number, and the audit."""
    runtime = open_runtime(settings, application="haoka demo")
    try:
        async with runtime.database.session() as session:
            for resource, name in (("sim", sold["iccid"]), ("number", sold["number"])):
                life = await read_history(session, founder(memory), resource=resource, name=name)
                heads = ("Beijing time", "what", "state or holder", "document", "by")
                screen.table(f"Life of {resource} {name} / 履历", heads, [_line(entry) for entry in life])
            checked = await audit(session, now=utc_now())
    except DomainError as refusal:
        raise DemoFailed(str(refusal)) from None
    finally:
        await runtime.close()
    for line in audit_report(checked):
        screen.say(line)
    if not checked.ok:
        raise DemoFailed("the audit found something")


def _line(entry: LifeEntry) -> tuple[str, ...]:
    """Return an entry of a life as a row."""
    change = (entry.from_state, entry.to_state) if entry.to_state else (entry.giver, entry.receiver)
    at = entry.at.astimezone(SHANGHAI)
    return (f"{at:%m-%d %H:%M:%S}", entry.what, " → ".join(filter(None, change)), entry.document or "", entry.staff_no)
