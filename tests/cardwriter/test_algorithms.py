"""Algorithms by name and parameters, as card kinds and card images keep them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cardwriter.crypto.aka import AlgorithmError, AuthAlgorithm
from cardwriter.crypto.algorithms import algorithm, check_config, config_of, key_sizes
from cardwriter.crypto.milenage import Constants, Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.crypto.tuak import Tuak
from tests.cardwriter.samples import OPC, K

TOPC = Secret(bytes(32))


@pytest.mark.parametrize(
    "keys",
    [
        Milenage(K, OPC),
        Milenage(K, OPC, Constants(r=(3, 127, 5, 65, 1), c=(7, 11, 13, 17, 1 << 127)), res_bits=32),
        Tuak(K, TOPC),
        Tuak(Secret(bytes(32)), TOPC, mac_bits=128, res_bits=256, ck_bits=256, ik_bits=256, iterations=3),
    ],
)
def test_algorithm_comes_back_from_its_json(keys: AuthAlgorithm) -> None:
    written = json.dumps(config_of(keys))
    assert algorithm(json.loads(written), keys.k, keys.opc) == keys
    check_config(config_of(keys))


def test_name_alone_means_the_standards_parameters() -> None:
    assert algorithm({"name": "milenage"}, K, OPC) == Milenage(K, OPC)
    assert algorithm({"name": "tuak"}, K, TOPC) == Tuak(K, TOPC)


def test_algorithm_says_how_long_its_keys_are() -> None:
    assert key_sizes({"name": "milenage", "res_bits": 32}) == ((16,), 16)
    assert key_sizes({"name": "tuak"}) == ((16, 32), 32)


@pytest.mark.parametrize("keys", [Milenage(K, OPC), Tuak(K, TOPC)])
def test_no_key_is_in_the_json_or_in_the_text_of_an_algorithm(keys: AuthAlgorithm) -> None:
    """REQ-HW-10: keys are seen by no log."""
    told = json.dumps(config_of(keys)) + repr(keys)
    assert K.reveal().hex() not in told
    assert OPC.reveal().hex() not in told


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "one of milenage, tuak"),
        ({"name": "comp128"}, "one of milenage, tuak"),
        ({"name": "milenage", "rounds": 2}, "no parameter rounds"),
        ({"name": "milenage", "r": 64}, "list of integers"),
        ({"name": "milenage", "r": ["64", 0, 32, 64, 96]}, "127"),
        ({"name": "milenage", "r": [64, 0, 32.0, 64, 96]}, "127"),
        ({"name": "milenage", "c": [0, 1, 2, 4, 8]}, "hex texts"),
        ({"name": "milenage", "c": None}, "hex texts"),
        ({"name": "milenage", "res_bits": 64.0}, "32 or 64"),
        ({"name": "milenage", "res_bits": [64]}, "32 or 64"),
        ({"name": "tuak", "mac_bits": [64]}, "mac_bits"),
        ({"name": "tuak", "ck_bits": 128.0}, "ck_bits"),
        ({"name": "tuak", "iterations": True}, "255"),
        ({"name": ["tuak"]}, "one of milenage, tuak"),
        ({"name": "milenage", "c": ["x", "1", "2", "4", "8"]}, "hex texts"),
        ({"name": "milenage", "r": [0, 0, 0, 0, 0], "c": ["0", "0", "0", "0", "0"]}, "same"),
        ({"name": "milenage", "res_bits": 16}, "32 or 64"),
        ({"name": "tuak", "r": [64, 0, 32, 64, 96]}, "no parameter r"),
    ],
)
def test_config_that_names_no_algorithm_is_refused(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(AlgorithmError, match=reason):
        algorithm(config, K, OPC if config.get("name") == "milenage" else TOPC)
    with pytest.raises(AlgorithmError, match=reason):
        check_config(config)
