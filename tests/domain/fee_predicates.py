"""What each default rule means, said a second time in plain Python, and the numbers on which both must agree.

`disagreements` takes any numbers; the tests run a sample, a bench run takes `all_endings(1)`.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import groupby, product

from inventory.domain.fees import RuleSet
from inventory.domain.identifiers import NumberKind

Predicate = Callable[[str], bool]

MOBILE_PREFIXES = ("13812", "18688", "15900", "17123")
"""Five digits each, to stand in turn before the endings of six."""


FIXED_PREFIXES = ("62", "8", "65", "2")
"""One or two digits, to stand in turn before the endings of six."""


def runs(number: str) -> list[tuple[str, int]]:
    """Give the runs of equal digits, last one first: 13812388 is [("8", 2), ("3", 1), ...]."""
    return [(digit, len(list(group))) for digit, group in groupby(reversed(number))]


def tail_run(number: str) -> int:
    return runs(number)[0][1]


def run_of(length: int, digits: str = "0123456789") -> Predicate:
    return lambda number: runs(number)[0] in {(digit, length) for digit in digits}


def run_lengths(number: str, count: int) -> list[int]:
    return [length for _, length in runs(number)[:count]]


def rising(number: str, step: int) -> int:
    """How many digits at the end go on by `step` each."""
    length = 1
    while length < len(number) and int(number[-length]) - int(number[-length - 1]) == step:
        length += 1
    return length


def pairs(number: str) -> int:
    """How many pairs stand at the end, each different from its neighbour pair."""
    count = 0
    last = ""
    while len(number) >= 2 and number[-1] == number[-2] != last:
        count, last, number = count + 1, number[-1], number[:-2]
    return count


def pair_repeats(number: str) -> int:
    """How often the last two digits, if they differ, stand at the end one after the other."""
    pair = number[-2:]
    if pair[0] == pair[1]:
        return 0
    count = 0
    while number.endswith(pair):
        count, number = count + 1, number[:-2]
    return count


def is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def group_twice(number: str) -> bool:
    """Last eight digits are a group of four twice, and the group is not a pair twice."""
    group = number[-4:]
    return number[-8:] == group * 2 and group[:2] != group[2:]


def two_digits_in_eight(number: str) -> bool:
    tail = sorted(number[-8:])
    return len(set(tail)) == 2 and tail[0] == tail[1] and tail[-1] == tail[-2]


LUCKY_LONG = ("1314", "1688", "5188", "5288", "1588", "1668", "3344", "9958", "0520", "0521", "5201314")
LUCKY_3 = (
    "168",
    "518",
    "520",
    "521",
    "528",
    "588",
    "598",
    "618",
    "668",
    "688",
    "698",
    "868",
    "886",
    "898",
    "918",
    "988",
    "998",
)
LUCKY_FIXED = ("168", "518", "1688", "5188", "1314", "668", "688", "998")

MOBILE: dict[str, Predicate] = {
    "M01_RUN7P": lambda n: tail_run(n) >= 7,
    "M02_RUN6": run_of(6),
    "M03_AAAABBBB": lambda n: tail_run(n) == 4 and runs(n)[1][1] >= 4,
    "M04_RUN5": run_of(5, "012356789"),
    "M38_RUN5_FOURS": run_of(5, "4"),
    "M05_SEQ6_UP": lambda n: rising(n, 1) >= 6,
    "M06_SEQ6_DOWN": lambda n: rising(n, -1) >= 6,
    "M07_RUN4_PRIME": run_of(4, "689"),
    "M08_RUN4": run_of(4, "012357"),
    "M09_AAABBB": lambda n: run_lengths(n, 2) == [3, 3],
    "M10_ABABABAB": lambda n: pair_repeats(n) >= 4,
    "M11_AABBCCDD": lambda n: pairs(n) >= 4,
    "M12_ABCDABCD": group_twice,
    "M13_MIRROR8": lambda n: n[-8:] == n[:-9:-1] and len(set(n[-8:])) > 1,
    "M14_SEQ5_UP": lambda n: rising(n, 1) == 5,
    "M15_SEQ5_DOWN": lambda n: rising(n, -1) == 5,
    "M16_AAAAB": lambda n: run_lengths(n, 2) == [1, 4],
    "M17_ABABAB": lambda n: pair_repeats(n) == 3,
    "M18_AABBCC": lambda n: pairs(n) == 3,
    "M19_ABCABC": lambda n: n[-6:-3] == n[-3:] and tail_run(n) < 6,
    "M20_RUN3_PRIME": run_of(3, "689"),
    "M21_SEQ4_UP": lambda n: rising(n, 1) == 4,
    "M22_TWO_DIGIT8": two_digits_in_eight,
    "M23_RUN3": run_of(3, "012357"),
    "M24_SEQ4_DOWN": lambda n: rising(n, -1) == 4,
    "M25_AABB": lambda n: run_lengths(n, 2) == [2, 2] and pairs(n) == 2,
    "M26_ABAB": lambda n: pair_repeats(n) == 2,
    "M27_ABBA": lambda n: n[-4:] == n[:-5:-1] and len(set(n[-4:])) == 2,
    "M28_AAAB": lambda n: run_lengths(n, 2) == [1, 3],
    "M29_BIRTH8": lambda n: 1940 <= int(n[-8:-4]) <= 2030 and is_date(n[-8:-4], n[-4:-2], n[-2:]),
    "M30_LUCKY_LONG": lambda n: any(n.endswith(word) for word in LUCKY_LONG),
    "M31_INFIX_RUN4": lambda n: len(set(n[3:7])) == 1 and n[3] != "4" and n[7] != n[3],
    "M32_RUN4_FOURS": run_of(4, "4"),
    "M33_RUN3_FOURS": run_of(3, "4"),
    "M34_SEQ3_UP": lambda n: rising(n, 1) == 3,
    "M35_LUCKY3": lambda n: n[-3:] in LUCKY_3,
    "M36_AA_PRIME": run_of(2, "689"),
    "T01_NO4": lambda n: n[-8:].count("4") == 0,
    "T02_BIRTH6": lambda n: is_date(f"20{n[-6:-4]}", n[-4:-2], n[-2:]),
    "T03_MMDD": lambda n: is_date("2000", n[-4:-2], n[-2:]),
    "T04_AA": lambda n: tail_run(n) == 2,
}
"""One predicate per rule and tag for mobile numbers that is switched on by default."""

FIXED: dict[str, Predicate] = {
    "F01_RUN6P": lambda n: tail_run(n) >= 6,
    "F02_RUN5": run_of(5),
    "F03_RUN4": run_of(4),
    "F04_ABABABAB": lambda n: len(n) == 8 and pair_repeats(n) == 4,
    "F05_ABCDABCD": lambda n: len(n) == 8 and group_twice(n),
    "F06_AAABBB": lambda n: tail_run(n) == 3 and runs(n)[1][1] >= 3,
    "F07_AABBCC": lambda n: pairs(n) >= 3,
    "F08_ABABAB": lambda n: pair_repeats(n) >= 3,
    "F09_SEQ5P": lambda n: rising(n, 1) >= 5,
    "F10_RUN3": run_of(3, "012356789"),
    "F11_SEQ4": lambda n: rising(n, 1) == 4,
    "F12_AABB": lambda n: pairs(n) >= 2,
    "F13_ABAB": lambda n: pair_repeats(n) >= 2,
    "F14_ABBA": lambda n: n[-4:] == n[:-5:-1] and len(set(n[-4:])) == 2,
    "F15_LUCKY": lambda n: any(n.endswith(word) for word in LUCKY_FIXED),
    "F16_AA_PRIME": run_of(2, "689"),
}
"""One predicate per rule for fixed lines."""


def all_endings(every: int) -> Iterator[str]:
    """Give mobile numbers with each of the 10^6 endings of six digits, or every n-th (choose n prime to ten)."""
    for place, ending in enumerate(range(0, 10**6, every)):
        yield f"{MOBILE_PREFIXES[place % len(MOBILE_PREFIXES)]}{ending:06d}"


def structured() -> Iterator[str]:
    """Give numbers likely to match: runs, pairs, groups, mirrors, sequences, dates, and their near misses."""
    for head, a, b in product(("138", "144"), range(10), range(10)):
        for pattern in ("aaaaaaaa", "aaaabbbb", "aaabbbab", "abababab", "aabbaabb", "abbaabba", "baaaaaaa", "bbaaaaab"):
            yield head + pattern.replace("a", str(a)).replace("b", str(b))
        for middle in range(0, 10_000, 1999):
            for tail in (f"{a}{a}{b}{b}", f"{a}{b}{a}{b}", f"{a}{b}{b}{a}", f"{a}{a}{a}{b}"):
                yield f"{head}{middle:04d}{tail}"
        group = f"{a}{b}{(a * 7 + b) % 10}{(a + b * 3) % 10}"
        yield head + group + group
        yield head + group + group[::-1]
        yield head + f"{a}{b}" + group[:3] * 2
        yield head + f"{a}{a}{b}{b}{group[2] * 2}{group[3] * 2}"
    for start, length, filler in product(range(10), range(3, 9), range(0, 100, 7)):
        run = "0123456789"[start : start + length]
        for tail in (run, run[::-1]):
            yield f"138{f'{filler:02d}' * 4}"[: 11 - len(tail)] + tail
    for year, day in product(range(1938, 2033, 3), ("0228", "0229", "0230", "0431", "1231", "1301", "0100")):
        yield f"138{year}{day}"


def fixed_lines(every: int) -> Iterator[str]:
    """Give local numbers of seven and of eight digits: every n-th ending, and repeated groups."""
    for place, ending in enumerate(range(0, 10**6, every)):
        yield f"{FIXED_PREFIXES[place % len(FIXED_PREFIXES)]}{ending:06d}"
    for group in range(2000, 9000, 31):
        yield f"{group}{group}"
        yield f"{group % 100:02d}" * 4
    for a, b in product("2345678", "0123456789"):
        yield from (a + b * 7, a * 4 + b * 4, a * 2 + b * 3 + a * 3, (a + b) * 4, a * 3 + b * 4, (a + b) * 3 + a)


def disagreements(rules: RuleSet, kind: NumberKind, numbers: Iterable[str]) -> list[tuple[str, str]]:
    """Give the (code, number) pairs on which a rule or tag and its predicate differ."""
    predicates = MOBILE if kind is NumberKind.MOBILE else FIXED
    criteria = [criterion for criterion in (*rules.rules, *rules.tags) if criterion.kind is kind]
    return [
        (criterion.code, number)
        for number in numbers
        for criterion in criteria
        if criterion.matches(number) is not predicates[criterion.code](number)
    ]
