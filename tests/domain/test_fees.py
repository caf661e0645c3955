from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from inventory.domain.channels import Channel, SaleChannel
from inventory.domain.errors import InvalidField, RuleSetInvalid
from inventory.domain.feerules import Outcome
from inventory.domain.fees import ORDINARY_RULE, SIM_PRICE_RULE, Business, FeeElement, RuleSet, quote
from inventory.domain.identifiers import NumberKind
from inventory.domain.money import Terms
from tests.domain.fee_examples import EXAMPLES, WORKED
from tests.domain.fee_predicates import all_endings, disagreements, fixed_lines, structured

MOBILE, FIXED = NumberKind.MOBILE, NumberKind.FIXED
PRICE = Terms(
    cash_fee=50_00,
    prepay=200_00,
    return_months=12,
    min_monthly=58_00,
    commitment_months=24,
    sale_channel=SaleChannel.ALL,
    waive_role="hall_manager",
)


def kind_of(number: str) -> NumberKind:
    return MOBILE if len(number) == 11 else FIXED


def classes_of(rules: RuleSet, block: bytes) -> dict[int, int]:
    return dict(Counter(rules.outcomes[code].number_class for code in block))


@pytest.mark.parametrize(("number", "number_class", "matches"), WORKED, ids=[row[0] for row in WORKED])
def test_the_worked_examples_of_precedence(rules: RuleSet, number: str, number_class: int, matches: str) -> None:
    found = rules.classify(number, kind_of(number))
    assert found.number_class == number_class
    assert list(found.matches) == matches.split()
    assert found.winner == (matches.split(maxsplit=1)[0] if matches else None)


@pytest.mark.parametrize("code", EXAMPLES)
def test_each_rule_matches_its_examples_and_leaves_the_near_misses(default_document: dict[str, Any], code: str) -> None:
    everything = {**default_document, "outcomes": None}
    del everything["outcomes"]
    for part in ("rules", "tags", "modifiers"):
        everything[part] = [{**entry, "enabled": True} for entry in default_document[part]]
    rules = RuleSet.from_dict(everything)
    criterion = next(entry for entry in (*rules.rules, *rules.tags, *rules.modifiers) if entry.code == code)
    matching, others = EXAMPLES[code]
    assert [number for number in matching.split() if not criterion.matches(number)] == []
    assert [number for number in others.split() if criterion.matches(number)] == []


def test_all_59_patterns_are_there(default_document: dict[str, Any]) -> None:
    counts = [len(default_document[part]) for part in ("rules", "tags", "modifiers")]
    assert counts == [38 + 16, 4, 1]
    assert len(EXAMPLES) == 59


@pytest.mark.no_cover  # the same lines a hundred thousand times over
@pytest.mark.parametrize(
    ("kind", "numbers"),
    [(MOBILE, list(all_endings(251))), (MOBILE, list(structured())), (FIXED, list(fixed_lines(101)))],
    ids=["endings", "structured", "fixed lines"],
)
def test_every_rule_agrees_with_its_independent_predicate(rules: RuleSet, kind: NumberKind, numbers: list[str]) -> None:
    assert disagreements(rules, kind, numbers) == []


def test_a_wrong_rule_is_found_by_its_predicate(default_document: dict[str, Any]) -> None:
    broken = [
        {**rule, "matcher": {"shape": "AAAA"}, "reads": 4} if rule["code"] == "M32_RUN4_FOURS" else rule
        for rule in default_document["rules"]
    ]
    rules = RuleSet.from_dict({**default_document, "rules": broken})
    assert ("M32_RUN4_FOURS", "13812345555") in disagreements(rules, MOBILE, ["13812345555"])


@pytest.mark.parametrize(
    ("prefix", "kind", "classes"),
    [
        ("1381234", MOBILE, {2: 4, 3: 7, 4: 29, 5: 372, 6: 515, 9: 9073}),
        ("6213", FIXED, {1: 1, 2: 10, 3: 2, 4: 87, 5: 269, 6: 282, 9: 9349}),
    ],
)
def test_an_ordinary_block_has_the_measured_classes(
    rules: RuleSet, prefix: str, kind: NumberKind, classes: dict[int, int]
) -> None:
    assert classes_of(rules, rules.classify_segment(prefix, kind)) == classes


def test_a_middle_run_gives_a_class_to_nearly_the_whole_segment(rules: RuleSet) -> None:
    assert classes_of(rules, rules.classify_segment("1868888"))[9] == 10_000 - 9083


@pytest.mark.parametrize("prefix", ["1381234", "1301111", "1868888", "1444444", "1992024"])
def test_a_mobile_block_says_of_each_number_what_the_number_alone_says(rules: RuleSet, prefix: str) -> None:
    """REQ-FEE-01: the class of a number follows from the rule set in force alone, however it is computed."""
    block = rules.classify_segment(prefix)
    alone = [rules.outcome_code(rules.classify(f"{prefix}{ending:04d}").outcome) for ending in range(0, 10_000, 7)]
    assert list(block[::7]) == alone


@pytest.mark.parametrize("prefix", ["6213", "6262", "8888", "621", "888"])
def test_a_fixed_block_says_of_each_number_what_the_number_alone_says(rules: RuleSet, prefix: str) -> None:
    block = rules.classify_segment(prefix, FIXED)
    alone = [
        rules.outcome_code(rules.classify(f"{prefix}{ending:04d}", FIXED).outcome) for ending in range(0, 10_000, 3)
    ]
    assert list(block[::3]) == alone


def test_an_access_code_has_no_class_but_the_ordinary_one(rules: RuleSet) -> None:
    """REQ-NUM-16: access codes have no fee rules."""
    assert rules.classify("12588", NumberKind.ACCESS_CODE).number_class == 9
    assert set(rules.classify_segment("1064788", NumberKind.IOT)) == {rules.outcome_code(Outcome(9, None))}


def test_the_trace_names_tags_and_modifiers(rules: RuleSet) -> None:
    found = rules.classify("13812341314")
    assert (found.number_class, found.winner, found.modifiers) == (6, "M30_LUCKY_LONG", ("X01_HAS4_DEMOTE",))
    assert rules.classify("13819900818").tags == ("T01_NO4", "T02_BIRTH6", "T03_MMDD")


def test_a_run_of_fours_is_placed_low_already_and_not_shifted_again(rules: RuleSet) -> None:
    assert rules.classify("13812344444").modifiers == ()


def test_a_rule_that_is_off_gives_no_class(rules: RuleSet) -> None:
    assert rules.classify("13812359308").number_class == 9


def test_a_stored_list_of_outcomes_keeps_its_meaning(rules: RuleSet) -> None:
    document = rules.to_dict()
    turned = {**document, "outcomes": document["outcomes"][::-1]}
    again = RuleSet.from_dict(turned)
    assert again.outcomes == rules.outcomes[::-1]
    block = again.classify_segment("1381234")
    assert [again.outcomes[code] for code in block] == [
        rules.outcomes[code] for code in rules.classify_segment("1381234")
    ]
    assert RuleSet.from_dict(document).to_dict() == document


@pytest.mark.parametrize("change", [lambda rows: rows[1:], lambda rows: [*rows, rows[0]]])
def test_a_list_of_outcomes_that_lacks_or_doubles_one_is_refused(rules: RuleSet, change: Any) -> None:
    document = rules.to_dict()
    with pytest.raises(RuleSetInvalid) as refused:
        RuleSet.from_dict({**document, "outcomes": change(document["outcomes"])})
    assert refused.value.params["field"] == "outcomes"


def test_terms_follow_from_the_class(rules: RuleSet) -> None:
    assert rules.terms(2).prepay == 30_000_00
    assert rules.terms(2).sale_channel is SaleChannel.OWN_HALL_APPROVAL
    assert all(number_class.terms.cash_fee == 0 for number_class in rules.classes.values())
    with pytest.raises(InvalidField):
        rules.terms(7)


def test_a_quote_lists_every_element_with_its_rule_and_the_version() -> None:
    """REQ-FEE-04: a quote takes number, business and channel and returns every fee element, rule code and version.

    REQ-FEE-06: the card's fee and the prepayment stand apart from the selection fee.
    """
    found = quote(
        "13812341314", PRICE, 7, Business.ACTIVATION, Channel.AGENT, 10_00, outcome=Outcome(6, "M30_LUCKY_LONG")
    )
    assert found.elements == (
        FeeElement("sim_fee", 10_00, "fen", SIM_PRICE_RULE),
        FeeElement("cash_fee", 0, "fen", "M30_LUCKY_LONG"),
        FeeElement("prepay", 200_00, "fen", "M30_LUCKY_LONG"),
        FeeElement("return_months", 12, "month", "M30_LUCKY_LONG"),
        FeeElement("min_monthly", 58_00, "fen", "M30_LUCKY_LONG"),
        FeeElement("commitment_months", 24, "month", "M30_LUCKY_LONG"),
    )
    assert found.due_now == 210_00
    assert (found.number_class, found.rule, found.rule_set_version) == (6, "M30_LUCKY_LONG", 7)


def test_the_cash_selection_fee_is_zero_until_the_switch_is_opened() -> None:
    """REQ-CMP-02: the cash selection fee is disabled unless it is turned on (by two persons, elsewhere)."""
    closed = quote("13812345678", PRICE, 1, Business.ACTIVATION, Channel.OWN_HALL, 0, outcome=Outcome(2, "M05"))
    opened = quote(
        "13812345678",
        PRICE,
        1,
        Business.ACTIVATION,
        Channel.OWN_HALL,
        0,
        outcome=Outcome(2, "M05"),
        cash_fee_allowed=True,
    )
    assert closed.due_now == 200_00
    assert opened.due_now == 250_00


@pytest.mark.parametrize(
    ("business", "elements", "due_now"),
    [
        (Business.ACTIVATION, 6, 210_00),
        (Business.CHANGE_NUMBER, 5, 200_00),
        (Business.TRANSFER, 2, 0),
        (Business.REPLACE_SIM, 1, 10_00),
    ],
)
def test_each_business_asks_only_for_what_it_costs(business: Business, elements: int, due_now: int) -> None:
    found = quote("13812359307", PRICE, 1, business, Channel.OWN_HALL, 10_00, outcome=Outcome(9, None))
    assert len(found.elements) == elements
    assert found.due_now == due_now
    assert found.rule == ORDINARY_RULE


def test_a_quote_is_plain_json_and_the_same_for_the_same_question() -> None:
    def ask() -> dict[str, Any]:
        return quote("13812359307", PRICE, 1, Business.ACTIVATION, Channel.WEB, 0, outcome=Outcome(9, None)).to_dict()

    assert ask() == ask()
    assert ask()["elements"][2] == {"code": "prepay", "amount": 200_00, "unit": "fen", "rule": ORDINARY_RULE}
    assert ask()["channel"] == "web"


def test_a_negative_card_price_is_refused() -> None:
    with pytest.raises(InvalidField):
        quote("1", replace(PRICE, prepay=0), 1, Business.REPLACE_SIM, Channel.WEB, -1, outcome=Outcome(9, None))
