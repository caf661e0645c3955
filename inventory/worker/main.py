"""The worker process: its loops and the queue, side by side, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal

import structlog
from procrastinate.exceptions import ConnectorException

from inventory.observability import configure_logging
from inventory.runtime import Runtime, open_runtime
from inventory.settings import Settings
from inventory.store.queue import queue_connector
from inventory.worker.jobs import job_app
from inventory.worker.loops import AFTER_FAILURE, repeat, seal, sweep

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
    """Seal, sweep and run jobs until `stop` is set."""
    async with asyncio.TaskGroup() as group:
        for loop in (seal, sweep):
            group.create_task(repeat(loop, runtime.database, clock=runtime.clock, stop=stop))
        jobs = group.create_task(_run_jobs(runtime, url))
        await stop.wait()
        jobs.cancel()


async def _run_jobs(runtime: Runtime, url: str) -> None:
    """Run jobs until cancelled; a database that is away is tried again."""
    while True:
        try:
            app = job_app(queue_connector(url), runtime.database, runtime.clock)
            async with app.open_async():
                await app.run_worker_async(install_signal_handlers=False, concurrency=1)
        except ConnectorException:
            _log.exception("the queue cannot be reached and will be tried again")
            await asyncio.sleep(AFTER_FAILURE)
        except asyncio.CancelledError:
            return
