from __future__ import annotations

from datetime import date

import pytest

from inventory.domain.quotas import Period


@pytest.mark.parametrize(("period", "begin"), [(Period.DAY, date(2026, 11, 22)), (Period.MONTH, date(2026, 11, 1))])
def test_a_period_begins_on_its_first_day(period: Period, begin: date) -> None:
    assert period.begin(date(2026, 11, 22)) == begin
