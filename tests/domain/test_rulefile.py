import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.errors import RuleSetInvalid
from inventory.domain.fees import RuleSet
from inventory.domain.patterns import Date, FewDigits, HasDigit, Pattern, Regex, Sequence, Shape, Words
from inventory.domain.rulefile import read_pattern, read_terms

Change = Callable[[dict[str, Any]], None]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def small() -> dict[str, Any]:
    terms = {
        "cash_fee": 0,
        "prepay": 0,
        "return_months": 0,
        "min_monthly": 0,
        "commitment_months": 0,
        "sale_channel": "all",
        "waive_role": None,
    }
    rule = {"zh": "对子", "en": "Pair", "kind": "mobile", "matcher": {"shape": "AA"}, "reads": 2, "priority": 1}
    return {
        "schema": "haoka-fee-rules/1",
        "version": 1,
        "zh": "小",
        "en": "small",
        "ordinary_class": 9,
        "classes": [{"class": cls, "zh": str(cls), "en": str(cls), "terms": terms} for cls in (5, 6, 9)],
        "rules": [{**rule, "code": "PAIR", "class": 5}],
        "tags": [{**rule, "code": "TAG"}],
        "modifiers": [{**rule, "code": "DOWN", "add": 1, "classes": [5], "spares": ["PAIR"]}],
    }


def changed(path: str, value: Any) -> dict[str, Any]:
    """Give the small document with one place set; the path is like `rules.0.class`."""
    document = copy.deepcopy(small())
    *way, last = path.split(".")
    place: Any = document
    for step in way:
        place = place[int(step) if step.isdecimal() else step]
    place[int(last) if last.isdecimal() else last] = value
    return document


def test_the_small_document_is_a_rule_set() -> None:
    assert RuleSet.from_dict(small()).classify("13812345677").number_class == 5


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("schema", "fee-patterns/1", "schema"),
        ("version", 0, "version"),
        ("version", True, "version"),
        ("surplus", 1, "surplus"),
        ("ordinary_class", 8, "ordinary_class"),
        ("classes.1.class", 5, "classes[1].class"),
        ("classes.0", [], "classes[0]"),
        ("classes.0.terms.prepay", -1, "classes[0].terms.prepay"),
        ("classes.0.terms.prepay", 100, "classes[0].terms.return_months"),
        ("classes.0.terms.sale_channel", "street", "classes[0].terms.sale_channel"),
        ("classes.0.terms.waive_role", 5, "classes[0].terms.waive_role"),
        ("classes.0.terms.rent", 5, "classes[0].terms.rent"),
        ("rules", {}, "rules"),
        ("rules.0.code", "pair", "rules[0].code"),
        ("rules.0.zh", "", "rules[0].zh"),
        ("rules.0.kind", "iot", "rules[0].kind"),
        ("rules.0.class", 7, "rules[0].class"),
        ("rules.0.reads", 3, "rules[0].reads"),
        ("rules.0.enabled", "yes", "rules[0].enabled"),
        ("rules.0.unless", [{}], "rules[0].unless[0]"),
        ("rules.0.surplus", 1, "rules[0].surplus"),
        ("rules.0.matcher", None, "rules[0].matcher"),
        ("tags.0.class", 5, "tags[0].class"),
        ("tags.0.code", "PAIR", "code"),
        ("modifiers.0.classes", [], "modifiers[0].classes"),
        ("modifiers.0.classes", [9], "modifiers[0].classes"),
        ("modifiers.0.classes", [[5]], "modifiers[0].classes"),
        ("modifiers.0.spares", ["NONE"], "modifiers[0].spares"),
        ("modifiers.0.spares", [["PAIR"]], "modifiers[0].spares"),
        ("modifiers.0.surplus", 1, "modifiers[0].surplus"),
        ("outcomes", [[5]], "outcomes"),
        ("outcomes", [[5, 6]], "outcomes"),
    ],
)
def test_what_is_wrong_with_a_rule_set_is_named_by_its_path(path: str, value: Any, field: str) -> None:
    with pytest.raises(RuleSetInvalid) as refused:
        RuleSet.from_dict(changed(path, value))
    assert refused.value.params["field"] == field


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ({"shape": "ZAA", "allowed": {"A": "68"}}, Shape("ZAA", {"A": "68"})),
        ({"sequence": 4, "step": -1}, Sequence(4, -1, exact=False)),
        ({"words": ["168"]}, Words(("168",))),
        ({"date": "YYYYMMDD", "first": 1940, "last": 2030}, Date(4, 1940, 2030)),
        ({"date": "MMDD"}, Date(0)),
        ({"few_digits": 2, "reads": 8, "each": 2}, FewDigits(2, 8, 2)),
        ({"has": "4", "reads": 4}, HasDigit("4", 4, present=True)),
        ({"lacks": "4", "reads": 8}, HasDigit("4", 8, present=False)),
    ],
)
def test_a_pattern_is_read_from_its_json(value: Any, pattern: Pattern) -> None:
    assert read_pattern(value) == pattern


def test_a_regular_expression_is_read_with_the_digits_it_reads() -> None:
    pattern = read_pattern({"regex": "8{3}", "reads": 3})
    assert isinstance(pattern, Regex)
    assert pattern.matches_tail("888")


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        {"shape": "A-A"},
        {"shape": "A" * 14},
        {"shape": "AA", "allowed": {"B": "6"}},
        {"shape": "AA", "allowed": {"A": ""}},
        {"shape": "AA", "allowed": {"A": "x"}},
        {"shape": "AA", "allowed": []},
        {"shape": "AA", "words": ["1"]},
        {"sequence": 1, "step": 1},
        {"sequence": 3, "step": 0},
        {"words": []},
        {"words": ["1a"]},
        {"words": [168]},
        {"date": "DDMM"},
        {"few_digits": 0, "reads": 8},
        {"has": "44", "reads": 4},
        {"lacks": "", "reads": 4},
        {"regex": "(", "reads": 4},
        {"regex": "8" * 201, "reads": 4},
    ],
)
def test_a_pattern_that_is_not_well_formed_is_refused(value: Any) -> None:
    with pytest.raises(RuleSetInvalid):
        read_pattern(value)


def test_terms_without_a_role_that_may_waive_are_read() -> None:
    value = small()["classes"][0]["terms"]
    assert read_terms(value).waive_role is None
    assert read_terms({**value, "waive_role": "hall_manager"}).waive_role == "hall_manager"


PLACES = """
version zh classes classes.0 classes.0.terms rules rules.0 rules.0.matcher rules.0.matcher.shape rules.0.unless
rules.0.priority tags.0 modifiers.0 modifiers.0.classes modifiers.0.spares modifiers.0.add outcomes
"""
paths = st.sampled_from(PLACES.split())


def read(document: dict[str, Any]) -> RuleSet | RuleSetInvalid:
    try:
        return RuleSet.from_dict(document)
    except RuleSetInvalid as refused:
        return refused


@given(paths, json_values)
def test_no_document_is_met_with_anything_but_a_rule_set_or_a_named_refusal(path: str, value: Any) -> None:
    met = read(changed(path, value))
    if isinstance(met, RuleSet):
        assert json.loads(json.dumps(met.to_dict()))["outcomes"]
    else:
        assert met.params["field"]
