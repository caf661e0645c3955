"""Whether rows come in the order of their names, each name once, as vendors write them: then nothing need be sorted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any


class Ascent:
    """Watches the rows of one load go by and numbers them as they come.

    `rising` says that every name of every row was greater than that of the row before, and that all rows have the same
    names: none stands twice, and the rows are in order. As long as it does, `last` has the names of the last row.
    `count` is how many rows there were.
    """

    def __init__(self, names: slice) -> None:
        """Watch rows whose names stand at these places."""
        self._names = names
        self.last: Sequence[str | None] = ()
        self.rising = True
        self.count = 0

    def numbered(self, rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        """Give the rows, each with its number before it, from 0."""
        for row in rows:
            if self.rising:
                names = row[self._names]
                self.rising = not self.last or _above(names, self.last)
                self.last = names
            yield (self.count, *row)
            self.count += 1


def _above(names: Sequence[str | None], last: Sequence[str | None]) -> bool:
    for name, before in zip(names, last, strict=True):
        if name is None or before is None:
            if name is not before:
                return False
        elif name <= before:
            return False
    return True
