"""The body of a self-service machine for trials: a card dispenser on a pseudo-terminal, and customers at its gate.

`python -m cardwriter.virtual.kiosk_bench --port LINK CARD …` fills the images into the stack, the first on top, makes
the link to the port for pyserial when it is ready, and lets whoever stands there take a card from the gate after a
while.
What is written to the cards is kept as long as the process runs.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cardwriter.virtual.dispenser import Dispenser
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.serial_bench import PacedCard, PtyBench
from cardwriter.virtual.uicc import VirtualUicc
from cardwriter.virtual.vpcd import Wire

_WIRE: Final = Wire(372, 1)
"""The speed at which every card begins (ISO/IEC 7816-3 §8.1), slow enough to watch a card being written."""
_TAKEN_AFTER: Final = 8.0
_LOOK_SECONDS: Final = 0.2


@dataclass
class Customers:
    """Those who take their cards from the gate, `patience` seconds after each has come out."""

    dispenser: Dispenser
    patience: float
    _since: float | None = None

    def look(self, moment: float) -> None:
        """See at a monotonic moment whether a card is at the gate, and take it if it has been for long enough."""
        if self.dispenser.gate is None:
            self._since = None
        elif self._since is None:
            self._since = moment
        elif moment - self._since >= self.patience:
            self.dispenser.gate = self._since = None


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description="A virtual card dispenser whose cards are taken from the gate.")
    parser.add_argument("cards", type=Path, nargs="*", help="card images, from the top of the stack")
    parser.add_argument("--port", type=Path, required=True, help="the link to be made")
    parser.add_argument("--taken-after", type=float, default=_TAKEN_AFTER, help="seconds")
    options = parser.parse_args()
    cards = [PacedCard(VirtualUicc(CardImage.load(path)), _WIRE) for path in options.cards]
    dispenser = Dispenser(stacker=[*cards])
    options.port.symlink_to(PtyBench(dispenser).url)
    customers, ended = Customers(dispenser, options.taken_after), threading.Event()
    while not ended.wait(_LOOK_SECONDS):
        customers.look(time.monotonic())


if __name__ == "__main__":
    main()
