"""Metrics of the stock, read from the ledger when they are asked for: the worker that does the work needs no port."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from inventory.domain.lifecycle import LoadState
from inventory.observability import Metrics
from inventory.runtime import utc_now
from inventory.services.auc_deletions import count_all_untold
from inventory.services.figures import Looked, look
from inventory.store.engine import Database

_SLOW_SECONDS: Final = 60.0
"""What takes long to count where many cards are gone is counted as often."""
_log = structlog.get_logger(__name__)


class StockMetrics:
    """Counts loads, documents and replaced cards of all processes from the moment on that this one began."""

    def __init__(self, metrics: Metrics, database: Database, *, now: datetime, slowly: float = _SLOW_SECONDS) -> None:
        self._metrics = metrics
        self._slowly = slowly
        self._slow_until = 0.0
        self._database = database
        self._looked = Looked(now)
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self) -> None:
        """Count what is new; a database that is away leaves the counts as they are."""
        async with self._one_at_a_time:
            try:
                await self._count()
                await self._count_slowly()
            except (DBAPIError, PoolTimeout, OSError):
                _log.warning("stock could not be counted for the metrics")

    async def _count(self) -> None:
        async with self._database.session() as session:
            news = await look(session, self._looked)
        for load in news.loads:
            self._metrics.loads.labels(load.resource, load.state).inc()
            if load.state == LoadState.COMMITTED:
                seconds = (load.finished_at - load.created_at).total_seconds()
                self._metrics.load_rows.labels(load.resource).inc(load.accepted)
                self._metrics.load_seconds.labels(load.resource).inc(seconds)
        for written in news.documents:
            self._metrics.documents.labels(written.kind, written.resource).inc(written.documents)
            self._metrics.document_items.labels(written.kind, written.resource).inc(written.items)
        for result, count in news.network.items():
            self._metrics.network.labels(result).inc(count)
        waiting, since = news.waiting
        self._metrics.sales_waiting.set(waiting)
        self._metrics.sales_waiting_since.set(0 if since is None else since.timestamp())
        self._metrics.calls_waiting.set(news.calls.waiting)
        self._metrics.calls_failing.set(news.calls.failing)
        self._metrics.calls_failing_since.set(0 if news.calls.since is None else news.calls.since.timestamp())
        for reason, count in news.replacements.items():
            self._metrics.replacements.labels(reason).inc(count)
        self._metrics.roll_backs.inc(news.rolled_back)

    async def _count_slowly(self) -> None:
        if time.monotonic() < self._slow_until:
            return
        async with self._database.session() as session:
            self._metrics.deletions_waiting.set(await count_all_untold(session, now=utc_now()))
        self._slow_until = time.monotonic() + self._slowly
