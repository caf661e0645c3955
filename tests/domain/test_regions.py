import json
import struct
from importlib import resources
from pathlib import Path
from typing import Any

import phone
import pytest

from inventory.domain.regions import Place, Regions

UNMAPPED = {("湖北", "江汉")}
"""An oil field's name for the area of three units at once; it stands for no code."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    text = (resources.files("inventory.domain") / "regions" / "gb2260.json").read_text(encoding="utf-8")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


@pytest.fixture(scope="module")
def regions(document: dict[str, Any]) -> Regions:
    return Regions(document)


def names_of_the_segment_list() -> set[tuple[str, str]]:
    """Give the distinct (province, city) that the package's index points to: `province|city|zip|area code`, then 0."""
    data = Path(phone.__file__).with_name("phone.dat").read_bytes()
    index = data[int.from_bytes(data[4:8], "little") :]
    records = {offset for _, offset, _ in struct.iter_unpack("<iiB", index)}
    fields = [data[offset : data.index(b"\0", offset)].decode().split("|") for offset in records]
    return {(province, city) for province, city, *_ in fields}


def test_every_place_of_the_real_segment_list_is_mapped_but_one(regions: Regions) -> None:
    names = names_of_the_segment_list()
    assert len(names) == 362
    assert {place for place in names if regions.find(*place) is None} == UNMAPPED


def test_different_prefectures_have_different_codes(regions: Regions) -> None:
    """Two names on one code are a county-level city beside the prefecture it belongs to, and nothing else."""
    by_code: dict[Place, set[str]] = {}
    for province, city in names_of_the_segment_list() - UNMAPPED:
        place = regions.find(province, city)
        assert place is not None
        by_code.setdefault(place, set()).add(city)
    assert sorted("、".join(sorted(cities)) for cities in by_code.values() if len(cities) > 1) == sorted(
        [
            "万州、涪陵、重庆、黔江",
            "临河、巴彦淖尔",
            "乌兰察布、集宁",
            "乌兰浩特、兴安",
            "伊犁、奎屯",
            "保定、雄安",
            "信阳、潢川",
            "凉山、西昌",
            "合肥、巢湖",
            "博乐、博州",
            "吉首、湘西",
            "呼伦贝尔、海拉尔",
            "巴州、库尔勒",
            "延边、珲春",
            "格尔木、海西",
            "海北、海晏",
            "济南、莱芜",
            "锡林郭勒、锡林郭勒盟",
        ]
    )


@pytest.mark.parametrize(
    ("province", "city", "place"),
    [
        ("云南", "丽江", (530000, 530700)),
        ("云南省", "丽江市", (530000, 530700)),
        ("云南", "昆明", (530000, 530100)),
        ("云南", "西双版纳", (530000, 532800)),
        ("北京", "北京", (110000, 110000)),
        ("上海", "上海", (310000, 310000)),
        ("重庆", "万州", (500000, 500000)),
        ("吉林", "吉林", (220000, 220200)),
        ("吉林", "珲春", (220000, 222400)),
        ("内蒙古", "兴安", (150000, 152200)),
        ("黑龙江", "哈尔滨", (230000, 230100)),
        ("西藏", "拉萨", (540000, 540100)),
        ("广东", "广州", (440000, 440100)),
        ("广东", "深圳", (440000, 440300)),
        ("湖北", "仙桃", (420000, 429004)),
        ("新疆", "石河子", (650000, 659001)),
        ("新疆", "克州", (650000, 653000)),
        ("青海", "海南", (630000, 632500)),
        ("海南", "海口", (460000, 460100)),
    ],
)
def test_well_known_places_have_their_codes(regions: Regions, province: str, city: str, place: tuple[int, int]) -> None:
    assert regions.find(province, city) == place


@pytest.mark.parametrize(
    ("province", "city"),
    [("", "丽江"), ("云南", ""), ("火星", "丽江"), ("云南", "火星"), ("云", "丽江!"), ("河", "石家庄"), ("湖北", "荆")],
)
def test_what_is_not_clear_is_not_mapped(regions: Regions, province: str, city: str) -> None:
    assert regions.find(province, city) is None


def test_codes_have_names(regions: Regions) -> None:
    assert regions.name(530700) == "丽江市"
    assert regions.name(530000) == "云南省"
    assert regions.name(999999) is None
    assert list(regions.cities(530000))[:2] == [530100, 530300]
    assert regions.cities(990000) == {}


def test_a_city_stands_under_the_province_of_its_code(document: dict[str, Any]) -> None:
    codes = [code for province in document["provinces"] for code in (province["code"], *province["cities"])]
    assert len(codes) == len(set(codes)) == 373
    for province in document["provinces"]:
        assert all(code[:2] == province["code"][:2] and len(code) == 6 for code in province["cities"])


def test_every_alias_stands_for_a_known_code(document: dict[str, Any], regions: Regions) -> None:
    assert all(regions.name(int(code)) for code in document["aliases"])
