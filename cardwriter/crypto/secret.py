"""Bytes that must not be seen: keys and codes."""

from __future__ import annotations

import hmac
from typing import NoReturn

from typing_extensions import override


class Secret:
    """Bytes whose text forms say only how many there are; compared in constant time, never pickled.

    `reveal` is the one way to the value and easy to search for.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    @classmethod
    def fromhex(cls, text: str) -> Secret:
        """Return the secret written as hex.

        Raises
        ------
        ValueError
            The text is not hex; the message does not quote it.
        """
        try:
            return cls(bytes.fromhex(text))
        except ValueError:
            raise ValueError("a secret is not valid hex") from None

    def reveal(self) -> bytes:
        """Return the value; keep it as short as possible and out of names that are logged."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    @override
    def __hash__(self) -> int:
        """Equal secrets hash alike; the hash is Python's keyed one and says nothing about the value."""
        return hash((Secret, self._value))

    @override
    def __repr__(self) -> str:
        return f"Secret({len(self._value)} bytes)"

    @override
    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be pickled or copied into a queue, a cache or a crash dump.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError("a Secret is never pickled or copied")
