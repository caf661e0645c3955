"""Search free numbers by pattern."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, SessionDep, require
from inventory.api.models import Fen, Model
from inventory.api.problems import errors
from inventory.domain.channels import SaleChannel
from inventory.domain.errors import InvalidField, InvalidSearch
from inventory.domain.identifiers import NumberKind
from inventory.domain.search import SearchWish
from inventory.services import search

router = APIRouter(tags=["numbers"])
Reader = Annotated[Caller, require(Permission.NUMBERS_READ)]
Digits = Annotated[str, Field(max_length=13, examples=["138"])]
_LENGTHS = {NumberKind.MOBILE: 11, NumberKind.IOT: 13}


class NumberSearch(Model):
    """What is wished of a number; all parts hold together."""

    starts: Digits = ""
    ends: Digits = ""
    contains: Digits = ""
    pattern: Annotated[str, Field(max_length=40)] = Field(
        default="", description="The whole number; `?` is one digit, `*` any run of digits: `138*8888`."
    )
    letters: Annotated[str, Field(max_length=13)] = Field(
        default="", description="How it ends; equal letters are equal digits: `AABB`."
    )
    without: Digits = Field(default="", description="Digits that must not occur.")
    kind: Literal[NumberKind.MOBILE, NumberKind.IOT] = NumberKind.MOBILE
    classes: Annotated[tuple[Annotated[int, Field(ge=0, le=99)], ...], Field(max_length=100)] = ()
    hlr: Annotated[str, Field(min_length=1, max_length=40)] | None = Field(
        default=None, description="Only numbers that a finished card of this HLR can serve."
    )
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    cursor: Annotated[str, Field(max_length=400)] | None = Field(default=None, description="`next` of the page before.")


class TermsView(Model):
    """What a number asks of its customer: amounts in fen, times in months."""

    cash_fee: Fen
    prepay: Fen
    return_months: int
    min_monthly: Fen
    commitment_months: int
    sale_channel: SaleChannel
    waive_role: str | None


class FoundNumber(Model):
    """A number that may be held now."""

    number: str
    number_class: int
    rule: str | None
    rule_set_version: int
    terms: TermsView
    data_available: bool = Field(description="Whether its HLR has data left for a card to be written.")
    data_for_cards: list[Literal["with_iccid", "without_iccid"]] = Field(
        description="For which cards: such as have their ICCID, and such as get it when they are written."
    )


class NumberPage(Model):
    """A page of numbers; it may be short and still have a next one."""

    numbers: list[FoundNumber]
    next: str | None


@router.get(
    "/numbers:search",
    operation_id="search_numbers",
    summary="Search free numbers by pattern",
    response_model=NumberPage,
    responses=errors(InvalidSearch, InvalidField),
)
async def search_numbers(
    caller: Reader, wish: Annotated[NumberSearch, Query()], session: SessionDep, now: NowDep
) -> Any:
    """Give numbers that the caller may hold now, from a random place on."""
    asked = SearchWish(
        starts=wish.starts,
        ends=wish.ends,
        contains=wish.contains,
        pattern=wish.pattern,
        letters=wish.letters,
        without=wish.without,
        length=_LENGTHS[wish.kind],
    )
    ask = search.SearchAsk(
        wish=asked,
        kind=wish.kind,
        classes=frozenset(wish.classes) or None,
        hlr=wish.hlr,
        limit=wish.limit,
        cursor=wish.cursor,
    )
    return await search.search_numbers(session, caller, ask, now=now)
