"""Search free numbers: what a caller may hold now, each with its class and terms."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.identifiers import NumberKind
from inventory.domain.search import SearchWish, compile_search
from inventory.services import walks
from inventory.store import search
from inventory.store.fees import StoredRuleSet, rule_set
from inventory.store.search import FoundNumber, Shelf

_DICE_SIDES = 2**62


@dataclass(frozen=True, kw_only=True)
class SearchAsk:
    """A search: the wish, classes to keep to (None: all), how many, and where the page before ended.

    `hlr` keeps to the numbers that a finished card of this HLR can serve (REQ-SIM-17).
    """

    wish: SearchWish
    kind: NumberKind = NumberKind.MOBILE
    classes: frozenset[int] | None = None
    hlr: str | None = None
    limit: int = 20
    cursor: str | None = None


async def search_numbers(session: AsyncSession, caller: Caller, ask: SearchAsk, *, now: datetime) -> dict[str, Any]:
    """Return a page of numbers that the caller may hold now, from a random place on, and the cursor of the next page.

    `next` is None when the search has been all round. A page may be short and still have a next one. Numbers whose
    hold is over count as free before anybody has swept them, on the first page (REQ-RSV-04). `data_available` is false
    where the number's HLR has no free data unit (REQ-RSV-17); `data_for_cards` says which cards it has some for.

    Raises
    ------
    InvalidSearch, InvalidField
        The wish cannot be compiled, or the cursor is none of this search.
    """
    query = compile_search(ask.wish)
    found: list[FoundNumber] = []
    place = None
    async with session.begin():
        reach = await search.reach(session, caller.city_id, caller.org_id, caller.scope)
        if reach is not None and query.tails != ():
            shelf = Shelf(
                city_id=caller.city_id,
                kind=ask.kind,
                pools=caller.pools,
                holders=reach.holders,
                classes=ask.classes,
                hlr=ask.hlr,
            )
            route = walks.choose_route(query, ask.wish.length, reach)
            if ask.cursor is None:
                found = await search.expired(session, shelf, query, now=now, limit=ask.limit)
            begin = walks.read_cursor(ask.cursor) if ask.cursor else route.begin(secrets.randbelow(_DICE_SIDES))
            more, place = await walks.go(
                session, shelf, query, route, begin, length=ask.wish.length, limit=ask.limit - len(found)
            )
            found += more
        shown = await _shown(session, caller, found)
    return {"numbers": shown, "next": None if place is None else place.cursor()}


async def _shown(session: AsyncSession, caller: Caller, found: list[FoundNumber]) -> list[dict[str, Any]]:
    """Return the numbers with class, rule and terms as JSON values."""
    if not found:
        return []
    changed = await search.changed_terms(session, caller.city_id, [row.item_no for row in found])
    data = await search.free_data(session, caller.city_id, {row.hlr_code for row in found if row.hlr_code is not None})
    rules: dict[int, StoredRuleSet] = {}
    for row in found:
        if row.rule_set_id not in rules:
            rules[row.rule_set_id] = await rule_set(session, row.rule_set_id)
    return [
        {
            "number": row.number,
            "number_class": row.cls,
            "rule": rules[row.rule_set_id].rules.outcomes[row.outcome].winner,
            "rule_set_version": rules[row.rule_set_id].version,
            "terms": changed.get(row.item_no) or asdict(rules[row.rule_set_id].rules.terms(row.cls)),
            "data_available": row.hlr_code is None or any(data[row.hlr_code]),
            "data_for_cards": [] if row.hlr_code is None else data[row.hlr_code].sorts,
        }
        for row in found
    ]
