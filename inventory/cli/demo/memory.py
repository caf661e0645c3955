"""What one run of the demo leaves for the next: logins, the vendor's seed, how far it came."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from inventory.cli.demo.errors import DemoFailed
from inventory.cli.demo.sizes import Size
from inventory.cli.demo.vendor import SCP03_CARDS, SERIAL_CARDS

_OWNER_ONLY = 0o600


class CardChoice(StrEnum):
    """Which blanks the demo sells lines on."""

    PRESET = "preset"
    """K and OPc are inside since the factory."""
    SCP03 = "scp03"
    """K and OPc come with the write, which is encrypted for the card."""


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

    `founded` is set before the operator is; `cards` counts the cards taken out of the vendor's box, `serial_cards` and
    `scp03_cards` those out of the boxes of blanks that have a chip serial only and of those with a secure channel,
    `kiosk_cards` those of the hall that were filled into a self-service machine, and `unfinished` is the one whose sale
    was broken off, if any.
    """

    path: Path
    seed: str = field(repr=False)
    founded: bool = False
    logins: dict[str, Login] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    cards: int = 0
    serial_cards: int = 0
    scp03_cards: int = 0
    kiosk_cards: int = 0
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

    def require(self, choice: CardChoice, size: Size) -> None:
        """Let pass if the clerk has a blank to sell and one to leave in the reader.

        Raises
        ------
        DemoFailed
            The blanks of this kind are used up.
        """
        if choice is CardChoice.SCP03 and self.scp03_cards + 2 > len(SCP03_CARDS):
            raise DemoFailed(
                "no blank with a secure channel is left; sell on others (--card preset) or start over with --fresh"
            )
        if choice is CardChoice.PRESET and self.cards + 2 > len(size.cards_with_the_clerk):
            raise DemoFailed(
                "the clerk has no blank with preset keys left; sell on others (--card scp03) or start over with --fresh"
            )

    def next_blank(self, choice: CardChoice) -> int:
        """Return the number of the next blank of the chosen kind, and remember it."""
        return self.next_scp03_card() if choice is CardChoice.SCP03 else self.next_card()

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

    def next_scp03_card(self) -> int:
        """Return the number of a blank with a secure channel that was never in the reader, and remember it."""
        number = SCP03_CARDS[self.scp03_cards]
        self.scp03_cards += 1
        self.save()
        return number

    def next_kiosk_cards(self, numbers: range, count: int) -> range:
        """Return the next so many of these numbers of cards, and remember that they are in a machine.

        Raises
        ------
        DemoFailed
            There are not so many left.
        """
        taken = numbers[self.kiosk_cards : self.kiosk_cards + count]
        if len(taken) < count:
            raise DemoFailed("the hall has too few blanks left for a self-service machine; start over with --fresh")
        self.kiosk_cards += count
        self.save()
        return taken


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "w") as file:
        file.write(text)
    draft.replace(path)
