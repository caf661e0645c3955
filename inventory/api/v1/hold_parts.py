"""What the routes of holds share: who may call, the hold's name and key, what every act may be refused with."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Path
from pydantic import Field

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import RuntimeDep, require
from inventory.domain.errors import (
    Busy,
    HoldExpired,
    HoldKeyWrong,
    HoldNotActive,
    InvalidIdentifier,
    LegalHold,
    NotFound,
)
from inventory.vault.hold_keys import HEADER, HoldKeys

Reader = Annotated[Caller, require(Permission.HOLDS_READ)]
Seller = Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True)]
Finisher = Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True, finishing=True)]
Releaser = Annotated[Caller, require(Permission.HOLDS_READ, writes=True, finishing=True)]
"""Its key releases a hold, or a superior's permission: the service decides which."""

HoldId = Annotated[str, Path(max_length=40, examples=["h-530700-1234"])]
HoldKey = Annotated[str | None, Header(alias=HEADER, max_length=128, description="The key given with the hold.")]
Text = Annotated[str, Field(min_length=1, max_length=64)]
ENDED = (NotFound, InvalidIdentifier, HoldKeyWrong, HoldNotActive, HoldExpired, LegalHold, Busy)
"""What any act on a hold may be refused with."""


def hold_keys(runtime: RuntimeDep) -> HoldKeys:
    """Give what makes and checks the keys of holds."""
    return HoldKeys(runtime.hold_secret)
