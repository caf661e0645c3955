from __future__ import annotations

import pytest

from inventory.domain.policies import (
    ALLOWED,
    AT_ONCE,
    BY_NETWORK,
    CHOICES,
    DAYS,
    OPTIONAL,
    REFUSED,
    REQUIRED,
    Policy,
    allows,
    usual,
)


def test_each_policy_is_a_choice_of_two_or_a_number_of_days() -> None:
    assert {policy: set(choices) for policy, choices in CHOICES.items()} == {
        Policy.SIGNING: {OPTIONAL, REQUIRED},
        Policy.LEVEL_SKIPPING: {REFUSED, ALLOWED},
        Policy.COMPLETION: {AT_ONCE, BY_NETWORK},
    }
    assert set(Policy) == CHOICES.keys() ^ DAYS.keys()
    assert all(allows(policy, usual(policy)) for policy in Policy)


@pytest.mark.parametrize("said", ["0", "366", "030", "+30", "３０", "30.0", "thirty", ""])
def test_days_are_a_number_in_digits_within_what_may_be(said: str) -> None:
    assert allows(Policy.PORT_NOTICE_DAYS, "1")
    assert allows(Policy.PORT_NOTICE_DAYS, "365")
    assert not allows(Policy.PORT_NOTICE_DAYS, said)


def test_a_city_that_has_decided_nothing_tells_terms_a_month_before_and_cools_ports_a_quarter() -> None:
    """REQ-NUM-15."""
    assert (usual(Policy.PORT_NOTICE_DAYS), usual(Policy.PORT_COOLING_DAYS)) == ("30", "90")


def test_a_city_that_has_decided_nothing_completes_sales_at_once() -> None:
    """N8b: "a city without completion reports passes both in one act"."""
    assert usual(Policy.COMPLETION) == AT_ONCE


def test_a_city_that_has_decided_nothing_passes_over_no_level() -> None:
    """REQ-SIM-05: cards go down level by level "unless a policy allows it"."""
    assert CHOICES[Policy.LEVEL_SKIPPING][0] == REFUSED
