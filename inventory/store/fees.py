"""Rule sets: versions, approvals, and the one in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from inventory.domain.fees import RuleSet
from inventory.store.schema import RuleSetRow

DEFAULT_SCOPE = "default"
PROPOSED, APPROVED = "PROPOSED", "APPROVED"

_read: WeakKeyDictionary[Engine, dict[int, StoredRuleSet]] = WeakKeyDictionary()
"""Approved rule sets already read in this process, of each database: an approved document never changes."""


class NoRuleSet(LookupError):
    """No approved rule set is in force; the installation is incomplete (install the default rules)."""


@dataclass(frozen=True)
class StoredRuleSet:
    """A rule set with its row: what the one-byte outcomes on numbers and ledger lines point into."""

    id: int
    scope: str
    version: int
    rules: RuleSet

    @property
    def classes(self) -> bytes:
        """The class of each outcome byte, one byte each."""
        return bytes(outcome.number_class for outcome in self.rules.outcomes)


@dataclass(frozen=True)
class RuleSetHead:
    """A rule set without its document: whose it is, and whether it still waits for its approval."""

    id: int
    scope: str
    version: int
    status: str
    valid_from: datetime
    author: str
    approver: str | None


async def active_rule_set(session: AsyncSession | AsyncConnection, city_id: int, now: datetime) -> StoredRuleSet:
    """Return the rule set in force in the city: its own, else its province's, else the default.

    Raises
    ------
    NoRuleSet
        None is approved and valid yet.
    """
    scopes = [str(city_id), str(city_id // 10_000 * 10_000), DEFAULT_SCOPE]
    rows = await session.execute(
        select(RuleSetRow.id, RuleSetRow.scope)
        .where(RuleSetRow.scope.in_(scopes), RuleSetRow.status == APPROVED, RuleSetRow.valid_from <= now)
        .order_by(RuleSetRow.valid_from.desc(), RuleSetRow.version.desc())
    )
    newest = {scope: rule_set_id for rule_set_id, scope in reversed(rows.all())}
    for scope in scopes:
        if scope in newest:
            return await rule_set(session, newest[scope])
    raise NoRuleSet(city_id)


async def rule_set(session: AsyncSession | AsyncConnection, rule_set_id: int) -> StoredRuleSet:
    """Return a rule set by its id, as numbers and ledger lines name it."""
    bind = session.get_bind().engine if isinstance(session, AsyncSession) else session.engine.sync_engine
    read = _read.setdefault(bind, {})
    if rule_set_id in read:
        return read[rule_set_id]
    query = select(RuleSetRow.scope, RuleSetRow.version, RuleSetRow.status, RuleSetRow.document)
    row = (await session.execute(query.where(RuleSetRow.id == rule_set_id))).one()
    stored = StoredRuleSet(rule_set_id, row.scope, row.version, RuleSet.from_dict(row.document))
    if row.status == APPROVED:
        read[rule_set_id] = stored
    return stored


async def add_rule_set(
    session: AsyncSession,
    *,
    scope: str,
    version: int,
    status: str,
    valid_from: datetime,
    author: str,
    approver: str | None,
    document: dict[str, Any],
) -> int:
    """Insert a version of the rules and return its id."""
    made = await session.execute(
        insert(RuleSetRow)
        .values(
            scope=scope,
            version=version,
            status=status,
            valid_from=valid_from,
            author=author,
            approver=approver,
            document=document,
        )
        .returning(RuleSetRow.id)
    )
    return made.scalar_one()


async def last_version(session: AsyncSession, scope: str) -> int:
    """Return the highest version stored for the scope, 0 if there is none."""
    return await session.scalar(select(func.max(RuleSetRow.version)).where(RuleSetRow.scope == scope)) or 0


async def version_id(session: AsyncSession, scope: str, version: int) -> int | None:
    """Return the id of a version of the scope's rules, or None."""
    return await session.scalar(select(RuleSetRow.id).where(RuleSetRow.scope == scope, RuleSetRow.version == version))


async def find_rule_set(session: AsyncSession, rule_set_id: int) -> RuleSetHead | None:
    """Return who wrote and who approved a rule set, locked until the end, or None."""
    row = await session.scalar(select(RuleSetRow).where(RuleSetRow.id == rule_set_id).with_for_update())
    if row is None:
        return None
    return RuleSetHead(row.id, row.scope, row.version, row.status, row.valid_from, row.author, row.approver)


async def approve(session: AsyncSession, rule_set_id: int, *, approver: str) -> None:
    """Put a proposed rule set in force from its date on; its document never changes again."""
    await session.execute(
        update(RuleSetRow).where(RuleSetRow.id == rule_set_id).values(status=APPROVED, approver=approver)
    )
