"""A virtual card's face as a Phoenix interface on a remote serial port (RFC 2217)."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Final

from serial.rfc2217 import PortManager

from cardwriter.virtual.phoenix_card import CharacterCard
from cardwriter.virtual.uicc import Torn

_CHUNK: Final = 1024
_TOLERANCE: Final = 0.02
"""By how much two ends may differ in speed and still understand each other over ten bits, half a bit apart at most."""


class _Port:
    """What the interface's UART looks like to the server of the remote port."""

    def __init__(self, released: Callable[[], None], fastest: int) -> None:
        self.bytesize, self.parity, self.stopbits = 8, "N", 1
        self.dtr = self.xonxoff = self.rtscts = self.break_condition = False
        self.cts = self.dsr = self.ri = self.cd = False
        self._baud, self._fastest = 9600, fastest
        self._rts = False
        self._released = released

    @property
    def baudrate(self) -> int:
        """The speed in bits a second."""
        return self._baud

    @baudrate.setter
    def baudrate(self, baud: int) -> None:
        if baud > self._fastest:
            raise ValueError(baud)
        self._baud = baud

    @property
    def rts(self) -> bool:
        """Whether the card is held in reset."""
        return self._rts

    @rts.setter
    def rts(self, asserted: bool) -> None:
        before, self._rts = self._rts, asserted
        if before and not asserted:
            self._released()

    def reset_input_buffer(self) -> None:
        """Nothing is kept here."""

    def reset_output_buffer(self) -> None:
        """Nothing is kept here."""


class PhoenixFace:
    """An interface on a loopback port of its own, for one client at a time; serves until closed.

    CTS is asserted while a card is in, unless it `detects` none; its UART does `fastest` bits a second at most.
    """

    def __init__(self, *, detects: bool = True, echoes: bool = True, fastest: int = 1_000_000) -> None:
        self._detects = detects
        self._echoes = echoes
        self._fastest = fastest
        self._card: CharacterCard | None = None
        self._port = _Port(self._restart, self._fastest)
        self._client: socket.socket | None = None
        self._manager: PortManager | None = None
        self._lock = threading.RLock()  # what goes out, and the card
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address: tuple[str, int] = self._listener.getsockname()
        self._thread = threading.Thread(target=self._serve, name="phoenix", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where pyserial finds it."""
        host, port = self._address
        return f"rfc2217://{host}:{port}"

    def insert(self, card: CharacterCard) -> None:
        """Put a card in, in place of the one there; it stays silent until it is reset."""
        with self._lock:
            self._card = card
            self._show_lines()

    def remove(self) -> None:
        """Take the card out."""
        with self._lock:
            self._card = None
            self._show_lines()

    def unplug(self) -> None:
        """Break the connection to the client, as a cable pulled out does; the next one is served again."""
        with self._lock, contextlib.suppress(OSError):
            if self._client is not None:
                self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Stop serving."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.unplug()
        self._thread.join()

    def write(self, data: bytes) -> None:
        """Send to the client; the remote port's server answers through this too."""
        with self._lock, contextlib.suppress(OSError):
            if self._client is not None:
                self._client.sendall(data)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client, contextlib.suppress(OSError):
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._client = client
                    self._port = _Port(self._restart, self._fastest)
                    self._manager = PortManager(self._port, self)
                    self._show_lines()
                while received := client.recv(_CHUNK):
                    with self._lock:
                        self._take(b"".join(self._manager.filter(received)))
            with self._lock:
                self._client = self._manager = None

    def _show_lines(self) -> None:
        self._port.cts = self._detects and self._card is not None
        if self._manager is not None:
            self._manager.check_modem_lines()

    def _restart(self) -> None:
        if self._card is not None:
            self._say(self._card.reset())

    def _take(self, sent: bytes) -> None:
        """Echo what was sent, and let the card hear it if the port talks as it does."""
        if not sent:
            return
        if self._echoes:
            self._say(sent)
        card = self._card
        if card is None or self._port.rts or self._port.parity != card.parity:
            return
        if abs(self._port.baudrate - card.baud) <= card.baud * _TOLERANCE:
            try:
                self._say(card.hear(sent))
            except Torn:
                self.remove()

    def _say(self, data: bytes) -> None:
        if self._manager is not None:
            self.write(b"".join(self._manager.escape(data)))
