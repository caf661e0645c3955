"""Scripts that only one card can open: the service wraps them in advance for the card's SCP03 channel.

The card draws its challenges from a sequence number that identify has read, so that the service knows the next one and
wraps the whole script before the card has said anything. Whoever carries it sees headers and lengths, no content.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from cardwriter.crypto.scp03 import (
    Greeting,
    HostChannel,
    Level,
    ScpError,
    StaticKeys,
    capacity,
    card_challenge,
    initialize_update,
)
from cardwriter.profiles.base import CardFacts, CardRefused, Failure
from cardwriter.profiles.identify import GREETING
from cardwriter.script import Step, SwMask

OPENING: Final = "channel.open"
_OPENED: Final = (SwMask("9000"),)
_LAST_SEQUENCE: Final = 0xFFFFFF
"""Of three bytes (amendment D §6.2.2.1); the next one would begin anew."""


@dataclass(frozen=True, kw_only=True)
class ScriptChannel:
    """How a family's cards take encrypted scripts.

    `version` is the key set's, `aid` the application that opens the channel, `size` that of its challenges. At `level`
    commands are encrypted and signed; answers are not, or no script could be wrapped before they are known.
    """

    version: int
    aid: bytes
    size: int = 8
    level: Level = Level.C_MAC_ENC

    @property
    def greeting(self) -> bytes:
        """The command of identify that asks for the sequence number; its challenge is the same for all cards."""
        return initialize_update(self.version, bytes(self.size))

    @property
    def longest(self) -> int:
        """How many bytes of data a wrapped command may carry."""
        return capacity(self.level, self.size)

    def wrap(self, steps: Iterable[Step], facts: CardFacts, keys: StaticKeys, script_id: str) -> Iterator[Step]:
        """Return the steps that open a channel with the next sequence number, and the given ones wrapped for it.

        The same script comes out whenever it is made again from the same facts, keys and id.

        Raises
        ------
        CardRefused
            The card has not told its channel's state, has other keys than these, or cannot take a step.
        """
        challenge = self._next_challenge(facts, keys)
        host = hmac.digest(keys.mac.reveal(), b"haoka host challenge/" + script_id.encode(), hashlib.sha256)[
            : self.size
        ]
        channel = HostChannel(keys, host, challenge, self.level)
        yield Step(name=GREETING, apdu=initialize_update(self.version, host))
        opening = channel.external_authenticate()
        yield Step(name=OPENING, apdu=opening, expect=_OPENED, changes_card=True)
        for step in steps:
            try:
                yield replace(step, apdu=channel.wrap(step.apdu).apdu)
            except ScpError as error:
                raise CardRefused(Failure.WRONG_KIND, f"{step.name}: {error}") from None

    def _next_challenge(self, facts: CardFacts, keys: StaticKeys) -> bytes:
        """Return what the card will draw for its next session, if its last one proves that it has these keys."""
        try:
            greeting = Greeting.parse(facts.greeting or b"")
        except ScpError as error:
            raise CardRefused(Failure.WRONG_KIND, f"no secure channel: {error}") from None
        if greeting.version != keys.version or len(greeting.challenge) != self.size:
            raise CardRefused(Failure.WRONG_KIND, f"a secure channel of key version {greeting.version:02x}")
        if greeting.sequence is None or greeting.sequence == _LAST_SEQUENCE:
            raise CardRefused(Failure.WRONG_KIND, "the secure channel's next challenge cannot be told in advance")
        try:
            HostChannel(keys, bytes(self.size), greeting.challenge, self.level).check(greeting.cryptogram)
        except ScpError as error:
            raise CardRefused(Failure.WRONG_KEY, str(error)) from None
        if card_challenge(keys, greeting.sequence, self.aid, self.size) != greeting.challenge:
            raise CardRefused(Failure.WRONG_KIND, "the secure channel is another application's")
        return card_challenge(keys, greeting.sequence + 1, self.aid, self.size)
