from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.crypto.aka import AlgorithmError, MacError, xor
from cardwriter.crypto.milenage import Constants, Milenage, derive_opc
from cardwriter.crypto.secret import Secret
from tests.cardwriter.samples import OPC, RAND, K

SETS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "milenage.json").read_text())["sets"]
KEYS = Milenage(K, OPC)
AMF = bytes.fromhex("8000")


@pytest.fixture(params=SETS, ids=lambda one: one["from"])
def published(request: pytest.FixtureRequest) -> dict[str, dict[str, str]]:
    """Each published test set in turn."""
    found: dict[str, dict[str, str]] = request.param
    return found


def keys_of(published: dict[str, dict[str, str]]) -> Milenage:
    return Milenage(Secret.fromhex(published["key"]["k"]), Secret.fromhex(published["key"]["opc"]))


def test_all_published_sets_are_here() -> None:
    assert [len([one for one in SETS if one["from"].startswith(spec)]) for spec in ("TS 35.207", "TS 35.208")] == [
        6,
        20,
    ]


def test_functions_give_the_published_answers(published: dict[str, dict[str, str]]) -> None:
    keys, answer = keys_of(published), published["answer"]
    rand, sqn, amf = (bytes.fromhex(published["ask"][name]) for name in ("rand", "sqn", "amf"))
    number = int.from_bytes(sqn, "big")
    assert keys.f1(rand, number, amf).hex() == answer["mac_a"]
    assert keys.f1_star(rand, number, amf).hex() == answer["mac_s"]
    assert keys.f5_star(rand).hex() == answer["ak_star"]
    derived = keys.f2345(rand)
    found = {"res": derived.res, "ck": derived.ck, "ik": derived.ik, "ak": derived.ak}
    assert {name: value.hex() for name, value in found.items()} == {name: answer[name] for name in found}


def test_tokens_follow_from_the_published_answers(published: dict[str, dict[str, str]]) -> None:
    keys, token = keys_of(published), published["token"]
    rand, sqn, amf = (bytes.fromhex(published["ask"][name]) for name in ("rand", "sqn", "amf"))
    number = int.from_bytes(sqn, "big")
    autn, auts = keys.autn(rand, number, amf), keys.auts(rand, number)
    assert (autn.hex(), auts.hex()) == (token["autn"], token["auts"])
    assert keys.open_autn(rand, autn) == keys.open_auts(rand, auts) == number
    derived = keys.f2345(rand)
    assert (derived.sres.hex(), derived.kc.hex()) == (token["sres"], token["kc"])


def test_opc_is_derived_from_op(published: dict[str, dict[str, str]]) -> None:
    key = {name: Secret.fromhex(value) for name, value in published["key"].items()}
    assert derive_opc(key["k"], key["op"]) == key["opc"]


@pytest.mark.parametrize(
    ("sqn", "autn"),
    [(0x00, "aa689c6483708000e96f26276a8719fe"), (0x20, "aa689c6483508000904cbb451b65def8")],
)
def test_challenge_with_a_low_sequence_number(sqn: int, autn: str) -> None:
    assert KEYS.autn(RAND, sqn, AMF).hex() == autn


def test_resynchronisation_token_of_a_used_card() -> None:
    assert KEYS.auts(RAND, 0x40).hex() == "451e8beca47b7c4adabf45e76f4b"


@given(position=st.integers(0, 15), bit=st.integers(0, 7))
def test_token_with_any_bit_flipped_is_refused(position: int, bit: int) -> None:
    autn = bytearray(KEYS.autn(RAND, 0x1234, AMF))
    autn[position] ^= 1 << bit
    with pytest.raises(MacError):
        KEYS.open_autn(RAND, bytes(autn))
    if position < 14:
        auts = bytearray(KEYS.auts(RAND, 0x1234))
        auts[position] ^= 1 << bit
        with pytest.raises(MacError):
            KEYS.open_auts(RAND, bytes(auts))


def test_token_of_another_length_is_refused() -> None:
    with pytest.raises(MacError, match="16"):
        KEYS.open_autn(RAND, KEYS.autn(RAND, 1, AMF)[:-1])
    with pytest.raises(MacError, match="14"):
        KEYS.open_auts(RAND, KEYS.auts(RAND, 1) + b"\0")


def test_operators_own_constants_change_every_answer_but_keep_tokens_working() -> None:
    own = Milenage(K, OPC, Constants(r=(3, 127, 5, 65, 1), c=(7, 11, 13, 17, 19)))
    ours, theirs = KEYS.f2345(RAND), own.f2345(RAND)
    assert not {ours.res, ours.ck, ours.ik, ours.ak} & {theirs.res, theirs.ck, theirs.ik, theirs.ak}
    assert own.open_autn(RAND, own.autn(RAND, 77, AMF)) == 77
    with pytest.raises(MacError):
        own.open_autn(RAND, KEYS.autn(RAND, 77, AMF))


def test_rotation_is_by_bits_not_bytes() -> None:
    """With r2 = 1, c2 = 0 the input of f2 is the default's rotated one bit to the left."""
    turned = Milenage(K, OPC, Constants(r=(64, 1, 32, 64, 96), c=(0, 0, 2, 4, 8)))
    plain = Milenage(K, OPC, Constants(r=(64, 0, 32, 64, 96), c=(0, 0, 2, 4, 8)))
    assert turned.f2345(RAND).res != plain.f2345(RAND).res


@pytest.mark.parametrize(
    ("r", "c", "reason"),
    [
        ((64, 0, 32, 64), (0, 1, 2, 4, 8), "five"),
        ((64, 0, 32, 64, 96), (0, 1, 2, 4, 8, 16), "five"),
        ((64, 0, 32, 64, 128), (0, 1, 2, 4, 8), "127"),
        ((64, -1, 32, 64, 96), (0, 1, 2, 4, 8), "127"),
        ((64, 0, 32, 64, 96), (0, 1, 2, 4, 1 << 128), "128 bits"),
        ((64, 0, 32, 64, 96), (4, 1, 2, 4, 8), "same"),
    ],
)
def test_constants_that_make_no_milenage_are_refused(r: tuple[int, ...], c: tuple[int, ...], reason: str) -> None:
    """TS 35.206 §5.3: equal pairs of r and c would make two functions one."""
    with pytest.raises(AlgorithmError, match=reason):
        Constants(r, c)


def test_short_response_is_the_first_half_of_the_long_one() -> None:
    short = Milenage(K, OPC, res_bits=32).f2345(RAND)
    assert short.res == KEYS.f2345(RAND).res[:4] == short.sres


def test_keys_or_responses_of_another_length_are_refused() -> None:
    with pytest.raises(AlgorithmError, match="16 bytes"):
        Milenage(Secret(bytes(15)), OPC)
    with pytest.raises(AlgorithmError, match="32 or 64"):
        Milenage(K, OPC, res_bits=128)


def test_answers_are_compared_whole() -> None:
    answer = KEYS.f2345(RAND)
    assert answer.equal(answer.res, answer.ck, answer.ik)
    assert not answer.equal(answer.res, answer.ik, answer.ck)
    assert not answer.equal(answer.res[:4], answer.ck, answer.ik)
    assert not answer.equal(answer.res + answer.ck[:1], answer.ck[1:], answer.ik)


def test_values_of_different_lengths_are_not_mixed() -> None:
    with pytest.raises(ValueError, match="lengths"):
        xor(b"\x00\x01", b"\x02")
