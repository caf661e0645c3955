from __future__ import annotations

import copy
import logging
import pickle

import pytest

from cardwriter.crypto.secret import Secret

VALUE = bytes.fromhex("00112233445566778899aabbccddeeff")


def test_every_text_form_tells_the_length_only() -> None:
    """REQ-HW-10: keys are never logged."""
    secret = Secret(VALUE)
    assert repr(secret) == str(secret) == f"{secret}" == "Secret(16 bytes)"
    record = logging.LogRecord("any", logging.INFO, "file", 1, "key %s", (secret,), None)
    assert record.getMessage() == "key Secret(16 bytes)"


def test_value_is_there_for_who_asks() -> None:
    assert Secret(VALUE).reveal() == VALUE
    assert len(Secret(VALUE)) == 16


def test_secrets_are_never_pickled_or_copied() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(VALUE))
    with pytest.raises(TypeError):
        copy.deepcopy([Secret(VALUE)])


def test_equal_secrets_are_equal_and_others_are_not() -> None:
    assert Secret(VALUE) == Secret(bytes(bytearray(VALUE)))
    assert hash(Secret(VALUE)) == hash(Secret.fromhex(VALUE.hex()))
    assert Secret(VALUE) != Secret(VALUE[:-1])
    assert Secret(VALUE) != VALUE


def test_bad_hex_is_refused_without_quoting_it() -> None:
    with pytest.raises(ValueError, match="not valid hex") as refused:
        Secret.fromhex("0011 secret")
    assert "secret" not in str(refused.value).removeprefix("a secret")
    assert refused.value.__cause__ is None
