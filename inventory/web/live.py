"""The wire on which a page hears that something changed at a station; it fetches what it shows itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from inventory.runtime import Runtime

_BEAT_SECONDS = 15.0


def news_of_stations(runtime: Runtime, city_id: int) -> StreamingResponse:
    """Answer with events `reader` and `job`, one for each change in the city, until the browser goes away."""

    async def stream() -> AsyncIterator[str]:
        async with runtime.notices.subscribe() as queue:
            yield ": here\n\n"
            while True:
                try:
                    notice = await asyncio.wait_for(queue.get(), _BEAT_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if notice is None or notice.city_id == city_id:
                    job = notice is not None and notice.job_id is not None
                    yield f"event: {'job' if job else 'reader'}\ndata: -\n\n"

    return StreamingResponse(stream(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})
