"""Finds out what keeps this PC from writing cards; changes nothing and spends no try of any code."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx2

from cardwriter.station import enrol
from cardwriter.station.app import AlreadyRunningError, lock
from cardwriter.station.link import LinkRefusedError, is_loopback, knock
from drivers.base import CardConnection, Presence, ReaderSource, ReaderState
from drivers.errors import DriverError, ServiceDownError

SELECT_MF: Final = bytes.fromhex("00a4000c023f00")  # TS 102 221 §11.1.1: asks for no data, changes nothing
APDUS: Final = 100
RESETS: Final = 3
LARGEST_SKEW: Final = 30.0
"""Seconds: a script expires by this PC's clock a few minutes after the service made it."""
HANDS_SECONDS: Final = 60.0
"""How long the card's removal is waited for."""
_TIMEOUT: Final = 10.0
_LIVE: Final = "/v1/health/live"


class Result(StrEnum):
    """How a check came out."""

    OK = "ok"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """One check: its sentence is `texts.TEXTS["selftest_" + code]` with these values; they hold nothing secret."""

    check: str
    result: Result
    code: str
    values: dict[str, Any] = field(default_factory=dict)


def _ok(check: str, code: str | None = None, **values: Any) -> Finding:
    return Finding(check, Result.OK, code or f"{check}_ok", values)


def _skipped(check: str, code: str, **values: Any) -> Finding:
    return Finding(check, Result.SKIPPED, code, values)


def _failed(check: str, code: str, **values: Any) -> Finding:
    return Finding(check, Result.FAILED, code, values)


def selftest(
    source: ReaderSource,
    *,
    data: Path,
    clock: Callable[[], datetime],
    ask: Callable[[str], None] | None = None,
    hands: float = HANDS_SECONDS,
) -> Iterator[Finding]:
    """Check readers, cards, disk, service, credential and clock, each finding as it is found.

    Parameters
    ----------
    source
        The readers; each one is tried with the card in it.
    data
        The station's data folder. While its station runs, cards are left alone: a job may come at any moment.
    clock
        Gives the current time, aware; it is what is held against the service's.
    ask
        Asks the person to take the card out of the reader named; None leaves removal untried.
    hands
        Seconds that the person has for it.
    """
    free = _folder_is_free(data)
    yield from _readers(source, free=free, ask=ask, hands=hands)
    yield from _disk(data)
    yield from _service(data, clock)


def _folder_is_free(data: Path) -> bool:
    try:
        lock(data).release()
    except AlreadyRunningError:
        return False
    except OSError:  # the check of the disk will say it
        return True
    return True


def _readers(source: ReaderSource, *, free: bool, ask: Callable[[str], None] | None, hands: float) -> Iterator[Finding]:
    try:
        states = source.wait(0)
    except ServiceDownError:
        yield _failed("reader", "reader_service")
        return
    if not states:
        yield _failed("reader", "reader_none")
    for state in states:
        yield _ok("reader", reader=state.name)
        if not free:
            yield _skipped("card", "card_station_runs", reader=state.name)
        elif state.presence is Presence.NO_CARD:
            yield _skipped("card", "card_none", reader=state.name)
        else:
            yield from _card(source, state.name)
            if ask is not None:
                yield _removal(source, state, ask, hands)


def _card(source: ReaderSource, reader: str) -> Iterator[Finding]:
    try:
        card = source.connect(reader)
    except DriverError as error:
        yield _failed("card", "card_failed", reader=reader, error=error.code, detail=error.detail)
        return
    try:
        yield _ok("card", reader=reader, atr=card.atr.hex())
        yield _apdus(card, reader)
        yield _resets(card, reader)
    except DriverError as error:
        yield _failed("card", "card_failed", reader=reader, error=error.code, detail=error.detail)
    finally:
        card.close()


def _apdus(card: CardConnection, reader: str) -> Finding:
    """Send harmless commands and time each, in milliseconds."""
    times, refused = [], 0
    for _ in range(APDUS):
        began = time.perf_counter()
        _, sw = card.transmit(SELECT_MF)
        times.append((time.perf_counter() - began) * 1000)
        refused += sw >> 8 not in {0x90, 0x91}
    figures: dict[str, Any] = {
        "reader": reader,
        "count": APDUS,
        "median": round(median(times), 2),
        "slowest": round(max(times), 2),
    }
    return _failed("apdus", "apdus_refused", refused=refused, **figures) if refused else _ok("apdus", **figures)


def _resets(card: CardConnection, reader: str) -> Finding:
    answers = {card.reset() for _ in range(RESETS)}
    if answers == {card.atr} and card.atr:
        return _ok("resets", reader=reader, count=RESETS)
    return _failed("resets", "resets_differ", reader=reader, count=RESETS)


def _removal(source: ReaderSource, before: ReaderState, ask: Callable[[str], None], hands: float) -> Finding:
    ask(before.name)
    began, end = time.monotonic(), time.monotonic() + hands
    while (left := end - time.monotonic()) > 0:
        now = next((state for state in source.wait(left) if state.name == before.name), None)
        if now is None or now.presence is Presence.NO_CARD:
            return _ok("removal", reader=before.name, seconds=round(time.monotonic() - began, 1))
    return _failed("removal", "removal_unseen", reader=before.name)


def _disk(data: Path) -> Iterator[Finding]:
    """Write a file as the journal does, to the disk and not only to its cache."""
    began = time.perf_counter()
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=data, prefix="selftest-") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        yield _failed("disk", "disk_failed", folder=os.fspath(data), reason=error.strerror)
    else:
        yield _ok("disk", folder=os.fspath(data), milliseconds=round((time.perf_counter() - began) * 1000, 1))


def _service(data: Path, clock: Callable[[], datetime]) -> Iterator[Finding]:
    try:
        credential = enrol.load(data)
    except enrol.OutdatedCredentialError:
        yield _failed("credential", "credential_outdated")
        return
    except (OSError, TypeError, ValueError):
        yield _failed("credential", "credential_unreadable", folder=os.fspath(data))
        return
    if credential is None:
        yield _skipped("service", "service_unknown")
        return
    address = credential.service
    try:
        with httpx2.Client(timeout=_TIMEOUT, trust_env=not is_loopback(address)) as client:
            answer = client.get(address + _LIVE)
    except httpx2.HTTPError as error:
        yield _failed("service", "service_unreachable", service=address, reason=type(error).__name__)
        return
    now = clock()
    if answer.status_code != HTTPStatus.OK:
        yield _failed("service", "service_other", service=address, status=answer.status_code)
        return
    yield _ok("service", service=address, milliseconds=round(answer.elapsed.total_seconds() * 1000))
    yield _credential(credential)
    yield _clock(answer.headers.get("date", ""), now)


def _credential(credential: enrol.Credential) -> Finding:
    try:
        knock(credential.service, credential.secret)
    except LinkRefusedError as error:
        return _failed("credential", "credential_refused", status=error.values.get("status", "–"))
    except OSError as error:
        return _failed("credential", "credential_untried", reason=type(error).__name__)
    return _ok("credential", name=credential.name, station=credential.station_id)


def _clock(date: str, now: datetime) -> Finding:
    """Compare this PC's clock with the time that the service's answer names."""
    try:
        skew = round((now - parsedate_to_datetime(date)).total_seconds())
    except (TypeError, ValueError):
        return _skipped("clock", "clock_untold")
    return _ok("clock", seconds=skew) if abs(skew) <= LARGEST_SKEW else _failed("clock", "clock_wrong", seconds=skew)
