"""A station at rest, which prints at each look at its readers how often its threads have woken up so far."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from typing_extensions import override

from cardwriter.station.app import Station
from cardwriter.station.readers import LOOK_AGAIN
from drivers.base import ReaderState
from drivers.virtual import VirtualSource
from tests.station.fake_service import trust
from tests.station.tiny_card import TinyCard


def wakes() -> int:
    """Count how often a thread of this process gave up the processor to wait (proc(5), voluntary_ctxt_switches)."""
    found = 0
    for status in Path("/proc/self/task").glob("*/status"):
        found += int(status.read_text().split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return found


class Counted(VirtualSource):
    """Readers at which each look is counted; `haste` looks are made in the time of one, as a polling driver would."""

    haste = 1

    @override
    def wait(self, timeout: float) -> tuple[ReaderState, ...]:
        """Print the count, then wait."""
        if timeout == LOOK_AGAIN:
            sys.stdout.write(f"{wakes()}\n")
            sys.stdout.flush()
        for _ in range(self.haste - 1):
            super().wait(timeout / self.haste)
        return super().wait(timeout / self.haste)


def main(service: str, credential: str, data: str, haste: str) -> None:
    """Run until SIGTERM."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    source = Counted(TinyCard())
    source.haste = int(haste)
    station = Station(
        source,
        service=service,
        credential=credential,
        trust=trust(),
        data=Path(data),
        tell=lambda *_, **__: None,
        on_end=lambda: None,
    )
    station.start()
    signal.sigwait({signal.SIGTERM})
    station.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
