"""How much stock the demo loads: all of it, or so little that a test of the whole run is quick."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """An issue: so many items of a kind from one place to the one below it."""

    resource: str
    giver: str
    receiver: str
    count: int


@dataclass(frozen=True)
class Size:
    """`segments` None: all that the national list gives to the carrier in the city; `whole_plan`: all of the list."""

    whole_plan: bool
    segments: tuple[str, ...] | None
    cards: int
    steps: tuple[Step, ...]

    @property
    def cards_with_the_clerk(self) -> range:
        """The vendor's numbers of the cards that its clerk was given: those that the demo puts into its reader."""
        return range(1, self.cards_with_the_hall.start)

    @property
    def cards_with_the_hall(self) -> range:
        """The vendor's numbers of the cards that stay with the hall when its clerk was given the first ones."""
        _, to_hall, to_clerk = (step.count for step in self.steps if step.resource == "sim")
        return range(to_clerk + 1, to_hall + 1)


FULL = Size(
    whole_plan=True,
    segments=None,
    cards=10_000,
    steps=(
        Step("sim", "530700", "LJ-D1", 6_000),
        Step("sim", "LJ-D1", "LJ-P1", 2_000),
        Step("sim", "LJ-P1", "LJ-C1", 500),
        Step("number", "530700", "LJ-D1", 500_000),
        Step("number", "LJ-D1", "LJ-P1", 100_000),
    ),
)
SMALL = Size(
    whole_plan=False,
    segments=("1390888", "1398888", "1651879"),
    cards=50,
    steps=(
        Step("sim", "530700", "LJ-D1", 40),
        Step("sim", "LJ-D1", "LJ-P1", 30),
        Step("sim", "LJ-P1", "LJ-C1", 20),
        Step("number", "530700", "LJ-D1", 20_000),
        Step("number", "LJ-D1", "LJ-P1", 5_000),
    ),
)
