"""TLV, FCP, access rules, command bytes and the file tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.usim import commands, fcp, files, tlv
from cardwriter.usim.access import (
    Access,
    AllOf,
    Always,
    AnyOf,
    Condition,
    Key,
    Never,
    Rule,
    allows,
    decode_rules,
    encode_rules,
)
from cardwriter.usim.bcd import CodecError
from cardwriter.usim.fcp import Fcp, Kind

# TLV

TAGS = st.sampled_from([0x61, 0x4F, 0x80, 0xA5, 0x5F2D, 0x9F7F])


@given(st.lists(st.tuples(TAGS, st.binary(max_size=300)), max_size=4))
def test_data_objects_round_trip_and_padding_ends_them(objects: list[tuple[int, bytes]]) -> None:
    content = b"".join(tlv.encode(tag, value) for tag, value in objects) + b"\xff\xff"
    assert list(tlv.parse(content)) == objects


@pytest.mark.parametrize(("size", "length"), [(0, "00"), (127, "7f"), (128, "8180"), (255, "81ff"), (256, "820100")])
def test_lengths_are_the_shortest(size: int, length: str) -> None:
    assert tlv.encode(0x53, bytes(size)).hex().startswith("53" + length)


def test_object_beyond_the_longest_is_refused() -> None:
    with pytest.raises(CodecError):
        tlv.encode(0x53, bytes(0x10000))


@pytest.mark.parametrize("content", ["53", "5303aabb", "5380", "5383000001aa", "5f", "5382"])
def test_broken_object_is_refused(content: str) -> None:
    with pytest.raises(CodecError):
        tlv.parse(bytes.fromhex(content))


def test_first_object_of_a_tag_is_found() -> None:
    objects = tlv.parse(bytes.fromhex("80010181010280010382"[:18]))
    assert tlv.first(objects, 0x80) == b"\x01"
    assert tlv.first(objects, 0x99) is None


# FCP


@pytest.mark.parametrize(
    "parameters",
    [
        Fcp(kind=Kind.TRANSPARENT, fid=0x6F07, size=9, sfi=7, arr=(0x2F06, 2)),
        Fcp(kind=Kind.TRANSPARENT, fid=0x2F02, size=10, life_cycle=0x04),
        Fcp(kind=Kind.LINEAR, fid=0x6F42, size=80, record_length=40, records=2),
        Fcp(kind=Kind.CYCLIC, fid=0x6F39, size=9, record_length=3, records=3, sfi=0x1C),
        Fcp(kind=Kind.DIRECTORY, fid=0x7FFF, aid=files.USIM_AID, arr=(0x2F06, 1), pins={1: False, 0x81: True}),
        Fcp(kind=Kind.DIRECTORY, fid=0x3F00),
    ],
)
def test_file_parameters_round_trip(parameters: Fcp) -> None:
    assert fcp.parse(fcp.encode(parameters)) == parameters


def test_descriptor_of_a_linear_file() -> None:
    content = fcp.encode(Fcp(kind=Kind.LINEAR, fid=0x6F3A, size=0x6E * 5, record_length=0x6E, records=5))
    assert "82054221006e05" in content.hex()


def test_parameters_of_a_real_directory_are_understood() -> None:
    """Proprietary data and the total size stand between; of two PINs the first is in use."""
    parts = ("82027821", "83027ff0", "a503800171", "8a0105", "8b032f0602", "c609900180830101830181", "81020400")
    found = fcp.parse(tlv.encode(0x62, bytes.fromhex("".join(parts))))
    assert (found.kind, found.fid, found.pins) == (Kind.DIRECTORY, 0x7FF0, {0x01: True, 0x81: False})


@pytest.mark.parametrize("content", ["", "6f00", "6200", "6203830101", "620482024721"])
def test_answer_that_describes_no_file_is_refused(content: str) -> None:
    with pytest.raises(CodecError):
        fcp.parse(bytes.fromhex(content))


# Access rules

CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.just(Always()) | st.just(Never()) | st.builds(Key, st.sampled_from([0x01, 0x0A, 0x81])),
    lambda inner: (
        st.builds(AnyOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(AllOf, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=5,
)
RULES = st.builds(Rule, st.integers(1, 0x7F).map(Access), CONDITIONS) | st.builds(
    Rule, st.just(Access(0)), CONDITIONS, st.binary(min_size=1, max_size=2)
)


@given(st.lists(RULES, max_size=4).map(tuple))
def test_access_rules_round_trip(rules: tuple[Rule, ...]) -> None:
    assert decode_rules(encode_rules(rules) + b"\xff\xff") == rules


def test_rule_as_on_a_card() -> None:
    """Read needs ADM1, update and write always, terminate and delete never, resize by instruction never."""
    record = bytes.fromhex("800101A40683010A950108" + "8001069000" + "8001609700" + "8401D49700")
    rules = decode_rules(record)
    assert rules == (
        Rule(Access.READ, Key(0x0A)),
        Rule(Access.UPDATE | Access.WRITE, Always()),
        Rule(Access.TERMINATE | Access.DELETE, Never()),
        Rule(Access(0), Never(), b"\xd4"),
    )
    assert encode_rules(rules) == record


@pytest.mark.parametrize(
    ("condition", "verified", "granted"),
    [
        (Always(), set(), True),
        (Never(), {1, 10}, False),
        (Key(10), {1}, False),
        (Key(10), {10}, True),
        (AnyOf((Key(1), Key(10))), {10}, True),
        (AnyOf((Key(1), Key(10))), set(), False),
        (AllOf((Key(1), Key(10))), {10}, False),
        (AllOf((Key(1), Key(10))), {1, 10}, True),
    ],
)
def test_condition_grants_what_it_says(condition: Condition, verified: set[int], *, granted: bool) -> None:
    assert allows([Rule(Access.UPDATE, condition)], Access.UPDATE, verified) is granted


def test_access_that_no_rule_names_is_refused() -> None:
    assert not allows([Rule(Access.READ, Always())], Access.UPDATE, {1, 10})


@pytest.mark.parametrize(
    "record", ["800101", "8000" + "9000", "810101" + "9000", "800101" + "9e0101", "800101" + "a400"]
)
def test_record_that_is_no_rule_is_refused(record: str) -> None:
    with pytest.raises(CodecError):
        decode_rules(bytes.fromhex(record))


# Commands and tree


@pytest.mark.parametrize(
    ("apdu", "expected"),
    [
        (commands.select_fid(0x6F07), "00a4000c026f07"),
        (commands.select_fid(0x6F07, fcp=True), "00a40004026f0700"),
        (commands.select_path(files.GSM_IMSI.path), "00a4080c047f206f07"),
        (commands.select_aid(files.USIM_AID, fcp=True), "00a4040407a000000087100200"),
        (commands.read_binary(10), "00b000000a"),
        (commands.read_binary(9, sfi=7), "00b0870009"),
        (commands.update_binary(b"\x05", sfi=0x12), "00d692000105"),
        (commands.update_binary(b"\x05"), "00d600000105"),
        (commands.read_record(1, 40), "00b2010428"),
        (commands.update_record(2, b"\xff"), "00dc020401ff"),
        (commands.query_tries(files.Pin.ADM1), "0020000a"),
        (commands.verify(files.Pin.PIN1, b"1234\xff\xff\xff\xff"), "002000010831323334ffffffff"),
        (commands.authenticate(bytes(16), b"\1" * 16), "0088008122" + "10" + "00" * 16 + "10" + "01" * 16 + "00"),
    ],
)
def test_command_bytes(apdu: bytes, expected: str) -> None:
    assert apdu.hex() == expected


def test_every_file_names_its_clause_and_its_place() -> None:
    known = [one for one in vars(files).values() if isinstance(one, files.Ef)]
    assert len({(one.directory, one.fid) for one in known}) == len(known) > 20
    assert all(one.clause for one in known)
    assert (files.ICCID.path.hex(), files.IMSI.path.hex()) == ("2fe2", "7fff6f07")
    short = [(one.directory, one.sfi) for one in known if one.sfi is not None]
    assert len(set(short)) == len(short)
