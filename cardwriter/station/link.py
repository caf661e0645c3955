"""The one connection of a station: a WebSocket out to the service, kept up for ever.

Text frames hold one JSON object each, told apart by `type`. Nothing listens on the hall PC.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import random
import threading
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, connect

PATH: Final = "/v1/station-link"
SILENCE: Final = 30.0
"""Seconds without a word from the service, which pings more often, until the connection counts as dead."""
LONGEST_PAUSE: Final = 30.0
_FIRST_PAUSE = 0.5
_OPENING = 10.0

_log = logging.getLogger(__name__)
_frames = logging.getLogger(f"{__name__}.frames")
_frames.setLevel(logging.INFO)  # below that the library shows frames and headers: card codes and our credential

Message = dict[str, Any]


class LinkRefusedError(Exception):
    """The service does not know this station any more, or its address is unfit; trying again will not help.

    Parameters
    ----------
    code
        Names the sentence for people, with what to do (`texts.TEXTS`); `values` fill it.
    text
        The same in short, for programmers and the log.
    """

    def __init__(self, code: str, text: str, /, **values: object) -> None:
        super().__init__(text)
        self.code = code
        self.values = values


class Link:
    """Connects, says hello, hands messages in, and does it again whenever the connection ends.

    Parameters
    ----------
    service
        `http(s)://host` of the service; without TLS only on this machine, since card codes travel here.
    hello
        Makes the first message of each connection.
    receive
        Given each message but pings; called in the thread of `run`, must return soon. Raises `LinkRefusedError` to end
        the link for good, nothing else.
    pause
        Seconds to wait before the n-th try in a row (n from 0).
    """

    def __init__(
        self,
        service: str,
        credential: str,
        *,
        hello: Callable[[], Message],
        receive: Callable[[Message], None],
        silence: float = SILENCE,
        pause: Callable[[int], float] | None = None,
    ) -> None:
        self._url = link_url(service)
        self._credential = credential
        self._hello = hello
        self._receive = receive
        self._silence = silence
        self._pause = pause or backoff
        self._stopping = threading.Event()
        self._connection: ClientConnection | None = None
        self._sending = threading.RLock()
        self._failures = 0

    def run(self) -> None:
        """Keep the link up until `stop`.

        Raises
        ------
        LinkRefusedError
            The service refused the credential or revoked this station, or `receive` will have no more of it.
        """
        while not self._stopping.is_set():
            try:
                self._converse()
            except InvalidStatus as error:
                status = error.response.status_code
                if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                    raise _unknown(status) from None
                _log.warning("link: the service answered %s", status)
            except (OSError, InvalidHandshake, ConnectionClosed, TimeoutError) as error:
                if not self._stopping.is_set():
                    _log.warning("link: %s", error or type(error).__name__)
            self._stopping.wait(self._pause(self._failures))
            self._failures += 1

    def send(self, message: Message) -> bool:
        """Send a message if there is a connection; tell whether it went out. What must arrive is in the journal."""
        with self._sending:
            if self._connection is None:
                return False
            try:
                self._connection.send(json.dumps(message, ensure_ascii=False))
            except ConnectionClosed:
                return False
            return True

    def stop(self) -> None:
        """Make `run` return; from another thread than its own."""
        self._stopping.set()
        connection = self._connection
        if connection is not None:
            connection.close()

    def _converse(self) -> None:
        """Hold one connection until it ends."""
        with connect(
            self._url,
            additional_headers={"Authorization": f"Bearer {self._credential}"},
            open_timeout=_OPENING,
            logger=_frames,
            proxy=None if is_loopback(self._url) else True,
        ) as connection:
            try:
                with self._sending:  # the service ends a link that begins with anything else than hello
                    self._connection = connection  # before it: a report that ends now goes out twice rather than never
                    self.send(self._hello())
                while not self._stopping.is_set():
                    self._take(connection.recv(self._silence))
            except TimeoutError:
                _log.warning("link: no word from the service for %g s", self._silence)
            finally:
                self._connection = None

    def _take(self, text: str | bytes) -> None:
        try:
            message = json.loads(text)
            kind = message["type"]
        except (ValueError, TypeError, KeyError):
            _log.warning("link: a message without sense was dropped")
            return
        match kind:
            case "ping":
                self.send({"type": "pong"})
            case "revoked":
                raise LinkRefusedError("link_revoked", "the service revoked this station")
            case _:
                self._failures = 0
                self._receive(message)


def knock(service: str, credential: str) -> None:
    """Try whether the service would take this credential; a link that another process holds is left alone.

    Raises
    ------
    LinkRefusedError
        It would not, or the address is unfit.
    OSError
        It cannot be asked.
    """
    try:
        with connect(
            link_url(service),
            additional_headers={"Authorization": f"Bearer {credential}"},
            open_timeout=_OPENING,
            logger=_frames,
            proxy=None if is_loopback(service) else True,
        ):
            """The service takes a station over only after its first message; none is sent."""
    except InvalidStatus as error:
        status = error.response.status_code
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise _unknown(status) from None
        raise OSError(f"the service answered {status}") from None
    except (InvalidHandshake, ConnectionClosed) as error:
        raise OSError(type(error).__name__) from None


def link_url(service: str) -> str:
    """Return the address of the link for a service at `http(s)://host`.

    Raises
    ------
    LinkRefusedError
        No such address, or one without TLS beyond this machine.
    """
    try:
        parts = urlsplit(service)
        scheme = None if parts.port == 0 else {"http": "ws", "https": "wss"}.get(parts.scheme)
    except ValueError:  # brackets around no address, or a port above 65,535
        scheme = None
    if scheme is None or not parts.hostname:
        reason = f"the service's address must read http(s)://host, not {service!r}"
        raise LinkRefusedError("link_address", reason, service=service)
    if scheme == "ws" and not is_loopback(service):
        raise LinkRefusedError("link_insecure", "beyond this machine the service must be reached over https")
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}{PATH}"


def is_loopback(url: str) -> bool:
    """Whether an address is on this very machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unknown(status: int) -> LinkRefusedError:
    reason = f"the service refused this station's credential ({status})"
    return LinkRefusedError("link_credential", reason, status=status)


def backoff(failures: int) -> float:
    """Return a pause in seconds that doubles up to `LONGEST_PAUSE`, with jitter so that halls do not return as one."""
    longest = min(LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(failures, 10))
    return random.SystemRandom().uniform(longest / 2, longest)
