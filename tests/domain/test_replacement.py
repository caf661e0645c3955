from __future__ import annotations

import pytest

from inventory.domain.replacement import needs_extra_check


@pytest.mark.parametrize(("number_class", "asked"), [(0, True), (3, True), (4, False), (9, False)])
def test_the_better_numbers_need_an_extra_check(number_class: int, *, asked: bool) -> None:
    assert needs_extra_check(number_class) is asked
