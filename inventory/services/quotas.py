"""Quotas of issues: set for places below one's own, shown before they refuse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.calendar import begin_of, business_day
from inventory.domain.errors import InvalidField, NotFound, OutsideScope
from inventory.domain.kinds import NUMBER, SIM, kind_named
from inventory.domain.quotas import Period
from inventory.services.acting import acting
from inventory.services.custody import place_within
from inventory.services.once import Answer, WriteKey, once
from inventory.store import catalogue, movements, organisation, quotas
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node
from inventory.store.quotas import About, Quota
from inventory.store.sorts import moved_since
from inventory.store.stock import allow_long_statements

_LARGEST = 100_000_000


@dataclass(frozen=True, kw_only=True)
class QuotaWish:
    """How many items a place may be issued in a period; `most` None takes the quota away.

    `sort` is a card product or the digit of a number's class; empty is any.
    """

    place: str
    resource: str
    sort: str = ""
    period: Period
    most: int | None


@dataclass(frozen=True)
class QuotaView:
    """A quota with what is left of it now."""

    place: Node
    quota: Quota
    left: int


async def set_quota(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: QuotaWish, *, now: datetime
) -> Answer:
    """Set a quota of a place below the caller's own, or take it away; answers both values.

    What the place was issued in the running period already is used of it.

    Raises
    ------
    InvalidField
        The class or the number is none.
    NotFound
        There is no such kind of stock or card product.
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is not below the caller's own.
    """

    async def work() -> dict[str, Any]:
        kind = kind_named(wish.resource)
        place = await place_within(session, caller, wish.place)
        if place.id == caller.org_id:
            raise OutsideScope(what=place.code)
        await _require_sort(session, wish)
        about = About(place.id, kind.name, wish.sort, wish.period)
        await quotas.lock_quotas(session, city_id=caller.city_id, org_id=place.id)
        if wish.most is None:
            before = await quotas.drop_quota(session, about, city_id=caller.city_id)
        else:
            await allow_long_statements(session)
            begun = _begin(wish.period, now)
            since = begin_of(begun)
            issued = await moved_since(
                session, kind, movements.ISSUE, "to_holder", city_id=caller.city_id, holders={place.id}, since=since
            )
            used = sum(row.count for row in issued if wish.sort in {"", row.sort})
            before = await quotas.put_quota(
                session, about, city_id=caller.city_id, most=wish.most, used=used, begun=begun,
                staff_no=caller.staff_no, now=now,
            )  # fmt: skip
        told: dict[str, Any] = {
            "place": place.code,
            "resource": kind.name,
            "sort": wish.sort,
            "period": wish.period.value,
        }
        told |= {"before": before, "most": wish.most}
        event = EventDraft(name="quota.set", kind="quota", item_no=place.id, data=told)
        await record(session, [event], **acting(caller, now))
        return told

    return await once(session, caller, write, work, now=now)


async def read_quotas(
    session: AsyncSession, caller: Caller, *, place: str | None = None, resource: str | None = None, now: datetime
) -> list[QuotaView]:
    """Return the quotas of a place, or of every place of the caller's part, with what is left of them.

    Raises
    ------
    OrganisationUnknown, OutsideScope
        The place does not exist in the city, or is elsewhere.
    """
    async with session.begin():
        if place is None:
            places = set(caller.scope)
        else:
            node = await place_within(session, caller, place)
            places = {node.id}
        found = await quotas.quotas_of(session, city_id=caller.city_id, places=places, resource=resource)
        nodes = await organisation.by_ids(session, {quota.org_id for quota in found})
    return [QuotaView(nodes[quota.org_id], quota, quota.left(_begin(Period(quota.period), now))) for quota in found]


def _begin(period: Period, now: datetime) -> date:
    return period.begin(business_day(now))


async def _require_sort(session: AsyncSession, wish: QuotaWish) -> None:
    if wish.most is not None and not 0 <= wish.most <= _LARGEST:
        raise InvalidField(field="most", value=wish.most, reason=f"0 to {_LARGEST}")
    if wish.resource == NUMBER.name and wish.sort not in {"", *"0123456789"}:
        raise InvalidField(field="sort", value=wish.sort, reason="a class of numbers, one digit")
    if wish.resource == SIM.name and wish.sort and await catalogue.find_card_kind(session, wish.sort) is None:
        raise NotFound(what="card kind", value=wish.sort)
