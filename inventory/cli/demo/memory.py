"""What one run of the demo leaves for the next: logins, the vendor's seed, how far it came."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inventory.cli.demo.vendor import SERIAL_CARDS

_OWNER_ONLY = 0o600


@dataclass
class Login:
    """An interface number and a staff id, with the API key and the password that go with them."""

    interface_no: str
    staff_no: str
    password: str = field(repr=False)
    key: str | None = field(default=None, repr=False)


@dataclass
class Memory:
    """The demo's own notes; kept in a file for its owner only.

    `founded` is set before the operator is; `cards` counts the cards taken out of the vendor's box, `serial_cards`
    those out of the box of blanks that have a chip serial only, and `unfinished` is the one whose sale was broken off,
    if any.
    """

    path: Path
    seed: str = field(repr=False)
    founded: bool = False
    logins: dict[str, Login] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    cards: int = 0
    serial_cards: int = 0
    unfinished: int | None = None

    @classmethod
    def open(cls, path: Path) -> Memory:
        """Return what is remembered, or a fresh start."""
        if not path.exists():
            return cls(path, os.urandom(32).hex())
        stored: dict[str, Any] = json.loads(path.read_text())
        stored.pop("station_service", None)  # notes of before: the station itself keeps which service knows it
        logins = {name: Login(**login) for name, login in stored.pop("logins").items()}
        return cls(path, logins=logins, **stored)

    def save(self) -> None:
        """Write the notes, whole or not at all."""
        document = {name: value for name, value in asdict(self).items() if name != "path"}
        write_private(self.path, json.dumps(document, indent=1))

    def finish(self, step: str) -> None:
        """Remember that a step is done."""
        self.done.append(step)
        self.save()

    def next_card(self) -> int:
        """Return the number of a card that was never in the reader, and remember it."""
        self.cards += 1
        self.save()
        return self.cards

    def next_serial_card(self) -> int:
        """Return the number of the next blank that has a chip serial only; after the last comes the first again."""
        number = SERIAL_CARDS[self.serial_cards % len(SERIAL_CARDS)]
        self.serial_cards += 1
        self.save()
        return number


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "w") as file:
        file.write(text)
    draft.replace(path)
