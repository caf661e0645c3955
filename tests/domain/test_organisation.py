from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.errors import LevelSkipped, NotSiblings
from inventory.domain.organisation import (
    NUMBER_LEVELS,
    SIM_LEVELS,
    Level,
    child_path,
    in_subtree,
    is_direct_child,
    level_of,
    parent_path,
    require_issue_step,
    require_recall_step,
    require_transfer_step,
)

CITY = "530700"
DISTRICT = child_path(CITY, "12")
POINT = child_path(DISTRICT, "120")
CLERK = child_path(POINT, "1201")
OTHER_POINT = child_path(CITY, "1") + "/2"
LINE = [CITY, DISTRICT, POINT, CLERK]


def test_the_path_tells_level_and_parent() -> None:
    assert [level_of(path) for path in LINE] == list(Level)
    assert [parent_path(path) for path in LINE] == [None, CITY, DISTRICT, POINT]


@pytest.mark.parametrize("levels", [SIM_LEVELS, NUMBER_LEVELS])
def test_an_issue_goes_to_a_direct_child_on_an_allowed_level_and_nowhere_else(levels: frozenset[Level]) -> None:
    """REQ-NUM-05: numbers have three levels, city, district and point; cards go on to the clerk."""
    allowed = {(CITY, DISTRICT), (DISTRICT, POINT)} | ({(POINT, CLERK)} if levels is SIM_LEVELS else set())
    for giver, receiver in product([*LINE, OTHER_POINT], repeat=2):
        if (giver, receiver) in allowed:
            require_issue_step(giver, receiver, levels)
        else:
            with pytest.raises(LevelSkipped):
                require_issue_step(giver, receiver, levels)


def test_an_issue_may_pass_over_levels_where_the_city_allows_it_and_still_only_goes_down() -> None:
    """REQ-SIM-05: levels are not passed over unless a policy allows it."""
    for giver, receiver in product([*LINE, OTHER_POINT], repeat=2):
        if in_subtree(giver, receiver) and giver != receiver and level_of(receiver) in NUMBER_LEVELS:
            require_issue_step(giver, receiver, NUMBER_LEVELS, skipping=True)
        else:
            with pytest.raises(LevelSkipped):
                require_issue_step(giver, receiver, NUMBER_LEVELS, skipping=True)


def test_a_recall_goes_to_the_direct_parent_and_nowhere_else() -> None:
    """REQ-NUM-07: recall of unused numbers to the direct parent (here the rule of the levels)."""
    for giver, receiver in product([*LINE, OTHER_POINT], repeat=2):
        if parent_path(giver) == receiver:
            require_recall_step(giver, receiver)
        else:
            with pytest.raises(LevelSkipped):
                require_recall_step(giver, receiver)


@pytest.mark.parametrize("levels", [SIM_LEVELS, NUMBER_LEVELS])
def test_a_transfer_goes_to_another_child_of_the_same_parent_and_nowhere_else(levels: frozenset[Level]) -> None:
    colleague, next_hall = child_path(POINT, "1202"), child_path(DISTRICT, "121")
    sideways = {frozenset({CLERK, colleague}), frozenset({POINT, next_hall})}
    for giver, receiver in product([*LINE, OTHER_POINT, colleague, next_hall], repeat=2):
        if frozenset({giver, receiver}) in sideways and level_of(giver) in levels:
            require_transfer_step(giver, receiver, levels)
        else:
            with pytest.raises(NotSiblings):
                require_transfer_step(giver, receiver, levels)


def test_the_subtree_holds_the_top_and_all_below_but_no_neighbour_with_the_same_first_digits() -> None:
    assert all(in_subtree(CITY, path) for path in LINE)
    assert not in_subtree(child_path(CITY, "1"), DISTRICT)
    assert in_subtree(DISTRICT, CLERK)
    assert not in_subtree(DISTRICT, OTHER_POINT)


@given(st.lists(st.from_regex(r"[0-9]{1,4}", fullmatch=True), min_size=1, max_size=3), st.integers(1, 9999))
def test_a_child_is_a_direct_child_inside_the_subtree(ids: list[str], child: int) -> None:
    parent = "/".join(ids)
    path = child_path(parent, str(child))
    assert is_direct_child(parent, path)
    assert in_subtree(parent, path)
    assert not in_subtree(path, parent)
