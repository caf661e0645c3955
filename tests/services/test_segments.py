"""Segments and groups: number → segment → group, and what of them is in which state."""

from __future__ import annotations

import pytest

from inventory.access.permissions import Role
from inventory.domain.errors import SegmentOverlap
from inventory.domain.identifiers import NumberKind
from inventory.i18n import catalogue
from inventory.services.segments import SegmentPage, read_groups, read_segments
from inventory.store.segments import SegmentFilter
from tests.services.town import CITY, HLR, Town

pytestmark = [pytest.mark.database, pytest.mark.anyio]


@pytest.fixture
async def grouped(town: Town) -> Town:
    """Give two groups: two neighbouring segments and one apart, and an access code in none."""
    await town.take("1388804", "1388805", group="甲")
    await town.take("1388809", group="乙")
    await town.take("10016", kind=NumberKind.ACCESS_CODE, listed=True)
    await town.execute("UPDATE number SET state = 'DISABLED' WHERE number LIKE '138880499%'")
    return town


async def find(
    town: Town, wanted: SegmentFilter, *, after: str = "", limit: int = 25, at: str | None = None
) -> SegmentPage:
    caller = town.admin if at is None else town.at(at, Role.DISTRICT_KEEPER)
    async with town.database.session() as session:
        return await read_segments(session, caller, wanted, after=after, limit=limit)


async def test_segments_are_listed_with_group_and_states(grouped: Town) -> None:
    """REQ-NUM-12: segment with prefix, size, kind, city, carrier, HLR; groups of segments."""
    found = (await find(grouped, SegmentFilter())).segments
    assert [(view.segment.prefix, view.segment.size, view.segment.group, view.states) for view in found] == [
        ("10016", 0, None, {}),
        ("1388804", 10_000, "甲", {"DISABLED": 100, "UNUSED": 9_900}),
        ("1388805", 10_000, "甲", {"UNUSED": 10_000}),
        ("1388809", 10_000, "乙", {"UNUSED": 10_000}),
    ]
    async with grouped.database.session() as session:
        assert await read_groups(session, grouped.admin) == ["乙", "甲"]


@pytest.mark.parametrize(
    ("asked", "prefixes"),
    [
        ({"group": "甲"}, ["1388804", "1388805"]),
        ({"prefix": "138880", "group": "乙"}, ["1388809"]),
        ({"prefix": "13%"}, []),
        ({"kind": "access_code"}, ["10016"]),
        ({"hlr": HLR, "carrier": "mobile", "prefix": "1388805"}, ["1388805"]),
        ({"hlr": "none"}, []),
        ({"carrier": "unicom"}, []),
    ],
)
async def test_segments_are_found_by_what_they_are(grouped: Town, asked: dict[str, str], prefixes: list[str]) -> None:
    assert [view.segment.prefix for view in (await find(grouped, SegmentFilter(**asked))).segments] == prefixes


async def test_pages_of_segments_follow_each_other(grouped: Town) -> None:
    first = await find(grouped, SegmentFilter(), limit=3)
    assert first.next_after == "1388805"
    second = await find(grouped, SegmentFilter(), limit=3, after="1388805")
    assert ([view.segment.prefix for view in second.segments], second.next_after) == (["1388809"], None)


async def test_keeper_counts_the_numbers_of_its_own_part_alone(grouped: Town) -> None:
    """REQ-QRY-01: what lies elsewhere is not counted."""
    assert [view.states for view in (await find(grouped, SegmentFilter(group="乙"), at=f"{CITY}-D1")).segments] == [{}]


async def test_segment_that_is_owned_already_is_refused_by_both_names(grouped: Town) -> None:
    """REQ-NUM-04: an overlap is refused, and the words say with what and what to do."""
    with pytest.raises(SegmentOverlap) as refusal:
        await grouped.take("1388803", "1388804")
    assert refusal.value.params == {"segment": "1388804", "existing": "1388804"}
    assert await grouped.value("SELECT count(*) FROM segment WHERE prefix = '1388803'") == 0
    for language, todo in (("zh", "请"), ("en", "1388804")):
        assert todo in catalogue(language).detail(refusal.value.code, refusal.value.params)
