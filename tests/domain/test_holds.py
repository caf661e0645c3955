from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.channels import Channel
from inventory.domain.errors import HoldExtendedTooOften, InvalidField
from inventory.domain.holds import DEFAULT_HOLD_RULES, Flow, HoldPolicy, HoldRule, extended_until

NOW = datetime(2026, 11, 22, 1, 30, tzinfo=UTC)
HALF_HOUR = timedelta(minutes=30)


@pytest.mark.parametrize(
    ("channel", "flow", "duration"),
    [
        (Channel.OWN_HALL, Flow.NORMAL, timedelta(minutes=30)),
        (Channel.AGENT, Flow.NORMAL, timedelta(minutes=30)),
        (Channel.OWN_HALL, Flow.LONG, timedelta(hours=24)),
        (Channel.OWN_HALL, Flow.GROUP_MEMBER, timedelta(minutes=60)),
        (Channel.CALL_CENTRE, Flow.NORMAL, timedelta(minutes=60)),
        (Channel.SELF_SERVICE, Flow.NORMAL, timedelta(days=1)),
        (Channel.WEB, Flow.NORMAL, timedelta(days=4)),
        (Channel.WEB, Flow.BOOKING_UNPAID, timedelta(days=7)),
        (Channel.OWN_HALL, Flow.BOOKING_APPROVAL, timedelta(days=8)),
        (Channel.OWN_HALL, Flow.RETENTION, timedelta(days=15)),
        (Channel.WEB, Flow.BOOKING_DELIVERY, timedelta(days=15)),
        (Channel.WEB, Flow.BOOKING_PAID, None),
        (Channel.OWN_HALL, Flow.FIXED_BATCH, timedelta(hours=24)),
    ],
)
def test_the_default_durations(channel: Channel, flow: Flow, duration: timedelta | None) -> None:
    assert HoldPolicy().duration(kind="number", channel=channel, flow=flow) == duration


@pytest.mark.parametrize(
    ("facts", "minutes"),
    [
        ({}, 30),
        ({"kind": "sim"}, 5),
        ({"number_class": 1}, 10),
        ({"channel": Channel.WEB, "number_class": 1}, 15),
        ({"flow": Flow.LONG, "number_class": 1}, 20),
        ({"flow": Flow.LONG, "number_class": 2}, 24 * 60),
    ],
)
def test_a_duration_is_configured_by_kind_channel_flow_and_class(facts: dict[str, Any], minutes: int) -> None:
    """REQ-RSV-03: hold duration is configured by resource kind, channel, flow kind and number class."""
    policy = HoldPolicy.of_city(
        [
            HoldRule.of(300, kind="sim"),
            HoldRule.of(600, number_class=1),
            HoldRule.of(900, number_class=1, channel="web"),
            HoldRule.of(1200, number_class=1, flow="long"),
        ]
    )
    asked: dict[str, Any] = {"kind": "number", "channel": Channel.OWN_HALL} | facts
    assert policy.duration(**asked) == timedelta(minutes=minutes)


def test_of_two_equal_rules_the_later_one_holds() -> None:
    policy = HoldPolicy.of_city([HoldRule.of(60), HoldRule.of(120)])
    assert policy.duration(kind="number", channel=Channel.OWN_HALL) == timedelta(minutes=2)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"kind": "car"}, "kind"),
        ({"channel": "street"}, "channel"),
        ({"flow": "stream"}, "flow"),
        ({"number_class": 100}, "number_class"),
        ({"number_class": 1, "kind": "sim"}, "number_class"),
        ({"seconds": 0}, "seconds"),
    ],
)
def test_values_that_make_no_hold_rule_are_refused_by_field(facts: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        HoldRule.of(**{"seconds": 60} | facts)
    assert refused.value.params["field"] == field


def test_the_rule_for_exactly_some_facts_is_found_the_citys_own_before_the_products() -> None:
    own = HoldRule.of(60, channel="web")
    policy = HoldPolicy.of_city([own])
    assert policy.rule_for(HoldRule.of(1, channel="web")) is own
    assert policy.rule_for(HoldRule.of(1, flow="long")) == HoldRule.of(86400, flow="long")
    assert policy.rule_for(HoldRule.of(1, kind="sim")) is None


def test_a_policy_without_a_rule_for_everything_else_is_refused() -> None:
    with pytest.raises(InvalidField):
        HoldPolicy([rule for rule in DEFAULT_HOLD_RULES if rule != HoldRule(1800)])


def test_a_hold_is_extended_by_its_first_duration() -> None:
    extended = extended_until(
        hold="h-530700-1", created_at=NOW, expires_at=NOW + HALF_HOUR, first=HALF_HOUR, extensions=0
    )
    assert extended == NOW + 2 * HALF_HOUR


def test_a_third_extension_is_refused() -> None:
    with pytest.raises(HoldExtendedTooOften) as refused:
        extended_until(hold="h-530700-1", created_at=NOW, expires_at=NOW + HALF_HOUR, first=HALF_HOUR, extensions=2)
    assert refused.value.params["hold"] == "h-530700-1"


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 1))
def test_no_hold_lasts_over_twice_its_first_duration(seconds: int, extra: int, extensions: int) -> None:
    first = timedelta(seconds=seconds)
    asked: dict[str, Any] = {
        "hold": "h-530700-1",
        "created_at": NOW,
        "expires_at": NOW + first + timedelta(seconds=extra),
        "first": first,
        "extensions": extensions,
    }
    if extra >= seconds:
        with pytest.raises(HoldExtendedTooOften):
            extended_until(**asked)
    else:
        assert extended_until(**asked) == NOW + 2 * first
