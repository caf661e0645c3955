"""The acts that may need two persons, each as an approval keeps it and does it.

To add one: its line in `ACTS`, its model in `inventory.api.v1.approvals`, its words in `inventory.web.approval_views`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import NotFound
from inventory.services.auc_exports import EXPORT, ExportWish, perform_export, require_keys
from inventory.services.disputing import SETTLE, SettleWish, perform_settle, require_other_side
from inventory.services.ending import WAYS, EndWish, perform_end
from inventory.services.fees import CHANGE_FEE, FeeWish, perform_change
from inventory.services.leaving import TAKE_OVER, TakeOverWish, perform_take_over
from inventory.services.legal_holds import LIFT, LiftWish, perform_lift
from inventory.services.status_release import RELEASE_STATUS, ReleaseWish, perform_release
from inventory.services.stocktake_posting import POST_STOCKTAKE, PostWish, perform_post
from inventory.services.transport_keys import IMPORT_KEY, perform_import
from inventory.store.approvals import ApprovalRow
from inventory.vault.envelope import Vault


class Perform(Protocol):
    """Does an act in the transaction that is open."""

    async def __call__(
        self, session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime
    ) -> dict[str, Any]:
        """Give what the act answers; `wish` has the approval among its fields."""


class RequireSecond(Protocol):
    """Lets pass who may answer an approval, or raises why not; place and permission have been looked at."""

    async def __call__(self, session: AsyncSession, caller: Caller, row: ApprovalRow, /) -> None:
        """Return if the caller may answer."""


class Verify(Protocol):
    """Looks at what an act has done, in the same transaction, with the vault at hand; what it raises undoes the act."""

    async def __call__(
        self, session: AsyncSession, caller: Caller, done: Mapping[str, Any], /, *, vault: Vault
    ) -> None:
        """Return if it may stay done; `done` is what the act answers."""


async def _done(session: AsyncSession, caller: Caller, done: Mapping[str, Any], /, *, vault: Vault) -> None:
    """Let stay done what needs no key."""
    del session, caller, done, vault


async def _anyone(session: AsyncSession, caller: Caller, row: ApprovalRow, /) -> None:
    """Let pass everyone who has the place in its part."""
    del session, caller, row


@dataclass(frozen=True)
class Act:
    """An act: what both persons must be permitted, how it is done, and who the second one has to be besides.

    `verify` has the last word when it is carried out.
    """

    permission: Permission
    perform: Perform
    require_second: RequireSecond = _anyone
    verify: Verify = _done


def act_named(name: str) -> Act:
    """Give the act called `name`.

    Raises
    ------
    NotFound
        There is no such act.
    """
    act = ACTS.get(name)
    if act is None:
        raise NotFound(what="act", value=name)
    return act


async def _release(
    session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime
) -> dict[str, Any]:
    return await perform_release(session, caller, ReleaseWish(**wish), now=now)


async def _change_fee(
    session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime
) -> dict[str, Any]:
    return await perform_change(session, caller, FeeWish(**wish), now=now)


async def _post_stocktake(
    session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime
) -> dict[str, Any]:
    return await perform_post(session, caller, PostWish(**wish), now=now)


async def _take_over(
    session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime
) -> dict[str, Any]:
    return await perform_take_over(session, caller, TakeOverWish(**wish), now=now)


async def _end(session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime) -> dict[str, Any]:
    return await perform_end(session, caller, EndWish.of(wish), now=now)


async def _settle(
    session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime
) -> dict[str, Any]:
    return await perform_settle(session, caller, SettleWish.of(wish), now=now)


async def _export(
    session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime
) -> dict[str, Any]:
    return await perform_export(session, caller, ExportWish(**wish), now=now)


async def _lift(session: AsyncSession, caller: Caller, wish: Mapping[str, Any], /, *, now: datetime) -> dict[str, Any]:
    return await perform_lift(session, caller, LiftWish(**wish), now=now)


ACTS: Mapping[str, Act] = {
    RELEASE_STATUS: Act(Permission.STATUS_RELEASE, _release),
    CHANGE_FEE: Act(Permission.FEES_CHANGE, _change_fee),
    SETTLE: Act(Permission.RECEIVE, _settle, require_other_side),
    TAKE_OVER: Act(Permission.TAKE_OVER, _take_over),
    EXPORT: Act(Permission.NETWORK_EXPORT, _export, verify=require_keys),
    LIFT: Act(Permission.LEGAL_LIFT, _lift),
    IMPORT_KEY: Act(Permission.LOADS_WRITE, perform_import),
    POST_STOCKTAKE: Act(Permission.POST_COUNT, _post_stocktake),
    **{name.value: Act(way.permission, _end) for name, way in WAYS.items()},
}
"""Every act by its name."""
