"""The national number plan, from a hand-made list."""

from __future__ import annotations

import struct
from datetime import date
from typing import Any

import pytest

from inventory.domain.errors import InvalidField, MissingField
from inventory.services.plan import PlanWish, known_regions, load_plan, read_plan, take_plan
from inventory.services.plan_file import read_plan_file
from inventory.services.segment_list import ListedSegment, Repairs, list_version, read_list, repair
from inventory.store.segments import plan_prefixes
from tests.services.town import CITY, NOW, Town, fresh_key

LIJIANG = ("云南", "丽江", "674100", "0888")
BEIJING = ("北京", "北京", "100000", "010")
SHIJIAZHUANG = ("河北", "石家庄", "50000", "0311")
JIANGHAN = ("湖北", "江汉", "433000", "0728")

LISTED = [
    *(ListedSegment(f"13888{end}", *LIJIANG, 1) for end in range(40, 60)),
    *(ListedSegment(f"13088{end}", *LIJIANG, 2) for end in range(40, 45)),
    *(ListedSegment(f"13388{end}", *LIJIANG, 3) for end in range(40, 45)),
    ListedSegment("1300010", *BEIJING, 2),
    ListedSegment("1920010", *BEIJING, 7),
    ListedSegment("1300311", *SHIJIAZHUANG, 2),
    ListedSegment("1300728", *JIANGHAN, 2),
    ListedSegment("1620888", *LIJIANG, 3),
    ListedSegment("1650888", *LIJIANG, 1),
    ListedSegment("1670888", *LIJIANG, 5),
    ListedSegment("1700888", *LIJIANG, 3),
    ListedSegment("1703888", *LIJIANG, 6),
    ListedSegment("1710888", *LIJIANG, 2),
]


def packed(listed: list[ListedSegment]) -> bytes:
    """Give the list in the form of the package's file."""
    records, offsets = b"", {}
    for segment in listed:
        place = f"{segment.province}|{segment.city}|{segment.zip_code}|{segment.area_code}"
        if place not in offsets:
            offsets[place] = 8 + len(records)
            records += place.encode() + b"\0"
    index = b"".join(
        struct.pack(
            "<iiB",
            int(segment.prefix),
            offsets[f"{segment.province}|{segment.city}|{segment.zip_code}|{segment.area_code}"],
            segment.carrier,
        )
        for segment in listed
    )
    return struct.pack("<4si", b"2312", 8 + len(records)) + records + index


def test_file_is_read_as_it_was_written() -> None:
    data = packed(LISTED)

    assert list(read_list(data)) == LISTED
    assert list_version(data) == "2312"


def test_zip_codes_get_their_zeros_back_and_the_repairs_are_counted() -> None:
    repairs = Repairs()

    rows = {row.prefix: row for row in repair(LISTED, known_regions(), repairs)}

    assert rows["1300311"].zip_code == "050000"
    assert repairs.repaired["zip_zero"] == 1


@pytest.mark.parametrize(
    ("prefix", "holder"),
    [("1620888", "telecom"), ("1650888", "mobile"), ("1670888", "unicom"), ("1700888", "telecom"),
     ("1703888", "mobile"), ("1710888", "unicom")],
)  # fmt: skip
def test_virtual_operators_are_told_from_the_networks_whose_ranges_they_use(prefix: str, holder: str) -> None:
    repairs = Repairs()

    rows = {row.prefix: row for row in repair(LISTED, known_regions(), repairs)}

    assert (rows[prefix].range_holder, rows[prefix].kind) == (holder, "virtual")
    assert repairs.repaired["virtual_operator"] == 4


def test_places_get_their_codes_and_what_has_none_is_listed() -> None:
    repairs = Repairs()

    rows = {row.prefix: row for row in repair(LISTED, known_regions(), repairs)}

    assert (rows["1388840"].province_id, rows["1388840"].city_id) == (530000, CITY)
    assert (rows["1300010"].province_id, rows["1300010"].city_id) == (110000, 110000)
    assert (rows["1300728"].city_id, dict(repairs.unmapped)) == (None, {"湖北|江汉": 1})


TABLE = """号段,省份,城市,邮编,区号,运营商,类型
1388840,云南,丽江,674100,0888,中国移动,
1300311,河北,石家庄,50000,0311,unicom,
1620888,云南,丽江,674100,0888,电信,mobile
"""
DATED = date(2026, 7, 1)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_table_is_read_by_its_column_names_and_repaired_like_the_list(encoding: str) -> None:
    """REQ-NUM-13: a version of the plan is brought as a table."""
    read = read_plan_file(TABLE.encode(encoding), known_regions(), version="2607", dated=DATED)

    assert (read.version, read.dated) == ("2607", DATED)
    assert [(row.prefix, row.city_id, row.zip_code, row.range_holder, row.kind) for row in read.rows] == [
        ("1300311", 130100, "050000", "unicom", "mobile"),
        ("1388840", CITY, "674100", "mobile", "mobile"),
        ("1620888", CITY, "674100", "telecom", "virtual"),
    ]


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("号段,省份,城市\n1388840,云南,丽江\n", "file", "运营商"),
        ("号段,省份,城市,运营商\n138884,云南,丽江,移动\n", "row 2, prefix", "7 digits"),
        ("号段,省份,城市,运营商\n1388840,云南,丽江,铁通\n", "row 2, carrier", "broadnet"),
        ("号段,省份,城市,运营商\n1388840,云南,丽江\n", "row 2", "4 values"),
        ('号段,省份,城市,运营商\n"1388840,云南,丽江,移动\n', "row 2", "quotes"),
        ("号段,省份,城市,运营商\n1388840,云南,丽江,移动\n1388840,云南,丽江,移动\n", "prefix", "twice"),
        ("号段,省份,城市,运营商\n", "file", "no segment"),
        ("", "file", "运营商"),
    ],
)
def test_table_that_cannot_be_is_refused_by_row_and_reason(text: str, field: str, reason: str) -> None:
    with pytest.raises(InvalidField) as refusal:
        read_plan_file(text.encode(), known_regions(), version="1", dated=DATED)
    assert refusal.value.params["field"] == field
    assert reason in refusal.value.params["reason"]


def test_table_needs_its_version_and_day_and_a_binary_list_knows_them() -> None:
    with pytest.raises(MissingField):
        read_plan_file(TABLE.encode(), known_regions(), dated=DATED)
    with pytest.raises(MissingField):
        read_plan_file(TABLE.encode(), known_regions(), version="1")
    with pytest.raises(InvalidField):
        read_plan_file(TABLE.encode(), known_regions(), version="1 ", dated=DATED)
    with pytest.raises(InvalidField):
        read_plan_file(b"\x00\xff", known_regions(), version="1", dated=DATED)
    read = read_plan_file(packed(LISTED), known_regions())
    assert (read.version, read.dated) == ("2312", date(2023, 12, 1))


@pytest.mark.database
@pytest.mark.anyio
async def test_version_is_put_in_force_by_a_person_and_an_event_says_so(town: Town) -> None:
    """REQ-NUM-13, REQ-CFG-01: sources are appended, the rows in force are those of one of them."""

    async def taken(wish: PlanWish) -> dict[str, Any]:
        async with town.database.session() as session:
            return (await take_plan(session, town.admin, fresh_key(), wish, now=NOW)).body

    async with town.database.session() as session:
        assert (await read_plan(session, town.admin)).source is None
    first = await taken(PlanWish(content=packed(LISTED)))
    second = await taken(PlanWish(content=TABLE.encode(), version="2607", dated=DATED))
    again = await taken(PlanWish(content=TABLE.encode(), version="2607", dated=DATED))
    with pytest.raises(InvalidField, match="before the present one"):
        await taken(PlanWish(content=packed(LISTED)))

    assert (first["version"], second["version"], second["rows"], again) == ("2312", "2607", 3, second)
    async with town.database.session() as session:
        standing = await read_plan(session, town.admin)
    assert standing.source is not None
    assert standing.source.version == "2607"
    assert [tuple(vars(holder).values()) for holder in standing.holders] == [
        ("mobile", "mobile", 1), ("telecom", "virtual", 1)
    ]  # fmt: skip
    told = await town.rows(
        "SELECT data ->> 'version' AS version FROM event WHERE name = 'number_plan.loaded' ORDER BY 1"
    )
    assert [row.version for row in told] == ["2312", "2607"]


@pytest.mark.database
@pytest.mark.anyio
async def test_plan_is_loaded_once_per_version_and_replaced_by_the_next(town: Town) -> None:
    """REQ-NUM-13: which prefixes exist is data."""
    told: list[tuple[int, int]] = []

    async def loaded(version: str, count: int) -> int:
        read = read_plan_file(packed(LISTED[:count]), known_regions())
        async with town.database.session() as session:
            source = await load_plan(
                session, read, name="hand-made", version=version, now=NOW,
                on_progress=lambda done, total: told.append((done, total)),
            )  # fmt: skip
        return source.id

    first = await loaded("1", 40)
    assert await loaded("1", 5) == first
    assert await town.value("SELECT count(*) FROM number_plan") == 40
    assert told == [(40, 40)]
    assert await loaded("2", 30) != first
    assert await town.value("SELECT count(*) FROM number_plan") == 30


@pytest.mark.database
@pytest.mark.anyio
async def test_all_segments_of_a_carrier_in_the_city_are_taken_by_the_plan(town: Town) -> None:
    """REQ-NUM-12: the plan knows which segments are whose; virtual operators' are the network's only when asked for."""
    async with town.database.session() as session:
        await load_plan(session, read_plan_file(packed(LISTED), known_regions()), name="x", version="1", now=NOW)
        async with session.begin():
            prefixes = await plan_prefixes(session, city_id=CITY, range_holder="telecom")
            held = await plan_prefixes(session, city_id=CITY, range_holder="telecom", virtual_ranges=True)

    assert prefixes == [f"13388{end}" for end in range(40, 45)]
    assert held == [*prefixes, "1620888", "1700888"]
    assert (await town.take(carrier="telecom", prefixes=None))["numbers"] == 50_000
