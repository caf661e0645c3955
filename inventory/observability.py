"""Logs and metrics: structured lines without secrets, and counts by route template."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from structlog.typing import EventDict, Processor, WrappedLogger

REDACTED = "[redacted]"

_SECRET_NAME = re.compile(
    r"(?:^|_)(?:password|passwd|secret|token|authorization|cookie|api_key|hold_key|key|ki|k|opc?|adm\d?|pins?\d?|puks?\d?|kic|kid|kek|scp)(?:$|_)",
    re.IGNORECASE,
)
"""Names of fields whose values never belong in a log."""

_HARMLESS = frozenset({"idempotency_key", "key_version", "transport_key_index"})

_SECRET_TEXT = re.compile(r"\bh[ks]_[A-Za-z0-9_-]{8,}|(?i:bearer)\s+[^\s\"']+|://[^:/@\s]+:[^@/\s]+@")
"""API keys, session tokens, bearer headers and passwords in URLs, wherever they stand in a text."""


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Take secrets out of a log line: fields named like one, `Secret` values, and keys inside texts."""
    return {name: _clean(name, value) for name, value in event.items()}


def _clean(name: str, value: Any) -> Any:
    if name not in _HARMLESS and _SECRET_NAME.search(name):
        return REDACTED
    clean: Any
    match value:
        case bytes() | bytearray():
            clean = f"{len(value)} bytes"
        case Mapping():
            clean = {str(key): _clean(str(key), item) for key, item in value.items()}
        case list() | tuple():
            clean = [_clean("", item) for item in value]
        case bool() | int() | float() | None:
            clean = value
        case _:
            clean = _SECRET_TEXT.sub(REDACTED, str(value))
    return clean


def configure_logging(*, level: str, form: Literal["json", "console"]) -> None:
    """Send every log line of this process, the libraries' too, to standard error in one form."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        # plain tracebacks: the pretty ones print local variables, and with them secrets
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("uvicorn.access", "sqlalchemy.engine", "httpx2"):
        logging.getLogger(noisy).setLevel(logging.WARNING)  # our own line per request says more, and no parameters
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True


class Metrics:
    """What `/metrics` shows of the edges; other parts register theirs in the same `registry`."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, that nobody reads
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "haoka_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "haoka_http_request_seconds",
            "Time from request to answer.",
            ["method", "route"],
            buckets=(0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
            registry=self.registry,
        )
        self.in_progress = Gauge("haoka_http_in_progress", "Requests being answered.", registry=self.registry)
        self.refusals = Counter("haoka_refusals", "Refusals by code.", ["code"], registry=self.registry)
        self.links = Gauge("haoka_station_links", "Stations connected to this process.", registry=self.registry)
        self.jobs = Counter("haoka_write_jobs", "Write jobs ended, by verdict.", ["verdict"], registry=self.registry)
        self.kiosk_sales = Counter(
            "haoka_kiosk_sales", "Sales at self-service machines, by how they ended.", ["state"], registry=self.registry
        )
        self._count_stock()

    def _count_stock(self) -> None:
        """Make the counters of what all processes do to the stock, from the moment on that this one began."""
        self.loads = Counter(
            "haoka_loads",
            "Loads ended, by how. Each service counts what all did to the stock: these eight are not to be added up.",
            ["resource", "state"],
            registry=self.registry,
        )
        self.load_rows = Counter(
            "haoka_load_rows", "Rows that loads took into stock.", ["resource"], registry=self.registry
        )
        self.load_seconds = Counter(
            "haoka_load_seconds", "Time that these loads took, from begin to end.", ["resource"], registry=self.registry
        )
        self.documents = Counter(
            "haoka_documents", "Documents but intakes and sales, by kind.", ["kind", "resource"], registry=self.registry
        )
        self.document_items = Counter(
            "haoka_document_items", "Items on these documents.", ["kind", "resource"], registry=self.registry
        )
        self.network = Counter(
            "haoka_network_identities",
            "Identities that the network was told of, confirmed, refused, was told to delete (to_delete) or deleted.",
            ["result"],
            registry=self.registry,
        )
        self.replacements = Counter(
            "haoka_replacements", "Cards of lines replaced, by reason.", ["reason"], registry=self.registry
        )
        self.roll_backs = Counter(
            "haoka_roll_backs", "Sales that waited for the network and were rolled back.", registry=self.registry
        )
        self.deletions_waiting = Gauge(
            "haoka_network_deletions_waiting",
            "Identities that are to be deleted from the network and are in no file yet; counted once a minute.",
            registry=self.registry,
        )
        self._show_waiting()
        self._show_calls()

    def _show_waiting(self) -> None:
        """Make the gauges of sales that wait for the network, which each service reads for all."""
        self.sales_waiting = Gauge(
            "haoka_sales_waiting", "Sales that wait for the network's word.", registry=self.registry
        )
        self.sales_waiting_since = Gauge(
            "haoka_sales_waiting_since_seconds",
            "Unix time since which the oldest of these waits; 0: none. `time()` less this is its age.",
            registry=self.registry,
        )

    def _show_calls(self) -> None:
        """Make the gauges of calls to the operator's card-data system, which each service reads for all."""
        self.calls_waiting = Gauge(
            "haoka_operator_calls_waiting",
            "Calls to the operator's system that are to be made.",
            registry=self.registry,
        )
        self.calls_failing = Gauge(
            "haoka_operator_calls_failing", "Those of them that have failed and are made again.", registry=self.registry
        )
        self.calls_failing_since = Gauge(
            "haoka_operator_calls_failing_since_seconds",
            "Unix time since which the oldest of these fails; 0: none. `time()` less this is its age.",
            registry=self.registry,
        )
