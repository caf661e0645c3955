"""A bare security domain that opens commands and answers them as a test says."""

from __future__ import annotations

from collections.abc import Callable

from cardwriter.crypto.secret import Secret
from cardwriter.virtual.apdu import Refused, parse
from cardwriter.virtual.scp03 import CardChannel, ChannelKeys, cmac

__all__ = ["Scp03Card", "cmac"]


class Scp03Card:
    """A security domain with one key set; `serve` gets each opened command and gives data and status word."""

    aid = bytes.fromhex("a000000151000000")

    def __init__(self, enc: bytes, mac: bytes, *, size: int, serve: Callable[[bytes], tuple[bytes, int]]) -> None:
        self.keys, self.serve = ChannelKeys(0x30, Secret(enc), Secret(mac), self.aid, size), serve

    def transmit(self, apdu: bytes) -> tuple[bytes, int]:
        """Answer an APDU; what is not wrapped as it should be is refused."""
        command = parse(apdu)
        try:
            if command.ins == 0x50:
                self.channel = CardChannel(self.keys, command)
                return self.channel.greeting, 0x9000
            if command.ins == 0x82:
                self.channel.authenticate(command)
                return b"", 0x9000
            opened = self.channel.opened(command)
        except Refused as refused:
            return b"", refused.sw
        body = bytes([len(opened.data)]) + opened.data if opened.data else b""
        le = b"" if opened.le is None else bytes([opened.le])
        data, sw = self.serve(bytes([opened.cla, opened.ins, opened.p1, opened.p2]) + body + le)
        return self.channel.closed(data, sw), sw
