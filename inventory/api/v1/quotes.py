"""Quotes: what a business with a number costs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import SessionDep, require
from inventory.api.models import Fen, Model
from inventory.api.problems import errors
from inventory.domain.errors import InvalidIdentifier, NotFound
from inventory.domain.fees import Business
from inventory.services import quotes

router = APIRouter(tags=["quotes"])
Reader = Annotated[Caller, require(Permission.QUOTES_READ)]
Code = Annotated[str, Field(min_length=1, max_length=64)]


class ElementView(Model):
    """One element of a quote and the rule that asks for it."""

    code: str
    amount: Annotated[int, Field(ge=0)]
    unit: str = Field(description="`fen` or `month`")
    rule: str


class QuoteView(Model):
    """Every fee element of one business with one number, and the version of the rules that gave it."""

    number: str
    business: Business
    channel: str
    number_class: int
    rule: str
    rule_set_version: int
    elements: tuple[ElementView, ...]
    due_now: Fen


class QuoteWish(Model):
    """What the quote is for; `card_kind` adds the price of that card."""

    number: Code
    business: Business = Business.ACTIVATION
    card_kind: Code | None = None


async def _quote(caller: Caller, wish: QuoteWish, session: SessionDep) -> Any:
    return await quotes.read_quote(session, caller, quotes.QuoteWish(**dict(wish)))


@router.get(
    "/quotes",
    operation_id="read_quote",
    summary="What a number costs",
    response_model=QuoteView,
    responses=errors(NotFound, InvalidIdentifier),
)
async def get_quote(caller: Reader, wish: Annotated[QuoteWish, Query()], session: SessionDep) -> Any:
    """Give the quote; the same question gets the same answer until rules or fee change."""
    return await _quote(caller, wish, session)


@router.post(
    "/quotes",
    operation_id="ask_quote",
    summary="What a number costs, asked with a body",
    response_model=QuoteView,
    responses=errors(NotFound, InvalidIdentifier),
)
async def post_quote(caller: Reader, wish: QuoteWish, session: SessionDep) -> Any:
    """Give the quote; changes nothing."""
    return await _quote(caller, wish, session)
