"""The face of a virtual card on vpcd's wire, with the test in the place of the reader."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.vpcd import Face, OrderRefused, Wire, order
from tests.cardwriter.samples import a_blank
from tests.patience import PATIENCE

QUERY = bytes.fromhex("0020000a")


class Reader:
    """vpcd's side of the wire, and the loop that lets the face act."""

    def __init__(self, face: Face, listener: socket.socket) -> None:
        self.face = face
        self._listener = listener
        self._card: socket.socket | None = None

    def connected(self) -> socket.socket:
        """Take the card's connection as soon as it comes."""
        if self._card is None:
            self._until(lambda: self._try_accept() is not None)
        assert self._card is not None
        return self._card

    def _try_accept(self) -> socket.socket | None:
        with contextlib.suppress(BlockingIOError):
            self._card, _ = self._listener.accept()
            self._card.setblocking(False)
        return self._card

    def _until(self, done: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < end
            self.face.turn()

    def send(self, payload: bytes) -> None:
        card = self.connected()
        card.sendall(len(payload).to_bytes(2, "big"))
        self.face.turn()
        card.sendall(payload)
        self.face.turn()

    def ask(self, payload: bytes) -> bytes:
        """Send one payload and return the answer, or nothing if none came."""
        self.send(payload)
        with contextlib.suppress(BlockingIOError):
            answer = self.connected().recv(300)
            assert int.from_bytes(answer[:2], "big") == len(answer) - 2 or not answer
            return answer[2:]
        return b""

    def hang_up(self) -> None:
        if self._card is not None:
            self._card.close()
            self._card = None


@pytest.fixture
def card_file(tmp_path: Path) -> Path:
    """Return the image file of a blank card."""
    path = tmp_path / "card.json"
    a_blank().save(path)
    return path


@contextlib.contextmanager
def plugged(control: Path | None = None, wire: Wire | None = None) -> Iterator[Reader]:
    """Give a reader with an empty face on it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        face = Face(listener.getsockname()[1], control, wire)
        reader = Reader(face, listener)
        yield reader
        reader.hang_up()
        face.close()


@pytest.fixture
def reader(card_file: Path) -> Iterator[Reader]:
    """Give a reader with the card in it."""
    with plugged() as found:
        found.face.insert(card_file)
        yield found


def arm(path: Path, *faults: Fault) -> None:
    image = CardImage.load(path)
    image.faults = list(faults)
    image.save(path)


def test_card_tells_its_atr_and_answers_commands(reader: Reader) -> None:
    assert reader.ask(b"\x04") == a_blank().atr
    assert reader.ask(QUERY) == bytes.fromhex("63c3")


def test_power_and_reset_are_not_answered_and_end_the_session(reader: Reader) -> None:
    assert reader.ask(bytes.fromhex("00a4040c07a0000000871002")) == bytes.fromhex("9000")
    assert reader.ask(bytes.fromhex("00b0870009"))[-2:] == bytes.fromhex("9000")
    for control in (b"\x00", b"\x01", b"\x02"):
        assert reader.ask(control) == b""
    assert reader.ask(bytes.fromhex("00b0870009")) == bytes.fromhex("6a82")


def test_torn_card_leaves_the_reader(reader: Reader, card_file: Path) -> None:
    arm(card_file, Fault(FaultKind.DIE_BEFORE))
    reader.face.insert(card_file)
    reader.send(QUERY)
    assert reader.connected().recv(10) == b""
    assert reader.face.obey("status") == "ok empty"


def test_silent_card_stays_in_the_reader(reader: Reader, card_file: Path) -> None:
    arm(card_file, Fault(FaultKind.MUTE))
    reader.face.insert(card_file)
    assert reader.ask(QUERY) == b""
    assert reader.face.obey("status") == f"ok in {card_file}"


def test_card_comes_back_to_a_reader_that_was_restarted(reader: Reader) -> None:
    assert reader.ask(QUERY) == bytes.fromhex("63c3")
    reader.hang_up()
    reader.face.turn()
    assert reader.ask(QUERY) == bytes.fromhex("63c3")


def test_reader_that_is_not_there_yet_is_waited_for(card_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    face = Face(port, None, None)
    face.insert(card_file)
    face.turn()
    with socket.create_server(("127.0.0.1", port)) as listener:
        face.turn()
        listener.accept()[0].close()
    face.close()


def test_card_at_wire_speed_takes_as_long_as_a_real_one(card_file: Path) -> None:
    wire = Wire(372, 1)
    with plugged(wire=wire) as found:
        found.face.insert(card_file)
        found.ask(b"\x04")
        started = time.monotonic()
        answer = found.ask(QUERY)
        assert time.monotonic() - started >= wire.seconds(QUERY, answer)


def test_orders_insert_and_remove_a_card(tmp_path: Path, card_file: Path) -> None:
    control = tmp_path / "control"
    with plugged(control) as found:
        answers: list[str] = []

        def tell(*texts: str) -> None:
            for text in texts:
                try:
                    answers.append(order(control, text))
                except OrderRefused as refused:
                    answers.append(str(refused))

        orders = ("status", "insert", f"insert {card_file}", "remove", "insert", f"insert {tmp_path}", "dance")
        hand = threading.Thread(target=tell, args=orders)
        hand.start()
        while hand.is_alive():
            found.face.turn()
        hand.join()
    unknown = "error expected insert FILE, remove or status"
    inside = f"ok in {card_file}"
    no_card = f"error {tmp_path} is not a card: IsADirectoryError"
    assert answers == ["ok empty", unknown, inside, "ok empty", inside, no_card, unknown]
