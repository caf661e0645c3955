from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cardwriter.crypto.aka import AlgorithmError, MacError
from cardwriter.crypto.secret import Secret
from cardwriter.crypto.tuak import Tuak, derive_topc

SETS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "tuak.json").read_text())["sets"]
SHORT, LONG = Secret(bytes(range(16))), Secret(bytes(range(32)))
TOPC, RAND, AMF = Secret(bytes(range(32, 64))), bytes(range(16)), bytes.fromhex("8000")


@pytest.fixture(params=SETS, ids=lambda one: one["from"])
def published(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each published test set in turn."""
    found: dict[str, Any] = request.param
    return found


def keys_of(published: dict[str, Any]) -> Tuak:
    key = published["key"]
    return Tuak.keyed(Secret.fromhex(key["k"]), Secret.fromhex(key["topc"]), published["parameters"])


def test_all_published_sets_are_here() -> None:
    assert [one["from"] for one in SETS] == [f"TS 35.232 set {number}" for number in range(1, 7)]


def test_functions_give_the_published_answers(published: dict[str, Any]) -> None:
    keys, answer = keys_of(published), published["answer"]
    rand, sqn, amf = (bytes.fromhex(published["ask"][name]) for name in ("rand", "sqn", "amf"))
    number = int.from_bytes(sqn, "big")
    assert keys.f1(rand, number, amf).hex() == answer["mac_a"]
    assert keys.f1_star(rand, number, amf).hex() == answer["mac_s"]
    assert keys.f5_star(rand).hex() == answer["ak_star"]
    derived = keys.f2345(rand)
    found = {"res": derived.res, "ck": derived.ck, "ik": derived.ik, "ak": derived.ak}
    assert {name: value.hex() for name, value in found.items()} == {name: answer[name] for name in found}


def test_topc_is_derived_from_top(published: dict[str, Any]) -> None:
    key = {name: Secret.fromhex(value) for name, value in published["key"].items()}
    assert derive_topc(key["k"], key["top"], published["parameters"]["iterations"]) == key["topc"]


def test_tokens_open_to_their_sequence_number_and_no_other_opens_them(published: dict[str, Any]) -> None:
    keys, rand = keys_of(published), bytes.fromhex(published["ask"]["rand"])
    autn, auts = keys.autn(rand, 0x1234, AMF), keys.auts(rand, 0x1234)
    assert keys.open_autn(rand, autn) == keys.open_auts(rand, auts) == 0x1234
    assert (len(autn), len(auts)) == (8 + keys.mac_size, 6 + keys.mac_size)
    for refused in (autn[:-1] + bytes([autn[-1] ^ 1]), autn[:-1]):
        with pytest.raises(MacError):
            keys.open_autn(rand, refused)
    for refused in (auts[:-1] + bytes([auts[-1] ^ 1]), auts[:-1]):
        with pytest.raises(MacError):
            keys.open_auts(rand, refused)


@pytest.mark.parametrize("change", [{"iterations": 2}, {"res_bits": 128}, {"ck_bits": 256}, {"ik_bits": 256}])
def test_every_parameter_changes_the_whole_answer(change: dict[str, int]) -> None:
    """INSTANCE is input too: a longer answer does not begin with the shorter one (TS 35.231 §6.4)."""
    plain, other = Tuak(SHORT, TOPC).f2345(RAND), Tuak.keyed(SHORT, TOPC, change).f2345(RAND)
    assert not {plain.res, plain.ck, plain.ik, plain.ak} & {other.res[:8], other.ck[:16], other.ik[:16], other.ak}


def test_long_key_is_not_the_short_one_filled_up() -> None:
    filled = Secret(SHORT.reveal() + bytes(16))
    assert Tuak(SHORT, TOPC).f2345(RAND).res != Tuak(filled, TOPC).f2345(RAND).res


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"k": Secret(bytes(24))}, "16 or 32"),
        ({"opc": Secret(bytes(16))}, "TOPc 32"),
        ({"iterations": 0}, "255"),
        ({"iterations": 256}, "255"),
        ({"iterations": "1"}, "255"),
        ({"mac_bits": 32}, "mac_bits"),
        ({"res_bits": 48}, "res_bits"),
        ({"ck_bits": 64}, "ck_bits"),
        ({"ik_bits": "128"}, "ik_bits"),
    ],
)
def test_lengths_outside_the_standard_are_refused(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(AlgorithmError, match=reason):
        Tuak(**{"k": LONG, "opc": TOPC, **change})


def test_topc_of_a_wrong_top_is_refused() -> None:
    with pytest.raises(AlgorithmError, match="TOP"):
        derive_topc(LONG, SHORT)
