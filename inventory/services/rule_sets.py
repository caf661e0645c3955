"""Versions of the fee rules: the default that comes with the product, and those that a city writes and approves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.errors import InvalidField, NotFound, SamePerson
from inventory.domain.fees import RuleSet
from inventory.services.acting import acting
from inventory.services.once import Answer, WriteKey, once
from inventory.store import fees
from inventory.store.events import EventDraft, record
from inventory.store.fees import APPROVED, DEFAULT_SCOPE, PROPOSED, NoRuleSet, StoredRuleSet
from inventory.store.stock import lock_for_transaction

PRODUCT = "haoka"
"""Author and approver of the rules that come with the product."""


@dataclass(frozen=True, kw_only=True)
class RuleSetWish:
    """A rule set to propose for the caller's city: its document, and from when it shall hold (UTC)."""

    document: Mapping[str, Any]
    valid_from: datetime


def default_document() -> dict[str, Any]:
    """Return the rule set that comes with the product."""
    text = resources.files("inventory.domain").joinpath("rules", "default.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


async def install_default(session: AsyncSession, *, now: datetime) -> StoredRuleSet:
    """Store the product's rule set unless this version of it is there, and return it; in force at once."""
    rules = RuleSet.from_dict(default_document())
    async with session.begin():
        await lock_for_transaction(session, "default rule set")
        known = await fees.version_id(session, DEFAULT_SCOPE, rules.version)
        if known is None:
            known = await fees.add_rule_set(
                session,
                scope=DEFAULT_SCOPE,
                version=rules.version,
                status=APPROVED,
                valid_from=now,
                author=PRODUCT,
                approver=PRODUCT,
                document=rules.to_dict(),
            )
        return await fees.rule_set(session, known)


async def ensure_rules(session: AsyncSession, *, now: datetime) -> None:
    """Put the product's rule set in force if no version of it ever was: a later one is not a start's to decide."""
    async with session.begin():
        known = await fees.last_version(session, DEFAULT_SCOPE)
    if not known:
        await install_default(session, now=now)


async def read_classes(session: AsyncSession, caller: Caller, *, now: datetime) -> list[int]:
    """Return the number classes of the rule set in force in the caller's city, in order; none before there is one."""
    async with session.begin():
        try:
            return sorted((await fees.active_rule_set(session, caller.city_id, now)).rules.classes)
        except NoRuleSet:
            return []


async def propose(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: RuleSetWish, *, now: datetime
) -> Answer:
    """Store a rule set for the caller's city; it takes effect once a second person has approved it.

    Raises
    ------
    InvalidField
        It would hold from a time that has passed.
    RuleSetInvalid
        The document is no rule set.
    """

    async def work() -> dict[str, Any]:
        if wish.valid_from < now:
            raise InvalidField(field="valid_from", value=wish.valid_from.isoformat(), reason="the past cannot change")
        scope = str(caller.city_id)
        await lock_for_transaction(session, f"rule set {scope}")
        version = await fees.last_version(session, scope) + 1
        rules = RuleSet.from_dict({**wish.document, "version": version})
        rule_set_id = await fees.add_rule_set(
            session,
            scope=scope,
            version=version,
            status=PROPOSED,
            valid_from=wish.valid_from,
            author=caller.staff_no,
            approver=None,
            document=rules.to_dict(),
        )
        await _tell(session, caller, "rule_set.proposed", rule_set_id, version, now=now)
        return {"id": rule_set_id, "scope": scope, "version": version, "status": PROPOSED}

    return await once(session, caller, write, work, now=now)


async def approve(session: AsyncSession, caller: Caller, write: WriteKey, *, rule_set_id: int, now: datetime) -> Answer:
    """Put a proposed rule set of the caller's city in force from its date on; the author cannot do it.

    Raises
    ------
    NotFound
        The city has no such rule set waiting.
    SamePerson
        The caller wrote it.
    """

    async def work() -> dict[str, Any]:
        head = await fees.find_rule_set(session, rule_set_id)
        if head is None or head.scope != str(caller.city_id) or head.status != PROPOSED:
            raise NotFound(what="rule set", value=rule_set_id)
        if head.author == caller.staff_no:
            raise SamePerson
        await fees.approve(session, rule_set_id, approver=caller.staff_no)
        await _tell(session, caller, "rule_set.approved", rule_set_id, head.version, now=now)
        return {"id": rule_set_id, "scope": head.scope, "version": head.version, "status": APPROVED}

    return await once(session, caller, write, work, now=now)


async def _tell(
    session: AsyncSession, caller: Caller, name: str, rule_set_id: int, version: int, *, now: datetime
) -> None:
    event = EventDraft(name=name, kind="rule_set", item_no=rule_set_id, data={"version": version})
    await record(session, [event], **acting(caller, now))
