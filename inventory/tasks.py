"""Ending a background task for certain."""

from __future__ import annotations

import asyncio
from typing import Any, Final

_AGAIN: Final = 5.0
"""Seconds until a task that was told to end and has not is told again."""


async def end(task: asyncio.Task[Any], *, again: float = _AGAIN) -> None:
    """Cancel a task until it has ended; what it ended with is the affair of whoever asks it.

    One cancel is not enough: before Python 3.12 `asyncio.wait_for`, with which the database's driver waits, drops a
    cancel that comes in the moment the wait is over, and a task that goes round for ever would do so.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=again)
    if not task.cancelled():
        task.exception()  # asked for, so that the loop does not report it as forgotten
