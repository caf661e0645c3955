"""The demo's self-service machine: a virtual dispenser with a stack of blanks, a station on it, and a payment desk.

The first card of the stack is spoiled, so that it can be seen to go into the bin.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

from inventory.cli.demo import closing, hall
from inventory.cli.demo.memory import Memory
from inventory.cli.demo.sizes import Size
from inventory.cli.processes import Processes, ProcessFailed

CARDS = 5
"""In the stack at each start, the spoiled one on top."""
_READY_SECONDS = 120.0
_LOOK_SECONDS = 0.05


def open_kiosk(
    processes: Processes, memory: Memory, size: Size, address: str, folder: Path, env: Mapping[str, str]
) -> None:
    """Start dispenser, station and payment desk; a keeper makes a browser the machine's screen then.

    Raises
    ------
    DemoFailed
        The hall has too few blanks left that were in no machine yet.
    ProcessFailed
        One of them does not start.
    """
    numbers = memory.next_kiosk_cards(size.cards_with_the_hall, CARDS)
    stack = [
        hall.make_card(memory, number, folder / "cards", spoiled=place == 0) for place, number in enumerate(numbers)
    ]
    port = folder / "dispenser"  # a name that stays: the pseudo-terminal behind it is another one each time
    port.unlink(missing_ok=True)
    bench = [sys.executable, "-P", "-m", "cardwriter.virtual.kiosk_bench", "--port", str(port)]
    processes.start("dispenser", [*bench, *map(str, stack)], env=env)
    until = time.monotonic() + _READY_SECONDS
    while not port.is_symlink():
        processes.check()
        if time.monotonic() > until:
            raise ProcessFailed(f"no dispenser after {_READY_SECONDS:.0f} s")
        time.sleep(_LOOK_SECONDS)
    hall.open_station(processes, memory, address, folder / "kiosk", env, readers=f"crt:{port}")
    login = closing.variables_of(memory.logins["acceptance"], address)
    desk = [sys.executable, "-P", "-m", "inventory.cli.demo.payments"]
    processes.start("payments", desk, env={**env, **login})
