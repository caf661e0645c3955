from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.ledger import LEVELS, Probe, allocate, cut, probes

items = st.integers(0, 10**9)
sizes = st.integers(1, 7).flatmap(lambda digits: st.integers(1, 10**digits))
ranges = st.tuples(items, sizes).map(lambda pair: (pair[0], pair[0] + pair[1] - 1))


@given(ranges)
def test_the_lines_cover_the_range_exactly_and_in_order(run: tuple[int, int]) -> None:
    lo, hi = run
    lines = cut(lo, hi)
    assert lines[0].lo == lo
    assert lines[-1].hi == hi
    assert all(left.hi + 1 == right.lo for left, right in pairwise(lines))
    assert all(line.lo <= line.hi for line in lines)


@given(ranges)
def test_each_line_lies_in_its_aligned_block_and_fills_a_tenth_of_it(run: tuple[int, int]) -> None:
    for line in cut(*run):
        size = 10 ** (line.level + 1)
        assert 0 <= line.level < LEVELS
        assert line.block * size <= line.lo <= line.hi < (line.block + 1) * size
        assert line.hi - line.lo + 1 >= 10**line.level


@given(ranges, st.data())
def test_the_probes_of_an_item_find_the_line_that_holds_it_and_only_that(
    run: tuple[int, int], data: st.DataObject
) -> None:
    lo, hi = run
    lines = cut(lo, hi)
    for item in (lo, hi, data.draw(st.integers(lo, hi))):
        found = [line for line in lines if (line.level, line.block) in probes(item) and line.lo <= item <= line.hi]
        assert len(found) == 1
    for outside in (lo - 1, hi + 1):
        assert not [line for line in lines if line.lo <= outside <= line.hi]


@given(ranges)
def test_a_range_of_up_to_ten_million_items_is_at_most_four_lines(run: tuple[int, int]) -> None:
    lines = cut(*run)
    assert len(lines) <= 4
    if run[0] // 10**LEVELS == run[1] // 10**LEVELS:
        assert len(lines) <= 2


def test_typical_documents_are_few_lines() -> None:
    """Ranges of 500 to 10,000 items at any start: a line and a half on average, where an item each would be 5,250."""
    documents = [(start * 7919, start * 7919 + size - 1) for start in range(1000) for size in (500, 10_000)]
    assert sum(len(cut(lo, hi)) for lo, hi in documents) <= 1.6 * len(documents)


def test_one_item_is_one_line_and_a_million_aligned_items_too() -> None:
    assert cut(1234, 1234) == [(0, 123, 1234, 1234)]
    assert cut(3_000_000, 3_999_999) == [(5, 3, 3_000_000, 3_999_999)]


def test_a_few_items_around_a_boundary_are_cut_there() -> None:
    assert cut(99_998, 100_001) == [(0, 9_999, 99_998, 99_999), (0, 10_000, 100_000, 100_001)]


def test_more_than_ten_million_items_are_cut_at_the_largest_blocks() -> None:
    assert [line.level for line in cut(0, 3 * 10**7 - 1)] == [6, 6, 6]


def test_the_life_of_an_item_is_seven_probes() -> None:
    assert probes(12_345_678) == [
        Probe(0, 1_234_567),
        Probe(1, 123_456),
        Probe(2, 12_345),
        Probe(3, 1_234),
        Probe(4, 123),
        Probe(5, 12),
        Probe(6, 1),
    ]


@given(items, sizes)
def test_item_numbers_are_given_in_an_aligned_block_that_is_free(next_free: int, count: int) -> None:
    block = allocate(next_free, count)
    assert len(block) == count
    assert block.start >= next_free
    alignment = 10 ** len(str(count - 1)) if count > 1 else 1
    assert block.start % alignment == 0
    assert block.start - next_free < alignment


def test_a_load_of_ten_thousand_fills_one_block() -> None:
    block = allocate(1, 10_000)
    assert block == range(10_000, 20_000)
    assert len(cut(block[0], block[-1])) == 1
