"""Measure the card path on virtual cards: `python -m cardwriter.measure`, one JSON object a line.

What is counted and timed: one card written and read back by the scripts of its profile, run by the station's runner.
Against it the same commands sent by a bare client of the PC/SC service, without journal, checks or threads. A module
beside the packages because it puts both halves together, the brain and the hands, which the product never does.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from typing_extensions import override

from cardwriter.bare import Bare, BareCard, BareDispenser, BareModem, BarePhoenix
from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import (
    CardFacts,
    Expectation,
    Kind,
    Personalisation,
    challenge,
    identify_script,
    profile,
    read_facts,
)
from cardwriter.script import Report, Script
from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from cardwriter.usim.network import Act, PlmnAct
from cardwriter.usim.texts import Spn
from cardwriter.virtual import bench, serial_bench
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.serial_bench import SERVERS
from cardwriter.virtual.uicc import VirtualUicc
from drivers import at_modem, crt_device
from drivers.at_modem import open_modem
from drivers.base import ReaderSource
from drivers.dispenser import open_dispenser
from drivers.pcsc import PcscSource
from drivers.phoenix import open_phoenix
from drivers.virtual import VirtualSource

APDU_LIMIT: Final = 40
OVERHEAD_LIMIT: Final = 0.10
PARALLEL_TARGET: Final = 0.8
CPU_FULL: Final = 0.9
"""From this share of all processors on, more readers cannot bring more cards."""
_PROFILE: Final = profile("preset_key")
_NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)
_LATER: Final = int(_NOW.timestamp()) + 3600
_K: Final = Secret.fromhex("465b5ce8b199b49faa5f0a2ee238a6bc")
_OPC: Final = Secret.fromhex("cd63cb71954a9f4e48a5994e37a02baf")
"""Test set 1 of TS 35.207 clause 4: no card in the world has them."""
_ADM1: Final = Secret(b"83726150")
_RAND: Final = bytes(range(16))
_LOOKS: Final = 30


def data() -> Personalisation:
    """Return what is written: the twelve files of a plain USIM, without a number on the card."""
    return Personalisation(
        imsi="460001234567890",
        mnc_length=2,
        smsc="8613800100500",
        spn=Spn("HAOKA"),
        hplmns=(PlmnAct("46000", Act.E_UTRAN | Act.UTRAN | Act.GSM),),
        ehplmns=("46000", "46002", "46007", "46008"),
        adm1=_ADM1,
    )


def blank(number: int) -> CardImage:
    """Return a blank card of the family that is measured."""
    return blank_card(iccid=f"89860012{number:012d}", serial=f"{number:020d}", k=_K, opc=_OPC, adm1=_ADM1)


_CALM: Final = 60.0
_READERS: Final[dict[str, Callable[[str], ReaderSource]]] = {
    "at": lambda port: open_modem(port, patience=at_modem.Patience(card=_CALM, modem=_CALM, restart=_CALM)),
    "crt": lambda port: open_dispenser(
        port, patience=crt_device.Patience(card=_CALM, movement=_CALM, device=_CALM, acknowledgement=_CALM)
    ),
    "phoenix": lambda port: open_phoenix(f"{port}?detect=cts", latency=_CALM),
}
"""The drivers of readers on serial lines, more patient than in a hall: what else runs may hold a virtual reader up."""
_BARE: Final[dict[str, Callable[[str], Bare]]] = {
    "at": BareModem,
    "crt": BareDispenser,
    "phoenix": lambda port: BarePhoenix(port, blank(0).atr),
}


class CountedUicc(VirtualUicc):
    """A card that keeps every command it was sent, as on the wire, and how many it had had at each reset."""

    def __init__(self, image: CardImage) -> None:
        super().__init__(image)
        self.seen: list[bytes] = []
        self.starts: list[int] = []

    @override
    def reset(self) -> bytes:
        """Reset the card, as each script begins, and keep where."""
        self.starts.append(len(self.seen))
        return super().reset()

    @override
    def transmit(self, apdu: bytes) -> bytes:
        """Answer one TPDU and keep it."""
        self.seen.append(apdu)
        return super().transmit(apdu)


@dataclass
class Desk:
    """One reader with a card in it: writes the card and reads it back, as often as asked."""

    source: ReaderSource
    reader: str
    journal: Journal
    facts: CardFacts | None = None
    _serial: Iterator[int] = field(default_factory=lambda: iter(range(1 << 30)))

    def identify(self) -> CardFacts:
        """Find out once what card it is: every round writes it as if it were still blank."""
        if self.facts is None:
            self.facts = read_facts(self._run(identify_script(self._name(), _LATER)))
        return self.facts

    def round(self) -> None:
        """Write the card, read it back and judge it.

        Raises
        ------
        RuntimeError
            The card did not end verified.
        """
        facts = self.identify()
        keys = Milenage(_K, _OPC)
        asked = challenge(keys, _RAND)
        write = _PROFILE.write_script(facts, data(), self._name(), _LATER)
        _PROFILE.judge_write(write, self._run(write))
        verify = _PROFILE.verify_script(facts, data(), asked, self._name(), _LATER)
        verdict = _PROFILE.judge_verify(verify, self._run(verify), Expectation(facts, data(), keys, asked))
        if verdict.kind is not Kind.VERIFIED:
            raise RuntimeError(f"the card ended {verdict}")

    def _name(self) -> str:
        return f"{self.reader}-{next(self._serial)}"

    def _run(self, script: Script) -> Report:
        entry = self.journal.open(script, job=None, reader=self.reader, insertion=1)
        if entry is None:
            raise RuntimeError(f"{script.id} was run before")
        card = self.source.connect(self.reader)
        try:
            return run(card, script, entry, on_step=lambda *_: None, cancelled=lambda: False, now=_NOW)
        finally:
            card.close()
            self.journal.acknowledge(script.id)


def apdus(folder: Path) -> tuple[dict[str, Any], list[list[bytes]]]:
    """Count the commands of one card, and give them: those of the write script, those of the verify script."""
    card = CountedUicc(blank(0))
    journal = Journal(folder / "counted")
    desk = Desk(VirtualSource(card), "virtual", journal)
    desk.identify()
    identify, card.seen = len(card.seen), []
    desk.round()
    journal.close()
    write, verify = card.seen[: card.starts[-1]], card.seen[card.starts[-1] :]
    figures = {"unit": "APDUs", "identify": identify, "write": len(write), "verify": len(verify), "files": 12}
    return within("card.apdus", len(card.seen), APDU_LIMIT, **figures), [write, verify]


def overhead(desk: Desk, bare: Callable[[], object], *, rounds: int, driver: str = "pcsc") -> dict[str, Any]:
    """Compare the time of our rounds with that of the bare commands, by turns."""
    desk.identify()
    ours, raw = [], []
    for _ in range(rounds):
        ours.append(_seconds(desk.round))
        raw.append(_seconds(bare))
    above = median(ours) / median(raw) - 1
    figures = {"unit": "ms", "ours": median(ours) * 1000, "raw": median(raw) * 1000, "above": above, "cards": rounds}
    name = "card.overhead" if driver == "pcsc" else f"card.overhead.{driver}"
    return measurement(name, median(raw) / median(ours), 1 / (1 + OVERHEAD_LIMIT), **figures)


def serial_apdus(driver: str, folder: Path) -> dict[str, Any]:
    """Count the commands of one card in a serial reader, those by which its driver looks after the card included."""
    card = CountedUicc(blank(0))
    with ExitStack() as stack:
        journal = stack.enter_context(closing(Journal(folder / f"counted-{driver}")))
        source = stack.enter_context(closing(_READERS[driver](SERVERS[driver](card))))
        (reader,) = source.wait(0)
        desk = Desk(source, reader.name, journal)
        desk.identify()
        card.seen = []
        desk.round()
    return within(f"card.apdus.{driver}", len(card.seen), APDU_LIMIT, unit="APDUs", files=12)


def serial_overhead(
    driver: str, commands: Sequence[Sequence[bytes]], folder: Path, *, wire: str, rounds: int
) -> dict[str, Any]:
    """Compare as `overhead` does in a serial reader: two of them, one ours and one of the bare client's."""
    path = folder / f"card-{driver}.json"
    blank(0).save(path)
    with ExitStack() as stack:
        ours, raw = (stack.enter_context(_serial_reader(driver, path, wire)) for _ in range(2))
        source = stack.enter_context(closing(_READERS[driver](ours)))
        journal = stack.enter_context(closing(Journal(folder / f"timed-{driver}")))
        (reader,) = source.wait(0)
        bare = stack.enter_context(closing(_BARE[driver](raw)))
        desk = Desk(source, reader.name, journal)
        return overhead(desk, lambda: _send(bare, commands), rounds=rounds, driver=driver)


@contextmanager
def _serial_reader(driver: str, card: Path, wire: str) -> Iterator[str]:
    """Run a reader with this card as a process of its own while the block lasts; gives its address for pyserial."""
    command = [sys.executable, "-m", serial_bench.__name__, driver, str(card), "--wire", wire]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        if process.stdout is None or not (address := process.stdout.readline().strip()):
            raise RuntimeError(f"no {driver} reader came up")
        yield address


def parallel(desks: Sequence[Desk], *, rounds: int, alone: float | None) -> tuple[dict[str, Any], float]:
    """Write cards on all desks at once; compare cards per second with so many times `alone`, the rate of one."""
    for desk in desks:
        desk.identify()
    busy, spent = _Busy(), _Spent()
    with ThreadPoolExecutor(len(desks)) as threads:
        seconds = _seconds(lambda: list(threads.map(lambda desk: _rounds(desk, rounds), desks)))
    count, cpu = len(desks), busy.share()
    ours, virtual = (1000 * seconds / (count * rounds) for seconds in spent.seconds())
    rate = count * rounds / seconds
    ratio = rate / (count * (alone or rate))
    figures = {"unit": "cards/s", "ours": rate, "raw": count * (alone or rate), "cards": count * rounds, "cpu": cpu}
    figures |= {"cpu_ours": ours, "cpu_virtual": virtual}
    found = measurement(f"card.readers_{count}", ratio, PARALLEL_TARGET, **figures)
    # Beyond a full CPU no number of readers brings more: the target ends there.
    return {**found, "cpu_full": cpu >= CPU_FULL, "ok": found["ok"] or cpu >= CPU_FULL}, rate


def measurement(name: str, ratio: float, target: float, **figures: Any) -> dict[str, Any]:
    """Return a measurement as `haoka bench` prints it: our side as a ratio of the raw one, 1 is as good."""
    rounded = {key: float(f"{value:.4g}") if isinstance(value, float) else value for key, value in figures.items()}
    return {"name": name, "ratio": float(f"{ratio:.4g}"), "target": target, "ok": ratio >= target, **rounded}


def within(name: str, value: float, limit: float, **figures: Any) -> dict[str, Any]:
    """Return the measurement of something that may be `limit` at most."""
    return measurement(name, limit / value, 1.0, ours=value, raw=limit, **figures)


@contextmanager
def desks(folder: Path, count: int, wire: str) -> Iterator[list[Desk]]:
    """Run a private PC/SC service with `count` virtual readers and a blank card in each; one station's journal.

    What is written stays in the memory of the cards: a real card writes its own, and costs the PC nothing by it. The
    journal is in `folder`.

    The C library reads the service's address once a process: only one of these can be open in the life of a process.
    """
    with ExitStack() as stack:
        drawer = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="haoka-cards-", dir=folder)))
        cards = [drawer / f"card{number}.json" for number in range(count)]
        for number, path in enumerate(cards):
            blank(number).save(path)
        running = stack.enter_context(bench.running(readers=count, cards=cards, wire=wire, forgetful=True))
        os.environ["PCSCLITE_CSOCK_NAME"] = str(running.socket)
        source = stack.enter_context(closing(PcscSource()))
        stack.callback(shutil.rmtree, folder / "station")
        journal = stack.enter_context(closing(Journal(folder / "station")))
        _wait_for_cards(source, count)
        yield [Desk(source, slot.reader, journal) for slot in running.slots[:count]]


def measure(folder: Path, *, wire: str, rounds: int, readers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Take all measurements, in a folder of their own."""
    counted, commands = apdus(folder)
    yield counted
    with desks(folder, max(readers), wire) as all_desks:
        desk = all_desks[0]
        yield {**overhead(desk, lambda: _send_bare(desk.reader, commands), rounds=rounds), "wire": wire}
        alone = None
        for count in readers:
            found, rate = parallel(all_desks[:count], rounds=rounds, alone=alone)
            alone = alone or rate / count
            yield {**found, "wire": wire}
    for driver in SERVERS:
        yield serial_apdus(driver, folder)
        yield {**serial_overhead(driver, commands, folder, wire=wire, rounds=rounds), "wire": wire}


class _Spent:
    """Processor time since the start: of this process, and of all that it started and that still runs."""

    def __init__(self) -> None:
        self._before = self._look()

    def seconds(self) -> tuple[float, float]:
        """Return both."""
        ours, theirs = (now - before for now, before in zip(self._look(), self._before, strict=True))
        return ours, theirs

    @staticmethod
    def _look() -> tuple[float, float]:
        return time.process_time(), sum(map(_ticks, _descendants(os.getpid()))) / os.sysconf("SC_CLK_TCK")


class _Busy:
    """How busy all processors are between two looks."""

    def __init__(self) -> None:
        self._before = self._look()

    def share(self) -> float:
        """Return the share of the time since the start in which processors worked."""
        total, idle = (now - before for now, before in zip(self._look(), self._before, strict=True))
        return 1 - idle / total if total else 1.0

    @staticmethod
    def _look() -> tuple[int, int]:
        """Return all ticks and the idle ones (proc(5), /proc/stat: user nice system idle iowait …)."""
        ticks = [int(field) for field in Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:9]]
        return sum(ticks), ticks[3] + ticks[4]


def _descendants(process: int) -> Iterator[int]:
    """Give all processes below this one (proc(5), /proc/pid/task/tid/children)."""
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        for child in map(int, children.read_text(encoding="ascii").split()):
            yield child
            yield from _descendants(child)


def _ticks(process: int) -> int:
    """Return the ticks a process has worked (proc(5), /proc/pid/stat: utime and stime after the name)."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _rounds(desk: Desk, rounds: int) -> None:
    for _ in range(rounds):
        desk.round()


def _send_bare(reader: str, scripts: Sequence[Sequence[bytes]]) -> None:
    card = BareCard(reader)
    try:
        _send(card, scripts)
    finally:
        card.close()


def _send(card: Bare, scripts: Sequence[Sequence[bytes]]) -> None:
    for commands in scripts:
        card.reset()
        for command in commands:
            card.transmit(command)


def _wait_for_cards(source: PcscSource, count: int) -> None:
    """Wait until the service has seen every card."""
    for _ in range(_LOOKS):
        if sum(bool(state.atr) for state in source.wait(1.0)) >= count:
            return
    raise RuntimeError("the PC/SC service did not see the cards")


def main() -> None:
    """Measure and print one JSON object a line."""
    parser = argparse.ArgumentParser(description="Measure the card path on virtual cards in a real PC/SC service.")
    parser.add_argument("--rounds", type=int, default=20, help="cards written per measurement and reader")
    parser.add_argument("--readers", default="1,4,8", help="how many readers at once, one after the other")
    parser.add_argument("--wire", default="512/32", help="speed of the card's wire, as F/D")
    options = parser.parse_args()
    readers = [int(count) for count in options.readers.split(",")]
    with tempfile.TemporaryDirectory(prefix="haoka-measure-") as folder:
        for found in measure(Path(folder), wire=options.wire, rounds=options.rounds, readers=readers):
            sys.stdout.write(f"{json.dumps(found)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
