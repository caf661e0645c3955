"""What is read quickly and sent slowly: between the two stands a file on disk."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile, gettempdir
from typing import IO

from anyio import CancelScope, to_thread

from inventory.domain.errors import NoRoomForList
from inventory.tasks import end

_PIECE = 256 * 1024
_FOLDER = "haoka-list-"
"""How the name of a folder begins that `scratch_folder` made."""


@asynccontextmanager
async def spooled(pieces: AsyncGenerator[bytes, None]) -> AsyncIterator[Spool]:
    """Give a spool with the first piece in it; raises what stands against the reading, before anything is given.

    The end of the context ends the writing, whatever state it is in, and removes the file.
    """
    with TemporaryFile() as file:
        spool = Spool(file, pieces)
        try:
            await spool.started()
            yield spool
        finally:
            await spool.stop()


def require_room(file: IO[bytes]) -> None:
    """Let pass what is to be written beside the file while others keep room on its disk: the database may lie there.

    Raises
    ------
    NoRoomForList
        Too little of the disk is free.
    """
    disk = os.fstatvfs(file.fileno())
    if disk.f_bavail * disk.f_frsize < _kept_free(disk.f_blocks * disk.f_frsize):
        raise NoRoomForList


def _kept_free(size: int) -> int:
    """Give how many bytes of a disk of the size stay free: a gibibyte, of small disks a twentieth."""
    return min(1 << 30, size // 20)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder for files that need names, which goes with the context; what killed processes left goes first.

    Whoever uses a folder has it locked, and the lock ends with the process however that ends.
    """
    for folder in Path(gettempdir()).glob(f"{_FOLDER}*"):
        with suppress(OSError):
            _remove_if_left(folder)
    with TemporaryDirectory(prefix=_FOLDER, ignore_cleanup_errors=True) as name:
        used = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(used, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(used)


def _remove_if_left(folder: Path) -> None:
    """Remove a folder that nobody uses; an empty one may be about to be used, and takes no room."""
    left = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(left, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if any(folder.iterdir()):
            shutil.rmtree(folder)
    finally:
        os.close(left)


class Spool:
    """Pieces that are written to a file as they come, and given from there.

    The writing goes on by itself and never waits for whoever takes the pieces: a slow taker holds nothing but the file.
    """

    def __init__(self, file: IO[bytes], pieces: AsyncGenerator[bytes, None]) -> None:
        self._file = file
        self._size = 0
        self._news = asyncio.Event()
        self._writing = asyncio.create_task(self._write(pieces))
        self._writing.add_done_callback(lambda _: self._news.set())

    async def started(self) -> None:
        """Wait for the first piece; raises what came instead."""
        await self._news.wait()
        self._look()

    async def read(self) -> AsyncGenerator[bytes, None]:
        """Give everything from the beginning, as soon as it is there; raises what broke the writing off."""
        given = 0
        while True:
            self._news.clear()
            if given < self._size:
                piece = await to_thread.run_sync(os.pread, self._file.fileno(), _PIECE, given)
                given += len(piece)
                yield piece
            elif self._look():
                return
            else:
                await self._news.wait()

    async def stop(self) -> None:
        """End the writing."""
        with CancelScope(shield=True):  # who has gone away is cancelled at every wait, and the writing's end takes some
            await end(self._writing)

    def _look(self) -> bool:
        """Say whether the writing is over; raises what it raised."""
        if self._writing.done():
            self._writing.result()
        return self._writing.done()

    async def _write(self, pieces: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(pieces):
            async for piece in pieces:
                await to_thread.run_sync(self._append, piece)
                self._size += len(piece)
                self._news.set()

    def _append(self, piece: bytes) -> None:
        require_room(self._file)
        self._file.write(piece)
        self._file.flush()
