"""Jobs of the queue: what is done once, at a time or when asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from procrastinate import App
from procrastinate.connector import BaseConnector

from inventory.services.auditing import audit
from inventory.store.engine import Database

NIGHTLY = "30 18 * * *"
"""Half past two at night in Shanghai, written in UTC."""

_log = structlog.get_logger(__name__)


def job_app(connector: BaseConnector, database: Database, clock: Callable[[], datetime]) -> App:
    """Return the queue's app with every job we have."""
    app = App(connector=connector)

    @app.periodic(cron=NIGHTLY)
    @app.task(name="nightly_audit", queueing_lock="audit", pass_context=False)
    async def nightly_audit(timestamp: int) -> None:
        """Audit everything; `/v1/invariants` tells what came out."""
        async with database.session() as session:
            done = await audit(session, now=clock())
        log = _log.info if done.ok else _log.error
        log("audit", ok=done.ok, findings=len(done.findings), due=timestamp)

    return app
