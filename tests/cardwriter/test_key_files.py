"""A virtual card takes its keys from its key files, as its make lays them out, not from whoever wrote them."""

from __future__ import annotations

import pytest

from cardwriter.crypto.milenage import Milenage, derive_opc
from cardwriter.profiles import profile
from cardwriter.virtual.key_files import keys_of
from tests.cardwriter.samples import FACTORY_KEY, OPC, K, blank_for

FACTORY = Milenage(FACTORY_KEY, FACTORY_KEY)
FROM_OP = Milenage(K, derive_opc(K, OPC))


@pytest.mark.parametrize("name", ["sysmo_usim_sjs1", "sysmo_isim_sja2", "sysmo_isim_sja5", "grcard_v2"])
def test_card_answers_with_the_factorys_keys_until_its_files_are_written(name: str) -> None:
    assert keys_of(blank_for(profile(name)), "7fff") == FACTORY


@pytest.mark.parametrize(("flag", "keys"), [("00", FROM_OP), ("01", Milenage(K, OPC))])
def test_first_byte_tells_op_from_opc(flag: str, keys: Milenage) -> None:
    image = blank_for(profile("sysmo_usim_sjs1"))
    image.files["7f20/00ff"].content = K.reveal()
    image.files["7f20/00f7"].content = bytes.fromhex(flag) + OPC.reveal()
    assert keys_of(image, "7fff") == keys


@pytest.mark.parametrize(
    ("config", "keys"), [("04", FROM_OP), ("14", Milenage(K, OPC)), ("54", Milenage(K, OPC, res_bits=32))]
)
def test_configuration_byte_tells_algorithm_and_form(config: str, keys: Milenage) -> None:
    image = blank_for(profile("sysmo_isim_sja5"))
    image.files["7fff/af20"].content = bytes.fromhex(config) + K.reveal() + OPC.reveal() + b"\xff" * 34
    assert keys_of(image, "7fff") == keys
    assert keys_of(image, "isim") == FACTORY


def test_card_that_was_told_an_algorithm_it_has_not_does_not_authenticate() -> None:
    image = blank_for(profile("sysmo_isim_sja2"))
    image.files["7fff/af20"].content = b"\x1f" + bytes(66)
    assert keys_of(image, "7fff") is None
