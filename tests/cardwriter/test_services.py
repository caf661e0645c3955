from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.usim import files
from cardwriter.usim.bcd import CodecError
from cardwriter.usim.services import promised, services, switch_services

LTE = (10, 12, 17, 19, 20, 21, 27, 28, 29, 33, 38, 42, 43, 45, 46, 51, 71, 73, 74, 85, 86)


def test_usual_services_of_an_lte_card() -> None:
    table = switch_services(bytes(11), on=LTE)
    assert table.hex() == "000a1d1c21360400400330"
    assert services(table) == set(LTE)


@given(st.binary(min_size=1, max_size=19), st.sets(st.integers(1, 8)), st.sets(st.integers(1, 8)))
def test_switching_services_leaves_the_others_alone(ust: bytes, on: set[int], off: set[int]) -> None:
    table = switch_services(ust, on=on, off=off)
    assert services(table) == (services(ust) | on) - off
    assert len(table) == len(ust)


@pytest.mark.parametrize("number", [0, 9])
def test_service_beyond_the_table_is_refused(number: int) -> None:
    with pytest.raises(CodecError):
        switch_services(b"\0", on=(number,))


def test_service_beyond_the_table_is_off_already() -> None:
    assert switch_services(b"\x03", off=(2, 9, 125)) == b"\x01"
    with pytest.raises(CodecError):
        switch_services(b"\x03", off=(0,))


def test_service_is_promised_only_where_all_its_files_are() -> None:
    assert promised(85, {files.EPSLOCI.name, files.EPSNSC.name})
    assert not promised(85, {files.EPSLOCI.name})
    assert promised(33, ())
