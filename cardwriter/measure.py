"""Measure the card path on virtual cards: `python -m cardwriter.measure`, one JSON object a line.

What is counted and timed: one card written and read back by the scripts of its profile, run by the station's runner.
Against it the same commands sent by a bare client of the PC/SC service, without journal, checks or threads. A module
beside the packages because it puts both halves together, the brain and the hands, which the product never does.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final

from typing_extensions import override

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
from cardwriter.virtual import bench
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import VirtualUicc
from drivers.base import ReaderSource
from drivers.pcsc import PcscSource
from drivers.trace import TracingConnection
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


class CountedUicc(VirtualUicc):
    """A card that keeps every command it was sent, as on the wire."""

    def __init__(self, image: CardImage) -> None:
        super().__init__(image)
        self.seen: list[bytes] = []

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
            traced = TracingConnection(card, lambda _line: None)
            return run(traced, script, entry, on_step=lambda *_: None, cancelled=lambda: False, now=_NOW)
        finally:
            card.close()
            self.journal.acknowledge(script.id)


class BareCard:
    """A card held through the C library of PC/SC and nothing else: the raw engine of the card path."""

    _EXCLUSIVE, _T0, _LEAVE, _RESET, _SYSTEM = 1, 1, 0, 1, 2
    _LONGEST_ANSWER = 258

    def __init__(self, reader: str) -> None:
        self._library = ctypes.CDLL("libpcsclite.so.1")
        self._context, self._card, self._active = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
        self._header = ctypes.c_char.in_dll(self._library, "g_rgSCardT0Pci")
        self._answer = ctypes.create_string_buffer(self._LONGEST_ANSWER)
        self._call("SCardEstablishContext", ctypes.c_ulong(self._SYSTEM), None, None, ctypes.byref(self._context))
        name, card, active = reader.encode(), ctypes.byref(self._card), ctypes.byref(self._active)
        share, protocol = ctypes.c_ulong(self._EXCLUSIVE), ctypes.c_ulong(self._T0)
        self._call("SCardConnect", self._context, name, share, protocol, card, active)

    def reset(self) -> None:
        """Reset the card."""
        share, protocol, reset = (ctypes.c_ulong(value) for value in (self._EXCLUSIVE, self._T0, self._RESET))
        self._call("SCardReconnect", self._card, share, protocol, reset, ctypes.byref(self._active))

    def transmit(self, apdu: bytes) -> None:
        """Send one command and take its answer."""
        length, room = ctypes.c_ulong(len(apdu)), ctypes.c_ulong(self._LONGEST_ANSWER)
        header = ctypes.byref(self._header)
        self._call("SCardTransmit", self._card, header, apdu, length, None, self._answer, ctypes.byref(room))

    def close(self) -> None:
        """Let go of the card."""
        self._call("SCardDisconnect", self._card, ctypes.c_ulong(self._LEAVE))
        self._call("SCardReleaseContext", self._context)

    def _call(self, name: str, *arguments: object) -> None:
        result = getattr(self._library, name)(*arguments) & 0xFFFFFFFF
        if result:
            raise RuntimeError(f"{name}: 0x{result:08X}")


def apdus(folder: Path) -> tuple[dict[str, Any], list[list[bytes]]]:
    """Count the commands of one card, and give them: those of the write script, those of the verify script."""
    card = CountedUicc(blank(0))
    journal = Journal(folder / "counted")
    desk = Desk(VirtualSource(card), "virtual", journal)
    desk.identify()
    identify, card.seen = len(card.seen), []
    starts: list[int] = []
    reset = card.reset

    def marked() -> bytes:
        starts.append(len(card.seen))
        return reset()

    card.reset = marked  # type: ignore[method-assign]  # each script starts with a reset
    desk.round()
    journal.close()
    write, verify = card.seen[: starts[-1]], card.seen[starts[-1] :]
    figures = {"unit": "APDUs", "identify": identify, "write": len(write), "verify": len(verify), "files": 12}
    return within("card.apdus", len(card.seen), APDU_LIMIT, **figures), [write, verify]


def overhead(desk: Desk, commands: Sequence[Sequence[bytes]], *, rounds: int) -> dict[str, Any]:
    """Compare the time of our rounds with that of the bare commands, by turns on the same card."""
    desk.identify()
    ours, raw = [], []
    for _ in range(rounds):
        ours.append(_seconds(desk.round))
        raw.append(_seconds(lambda: _send_bare(desk.reader, commands)))
    above = median(ours) / median(raw) - 1
    figures = {"unit": "ms", "ours": median(ours) * 1000, "raw": median(raw) * 1000, "above": above, "cards": rounds}
    return measurement("card.overhead", median(raw) / median(ours), 1 / (1 + OVERHEAD_LIMIT), **figures)


def parallel(desks: Sequence[Desk], *, rounds: int, alone: float | None) -> tuple[dict[str, Any], float]:
    """Write cards on all desks at once; compare cards per second with so many times `alone`, the rate of one."""
    for desk in desks:
        desk.identify()
    busy = _Busy()
    with ThreadPoolExecutor(len(desks)) as threads:
        seconds = _seconds(lambda: list(threads.map(lambda desk: _rounds(desk, rounds), desks)))
    count, cpu = len(desks), busy.share()
    rate = count * rounds / seconds
    ratio = rate / (count * (alone or rate))
    figures = {"unit": "cards/s", "ours": rate, "raw": count * (alone or rate), "cards": count * rounds, "cpu": cpu}
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

    The C library reads the service's address once a process: only one of these can be open in the life of a process.
    """
    cards = []
    for number in range(count):
        path = folder / f"card{number}.json"
        blank(number).save(path)
        cards.append(path)
    with bench.running(readers=count, cards=cards, wire=wire) as running:
        os.environ["PCSCLITE_CSOCK_NAME"] = str(running.socket)
        source = PcscSource()
        journal = Journal(folder / "station")
        _wait_for_cards(source, count)
        try:
            yield [Desk(source, slot.reader, journal) for slot in running.slots[:count]]
        finally:
            source.close()
            journal.close()
            shutil.rmtree(folder / "station")


def measure(folder: Path, *, wire: str, rounds: int, readers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Take all measurements, in a folder of their own."""
    counted, commands = apdus(folder)
    yield counted
    with desks(folder, max(readers), wire) as all_desks:
        yield {**overhead(all_desks[0], commands, rounds=rounds), "wire": wire}
        alone = None
        for count in readers:
            found, rate = parallel(all_desks[:count], rounds=rounds, alone=alone)
            alone = alone or rate / count
            yield {**found, "wire": wire}


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
        for commands in scripts:
            card.reset()
            for command in commands:
                card.transmit(command)
    finally:
        card.close()


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
