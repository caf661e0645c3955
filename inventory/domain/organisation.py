"""The line of custody: city company, district, sales point, clerk; items move one step at a time.

An organisation is known here by its path: the ids from the city company down to itself, joined by `/`
(`530700/12/345`). The path gives the level, the parent and the subtree without a look-up.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from inventory.domain.errors import LevelSkipped, NotSiblings

_SEPARATOR = "/"
LABEL: Final = "PLACE:"
"""What a place's label says before the code, so that one field for the scanner tells a place from an item."""


class Level(IntEnum):
    """The four levels; a smaller number is nearer to the city company (市公司)."""

    CITY = 1
    DISTRICT = 2
    POINT = 3
    CLERK = 4


SIM_LEVELS = frozenset(Level)
"""Cards go down to the clerk (REQ-SIM-05)."""

NUMBER_LEVELS = frozenset({Level.CITY, Level.DISTRICT, Level.POINT})
"""Numbers stop at the sales point; a clerk works through holds (REQ-NUM-05)."""


def child_path(parent: str, child_id: str) -> str:
    """Give the path of the organisation `child_id` right below `parent`."""
    return f"{parent}{_SEPARATOR}{child_id}"


def parent_path(path: str) -> str | None:
    """Give the path of the direct parent, or None for a city company."""
    parent, separator, _ = path.rpartition(_SEPARATOR)
    return parent if separator else None


def level_of(path: str) -> Level:
    """Give the level that a path of one to four ids stands for."""
    return Level(path.count(_SEPARATOR) + 1)


def is_direct_child(parent: str, child: str) -> bool:
    """Tell whether `child` stands right below `parent`."""
    return parent_path(child) == parent


def in_subtree(top: str, path: str) -> bool:
    """Tell whether `path` is `top` itself or somewhere below it."""
    return path == top or path.startswith(top + _SEPARATOR)


def require_issue_step(giver: str, receiver: str, levels: frozenset[Level], *, skipping: bool = False) -> None:
    """Let pass an issue to a direct child on a level that this kind of item may reach (REQ-SIM-05, REQ-NUM-05).

    Where a policy allows `skipping`, to anyone below on such a level.

    Raises
    ------
    LevelSkipped
        The receiver is not the giver's direct child, or the kind does not go down to the receiver's level.
    """
    below = in_subtree(giver, receiver) and giver != receiver if skipping else is_direct_child(giver, receiver)
    if not below or level_of(receiver) not in levels:
        raise LevelSkipped(giver=giver, receiver=receiver)


def require_recall_step(giver: str, receiver: str, levels: frozenset[Level] = frozenset(Level)) -> None:
    """Let pass a recall to the direct parent, from any level (REQ-NUM-07). The giver is the one who hands back.

    Raises
    ------
    LevelSkipped
        The receiver is not the giver's direct parent.
    """
    del levels
    if not is_direct_child(receiver, giver):
        raise LevelSkipped(giver=giver, receiver=receiver)


def require_transfer_step(giver: str, receiver: str, levels: frozenset[Level]) -> None:
    """Let pass a transfer between two children of one parent, on a level that this kind of item may reach.

    Raises
    ------
    NotSiblings
        They have not the same parent, or are the same, or the kind does not lie on their level.
    """
    parent = parent_path(giver)
    if giver == receiver or parent is None or parent_path(receiver) != parent or level_of(receiver) not in levels:
        raise NotSiblings(giver=giver, receiver=receiver)
