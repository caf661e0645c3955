"""The composition root of the service: settings in, ASGI application out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from inventory import __version__
from inventory.api import problems, v1
from inventory.api.middleware import Bounded, Observed
from inventory.api.openapi import DocumentedApp
from inventory.api.station_link import watching
from inventory.observability import Metrics
from inventory.runtime import open_runtime, utc_now
from inventory.settings import Settings
from inventory.stock_metrics import StockMetrics
from inventory.web.app import Console, create_pages

_MEBIBYTE = 1 << 20


def create_app(settings: Settings, *, clock: Callable[[], datetime] = utc_now) -> FastAPI:
    """Return the service; `app.state.runtime` is what its routes and pages work with.

    Raises
    ------
    ValueError
        No database is set.
    inventory.domain.errors.DomainError
        The key file or its token cannot be used; the refusal says why and what to do.
    """
    runtime = open_runtime(settings, application="haoka-service", clock=clock)
    metrics = Metrics()
    stock = StockMetrics(metrics, runtime.database, now=clock())

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with watching(runtime):
            yield
        await runtime.close()

    app = DocumentedApp(
        title="Haoka 号卡",
        version=__version__,
        summary="Stock of SIM cards and numbers: what there is, who holds it, what it costs, what was promised.",
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.runtime = runtime
    app.state.metrics = metrics
    app.add_middleware(Console, pages=create_pages(app.state))
    app.add_middleware(Bounded, max_body=settings.max_body_mb * _MEBIBYTE)
    app.add_middleware(Observed, metrics=metrics)
    problems.install(app)
    app.router.routes.extend(v1.routes().routes)

    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> Response:
        """Show the metrics in Prometheus' text form."""
        await stock.refresh()
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return app
