from __future__ import annotations

import asyncio

import pytest

from inventory.tasks import end

pytestmark = pytest.mark.anyio


async def losing(cancels: int) -> None:
    """Go round for ever, and drop so many cancels, as a wait of the database's driver may (Python before 3.12)."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if not cancels:
                raise
            cancels -= 1


@pytest.mark.parametrize("cancels", [0, 1, 2])
async def test_a_task_ends_although_cancels_are_lost(cancels: int) -> None:
    task = asyncio.create_task(losing(cancels))
    await asyncio.sleep(0)
    await end(task, again=0.01)
    assert task.cancelled()


async def test_a_task_that_fails_while_it_ends_disturbs_nobody() -> None:
    async def failing() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise OSError("the database has gone away")

    task = asyncio.create_task(failing())
    await asyncio.sleep(0)
    await end(task)
    assert isinstance(task.exception(), OSError)


async def test_a_task_that_is_over_is_left_as_it_is() -> None:
    task = asyncio.create_task(asyncio.sleep(0, "done"))
    await task
    await end(task)
    assert task.result() == "done"
