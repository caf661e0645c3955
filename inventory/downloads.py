"""Lists as files, for the API and the pages alike: asked for with `?format=csv`, sent as they are read.

Only so many are read at once, and none waits for whoever takes it: neither many nor slow ones keep connections from the
halls.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from typing import Annotated, Any, Final, Protocol

from fastapi import Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.types import Send
from typing_extensions import override

from inventory.access.caller import Caller
from inventory.domain.errors import TooManyLists
from inventory.services.exporting import Batches, Listing
from inventory.sheets import Cell, Form, sheet
from inventory.spooling import Spool, spooled
from inventory.store.engine import Database

PATIENCE: Final = 10.0
"""Seconds that a list waits for its turn to be read."""


Opened = Callable[[AsyncSession], AsyncGenerator[bytes, None]]
"""Begins to read a file's pieces; opens nothing until the first is asked for."""


class Wording(Protocol):
    """How a file speaks: the API's says names and codes as they are, a page's the language of its reader."""

    def head(self, column: str) -> str:
        """Return the head of a column."""

    def cell(self, column: str, value: Cell) -> Cell:
        """Return what stands in a cell of the column."""


class AsItIs:
    """Names and codes as they are: for programs."""

    def head(self, column: str) -> str:
        """Return the column's own name."""
        return column

    def cell(self, column: str, value: Cell) -> Cell:
        """Return the value itself."""
        del column
        return value


async def _form(
    request: Request,
    asked: Annotated[Form | None, Query(alias="format", description="the whole list as a file")] = None,
) -> Form | None:
    """Return the form of file that is asked for, by name or by `Accept`; None is the usual answer."""
    if asked is not None:
        return asked
    accepted = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    return next((form for form in Form if form.media_type.partition(";")[0] == accepted), None)


FileDep = Annotated[Form | None, Depends(_form)]
"""The file that a list is wanted as, or None."""

FILES: dict[int | str, dict[str, Any]] = {200: {"content": {form.media_type.partition(";")[0]: {} for form in Form}}}
"""What the API document says of a list that can be had as a file."""


async def download(
    database: Database,
    caller: Caller,
    listing: Listing,
    form: Form,
    wording: Wording | None = None,
    *,
    patience: float = PATIENCE,
) -> Response:
    """Return the list as a file; it is read at the database's pace, however slowly it is taken.

    `patience` is for how many seconds it waits for its turn to be read. Refusals of the listing are raised here, before
    anything is sent.

    Raises
    ------
    NoRoomForList
        The service's disk has too little room.
    TooManyLists
        As many lists as may be read at once are being read.
    """

    def opened(session: AsyncSession) -> AsyncGenerator[bytes, None]:
        return _sheet(session, caller, listing, form, wording or AsItIs())

    return await send(database, opened, f"{listing.name}.{form.value}", form.media_type, patience=patience)


async def send(
    database: Database, open_file: Opened, name: str, media_type: str, *, patience: float = PATIENCE
) -> Response:
    """Return what is read as a file of this name, as `download` does for a list; raises as that does."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    async with AsyncExitStack() as opened:
        spool = await opened.enter_async_context(spooled(_pieces(database, open_file, patience)))
        return Download(spool, opened.pop_all(), media_type=media_type, headers=headers)


class Download(StreamingResponse):
    """A file that is read while it is sent; whoever goes away in the middle ends the reading."""

    def __init__(self, spool: Spool, opened: AsyncExitStack, *, media_type: str, headers: Mapping[str, str]) -> None:
        super().__init__(spool.read(), media_type=media_type, headers=headers)
        self._opened = opened

    @override
    async def stream_response(self, send: Send) -> None:
        """Send piece by piece, and end the reading whatever happens."""
        async with self._opened:
            await super().stream_response(send)


async def _pieces(database: Database, open_file: Opened, patience: float) -> AsyncGenerator[bytes, None]:
    """Give the file; the session lives as long as the reading."""
    try:
        async with asyncio.timeout(patience):
            await database.long_reads.acquire()
    except TimeoutError:
        raise TooManyLists from None
    try:
        async with database.session() as session, aclosing(open_file(session)) as pieces:
            async for piece in pieces:
                yield piece
    finally:
        database.long_reads.release()


async def _sheet(
    session: AsyncSession, caller: Caller, listing: Listing, form: Form, wording: Wording
) -> AsyncGenerator[bytes, None]:
    heads = [wording.head(column) for column in listing.columns]
    async with (
        aclosing(listing.open(session, caller)) as batches,
        aclosing(sheet(form, heads, _worded(listing.columns, batches, wording))) as pieces,
    ):
        async for piece in pieces:
            yield piece


async def _worded(columns: Sequence[str], batches: Batches, wording: Wording) -> AsyncIterator[list[list[Cell]]]:
    async for rows in batches:
        yield [[wording.cell(*cell) for cell in zip(columns, row, strict=True)] for row in rows]
