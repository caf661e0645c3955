from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from cardwriter.crypto.keccak import STATE_SIZE, permute

RATE = 136  # SHA3-256, FIPS 202 §6.1


def sha3_256(message: bytes) -> bytes:
    """Build the sponge of FIPS 202 §4 on our permutation."""
    padded = bytearray(message + b"\x06" + bytes(-(len(message) + 1) % RATE))
    padded[-1] |= 0x80
    state = bytes(STATE_SIZE)
    for at in range(0, len(padded), RATE):
        block = bytes(padded[at : at + RATE]) + bytes(STATE_SIZE - RATE)
        state = permute(bytes(a ^ b for a, b in zip(state, block, strict=True)))
    return state[:32]


@given(message=st.binary(max_size=3 * RATE))
def test_a_sponge_of_the_permutation_is_sha3(message: bytes) -> None:
    assert sha3_256(message) == hashlib.sha3_256(message).digest()
