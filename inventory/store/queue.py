"""The job queue: its tables lie in a schema of their own; jobs are put there in the transaction that needs them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from procrastinate import PsycopgConnector
from psycopg.conninfo import make_conninfo
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncSession

SCHEMA = "procrastinate"
_CONNECTIONS = 4


def queue_connector(url: str) -> PsycopgConnector:
    """Return the queue's connector to the database at the SQLAlchemy URL; nothing is opened yet."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    conninfo = make_conninfo(plain, options=f"-c search_path={SCHEMA}", application_name="haoka queue")
    return PsycopgConnector(conninfo=conninfo, min_size=1, max_size=_CONNECTIONS)


async def defer(session: AsyncSession, task: str, arguments: Mapping[str, Any], *, at: datetime, once_as: str) -> None:
    """Put a job into the queue, to be done from `at` on; it is there once the caller's transaction is.

    One job waits at most under the name `once_as`.
    """
    job = text(
        "SELECT procrastinate.procrastinate_defer_jobs_v1(ARRAY[ROW('default', :task, 0, NULL, :once_as,"
        " CAST(:arguments AS jsonb), :at)::procrastinate.procrastinate_job_to_defer_v1])"
    )
    values = {"task": task, "once_as": once_as, "arguments": json.dumps(dict(arguments)), "at": at}
    await session.execute(job, values)
