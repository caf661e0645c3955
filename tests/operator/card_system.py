"""An operator's card-data system and its cards: both know a key for each serial, and nobody between them does."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from cardwriter.crypto.secret import Secret
from cardwriter.usim.bcd import pad
from cardwriter.usim.identity import encode_iccid, encode_imsi
from cardwriter.virtual.apdu import Command, Refused
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.uicc import VirtualUicc

KEY = Secret(b"key-of-this-province")
CHUNK = 40
_BAD_DATA = 0x6A80

Json = dict[str, Any]


def key_of(serial: str) -> bytes:
    """Give the key that system and card share."""
    return hashlib.sha256(f"card {serial}".encode()).digest()


def mac(serial: str, transaction: str) -> bytes:
    """Give what a card answers once it has taken its data."""
    return hmac.digest(key_of(serial), f"written {transaction}".encode(), "sha256")[:8]


class OperatorsCard(VirtualUicc):
    """A blank with a serial that takes its data from ENVELOPEs: the last of them brings it to life and is answered."""

    def __init__(self, serial: str) -> None:
        secret = Secret(bytes(16))
        super().__init__(blank_card(iccid=None, serial=serial, k=secret, opc=secret, adm1=Secret(bytes(8))))
        self.serial = serial
        self.got = bytearray()
        self._handlers[0x80, 0xC2] = self._envelope

    @override
    def reset(self) -> bytes:
        """Forget what came so far."""
        self.got = bytearray()
        return super().reset()

    def _envelope(self, command: Command) -> bytes:
        more, part = command.data[0], command.data[1:]
        self.got += part
        if more:
            return b""
        try:
            found = json.loads(AESGCM(key_of(self.serial)).decrypt(bytes(self.got[:12]), bytes(self.got[12:]), b""))
        except InvalidTag:
            raise Refused(_BAD_DATA) from None
        self.image.files["2fe2"].content = encode_iccid(found["iccid"])
        self.image.files["7fff/6f07"].content = pad(encode_imsi(found["imsi"]), 9)
        return mac(self.serial, found["transaction"])


class CardSystem(ThreadingHTTPServer):
    """Listens on a free port of this machine. `instead` may answer a request by itself; it gives None to let it pass.

    `asked` keeps path, idempotency key and body of each request, `issued` the answer to each key.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, Json]] = []
        self.issued: dict[str, tuple[Json, Json]] = {}
        self.accepted: dict[str, bool] = {}
        self.instead: Callable[[int, str], tuple[int, bytes] | None] = lambda _number, _path: None
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_port}/cards"

    @override
    def __enter__(self) -> Self:
        self._thread.start()
        return self

    @override
    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def issue(self, key: str, body: Json) -> tuple[int, Json]:
        """Make issue data for a serial; the same key again brings the same, another body under it is refused."""
        if key in self.issued:
            before, answer = self.issued[key]
            return (HTTPStatus.OK, answer) if before == body else (HTTPStatus.CONFLICT, {})
        number = len(self.issued) + 1
        serial = body["serial"]
        one = {"transaction": f"T-{number}", "iccid": f"89860077{number:012d}", "imsi": f"46000777{number:07d}"}
        nonce = os.urandom(12)
        blob = nonce + AESGCM(key_of(serial)).encrypt(nonce, json.dumps(one).encode(), b"")
        chunks = [blob[at : at + CHUNK] for at in range(0, len(blob), CHUNK)]
        parts = [bytes([index < len(chunks) - 1]) + chunk for index, chunk in enumerate(chunks)]
        answer = {**one, "serial": serial, "issue_data": [part.hex() for part in parts]}
        self.issued[key] = body, answer
        return HTTPStatus.OK, answer

    def take_answer(self, body: Json) -> tuple[int, Json]:
        """Judge a card's answer by its MAC."""
        transaction, said = body["transaction"], body["card_answer"]
        good = said is not None and bytes.fromhex(said) == mac(body["serial"], transaction)
        self.accepted[transaction] = good
        return HTTPStatus.OK, {"transaction": transaction, "accepted": good, "reason": None if good else "MAC"}


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer as the system does, or as a test wants it to."""
        system = self.server
        assert isinstance(system, CardSystem)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        system.asked.append((self.path, key, body))
        instead = system.instead(len(system.asked), self.path)
        if instead is None and self.headers["Authorization"] != f"Bearer {KEY.reveal().decode()}":
            instead = HTTPStatus.UNAUTHORIZED, b"{}"
        if instead is None:
            status, answer = system.issue(key, body) if self.path.endswith("issue-data") else system.take_answer(body)
            instead = status, json.dumps(answer).encode()
        with suppress(ConnectionError):  # who asked may have gone
            self.send_response(instead[0])
            self.send_header("Content-Length", str(len(instead[1])))
            self.send_header("Location", "/cards/elsewhere")
            self.end_headers()
            self.wfile.write(instead[1])

    @override
    def log_message(self, *_: object) -> None:
        """Keep quiet."""
