"""The console as an application of its own beside the API, on the same runtime."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.datastructures import State
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from inventory.web import problems, routes
from inventory.web.guard import Guard
from inventory.web.rendering import STATIC

API_PATHS = ("/v1", "/metrics")


def create_pages(state: State) -> FastAPI:
    """Return the console; `state.runtime` is the process's runtime."""
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.state = state
    pages.add_middleware(Guard)
    problems.install(pages)
    for router in routes.ROUTERS:
        pages.include_router(router)
    pages.mount("/static", KeptFiles(directory=STATIC))
    return pages


class KeptFiles(StaticFiles):
    """Files that browsers keep for a year: pages name each by its content (`rendering.static`)."""

    @override
    async def get_response(self, path: str, scope: Scope) -> Response:
        """Answer the file; only one that is named by its content is kept."""
        answer = await super().get_response(path, scope)
        named = scope["query_string"].startswith(b"v=")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if named else "no-cache"
        return answer


class Console:
    """Hands every path that is not the API's to the pages."""

    def __init__(self, app: ASGIApp, pages: ASGIApp) -> None:
        self.app = app
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by path."""
        to_api = scope["type"] != "http" or any(
            scope["path"] == path or scope["path"].startswith(path + "/") for path in API_PATHS
        )
        await (self.app if to_api else self.pages)(scope, receive, send)
