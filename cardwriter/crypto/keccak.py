"""The permutation Keccak-f[1600] (FIPS 202 §3), which no library offers bare: TUAK needs it without a sponge."""

from __future__ import annotations

from typing import Final

STATE_SIZE: Final = 200
_LANES, _LANE_SIZE, _LANE_BITS, _SIDE, _ROUNDS = 25, 8, 64, 5, 24


def _round_constants() -> tuple[int, ...]:
    """Seven bits a round from a register of x^8 + x^6 + x^5 + x^4 + 1, set at bits 2^j - 1 (FIPS 202 §3.2.5)."""
    bits, register = [], 1
    for _ in range(7 * _ROUNDS):
        bits.append(register & 1)
        register <<= 1
        register ^= 0x171 * (register >> 8)
    return tuple(sum(bits[7 * one + j] << (1 << j) - 1 for j in range(7)) for one in range(_ROUNDS))


def _moves() -> tuple[tuple[int, int], ...]:
    """Where pi puts each lane, and by how many bits rho turns it first; lane (x, y) is number x + 5y (§3.2.2 f)."""
    turns, x, y = {(0, 0): 0}, 1, 0
    for t in range(_ROUNDS):
        turns[x, y] = (t + 1) * (t + 2) // 2 % _LANE_BITS
        x, y = y, (2 * x + 3 * y) % _SIDE
    places = [(i % _SIDE, i // _SIDE) for i in range(_LANES)]
    return tuple((y + _SIDE * ((2 * x + 3 * y) % _SIDE), turns[x, y]) for x, y in places)


_CONSTANTS: Final = _round_constants()
_MOVES: Final = _moves()
_MASK: Final = (1 << _LANE_BITS) - 1


def _turn(lane: int, bits: int) -> int:
    return (lane << bits | lane >> (_LANE_BITS - bits)) & _MASK


def permute(state: bytes) -> bytes:
    """Return the permuted state, both 200 bytes."""
    lanes = [int.from_bytes(state[at : at + _LANE_SIZE], "little") for at in range(0, STATE_SIZE, _LANE_SIZE)]
    for constant in _CONSTANTS:
        lanes = _chi(_rho_pi(_theta(lanes)))
        lanes[0] ^= constant
    return b"".join(lane.to_bytes(_LANE_SIZE, "little") for lane in lanes)


def _theta(lanes: list[int]) -> list[int]:
    columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(_SIDE)]
    effects = [columns[x - 1] ^ _turn(columns[(x + 1) % _SIDE], 1) for x in range(_SIDE)]
    return [lane ^ effects[i % _SIDE] for i, lane in enumerate(lanes)]


def _rho_pi(lanes: list[int]) -> list[int]:
    moved = [0] * _LANES
    for lane, (place, bits) in zip(lanes, _MOVES, strict=True):
        moved[place] = _turn(lane, bits)
    return moved


def _chi(lanes: list[int]) -> list[int]:
    rows = [lanes[at : at + _SIDE] for at in range(0, _LANES, _SIDE)]
    return [row[x] ^ (~row[(x + 1) % _SIDE] & row[(x + 2) % _SIDE]) for row in rows for x in range(_SIDE)]
