"""A large delivery without a fault, its names rising, is taken while it is read (docs/adr/0039).

Reading and sealing is this process's work, putting into stock the database's: side by side they take little longer than
the longer of the two. The first surprise undoes all of it, and the load goes the way that finds every fault.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import Busy
from inventory.domain.loading import CardRow
from inventory.services.card_intake import CardIntake, FittingKeys
from inventory.services.file_reading import Reading
from inventory.services.intake import Progress, Taken, Tell
from inventory.services.load_terms import FileKind, LoadTerms
from inventory.store import staging
from inventory.store.loads import IMSI
from inventory.store.staging import CARD_WIDTH
from inventory.tasks import end

LARGE = 1024 * 1024
"""Bytes above which there is something to win."""
_FIRST, _MOST, _MORE = 1_000, 10_000, 1.4
"""Cards that are put into stock at once: few first, so that the database begins soon, then more by this factor.

It is what reading is quicker than putting: with more, the database would wait each time for the next ones.
"""
_KEYS = CARD_WIDTH + 3
"""Where the keys of a staged card end that must fit its product: Ki, OPc, and the first of the secure channel."""
_TURN = 50
"""Rows between two turns of the event loop: the database waits no longer for its next statement."""


class _NotPlainError(Exception):
    """Something is wrong with the file, or it is not in order."""


def may_stream(terms: LoadTerms, size: int) -> bool:
    """Whether a file of so many bytes is large enough to be taken while it is read, and of a kind that may be."""
    return terms.kind is FileKind.SIM_VENDOR and not terms.dry_run and size > LARGE


async def stream(
    session: AsyncSession, aside: AsyncSession, intake: CardIntake, reading: Reading, tell: Tell
) -> Taken | None:
    """Take all cards of the file, which `aside` reads; None, with nothing done, if it is not plainly good.

    It has to say how many cards it holds, and each has to fit, be new, and have names above those of the one before.

    Raises
    ------
    NotFound
        The card product or transport key is unknown.
    """
    try:
        if not reading.declared:
            return None
        async with session.begin_nested():
            return await _stream(session, aside, intake, reading, reading.declared, tell)
    except (_NotPlainError, Busy):
        return None
    finally:
        await aside.rollback()


async def _stream(
    session: AsyncSession, aside: AsyncSession, intake: CardIntake, reading: Reading, count: int, tell: Tell
) -> Taken:
    await staging.open_window(session, intake.stage)
    fitting = await intake.fitting_keys(session)
    some = _FIRST
    ahead = asyncio.create_task(_read(aside, intake, reading, fitting, some))
    try:
        opened = await intake.open(session, count)
        while rows := await ahead:
            some = min(int(some * _MORE), _MOST)
            ahead = asyncio.create_task(_read(aside, intake, reading, fitting, some))
            start = intake.ascent.count
            await _stage(session, intake, (row[:CARD_WIDTH] for row in rows), most=count)
            await opened.put(range(start, intake.ascent.count))
            await opened.put_secrets(start, ((row[0], *row[CARD_WIDTH:]) for row in rows if row[CARD_WIDTH]))
            await staging.move_window(session)
            await tell(Progress("taking", intake.ascent.count, count))
    finally:
        await end(ahead)
    if intake.ascent.count != count:
        raise _NotPlainError
    return await opened.close()


async def _stage(session: AsyncSession, intake: CardIntake, rows: Iterable[Sequence[Any]], *, most: int) -> None:
    """Stage the next cards, but for their secrets, and make sure that they go on in order.

    Whether their names are new the registry itself says as they are entered; of IMSIs it does not know all.
    """
    await staging.add_rows(session, intake.stage, rows, intake.ascent, width=CARD_WIDTH)
    if not intake.ascent.rising or intake.ascent.count > most:
        raise _NotPlainError
    if IMSI in intake.names:
        await intake.find_known(session)
        if (await staging.count_found(session)).faults:
            raise _NotPlainError


async def _read(
    aside: AsyncSession, intake: CardIntake, reading: Reading, fitting: FittingKeys, most: int
) -> list[Sequence[Any]]:
    """Read and seal the next rows, no more than `most`; none at the end of the file.

    Raises
    ------
    _NotPlainError
        One of them has a fault.
    """
    rows: list[Sequence[Any]] = []
    while len(rows) < most:
        cards = await aside.run_sync(lambda _: list(islice(reading.items, _TURN)))
        if not cards:
            break
        if not all(isinstance(card, CardRow) for card in cards):
            raise _NotPlainError
        staged, faults = await intake.staged(aside, [card for card in cards if isinstance(card, CardRow)])
        rows.extend(staged)
        if faults or not all(fitting.fit(*row[CARD_WIDTH:_KEYS]) for row in rows[-len(cards) :]):
            raise _NotPlainError
        await asyncio.sleep(0)
    return rows
