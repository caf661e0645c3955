"""The worker process: its loops and the queue, side by side, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException

from cardwriter.crypto.secret import Secret
from inventory.observability import configure_logging
from inventory.operator.adapter import OperatorAdapter
from inventory.operator.reference import ReferenceAdapter
from inventory.runtime import Runtime, open_runtime
from inventory.settings import Settings
from inventory.store.queue import queue_connector
from inventory.tasks import end
from inventory.worker.jobs import job_app, take_up_stalled
from inventory.worker.loops import calls, close, recall, repeat, seal, sweep, watch

JOBS_AT_ONCE = 3
"""A long load keeps nobody's audit waiting."""
CALLS_AT_ONCE = 4
"""A slow answer of an operator's system about one card keeps few others waiting."""
HEARTBEAT, SILENCE = 1.0, 5.0
"""Seconds between two signs of life of a worker, and of silence after which another takes up its jobs."""
STOP_SECONDS = 1.0
"""Seconds that jobs get to end when the worker stops; what is left undone is tried again."""
_KEY = re.compile(rb"[!-~]+")
"""Printable ASCII without blanks: a header takes no other (RFC 6750 section 2.1)."""

_log = structlog.get_logger(__name__)


def main(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish what is begun and return."""
    configure_logging(level=settings.log_level, form=settings.log_format)
    asyncio.run(_main(settings))


async def _main(settings: Settings) -> None:
    runtime = open_runtime(settings, application="haoka worker")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    _log.info("worker started")
    try:
        await work(runtime, settings.sqlalchemy_url(), stop)
    finally:
        await runtime.close()
    _log.info("worker stopped")


async def work(runtime: Runtime, url: str, stop: asyncio.Event) -> None:
    """Do all that is done in the background until `stop` is set."""
    adapter = operator_adapter(runtime.settings)
    calling = [calls(adapter, runtime.vault, runtime.clock)] * (1 if adapter is None else CALLS_AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for loop in (seal, sweep, recall, watch, close, *calling):
            group.create_task(repeat(loop, runtime.database, clock=runtime.clock, stop=stop))
        jobs = group.create_task(_run_jobs(runtime, url))
        await stop.wait()
        await end(jobs)


def operator_adapter(settings: Settings) -> OperatorAdapter | None:
    """Return what calls the operator's card-data system, or None if none is set.

    Raises
    ------
    ValueError
        Its address is of another form, or its key's file is not set or holds no key.
    OSError
        Its key's file cannot be read.
    """
    if settings.operator_url is None:
        return None
    if settings.operator_key_file is None:
        raise ValueError("HAOKA_OPERATOR_KEY_FILE is not set; the system at HAOKA_OPERATOR_URL is called with its key")
    key = settings.operator_key_file.read_bytes().strip()
    if not _KEY.fullmatch(key):
        raise ValueError(f"{settings.operator_key_file} holds no key: one line of printable ASCII, without blanks")
    return ReferenceAdapter(settings.operator_url, Secret(key))


async def _run_jobs(runtime: Runtime, url: str) -> None:
    """Run jobs until cancelled; a database that is away is tried again."""
    while True:
        try:
            await _serve_queue(job_app(queue_connector(url), runtime))
        except ConnectorException:
            _log.exception("the queue cannot be reached and will be tried again")
            await asyncio.sleep(HEARTBEAT)
        except asyncio.CancelledError:
            return


async def _serve_queue(app: App) -> None:
    """Run the queue's jobs, and take up those of workers that died, until cancelled or the database is away."""
    async with app.open_async():
        rescue = asyncio.create_task(_rescue(app))
        try:
            await app.run_worker_async(
                install_signal_handlers=False,
                concurrency=JOBS_AT_ONCE,
                update_heartbeat_interval=HEARTBEAT,
                stalled_worker_timeout=SILENCE,
                shutdown_graceful_timeout=STOP_SECONDS,
            )
        finally:
            await end(rescue)


async def _rescue(app: App) -> None:
    """Look for jobs of dead workers, again and again; a database that is away is the worker's own to notice."""
    while True:
        with contextlib.suppress(ConnectorException):
            await take_up_stalled(app, after=SILENCE)
        await asyncio.sleep(SILENCE / 2)
