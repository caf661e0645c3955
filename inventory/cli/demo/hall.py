"""The demo's hall: a private PC/SC daemon with a virtual reader, a blank card in it, and a station on it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from inventory.cli.demo.memory import Memory
from inventory.cli.demo.vendor import SCP03, SCP03_VERSION, Article, DemoVendor, VendorCard, article_of
from inventory.cli.processes import Processes, ProcessFailed

_READY_SECONDS = 120.0
_LOOK_SECONDS = 0.05
_FACTORY_KEY = bytes(16).hex()
"""In a card until it is given its own."""


@dataclass(frozen=True)
class Hall:
    """The running bench: its PC/SC socket and the control sockets of its readers."""

    socket: str
    controls: tuple[str, ...]
    isolated: bool

    def insert(self, card: Path, *, reader: int = 0) -> None:
        """Put a card into a reader, the first unless another is named, in place of the one before."""
        _run("cardwriter.virtual.cards", ["insert", str(card), "--control", self.controls[reader]])


def _run(module: str, arguments: list[str], *, given: str = "") -> str:
    """Run one of our modules to its end and return what it prints; what it may not print goes in by `given`.

    Raises
    ------
    ProcessFailed
        It ended with an error.
    """
    done = subprocess.run(  # noqa: S603 - our own modules, no shell
        [sys.executable, "-P", "-m", module, *arguments], input=given, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise ProcessFailed(f"{module} ended with status {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def iccid_of(memory: Memory, number: int) -> str:
    """Return the ICCID of the vendor's card with this number."""
    return DemoVendor(bytes.fromhex(memory.seed)).card(number).iccid


def make_card(memory: Memory, number: int, folder: Path, *, spoiled: bool = False) -> Path:
    """Take the vendor's card with this number out of the box: its image, made once, keeps what is written to it.

    A spoiled one has another OPc than its delivery says, which its proof shows.
    """
    path = folder / f"card-{number:06d}.json"
    if not path.exists():
        wish = _inside(DemoVendor(bytes.fromhex(memory.seed)).card(number), article_of(number))
        wish |= {"opc": _FACTORY_KEY} if spoiled else {}
        _run("cardwriter.virtual.cards", ["make", str(path)], given=json.dumps(wish))
    return path


def _inside(card: VendorCard, article: Article) -> dict[str, Any]:
    """Return what the factory has put into a card; one with a secure channel gets its K and OPc in the hall."""
    secret = {name: getattr(card, name).hex() for name in ("k", "opc", "adm1")}
    plain = {name: getattr(card, name) for name in ("iccid", "serial", "pin1", "puk1")}
    wish = {"profile": article.profile, **secret, **plain}
    if article is SCP03:
        channel = {"version": SCP03_VERSION, "enc": card.scp_enc.hex(), "mac": card.scp_mac.hex()}
        wish |= {"k": _FACTORY_KEY, "opc": _FACTORY_KEY, "channel": channel}
    return wish


def files_of(card: Path) -> dict[str, str]:
    """Return the files of the card as hex, by name."""
    shown: dict[str, str] = json.loads(_run("cardwriter.virtual.cards", ["show", str(card)]))
    return shown


def open_hall(processes: Processes, cards: Sequence[Path], folder: Path, env: Mapping[str, str]) -> Hall:
    """Start the PC/SC daemon with two readers and the cards in them, the first in the first.

    Raises
    ------
    ProcessFailed
        It does not start.
    """
    ready = folder / "bench.json"
    ready.unlink(missing_ok=True)
    bench = [sys.executable, "-P", "-m", "cardwriter.virtual.bench"]
    inserted = [part for card in cards for part in ("--card", str(card))]
    processes.start("reader", [*bench, "--ready-file", str(ready), "--readers", "2", *inserted], env=env)
    until = time.monotonic() + _READY_SECONDS
    while not ready.exists():
        processes.check()
        if time.monotonic() > until:
            raise ProcessFailed(f"no card reader after {_READY_SECONDS:.0f} s:\n{processes.children[-1].last_words()}")
        time.sleep(_LOOK_SECONDS)
    wire = json.loads(ready.read_text())
    return Hall(wire["socket"], tuple(slot["control"] for slot in wire["slots"]), wire["isolated"])


def open_station(
    processes: Processes, memory: Memory, address: str, data: Path, env: Mapping[str, str], *, readers: str = "pcsc:"
) -> None:
    """Start a station on its readers, with a one-time code to enrol with if it has no credential of this service."""
    station = [sys.executable, "-P", "-m", "cardwriter.station", "run", "--service", address, "--data", str(data)]
    code = {} if _is_enrolled(data, address) else {"HAOKA_STATION_CODE": _enrolment_code(memory, address)}
    processes.start(data.name, [*station, "--readers", readers], env={**env, **code})


def _is_enrolled(data: Path, address: str) -> bool:
    """Tell whether the station's credential is this service's; one from before scripts were signed names no signer."""
    try:
        kept: dict[str, Any] = json.loads((data / "credential.json").read_text())
    except FileNotFoundError:
        return False
    return kept.get("service") == address and "signer" in kept


def _enrolment_code(memory: Memory, address: str) -> str:
    """Ask the service for a code as the hall keeper."""
    keeper = memory.logins["keeper"]
    answer = httpx2.post(
        f"{address}/v1/stations:code",
        json={"org_id": memory.places["square"]},
        headers={
            "Haoka-Interface": keeper.interface_no,
            "Haoka-Staff": keeper.staff_no,
            "Authorization": f"Bearer {keeper.key}",
            "Idempotency-Key": os.urandom(16).hex(),
        },
        timeout=_READY_SECONDS,
        trust_env=False,
    )
    document: dict[str, Any] = answer.json()
    if answer.is_error:
        raise ProcessFailed(f"no enrolment code: {document['code']}: {document['detail']}")
    return str(document["code"])
