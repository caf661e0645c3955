"""What every answer of the console carries and every form must show: content policy, and where the form came from."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS = {
    # Charts position their labels with inline styles; scripts come from our own files only.
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def comes_from_elsewhere(headers: Headers) -> bool:
    """Whether a browser says that another site sent the request.

    `Sec-Fetch-Site` is set by browsers on trustworthy origins; over plain HTTP in a hall's own network `Origin` is
    compared with `Host`. A program that sends neither has no cookie that it did not mean to send.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


class Guard:
    """Refuses writes that another site sent (CSRF) and sets the headers above on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to a foreign write, pass everything else on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["method"] not in _READING and comes_from_elsewhere(Headers(scope=scope)):
            await PlainTextResponse("another site sent this form", status_code=403)(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)
