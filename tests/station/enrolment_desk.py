"""The service's enrolment desk: a real HTTP server."""

from __future__ import annotations

import json
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import override

GIVEN = {"station_id": "s-1", "credential": "very-secret", "name": "Hall desk 1", "signer": "ab" * 32}


class Desk(ThreadingHTTPServer):
    """The service's enrolment desk: hands out what `answer` says and keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = HTTPStatus.CREATED
        self.answer: Any = GIVEN
        self.asked: list[tuple[str, str, dict[str, Any]]] = []

    @property
    def url(self) -> str:
        """What a station is told as --service."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer as the desk was told to."""
        desk = self.server
        assert isinstance(desk, Desk)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        desk.asked.append((self.path, self.headers["Idempotency-Key"], body))
        self.send_response(desk.status)
        self.end_headers()
        self.wfile.write(json.dumps(desk.answer).encode())

    @override
    def log_message(self, *_: object) -> None:
        """Keep quiet."""
