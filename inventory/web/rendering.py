"""From a template and a few values to a page in the caller's language."""

from __future__ import annotations

import functools
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.i18n import Language
from inventory.store.organisation import Node
from inventory.web.names import in_months, node_name, yuan
from inventory.web.states import state_name, tone
from inventory.web.texts import translations

HERE = Path(__file__).parent
STATIC = HERE / "static"
PLACE = ZoneInfo("Asia/Shanghai")
LANGUAGES: dict[Language, str] = {"zh": "中文", "en": "English"}

PAGES = (
    ("/desk", "Hall desk", Permission.HOLDS_WRITE),
    ("/stock", "Stock", Permission.STOCK_READ),
    ("/loads", "Take in", Permission.LOADS_WRITE),
    ("/moves", "Moves", Permission.RECALL),
    ("/count", "Count", Permission.COUNT),
    ("/deliveries", "Deliveries", Permission.MOVEMENTS_READ),
)
"""The pages in the head line: address, name, and what one must be allowed to do to see it."""


def _moment(value: datetime) -> str:
    return f"{value.astimezone(PLACE):%Y-%m-%d %H:%M:%S}"


def _clock(value: datetime) -> str:
    return f"{value.astimezone(PLACE):%H:%M}"


def _count(value: int) -> str:
    return f"{value:,}"


@functools.cache
def static(path: str) -> str:
    """Return the address of a file under `static/`; a changed file has another address, so browsers may keep it."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"


@functools.cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    texts = translations(language)
    environment.install_gettext_translations(texts, newstyle=True)  # type: ignore[attr-defined] # added by jinja2.ext.i18n
    environment.filters |= {
        "moment": _moment,
        "clock": _clock,
        "count": _count,
        "yuan": yuan,
        "months": functools.partial(in_months, language=language),
    }
    environment.globals |= {
        "static": static,
        "tone": tone,
        "state_name": functools.partial(state_name, language=language),
        "lang": {"zh": "zh-CN", "en": "en"}[language],
    }
    return environment


def render(
    request: Request,
    template: str,
    values: dict[str, Any],
    *,
    language: Language,
    caller: Caller | None = None,
    status: int = 200,
) -> HTMLResponse:
    """Return the rendered template; `values` holds all it names, a missing one is an error, not a blank."""
    gettext = translations(language).gettext
    place: Node | None = getattr(request.state, "place", None)
    common = {
        "caller": caller,
        "place": "" if place is None else node_name(place, language),
        "here": "/" + request.url.path.split("/")[1],
        "pages": [
            {"href": href, "label": gettext(label)}
            for href, label, permission in PAGES
            if caller is not None and caller.may(permission)
        ],
        "languages": [
            {
                "code": {"zh": "zh-CN", "en": "en"}[code],
                "label": label,
                "href": f"/language/{code}",
            }
            for code, label in LANGUAGES.items()
        ],
    }
    page = _environment(language).get_template(template).render(common | values)
    return HTMLResponse(page, status_code=status, headers={"Cache-Control": "no-store"})
