"""A tiny card on a virtual reader's port, as a process: killing it is pulling the card out."""

from __future__ import annotations

import argparse
import socket
import sys
import time

from tests.station.tiny_card import ATR, ICCID, TinyCard

_CONTROL = 1  # vpcd's wire: a payload of one byte is a control, everything else a command
_RESETS = {0: "off", 1: "on", 2: "reset"}  # any other asks for the ATR, as the daemon does at every look: no reset


def main() -> None:
    """Serve until killed, or until a fault that was asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--iccid", default=ICCID.hex())
    parser.add_argument("--atr", default=ATR.hex())
    parser.add_argument("--die-on", type=lambda text: int(text, 16), help="take this command and vanish")
    parser.add_argument("--hang-on", type=lambda text: int(text, 16), help="take this command and stay silent")
    options = parser.parse_args()
    card = TinyCard(iccid=bytes.fromhex(options.iccid))
    with _plug_in(options.port) as reader:
        sys.stdout.write("in\n")
        sys.stdout.flush()
        while (payload := _receive(reader)) is not None:
            if len(payload) == _CONTROL:
                if payload[0] in _RESETS:
                    card.reset()
                else:
                    _send(reader, bytes.fromhex(options.atr))
                continue
            if payload[1] == options.die_on:
                return
            if payload[1] == options.hang_on:
                time.sleep(3600)
            _send(reader, card.transmit(payload))


def _plug_in(port: int) -> socket.socket:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except OSError:
            time.sleep(0.02)


def _receive(reader: socket.socket) -> bytes | None:
    length = _exactly(reader, 2)
    return None if length is None else _exactly(reader, int.from_bytes(length, "big"))


def _exactly(reader: socket.socket, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # vpcd sends in two parts; without it 44 ms each
        part = reader.recv(count - len(data))
        if not part:
            return None
        data += part
    return data


def _send(reader: socket.socket, data: bytes) -> None:
    reader.sendall(len(data).to_bytes(2, "big") + data)


if __name__ == "__main__":
    main()
