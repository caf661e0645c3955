from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest

from cardwriter.station.link import LONGEST_PAUSE, Link, LinkRefusedError, Message, backoff, link_url
from tests.patience import PATIENCE
from tests.station.fake_service import CREDENTIAL, FakeService

HELLO = {"type": "hello", "version": "1", "readers": [], "journal": []}


class Line:
    """A link in a thread of its own, and how it ended."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.refusal: LinkRefusedError | None = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.link.run()
        except LinkRefusedError as error:
            self.refusal = error


@pytest.fixture
def received() -> list[Message]:
    return []


@pytest.fixture
def connect(service: FakeService, received: list[Message]) -> Iterator[Callable[..., Line]]:
    lines: list[Line] = []

    def connect(*, credential: str = CREDENTIAL, silence: float = 30.0) -> Line:
        link = Link(
            service.url,
            credential,
            hello=lambda: HELLO,
            receive=received.append,
            silence=silence,
            pause=lambda _: 0.01,
        )
        lines.append(Line(link))
        return lines[-1]

    yield connect
    for line in lines:
        line.link.stop()
        line.thread.join()


def hellos(service: FakeService) -> int:
    return sum(message["type"] == "hello" for message in service.heard)


def test_a_station_says_hello_and_answers_pings(service: FakeService, connect: Callable[..., Line]) -> None:
    connect()
    assert service.wait_for(lambda message: message["type"] == "hello") == HELLO
    service.send({"type": "ping"})
    service.wait_for(lambda message: message["type"] == "pong")


def test_nothing_goes_out_before_hello(service: FakeService) -> None:
    """A card put in, or a step taken, just as the link comes up."""
    eager = threading.Thread(target=lambda: link.send({"type": "step"}))

    def hello() -> Message:
        eager.start()
        eager.join(0.2)  # it would be out by now if it did not wait
        return HELLO

    link = Link(service.url, CREDENTIAL, hello=hello, receive=lambda _: None)
    line = Line(link)
    service.wait_for(lambda message: message["type"] == "step")
    assert [message["type"] for message in service.heard] == ["hello", "step"]
    link.stop()
    line.thread.join()
    eager.join()


def test_messages_are_handed_in(service: FakeService, connect: Callable[..., Line], received: list[Message]) -> None:
    connect()
    service.wait_for(lambda message: message["type"] == "hello")
    service.send({"type": "ack", "script": "script-1"})
    service.send({"type": "ping"})
    service.wait_for(lambda message: message["type"] == "pong")
    assert [message["type"] for message in received] == ["welcome", "ack"]


@pytest.mark.parametrize("text", ["no json", "[]", "{}", '"text"'])
def test_a_message_without_sense_is_dropped(service: FakeService, connect: Callable[..., Line], text: str) -> None:
    connect()
    service.wait_for(lambda message: message["type"] == "hello")
    service.send_text(text)
    service.send({"type": "ping"})
    service.wait_for(lambda message: message["type"] == "pong")


def test_a_broken_link_comes_back_with_a_new_hello(service: FakeService, connect: Callable[..., Line]) -> None:
    connect()
    service.wait_for(lambda message: message["type"] == "hello")
    service.forget()
    service.cut()
    service.wait_for(lambda message: message["type"] == "hello")


def test_silence_breaks_the_link(service: FakeService, connect: Callable[..., Line]) -> None:
    connect(silence=0.05)
    service.wait_for(lambda _: hellos(service) >= 2)


def test_a_service_that_is_down_for_a_while_is_asked_again(service: FakeService, connect: Callable[..., Line]) -> None:
    service.status = HTTPStatus.SERVICE_UNAVAILABLE
    connect()
    service.wait_handshakes(3)
    service.status = HTTPStatus.SWITCHING_PROTOCOLS
    service.wait_for(lambda message: message["type"] == "hello")


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN])
def test_a_refused_credential_is_not_tried_again(
    service: FakeService, connect: Callable[..., Line], status: HTTPStatus
) -> None:
    service.status = status
    line = connect()
    line.thread.join(PATIENCE)
    assert line.refusal is not None
    assert CREDENTIAL not in str(line.refusal)
    assert service.handshakes == 1


def test_a_wrong_credential_ends_the_link(connect: Callable[..., Line]) -> None:
    line = connect(credential="of another station")
    line.thread.join(PATIENCE)
    assert "401" in str(line.refusal)


def test_a_revoked_station_stops(service: FakeService, connect: Callable[..., Line]) -> None:
    line = connect()
    service.wait_for(lambda message: message["type"] == "hello")
    service.send({"type": "revoked"})
    line.thread.join(PATIENCE)
    assert "revoked" in str(line.refusal)


def test_sending_without_a_connection_says_so(service: FakeService) -> None:
    link = Link(service.url, CREDENTIAL, hello=dict, receive=lambda _: None)
    assert link.send({"type": "pong"}) is False


def test_a_service_that_is_not_there_is_waited_for(service: FakeService, received: list[Message]) -> None:
    tries: list[int] = []
    enough = threading.Event()

    def pause(failures: int) -> float:
        tries.append(failures)
        if failures == 3:
            enough.set()
        return 0.01

    nobody = service.url.replace(str(service.port), "1")  # port 1 is served by nobody
    line = Line(Link(nobody, CREDENTIAL, hello=dict, receive=received.append, pause=pause))
    assert enough.wait(PATIENCE)
    line.link.stop()
    line.thread.join()
    assert tries[:4] == [0, 1, 2, 3]


def test_pauses_double_with_jitter_up_to_a_limit() -> None:
    assert 0.25 <= backoff(0) <= 0.5
    assert 0.5 <= backoff(1) <= 1.0
    assert LONGEST_PAUSE / 2 <= backoff(50) <= LONGEST_PAUSE
    assert len({backoff(5) for _ in range(20)}) > 1


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("http://127.0.0.1:8000", "ws://127.0.0.1:8000/v1/station-link"),
        ("http://[::1]:8000/", "ws://[::1]:8000/v1/station-link"),
        ("http://localhost", "ws://localhost/v1/station-link"),
        ("https://haoka.example.cn", "wss://haoka.example.cn/v1/station-link"),
        ("https://example.cn/haoka/", "wss://example.cn/haoka/v1/station-link"),
    ],
)
def test_the_link_has_its_place_at_the_service(service: str, url: str) -> None:
    assert link_url(service) == url


@pytest.mark.parametrize("service", ["http://haoka.example.cn", "http://10.0.0.1"])
def test_beyond_this_machine_only_tls_will_do(service: str) -> None:
    with pytest.raises(LinkRefusedError, match="https"):
        link_url(service)


@pytest.mark.parametrize(
    "service",
    [
        "",
        "localhost",
        "ftp://localhost",
        "http://",
        "http://[",
        "http://[::1",
        "https://a:99999",
        "https://a:b",
        "https://a:0",
    ],
)
def test_what_is_no_address_is_refused_as_it_was_typed(service: str) -> None:
    with pytest.raises(LinkRefusedError, match="must read") as refused:
        link_url(service)
    assert repr(service) in str(refused.value)
