"""What the keys of a key file are sealed with while they lie there: nothing, or a key that stays in a token."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from typing_extensions import override

from cardwriter.crypto.secret import Secret


class NotOpened(Exception):
    """What lies in a key file was altered, or sealed by another key than the one there is."""


class Wrapping(Protocol):
    """Seals and opens the keys of a key file; each is bound to the label of its place there."""

    def wrap(self, key: Secret, label: str) -> bytes:
        """Return what is written to the file for the key."""

    def unwrap(self, wrapped: bytes, label: str) -> Secret:
        """Return the key; raise `NotOpened` if it was not wrapped by this for this label."""


class KeyGuard(Protocol):
    """Opens for a moment what seals the keys of a key file."""

    @property
    def name(self) -> str | None:
        """What the file says it is sealed by; None for nothing."""

    def opened(self) -> AbstractContextManager[Wrapping]:
        """Give what seals and opens; raise a `DomainError` that says what to do where that cannot be."""


class Plain:
    """Seals nothing: who reads the file has the keys."""

    @property
    def name(self) -> None:
        """None: the file says nothing."""

    @contextlib.contextmanager
    def opened(self) -> Iterator[Plain]:
        """Give itself."""
        yield self

    def wrap(self, key: Secret, label: str) -> bytes:
        """Return the key itself."""
        del label
        return key.reveal()

    def unwrap(self, wrapped: bytes, label: str) -> Secret:
        """Return the key itself."""
        del label
        return Secret(wrapped)

    @override
    def __repr__(self) -> str:
        return "Plain()"


PLAIN = Plain()
