"""The way a search goes through the free numbers, in pages: from a random place on, and once round."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.errors import InvalidField
from inventory.domain.search import NumberQuery
from inventory.store import search
from inventory.store.search import FoundNumber, Reach, Shelf

_TAILS = 10_000
_ALL = tuple(range(_TAILS))
_TAILS_AT_ONCE = 32
_MOST_QUERIES = 40
"""A page that is still short after so many queries is given as it is, with a cursor to go on."""
_LONG_PREFIX = 5
"""Numbers of a city with so many first digits are few enough to walk along them whatever else is asked."""
_BLOCK = 4
"""With so few digits open, numbers are few enough even if hardly any of them is ours: a ten-thousand block."""
_PROBED_TAILS = 1_000
"""So many tails are looked up one by one; with more of them a part of the city walks along its shelves."""
_ITEM_BITS = 48
"""A place on a shelf is one number: the tail above, the item number in so many bits below."""
_ITEMS = 1 << _ITEM_BITS
_LARGEST = 2**63 - 1


class Walk(StrEnum):
    """Along what the search goes."""

    TAIL = "t"
    SHELF = "s"
    NUMBER = "n"
    REV = "r"


@dataclass(frozen=True)
class Place:
    """Where a search stands.

    It began at `start` (an item number, a place on a shelf, a number or reversed number), stands behind `after`, and
    has passed the end of the range when `second` is set. Along tails `turn` is the tail it began with and `index` the
    place of the present one.
    """

    walk: Walk
    start: int
    after: int
    second: bool = False
    turn: int = 0
    index: int = 0

    def cursor(self) -> str:
        """Write the place as opaque text."""
        state = [self.walk, self.start, self.after, int(self.second), self.turn, self.index]
        return base64.urlsafe_b64encode(json.dumps(state, separators=(",", ":")).encode()).decode()


def read_cursor(cursor: str) -> Place:
    """Read a place from the text that a page ended with.

    Raises
    ------
    InvalidField
        It is no such text.
    """
    try:
        walk, *numbers = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        start, after, second, turn, index = numbers
        place = Place(Walk(walk), start, after, bool(second), turn, index)
        good = all(type(value) is int and -1 <= value <= _LARGEST for value in numbers) and turn < _TAILS
    except (ValueError, TypeError, binascii.Error):
        good = False
    if not good:
        raise InvalidField(field="cursor", value=cursor, reason="send the cursor of the page before")
    return place


@dataclass(frozen=True)
class Route:
    """A walk with its range `low` to `top`, both included; along tails these are item numbers.

    The tails in `likely` come first, then `tails` without them; either part is turned to begin anywhere in it.
    """

    walk: Walk
    low: int
    top: int
    likely: tuple[int, ...] = ()
    tails: tuple[int, ...] = ()

    def begin(self, dice: int) -> Place:
        """Give the place where a search begins; `dice` is any number from 0 up."""
        start = self.low + dice % (self.top - self.low + 1)
        return Place(self.walk, start, start - 1, turn=dice % _TAILS)

    def turned(self, turn: int) -> tuple[int, ...]:
        """Give all tails in the order of a search that began with this turn."""
        return _rotated(self.likely, turn) + _rotated(self.tails, turn)


def choose_route(query: NumberQuery, length: int, reach: Reach) -> Route:
    """Give the walk that meets the fewest rows for nothing."""
    if query.rev_lo is not None and query.rev_hi is not None:
        return Route(Walk.REV, query.rev_lo, query.rev_hi - 1)
    whole_city = reach.holders is None
    if query.lo is not None and (len(query.lo) >= (_LONG_PREFIX if whole_city else length - _BLOCK)):
        unit = 10 ** (length - len(query.lo))
        return Route(Walk.NUMBER, int(query.lo) * unit, (int(query.lo) + 1) * unit - 1)
    if not whole_city and (query.tails is None or len(query.tails) > _PROBED_TAILS):
        return Route(Walk.SHELF, 0, _TAILS * _ITEMS - 1)
    tails = _ALL if query.tails is None else query.tails
    if query.likely:
        tails = tuple(sorted(set(tails).difference(query.likely)))
    return Route(Walk.TAIL, reach.low, reach.high, query.likely, tails)


async def go(
    session: AsyncSession, shelf: Shelf, query: NumberQuery, route: Route, place: Place, *, length: int, limit: int
) -> tuple[list[FoundNumber], Place | None]:
    """Collect up to `limit` numbers from the place on; return them and where to go on, None at the end.

    Raises
    ------
    InvalidField
        The place is not on this route: the cursor came with another search.
    """
    if place.walk is not route.walk:
        raise InvalidField(field="cursor", value=place.cursor(), reason="it belongs to another search")
    found: list[FoundNumber] = []
    here: Place | None = place
    for _ in range(_MOST_QUERIES):
        if here is None or len(found) >= limit:
            break
        page = await _look(session, shelf, query, route, here, length=length, limit=limit - len(found))
        found += page
        here = _behind(route, here, page, full=len(found) >= limit)
    return found, here


async def _look(
    session: AsyncSession, shelf: Shelf, query: NumberQuery, route: Route, here: Place, *, length: int, limit: int
) -> list[FoundNumber]:
    upto = here.start - 1 if here.second else route.top
    if route.walk is Walk.REV:
        return await search.by_rev(session, shelf, query, after=here.after, upto=upto, limit=limit)
    if route.walk is Walk.NUMBER:
        after, last = f"{here.after:0{length}d}", f"{upto:0{length}d}"
        return await search.by_number(session, shelf, query, after=after, upto=last, limit=limit)
    if route.walk is Walk.SHELF:
        behind, end = divmod(here.after, _ITEMS), divmod(upto, _ITEMS)
        return await search.by_shelf(session, shelf, query, after=behind, upto=end, limit=limit)
    low = route.low - 1 if here.second else here.start - 1
    tails = route.turned(here.turn)[here.index : here.index + _TAILS_AT_ONCE]
    return await search.by_tail(session, shelf, query, tails=tails, after=here.after, low=low, upto=upto, limit=limit)


def _rotated(tails: tuple[int, ...], turn: int) -> tuple[int, ...]:
    first = turn % max(len(tails), 1)
    return tails[first:] + tails[:first]


def _behind(route: Route, here: Place, page: list[FoundNumber], *, full: bool) -> Place | None:
    """Give the place behind a page; when the page is not full, behind all that was looked at."""
    if full:
        last = page[-1]
        index = route.turned(here.turn).index(last.tail) if route.walk is Walk.TAIL else 0
        return replace(here, after=_place_of(last, route.walk), index=index)
    index = here.index + _TAILS_AT_ONCE
    if route.walk is Walk.TAIL and index < len(route.likely) + len(route.tails):
        return replace(here, index=index, after=route.low - 1 if here.second else here.start - 1)
    if here.second:
        return None
    return replace(here, second=True, after=route.low - 1, index=0)


def _place_of(found: FoundNumber, walk: Walk) -> int:
    """Give where a number stands on a walk."""
    match walk:
        case Walk.TAIL:
            return found.item_no
        case Walk.SHELF:
            return found.tail * _ITEMS + found.item_no
        case Walk.NUMBER:
            return int(found.number)
        case Walk.REV:
            return found.rev
