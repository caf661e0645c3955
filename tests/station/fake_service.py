"""The service's end of the station link: a real WebSocket server that keeps what it hears."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Self

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from cardwriter.script import Report, Script
from cardwriter.signing import Destination, Signer
from cardwriter.station.trust import Trust
from tests.patience import PATIENCE

CREDENTIAL = "credential-of-this-station"
STATION = "s-1"
SIGNER = Signer(bytes(range(32)))

Message = dict[str, Any]


def trust() -> Trust:
    """Return what a station keeps of this service."""
    return Trust(STATION, SIGNER.public, keep=lambda _: None)


def run_message(
    script: Script,
    *,
    reader: str = "virtual",
    job: str | None = "job-1",
    station: str = STATION,
    signer: Signer = SIGNER,
) -> Message:
    """Return the order to run a script, signed."""
    signature = signer.sign(script, Destination(station=station, reader=reader, job=job)).hex()
    address = {"station": station, "reader": reader, "job": job}
    return {"type": "run", **address, "script": script.to_wire(), "signature": signature}


def report_of(message: Message) -> Report:
    """Return the report that a link message holds."""
    return Report.from_wire(message["report"])


class FakeService:
    """Listens on a free port of this machine; `status` other than 101 refuses the handshake."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.status = HTTPStatus.SWITCHING_PROTOCOLS
        self.handshakes = 0
        self._news = threading.Condition()
        self._connections: list[ServerConnection] = []
        self._server: Server = serve(self._talk, "127.0.0.1", 0, process_request=self._admit, close_timeout=1)
        self.port: int = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        """What a station is told as --service."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self._server.shutdown()
        self._thread.join()

    def send(self, message: Message) -> None:
        """Send to the newest connection."""
        self.send_text(json.dumps(message))

    def send_run(self, script: Script, *, reader: str = "virtual", job: str | None = "job-1") -> None:
        """Send a script to be run."""
        self.send(run_message(script, reader=reader, job=job))

    def send_text(self, text: str) -> None:
        """Send any text to the newest connection."""
        self._connections[-1].send(text)

    def wait_handshakes(self, count: int, *, seconds: float = PATIENCE) -> None:
        """Wait until a station has knocked this often."""
        with self._news:
            assert self._news.wait_for(lambda: self.handshakes >= count, seconds)

    def cut(self) -> None:
        """Break every connection."""
        for connection in tuple(self._connections):
            connection.close()

    def wait_for(self, matches: Callable[[Message], bool], *, seconds: float = PATIENCE) -> Message:
        """Return the first message heard that matches, waiting for it."""
        end = time.monotonic() + seconds
        with self._news:
            while True:
                for message in self.heard:
                    if matches(message):
                        return message
                assert self._news.wait(end - time.monotonic()), f"not heard among {self.heard}"

    def wait_report(self, script_id: str) -> Message:
        """Return the report of a script, sent by itself or in a hello."""

        def is_it(message: Message) -> bool:
            return bool(message["type"] == "report" and message["report"]["script_id"] == script_id)

        def holds_it(message: Message) -> bool:
            return is_it(message) or any(is_it(one) for one in message.get("journal", []))

        found = self.wait_for(holds_it)
        return next(one for one in [found, *found.get("journal", [])] if is_it(one))

    def wait_state(self, state: str) -> Message:
        """Return the first reader that was told in this state."""
        told = self.wait_for(lambda message: any(one["state"] == state for one in message.get("readers", [])))
        reader: Message = next(one for one in told["readers"] if one["state"] == state)
        return reader

    def forget(self) -> None:
        """Drop what was heard so far."""
        with self._news:
            self.heard.clear()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if request.path == "/v1/health/live":
            return connection.respond(HTTPStatus.OK, "")
        with self._news:
            self.handshakes += 1
            self._news.notify_all()
        status = self.status
        if request.path != "/v1/station-link":
            status = HTTPStatus.NOT_FOUND
        elif request.headers.get("Authorization") != f"Bearer {CREDENTIAL}":
            status = HTTPStatus.UNAUTHORIZED
        return None if status is HTTPStatus.SWITCHING_PROTOCOLS else connection.respond(status, "")

    def _talk(self, connection: ServerConnection) -> None:
        self._connections.append(connection)
        connection.send(json.dumps({"type": "welcome", "station": STATION, "name": "Hall desk 1"}))
        try:
            for text in connection:
                with self._news:
                    self.heard.append(json.loads(text))
                    self._news.notify_all()
        except ConnectionClosed:
            pass
        finally:
            self._connections.remove(connection)
