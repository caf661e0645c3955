"""Find free numbers by pattern, from a random place on, so that clerks do not collide; every walk uses an index.

Four walks: along the last four digits (`ix_number_tail`; for a part of the city, holder by holder in
`ix_number_free`), along the shelves of a few holders (`ix_number_free`), along the number (its unique key), along the
number read backwards (`ix_number_rev`). Whatever a walk does not say is a condition on the rows it meets: a hall has a
hundredth of the city's numbers, so its walks must say whose they are; they do so as one row comparison, which is a
place in `ix_number_free` and in no other index. Each walk goes from its start to the end of its
range and then from the beginning up to its start. Bounds: `after` is excluded, `upto` included.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.domain.organisation import Level
from inventory.domain.search import NumberQuery
from inventory.store.hold_sql import KEPT_BY_NETWORK, NUMBERED, PLAIN


@dataclass(frozen=True)
class FoundNumber:
    """A number that may be held now; `rev` is the number read backwards, as a number."""

    item_no: int
    number: str
    tail: int
    rev: int
    cls: int
    outcome: int
    rule_set_id: int
    hlr_code: str | None


_COLUMNS = "item_no, number, tail, rev, cls, outcome, rule_set_id, hlr_code"

_FREE = """
    city_id = CAST(:city AS int) AND kind = CAST(:kind AS text) AND transit_id IS NULL AND recall_id IS NULL
    AND NOT legal_hold
    AND pool = ANY (CAST(:pools AS text[]))
    AND (CAST(:classes AS int[]) IS NULL OR cls = ANY (CAST(:classes AS int[])))
    AND (CAST(:hlr AS text) IS NULL OR hlr_code = CAST(:hlr AS text))
    AND (CAST(:lo AS text) IS NULL OR number >= CAST(:lo AS text))
    AND (CAST(:hi AS text) IS NULL OR number < CAST(:hi AS text))
    AND mask & CAST(:must AS int) = CAST(:must AS int) AND mask & CAST(:must_not AS int) = 0
    AND number ~ ALL (CAST(:regexes AS text[])) AND number !~ ALL (CAST(:regexes_not AS text[]))
"""

_OURS = "(CAST(:holders AS bigint[]) IS NULL OR holder_id = ANY (CAST(:holders AS bigint[])))"

_BEHIND = """CASE WHEN place = 1 THEN CAST(:after AS bigint) ELSE CAST(:low AS bigint) END"""

BY_TAIL = f"""
    SELECT {_COLUMNS} FROM unnest(CAST(:tails AS int[])) WITH ORDINALITY AS wanted (wanted_tail, place)
    CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM number
        WHERE {_FREE} AND state = 'UNUSED' AND tail = wanted_tail
          AND item_no > {_BEHIND} AND item_no <= CAST(:upto AS bigint)
        ORDER BY item_no LIMIT CAST(:limit AS int)
    ) AS found
    LIMIT CAST(:limit AS int)
"""  # noqa: S608 - composed of constants
"""Free numbers of the whole city along tails, in the order the tails are given."""

BY_OUR_TAIL = f"""
    SELECT {_COLUMNS} FROM unnest(CAST(:tails AS int[])) WITH ORDINALITY AS wanted (wanted_tail, place)
    CROSS JOIN LATERAL (
        SELECT ours.* FROM unnest(CAST(:holders AS bigint[])) AS our (holder)
        CROSS JOIN LATERAL (
            SELECT {_COLUMNS} FROM number
            WHERE {_FREE} AND state = 'UNUSED'
              AND (holder_id, tail, item_no) > (our.holder, wanted_tail, {_BEHIND})
              AND (holder_id, tail, item_no) <= (our.holder, wanted_tail, CAST(:upto AS bigint))
            ORDER BY holder_id, tail, item_no LIMIT CAST(:limit AS int)
        ) AS ours
        ORDER BY item_no LIMIT CAST(:limit AS int)
    ) AS found
    LIMIT CAST(:limit AS int)
"""  # noqa: S608 - composed of constants
"""Free numbers of a few holders along tails, in the order the tails are given."""

BY_SHELF = f"""
    SELECT ours.* FROM unnest(CAST(:holders AS bigint[])) AS our (holder)
    CROSS JOIN LATERAL (
        SELECT {_COLUMNS} FROM number
        WHERE {_FREE} AND state = 'UNUSED'
          AND (CAST(:tails AS int[]) IS NULL OR tail = ANY (CAST(:tails AS int[])))
          AND (holder_id, tail, item_no) > (our.holder, CAST(:after_tail AS int), CAST(:after AS bigint))
          AND (holder_id, tail, item_no) <= (our.holder, CAST(:upto_tail AS int), CAST(:upto AS bigint))
        ORDER BY holder_id, tail, item_no LIMIT CAST(:limit AS int)
    ) AS ours
    ORDER BY tail, item_no LIMIT CAST(:limit AS int)
"""  # noqa: S608 - composed of constants
"""All free numbers of a few holders, by tail and item."""

BY_NUMBER = f"""
    SELECT {_COLUMNS} FROM number
    WHERE {_FREE} AND {_OURS} AND (state = 'UNUSED') IS TRUE
      AND (CAST(:tails AS int[]) IS NULL OR tail = ANY (CAST(:tails AS int[])))
      AND number > CAST(:after AS text) AND number <= CAST(:upto AS text)
    ORDER BY number LIMIT CAST(:limit AS int)
"""  # noqa: S608 - composed of constants
"""Free numbers of a range, in order."""

BY_REV = f"""
    SELECT {_COLUMNS} FROM number
    WHERE {_FREE} AND {_OURS} AND state = 'UNUSED' AND rev > CAST(:after AS bigint) AND rev <= CAST(:upto AS bigint)
      AND (CAST(:tails AS int[]) IS NULL OR tail = ANY (CAST(:tails AS int[])))
    ORDER BY rev LIMIT CAST(:limit AS int)
"""  # noqa: S608 - composed of constants
"""Free numbers with a long ending, in the order of the number read backwards."""

EXPIRED = f"""
    SELECT number.item_no, number, tail, rev, cls, outcome, rule_set_id, hlr_code
    FROM hold h JOIN number ON number.city_id = h.city_id AND number.item_no = h.number_item_no
                           AND number.hold_id = h.hold_id
    WHERE h.city_id = CAST(:city AS int) AND h.expires_at <= CAST(:now AS timestamptz)
      AND h.state IN ('ACTIVE', 'BOOKED') AND h.job_id IS NULL AND h.old_sim_item_no IS NULL
      AND NOT {KEPT_BY_NETWORK.replace("hold.", "h.")}
      AND (CAST(:tails AS int[]) IS NULL OR tail = ANY (CAST(:tails AS int[])))
      AND {_FREE.replace("city_id", "number.city_id", 1)} AND {_OURS}
    ORDER BY number.item_no LIMIT CAST(:limit AS int)
"""  # noqa: S608 - composed of constants
"""Numbers whose hold is over and not yet swept: free to whoever asks (REQ-RSV-04).

Under a service order a number is in use, and stays so.
"""

_BY_TAIL, _BY_OUR_TAIL, _BY_SHELF = text(BY_TAIL), text(BY_OUR_TAIL), text(BY_SHELF)
_BY_NUMBER, _BY_REV, _EXPIRED = text(BY_NUMBER), text(BY_REV), text(EXPIRED)


_REACH = text("""
    SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
           (SELECT min(item_no) FROM number WHERE city_id = CAST(:city AS int)) AS low,
           (SELECT max(item_no) FROM number WHERE city_id = CAST(:city AS int)) AS high,
           level, parent_id
    FROM organisation WHERE id = CAST(:org AS bigint)
""")


@dataclass(frozen=True)
class Reach:
    """What a place can sell from: item numbers `low` to `high` of its city, and whose stock (None: the whole city's).

    A clerk sells from the stock of its hall too.
    """

    low: int
    high: int
    holders: tuple[int, ...] | None


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """Where the search looks: city, kind of number, sale pools, whose stock, which classes and HLR (None: all)."""

    city_id: int
    kind: str
    pools: Collection[str]
    holders: tuple[int, ...] | None
    classes: Collection[int] | None
    hlr: str | None = None

    def conditions(self, query: NumberQuery) -> dict[str, Any]:
        """Give the parameters that every walk has."""
        return {
            "city": self.city_id,
            "kind": self.kind,
            "pools": sorted(self.pools),
            "holders": None if self.holders is None else list(self.holders),
            "classes": None if self.classes is None else sorted(self.classes),
            "hlr": self.hlr,
            "lo": query.lo,
            "hi": query.hi,
            "must": query.must,
            "must_not": query.must_not,
            "regexes": list(query.regexes),
            "regexes_not": list(query.regexes_not),
        }


async def by_tail(
    session: AsyncSession,
    shelf: Shelf,
    query: NumberQuery,
    *,
    tails: Sequence[int],
    after: int,
    low: int,
    upto: int,
    limit: int,
) -> list[FoundNumber]:
    """Return free numbers along the tails: of the first one the items after `after`, of the others after `low`."""
    given = {"tails": list(tails), "after": after, "low": low, "upto": upto, "limit": limit}
    walk = _BY_TAIL if shelf.holders is None else _BY_OUR_TAIL
    return await _walk(session, walk, shelf.conditions(query) | given)


async def by_shelf(
    session: AsyncSession,
    shelf: Shelf,
    query: NumberQuery,
    *,
    after: tuple[int, int],
    upto: tuple[int, int],
    limit: int,
) -> list[FoundNumber]:
    """Return free numbers of the shelf's holders by tail and item; bounds are such pairs."""
    given = {"tails": _listed(query.tails), "limit": limit}
    given |= {"after_tail": after[0], "after": after[1], "upto_tail": upto[0], "upto": upto[1]}
    return await _walk(session, _BY_SHELF, shelf.conditions(query) | given)


async def by_number(
    session: AsyncSession, shelf: Shelf, query: NumberQuery, *, after: str, upto: str, limit: int
) -> list[FoundNumber]:
    """Return free numbers after `after` up to `upto`, in order."""
    given = {"tails": _listed(query.tails), "after": after, "upto": upto, "limit": limit}
    return await _walk(session, _BY_NUMBER, shelf.conditions(query) | given)


async def by_rev(
    session: AsyncSession, shelf: Shelf, query: NumberQuery, *, after: int, upto: int, limit: int
) -> list[FoundNumber]:
    """Return free numbers whose `rev` comes after `after` up to `upto`, in its order."""
    given = {"tails": _listed(query.tails), "after": after, "upto": upto, "limit": limit}
    return await _walk(session, _BY_REV, shelf.conditions(query) | given)


async def expired(
    session: AsyncSession, shelf: Shelf, query: NumberQuery, *, now: datetime, limit: int
) -> list[FoundNumber]:
    """Return numbers whose hold is over and not yet swept."""
    given = {"tails": _listed(query.tails), "now": now, "limit": limit}
    found = await _walk(session, _EXPIRED, shelf.conditions(query) | given)
    low, high = query.rev_lo, query.rev_hi
    return [row for row in found if (low is None or low <= row.rev) and (high is None or row.rev < high)]


async def reach(session: AsyncSession, city_id: int, org_id: int, scope: Collection[int]) -> Reach | None:
    """Return what a place with this subtree can sell from, or None if the city has no number.

    From here to the end of the transaction the server walks along indexes in their order: what it expects a pattern to
    meet is a guess, and a wrong one reads the whole city.
    """
    row = (await session.execute(_REACH, {"city": city_id, "org": org_id})).one()
    if row.low is None:
        return None
    if row.level == Level.CITY.name:
        return Reach(row.low, row.high, None)
    hall = {row.parent_id} if row.level == Level.CLERK.name else set()
    return Reach(row.low, row.high, tuple(sorted(hall.union(scope))))


_FREE_UNIT = """
    SELECT FROM subscription_data d
    WHERE d.city_id = CAST(:city AS int) AND d.hlr_code = asked.code AND d.state = 'FREE'
"""


class FreeData(NamedTuple):
    """Whether an HLR has free data units for cards that have their ICCID, and for such as get it with them."""

    with_iccid: bool
    without_iccid: bool

    @property
    def sorts(self) -> list[str]:
        """Give the names of those it has."""
        return [name for name, free in self._asdict().items() if free]


async def free_data(session: AsyncSession, city_id: int, hlrs: Collection[str]) -> dict[str, FreeData]:
    """Return for each of the HLRs which sorts of data units it has left (REQ-RSV-17)."""
    query = text(f"""
        SELECT code, EXISTS ({_FREE_UNIT} AND d.{PLAIN}), EXISTS ({_FREE_UNIT} AND d.{NUMBERED})
        FROM unnest(CAST(:hlrs AS text[])) AS asked (code)
    """)  # noqa: S608 - composed of constants
    found = await session.execute(query, {"city": city_id, "hlrs": sorted(hlrs)})
    return {code: FreeData(*sorts) for code, *sorts in found}


async def changed_terms(session: AsyncSession, city_id: int, items: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return the terms that a person set, by item, for those of the numbers that have them."""
    changed = text("""
        SELECT item_no, terms FROM number_fee
        WHERE city_id = CAST(:city AS int) AND item_no = ANY (CAST(:items AS bigint[]))
    """)
    return {row.item_no: row.terms for row in await session.execute(changed, {"city": city_id, "items": list(items)})}


def _listed(tails: Sequence[int] | None) -> list[int] | None:
    return None if tails is None else list(tails)


async def _walk(session: AsyncSession, walk: TextClause, given: dict[str, Any]) -> list[FoundNumber]:
    return [FoundNumber(*row) for row in await session.execute(walk, given)]
