"""From a template and a few values to a page in the caller's language."""

from __future__ import annotations

import functools
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from inventory.access.caller import Caller
from inventory.domain.calendar import SHANGHAI
from inventory.i18n import Language
from inventory.store.ends import bare
from inventory.store.organisation import Node
from inventory.web.names import in_months, node_name, yuan
from inventory.web.navigation import menu
from inventory.web.states import state_name, tone
from inventory.web.texts import translations

HERE = Path(__file__).parent
STATIC = HERE / "static"
LANGUAGES: dict[Language, str] = {"zh": "中文", "en": "English"}


def _moment(value: datetime) -> str:
    return f"{value.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _clock(value: datetime) -> str:
    return f"{value.astimezone(SHANGHAI):%H:%M}"


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
        "bare": bare,
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
    badges: dict[str, int] = getattr(request.state, "badges", {})
    here = "/" + request.url.path.split("/")[1]
    common = {
        "caller": caller,
        "place": "" if place is None else node_name(place, language),
        "here": here,
        "menu": menu(caller, here, gettext, badges),
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
