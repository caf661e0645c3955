"""Lists of items: one route for every kind, the same conditions for all.

Annotations are evaluated here as they are defined: the routes are made per kind, from names of the making function.
"""

from collections.abc import Mapping
from typing import Annotated, Self

from fastapi import APIRouter, Query, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import RuntimeDep, SessionDep, require
from inventory.api.models import Model, Time
from inventory.api.problems import errors
from inventory.domain.errors import InvalidField, InvalidIdentifier, NotFound, OrganisationUnknown, OutsideScope
from inventory.domain.kinds import KINDS, NUMBER, SIM, ResourceKind
from inventory.downloads import FILES, FileDep, download
from inventory.request_scope import BIGGEST
from inventory.services.exporting import item_listing
from inventory.services.items import ItemQuery, load_of, read_items
from inventory.sheets import Form
from inventory.store.items import ListedItem
from inventory.store.organisation import Node

router = APIRouter(tags=["stock"])

_READ = {NUMBER.name: Permission.NUMBERS_READ, SIM.name: Permission.SIMS_READ}
Text = Annotated[str | None, Field(max_length=40)]


class ItemConditions(Model):
    """Conditions on items, all of which hold together."""

    place: Text = Field(None, description="organisation, with all below it; by default the caller's own")
    itself: bool = Field(default=False, description="what lies at the place itself, nothing below it")
    name: Text = Field(None, description="how a name begins; with ? and * what the whole of it looks like")
    first: Text = Field(None, description="first name of a range")
    last: Text = Field(None, description="last name of the range, included")
    state: list[Annotated[str, Field(max_length=32)]] = Field([], max_length=20)
    sort: Text = Field(None, description="card product, or kind of number")
    number_class: Annotated[int | None, Field(ge=0, le=99, description="of numbers")] = None
    segment: Text = Field(None, description="of numbers: the digits that they begin with")
    group: Text = Field(None, description="of numbers: the group of their segments (号群)")
    hlr: Text = None
    batch: Text = Field(None, description="the load that brought them", examples=["b-530700-12"])
    capability: Text = Field(None, description="of cards: what they can do", examples=["5G"])
    on_the_way: bool | None = Field(None, description="whether they are not signed for yet")
    legal_hold: bool | None = Field(None, description="whether an outside order lies on them")

    def query(self, kind: ResourceKind) -> ItemQuery:
        """Give what the service takes."""
        given = self.model_dump(exclude={"state", "after", "limit", "format"})
        return ItemQuery(resource=kind.name, states=tuple(self.state), **given)


class ListConditions(ItemConditions):
    """Conditions, and which page of the list."""

    after: int = Field(default=-1, ge=-1, le=BIGGEST, description="`next_after` of the page before")
    limit: int = Field(default=100, ge=1, le=1000)
    format: Form | None = Field(default=None, description="the whole list as a file")


class ItemLine(Model):
    """An item in a list; `sort` is its card product or kind of number."""

    item: str
    serial: str | None
    state: str
    holder: str
    sort: str
    number_class: int | None
    hlr: str | None
    pool: str | None
    batch: str
    on_the_way: bool
    legal_hold: bool
    held_until: Time | None
    updated_at: Time

    @classmethod
    def of(cls, item: ListedItem, holders: Mapping[int, Node], city_id: int) -> Self:
        """Give an item as callers see it."""
        return cls(
            item=item.name,
            serial=item.serial,
            state=item.state,
            holder=holders[item.holder_id].code,
            sort=item.sort,
            number_class=item.cls,
            hlr=item.hlr,
            pool=item.pool,
            batch=load_of(item, city_id=city_id),
            on_the_way=item.transit_id is not None,
            legal_hold=item.legal_hold,
            held_until=item.hold_until,
            updated_at=item.updated_at,
        )


class ItemList(Model):
    """A page of items in the order in which they were taken in; `next_after` asks for the page behind it."""

    items: list[ItemLine]
    next_after: int | None


def _add_list(kind: ResourceKind, permission: Permission) -> None:
    """Add the list of a kind."""

    @router.get(
        f"/{kind.name}s",
        operation_id=f"list_{kind.name}s",
        summary="Items that meet conditions",
        response_model=ItemList,
        responses=FILES | errors(InvalidField, InvalidIdentifier, NotFound, OrganisationUnknown, OutsideScope),
    )
    async def get_list(
        caller: Annotated[Caller, require(permission)],
        session: SessionDep,
        runtime: RuntimeDep,
        conditions: Annotated[ListConditions, Query()],
        file: FileDep,
    ) -> ItemList | Response:
        """List items of the caller's part, page by page; as a file all of them."""
        if file is not None:
            return await download(runtime.database, caller, item_listing(conditions.query(kind)), file)
        page = await read_items(session, caller, conditions.query(kind), after=conditions.after, limit=conditions.limit)
        lines = [ItemLine.of(item, page.holders, caller.city_id) for item in page.items]
        return ItemList(items=lines, next_after=page.next_after)


for _kind in KINDS.values():
    _add_list(_kind, _READ[_kind.name])
