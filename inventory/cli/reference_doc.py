"""The reference pages of docs/, made from the code they describe."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic_settings import BaseSettings

import inventory.domain
import inventory.services
from inventory.access.permissions import PERMISSIONS, Permission, Role
from inventory.api.problems import EDGE_CODES
from inventory.cli import CARD_SIDE, COMMANDS
from inventory.cli.client import ClientSettings
from inventory.cli.refusals import exit_status
from inventory.domain import lifecycle
from inventory.domain.errors import DomainError, Refusal
from inventory.domain.lifecycle import Lifecycle
from inventory.i18n import catalogue
from inventory.observability import Metrics
from inventory.settings import Settings

WRITTEN = "Written by `./haoka docs`; do not edit.\n"


def commands() -> str:
    """Give the page of the command line: every command, and what an exit status means."""
    return _page(
        "Command line",
        "`./haoka COMMAND --help` lists a command's options. `./haoka --lang zh COMMAND` answers in Chinese.",
        _table(
            ("command", "what it does"),
            [
                *((f"`haoka {name}`", command.summary) for name, command in COMMANDS.items()),
                *((f"`haoka {name}`", summary) for name, summary in CARD_SIDE.items()),
            ],
        ),
        _table(
            ("exit status", "meaning"),
            [("0", "done"), ("1", "failed, or a check found something"), ("130", "ended by Ctrl-C")]
            + [(str(exit_status(sort)), f"refused: {sort.value}") for sort in Refusal],
        ),
    )


def states() -> str:
    """Give the page of states: every life cycle with its states and legal moves."""
    lives: Mapping[str, Lifecycle[Any, Any]] = {
        "Number 号码": lifecycle.NUMBER_LIFECYCLE,
        "SMS port 短信端口号": lifecycle.PORT_LIFECYCLE,
        "Access code 接入号": lifecycle.CODE_LIFECYCLE,
        "SIM card SIM卡": lifecycle.SIM_LIFECYCLE,
        "Identity on a card 卡上身份": lifecycle.IDENTITY_LIFECYCLE,
        "What the network knows of an identity 网络开通": lifecycle.AUC_LIFECYCLE,
        "Subscription data 码号数据": lifecycle.DATA_LIFECYCLE,
        "Hold 预占": lifecycle.HOLD_LIFECYCLE,
        "Write job 写卡任务": lifecycle.WRITE_JOB_LIFECYCLE,
        "Bulk order 批量写卡": lifecycle.BULK_ORDER_LIFECYCLE,
        "Sale at a self-service machine 自助终端办理": lifecycle.KIOSK_LIFECYCLE,
        "Recall order 回收令": lifecycle.RECALL_ORDER_LIFECYCLE,
        "Legal hold 司法/政企保留": lifecycle.LEGAL_ORDER_LIFECYCLE,
        "Approval 授权": lifecycle.APPROVAL_LIFECYCLE,
        "Stocktake 盘点单": lifecycle.STOCKTAKE_LIFECYCLE,
        "Box 箱": lifecycle.BOX_LIFECYCLE,
        "Load 入库": lifecycle.LOAD_LIFECYCLE,
    }
    parts = ["Every move that is not listed is refused."]
    for title, life in lives.items():
        names = [(f"`{state}`", name.zh, name.en) for state, name in life.names.items()]
        entries = [("", f"`{event}`", f"`{state}`") for event, state in life.entries.items()]
        moves = [(f"`{state}`", f"`{event}`", f"`{target}`") for (state, event), target in life.table.items()]
        parts += [f"## {title}", _table(("state", "中文", "English"), names)]
        parts.append(_table(("from", "event", "to"), entries + moves))
    return _page("States", *parts)


def settings() -> str:
    """Give the page of settings: variable, default, meaning."""
    return _page(
        "Settings",
        "Environment variables; all have a default.",
        _variables(Settings),
        "## Commands that talk to a service",
        _variables(ClientSettings),
    )


def _variables(of: type[BaseSettings]) -> str:
    return _table(
        ("variable", "default", "meaning"),
        [
            (f"`HAOKA_{name.upper()}`", "" if field.default is None else f"`{field.default}`", field.description or "")
            for name, field in of.model_fields.items()
        ],
    )


def permissions() -> str:
    """Give the page of permissions: which role has which."""
    rows = [
        (f"`{permission}`", *("yes" if permission in PERMISSIONS[role] else "" for role in Role))
        for permission in Permission
    ]
    return _page(
        "Permissions", "Every route names exactly one.", _table(("permission", *(f"`{role}`" for role in Role)), rows)
    )


def errors() -> str:
    """Give the page of refusals: stable code, sort, both titles, when it happens."""
    english, chinese = catalogue("en"), catalogue("zh")
    rows = [
        (f"`{code}`", kind.refusal.value, english.title(code), chinese.title(code), _first_line(kind))
        for code, kind in sorted((kind.code, kind) for kind in _refusals())
    ]
    request = [(f"`{code}`", english.title(code), chinese.title(code)) for code in sorted(EDGE_CODES)]
    return _page(
        "Errors",
        "A refusal changes nothing. Its code is stable; its texts are for people.",
        _table(("code", "sort", "title", "标题", "when (parameters)"), rows),
        "## What is wrong with the HTTP request itself, or with us",
        _table(("code", "title", "标题"), request),
    )


def metrics() -> str:
    """Give the page of metrics: name, kind, labels, meaning."""
    rows = [
        (f"`{metric.name}{'_total' if metric.type == 'counter' else ''}`", metric.type, metric.documentation)
        for metric in Metrics().registry.collect()
    ]
    return _page("Metrics", "In Prometheus' text form.", _table(("metric", "type", "meaning"), rows))


def _refusals() -> Iterator[type[DomainError]]:
    for package in (inventory.domain, inventory.services):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for value in vars(importlib.import_module(module.name)).values():
                ours = inspect.isclass(value) and issubclass(value, DomainError) and value is not DomainError
                if ours and value.__module__ == module.name:
                    yield value


def _first_line(kind: type) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _page(title: str, *parts: str) -> str:
    return f"# {title}\n\n{WRITTEN}\n" + "\n\n".join(parts) + "\n"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
