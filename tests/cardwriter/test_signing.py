from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cardwriter.script import Purpose, Script, Step
from cardwriter.signing import Destination, Signer, is_endorsed, is_signed

SIGNER = Signer(bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
HERE = Destination(station="st-530700-1", reader="左 1", job="j-530700-7")
STEP = Step(name="update.imsi", apdu=bytes.fromhex("00d6870009082980000000000010"), changes_card=True)
SCRIPT = Script(id="s-1", purpose=Purpose.WRITE, card="98680021436587092183", steps=(STEP,), expires_at=1_800_000_000)
SIGNATURE = SIGNER.sign(SCRIPT, HERE)


def test_the_key_of_the_standards_first_test_vector_is_made_of_its_seed() -> None:
    """RFC 8032 §7.1, test 1."""
    assert SIGNER.public.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


def test_a_script_is_signed_for_its_destination_also_after_it_came_over_the_wire() -> None:
    assert is_signed(SIGNER.public, SIGNATURE, SCRIPT, HERE)
    assert is_signed(SIGNER.public, SIGNATURE, Script.from_wire(SCRIPT.to_wire()), HERE)


@pytest.mark.parametrize(
    "changed", [{"station": "st-530700-2"}, {"reader": "左 2"}, {"job": "j-530700-8"}, {"job": None}]
)
def test_the_signature_is_for_one_station_reader_and_job(changed: dict[str, Any]) -> None:
    assert not is_signed(SIGNER.public, SIGNATURE, SCRIPT, replace(HERE, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"card": "98680021436587092193"},
        {"card": None, "serial": "98680021436587092183"},
        {"expires_at": 1_900_000_000},
        {"id": "s-2"},
        {"purpose": Purpose.VERIFY},
        {"steps": ()},
        {"steps": (STEP, STEP)},
        {"steps": (replace(STEP, apdu=STEP.apdu[:-1] + b"\x20"),)},
        {"steps": (replace(STEP, changes_card=False),)},
        {"steps": (replace(STEP, expect=()),)},
    ],
)
def test_nothing_of_a_signed_script_can_be_changed(changed: dict[str, Any]) -> None:
    """The card that it is bound to and its expiry are among what is signed."""
    assert not is_signed(SIGNER.public, SIGNATURE, replace(SCRIPT, **changed), HERE)


@pytest.mark.parametrize("public", [Signer(bytes(32)).public, b"", bytes(31)])
def test_another_key_or_none_signs_nothing(public: bytes) -> None:
    assert not is_signed(public, SIGNATURE, SCRIPT, HERE)


def test_a_key_endorses_its_successor_and_nothing_else() -> None:
    successor = Signer(bytes(32))
    proof = SIGNER.endorse(successor.public)
    assert is_endorsed(SIGNER.public, proof, successor.public)
    assert not is_endorsed(SIGNER.public, proof, Signer(bytes(range(32))).public)
    assert not is_endorsed(successor.public, proof, successor.public)
    assert not is_endorsed(SIGNER.public, SIGNATURE, successor.public)


def test_the_key_itself_shows_in_no_repr() -> None:
    assert "9d61" not in repr(SIGNER)
