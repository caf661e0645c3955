"""Ends of stock: scrap, lost and found, write-off, return to the vendor, void; and sealing off by list or range.

Annotations are evaluated here as they are defined: the routes are made per way, from names of the making function.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, WriteDep, reply, require
from inventory.api.models import ApprovalId, Model
from inventory.api.problems import errors
from inventory.api.v1.movements import (
    MOST_ITEMS,
    ItemName,
    Movement,
    NamedItems,
    OrgCode,
    PersonName,
    Resource,
)
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    InvalidField,
    InvalidIdentifier,
    MissingField,
    MovementRefused,
    NotFound,
    NothingOfLoad,
    OrganisationUnknown,
    OutsideScope,
    PermissionDenied,
    ReasonMissing,
)
from inventory.services.ending import WAYS, Ending, EndWish, end
from inventory.services.spoiled import read_spoiled

router = APIRouter(tags=["movements"])

END_REFUSALS = (
    InvalidField,
    InvalidIdentifier,
    MissingField,
    MovementRefused,
    NotFound,
    NothingOfLoad,
    OrganisationUnknown,
    OutsideScope,
    PermissionDenied,
)
"""What an end of items is refused with; whoever asks for a second person's word first is refused with the same."""


class EndTerms(Model):
    """Items of one place, by name, range, box or load, that leave the stock, or come back to it.

    `handed_in` is what was scanned as it was handed in, for scrap; `reference` a claim, a stocktake or a dispute;
    `to_city` the code of the city company to which cards are sent.
    """

    resource: Resource
    place: OrgCode = Field(examples=["LJ-GUCHENG"])
    selection: NamedItems
    reason: Annotated[str, Field(min_length=1, max_length=500)]
    reference: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    person: PersonName | None = None
    handed_in: Annotated[list[ItemName], Field(max_length=MOST_ITEMS)] | None = None
    to_city: OrgCode | None = Field(None, examples=["530800"])

    def wish(self, way: Ending, approval: str | None = None) -> EndWish:
        """Give what the service takes."""
        return EndWish(
            way=way,
            resource=self.resource,
            place=self.place,
            selection=self.selection.as_selection(),
            reason=self.reason,
            reference=self.reference,
            person=self.person,
            handed_in=None if self.handed_in is None else tuple(self.handed_in),
            approval=approval,
            to_city=self.to_city,
        )


class NewEnd(EndTerms):
    """An end of stock; where two are needed, `approval` is the second person's word (`POST /v1/approvals`)."""

    approval: ApprovalId | None = None


class EndDocument(Movement):
    """The document, with how many items were in which state before, and the second person."""

    state: Literal["ACCEPTED"]
    states: dict[str, int]
    approver: str | None


class SpoiledAccount(Model):
    """How many cards of a sort the holder has spoiled and not handed in yet."""

    place: str
    resource: str
    sort: str
    state: str
    count: int


class SpoiledAccounts(Model):
    """Who still owes spoiled cards, in the order of the tree."""

    accounts: list[SpoiledAccount]


@router.get("/stock:spoiled", operation_id="read_spoiled", summary="Who still owes spoiled cards")
async def get_spoiled(
    caller: Annotated[Caller, require(Permission.STOCK_READ)], session: SessionDep
) -> SpoiledAccounts:
    """List damaged and replaced cards by holder: they stay on its account until they are scrapped (REQ-SIM-12)."""
    found = await read_spoiled(session, caller)
    return SpoiledAccounts(
        accounts=[
            SpoiledAccount(
                place=row.holder.code, resource=row.resource, sort=row.sort, state=row.state, count=row.count
            )
            for row in found
        ]
    )


def _add(way: Ending) -> None:
    """Add the route of a way."""
    told = WAYS[way]
    verb = way.replace("_", "-")

    @router.post(
        f"/movements:{verb}",
        operation_id=f"{way}_items",
        status_code=201,
        summary=SUMMARIES[way],
        response_model=EndDocument,
        responses=errors(*END_REFUSALS, ApprovalDiffers, ApprovalNeeded, ApprovalNotGranted, ReasonMissing),
    )
    async def post_end(
        caller: Annotated[Caller, require(told.permission, writes=True)],
        wish: NewEnd,
        write: WriteDep,
        session: SessionDep,
        now: NowDep,
        response: Response,
    ) -> dict[str, Any]:
        """Move the state of all the items or of none, with a document; two persons where the life cycle says so."""
        return reply(await end(session, caller, write, wish.wish(way, wish.approval), now=now), response, 201)


SUMMARIES = {
    Ending.SCRAP: "Scrap cards that were handed in and counted",
    Ending.LOSE: "Declare cards lost",
    Ending.FIND: "Take lost cards back that were found",
    Ending.WRITE_OFF: "Write lost cards off",
    Ending.RETURN_TO_VENDOR: "Return cards to the vendor",
    Ending.SEND_TO_CITY: "Send cards to another city, which signs for them",
    Ending.VOID: "Void cards registered by mistake, or numbers handed back",
    Ending.DISABLE: "Disable items until further notice",
    Ending.ENABLE: "Enable disabled items",
}
for _way in Ending:
    _add(_way)
