"""The custody tree of the caller's part."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Id, Model
from inventory.api.problems import errors
from inventory.domain.errors import DuplicateIdentifier, LevelSkipped, OrganisationUnknown, OutsideScope
from inventory.services.organisation import NodeWish, add_node, as_answer, read_tree

router = APIRouter(tags=["organisation"])
Name = Annotated[str, Field(min_length=1, max_length=64)]


class Node(Model):
    """A node of the custody tree: city company, district, sales point, clerk, or what customers have."""

    id: int
    parent_id: int | None
    level: Literal["CITY", "DISTRICT", "POINT", "CLERK", "CUSTOMER", "ENDED"]
    code: str
    name_zh: str
    name_en: str
    active: bool


class Nodes(Model):
    """The caller's part of the tree, parents before children."""

    nodes: list[Node]


@router.get("/organisations", operation_id="list_organisations", summary="The caller's part of the custody tree")
async def get_organisations(
    caller: Annotated[Caller, require(Permission.ORGANISATION_READ)], session: SessionDep
) -> Nodes:
    """List the caller's subtree."""
    return Nodes(nodes=[Node(**as_answer(node)) for node in await read_tree(session, caller)])


class NewNode(Model):
    """A node to add; its level is the one below its parent's."""

    parent_id: Id
    code: Annotated[str, Field(min_length=1, max_length=32)] = Field(examples=["LJ-GUCHENG"])
    name_zh: Name = Field(examples=["古城营业区"])
    name_en: Name = Field(examples=["Gucheng district"])


@router.post(
    "/organisations",
    operation_id="add_organisation",
    status_code=201,
    summary="Add a district, sales point or clerk",
    response_model=Node,
    responses=errors(OrganisationUnknown, OutsideScope, LevelSkipped, DuplicateIdentifier),
)
async def post_organisation(
    caller: Annotated[Caller, require(Permission.ORGANISATION_WRITE, writes=True)],
    wish: NewNode,
    write: WriteDep,
    session: SessionDep,
    now: NowDep,
    response: Response,
    runtime: RuntimeDep,
) -> Any:
    """Add a node below one of the caller's subtree."""
    answer = await add_node(session, caller, write, NodeWish(**dict(wish)), now=now)
    runtime.callers.clear()
    return reply(answer, response, 201)
