import re

import pytest

from inventory.domain import errors
from inventory.domain.approvals import Demand
from inventory.domain.errors import ApprovalNeeded, DomainError, InvalidField, NumberNotFree

REFUSALS = sorted(DomainError.__subclasses__(), key=lambda refusal: refusal.__name__)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_the_code_of_a_refusal_is_its_name_in_snake_case(refusal: type[DomainError]) -> None:
    assert re.sub(r"(?<!^)(?=[A-Z])", "_", refusal.__name__).lower() == refusal.code


def test_no_two_refusals_share_a_code() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)


def test_every_refusal_of_the_module_is_a_domain_error() -> None:
    classes = [thing for thing in vars(errors).values() if isinstance(thing, type) and issubclass(thing, Exception)]
    assert set(classes) == {DomainError, *REFUSALS}


def test_a_refusal_names_field_value_and_reason() -> None:
    refusal = InvalidField(field="days", value=-1, reason="a positive number is needed")
    assert str(refusal) == "days = -1 is refused: a positive number is needed"
    assert refusal.params == {"field": "days", "value": -1, "reason": "a positive number is needed"}


def test_a_refusal_without_its_parameters_is_still_readable() -> None:
    assert str(NumberNotFree(number="13812345678")) == "13812345678 is {state} until {held_until}; choose another"


def test_a_refusal_for_want_of_a_second_person_carries_what_to_ask_for() -> None:
    demand = Demand(act="scrap", permission="stock.end", place=1, wish={}, summary={})
    needed = ApprovalNeeded(demand, act="scrap", permission="stock.end")
    assert needed.demand is demand
    assert needed.params == {"act": "scrap", "permission": "stock.end"}
