"""Jobs of the queue: what is done once, at a time or when asked."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog
from procrastinate import App, BaseRetryStrategy, RetryDecision
from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job
from typing_extensions import override

from inventory.domain.errors import Busy, DomainError
from inventory.runtime import Runtime
from inventory.services.auditing import audit
from inventory.services.legal_holds import remind
from inventory.services.load_runs import LoadRef, fail_load, run_watched
from inventory.services.loading import TASK
from inventory.services.ports import tend_ports
from inventory.services.uploads import sweep_uploads
from inventory.store.engine import may_pass

NIGHTLY = "30 18 * * *"
"""Half past two at night in Shanghai, written in UTC."""
HOURLY = "17 * * * *"
HOURLY_WORK: Final[Mapping[str, Callable[..., Awaitable[int]]]] = {
    "sweep_uploads": sweep_uploads,
    "tend_ports": tend_ports,
    "remind_of_legal_holds": remind,
}
"""What is looked after every hour, by the name of its job; each tells how many it has dealt with."""
_AGAIN: Final = 2
"""Seconds until a job is tried again that met another process or a database that is away."""

_log = structlog.get_logger(__name__)


class TryAgainError(Exception):
    """What stopped the job passes by itself."""


class _Later(BaseRetryStrategy):
    """Tries again what may pass, and what a worker leaves undone because it stops; anything else has failed."""

    @override
    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Say when the job is tried again."""
        if isinstance(exception, TryAgainError):
            return RetryDecision(retry_in={"seconds": _AGAIN})
        return RetryDecision(retry_in={"seconds": 0}) if isinstance(exception, asyncio.CancelledError) else None


def job_app(connector: BaseConnector, runtime: Runtime) -> App:
    """Return the queue's app with every job we have."""
    app = App(connector=connector)
    database, clock = runtime.database, runtime.clock

    _add_periodic(app, runtime)

    @app.task(name=TASK, retry=_Later(), pass_context=False)
    async def run_load(city_id: int, batch_id: int) -> None:
        """Run a load to its end; what is wrong with its file is kept with it."""
        load = LoadRef(city_id, batch_id)
        try:
            async with database.session() as session, database.session() as aside, database.autocommit() as beside:
                ended = await run_watched(session, aside, beside, load, vault=runtime.vault, clock=clock)
        except Busy:
            raise TryAgainError from None
        except DomainError as refusal:
            _log.info("load refused", load=load, code=refusal.code)
        except Exception as error:
            if may_pass(error):
                raise TryAgainError from error
            _log.exception("load failed", load=load)
            async with database.session() as session:
                await fail_load(session, load, now=clock())
        else:
            _log.info("load ended", load=load, state=ended)

    return app


def _add_periodic(app: App, runtime: Runtime) -> None:
    """Add the jobs that come by the clock."""
    database, clock = runtime.database, runtime.clock

    @app.periodic(cron=NIGHTLY)
    @app.task(name="nightly_audit", queueing_lock="audit", pass_context=False)
    async def nightly_audit(timestamp: int) -> None:
        """Audit everything; `/v1/invariants` tells what came out."""
        async with database.session() as session:
            done = await audit(session, now=clock())
        log = _log.info if done.ok else _log.error
        log("audit", ok=done.ok, findings=len(done.findings), due=timestamp)

    for name, work in HOURLY_WORK.items():
        _add_hourly(app, runtime, name, work)


def _add_hourly(app: App, runtime: Runtime, name: str, work: Callable[..., Awaitable[int]]) -> None:
    @app.periodic(cron=HOURLY)
    @app.task(name=name, queueing_lock=name, pass_context=False)
    async def run(timestamp: int) -> None:
        async with runtime.database.session() as session:
            done = await work(session, now=runtime.clock())
        _log.info("hourly work", work=name, done=done, due=timestamp)


async def take_up_stalled(app: App, *, after: float) -> int:
    """Give back to the queue the jobs whose worker has been silent for so many seconds; return how many."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=after))
    for job in stalled:
        _log.warning("job of a dead worker is taken up again", job=job.id, task=job.task_name)
        await app.job_manager.retry_job(job)
    return len(stalled)
