"""What forms offer of the code tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.domain.reasons import Purpose
from inventory.i18n import Language
from inventory.services.catalogue import read_code_tables
from inventory.services.number_kinds import read_number_kinds
from inventory.services.reasons import read_reasons
from inventory.services.rule_sets import read_classes
from inventory.web.names import class_name


async def offered(session: AsyncSession, caller: Caller, language: Language) -> dict[str, Any]:
    """Give the card products and HLRs of the caller's city as choices: `card_kinds` and `hlrs`, each code and name."""
    tables = await read_code_tables(session, caller)
    return {
        "card_kinds": [
            {"code": row.code, "name": row.name_en if language == "en" else row.name_zh} for row in tables.card_kinds
        ],
        "hlrs": [{"code": row.code, "name": row.name} for row in tables.hlrs if row.active],
    }


async def offered_reasons(
    session: AsyncSession, caller: Caller, language: Language, *purposes: Purpose
) -> dict[str, list[str]]:
    """Give the names of the reasons in use for each purpose: `reason_lists` of parts.html makes lists of them."""
    names = [
        (row.purposes, row.name_en if language == "en" else row.name_zh)
        for row in await read_reasons(session, caller)
        if row.active
    ]
    return {purpose.value: [name for known, name in names if purpose in known] for purpose in purposes}


async def offered_classes(
    session: AsyncSession, caller: Caller, language: Language, *, now: datetime
) -> dict[str, str]:
    """Give the number classes of the rule set in force with their names."""
    return {str(cls): class_name(cls, language) for cls in await read_classes(session, caller, now=now)}


async def names_of_number_kinds(
    session: AsyncSession, caller: Caller, language: Language, *, taken_in: bool = False
) -> dict[str, str]:
    """Give the kinds of numbers as the city calls them; with `taken_in` only those that it takes in."""
    return {
        row.kind: row.name_en if language == "en" else row.name_zh
        for row in await read_number_kinds(session, caller)
        if row.intake or not taken_in
    }
