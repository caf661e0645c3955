"""The algorithms that a card may be told to use, and how card kinds and card images name them in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cardwriter.crypto.aka import AlgorithmError, AuthAlgorithm
from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.crypto.tuak import Tuak

ALGORITHMS: Final[tuple[type[AuthAlgorithm], ...]] = (Milenage, Tuak)
STANDARD: Final[Mapping[str, Any]] = {"name": Milenage.name}
"""MILENAGE with the constants of TS 35.206: what a card kind means that says nothing else."""


def algorithm(config: Mapping[str, Any], k: Secret, opc: Secret) -> AuthAlgorithm:
    """Return the algorithm that `config` names under "name", with the parameters beside it, keyed for a subscriber.

    Raises
    ------
    AlgorithmError
        No algorithm is called so, a key has another length, or a parameter is unknown or out of range.
    """
    return _named(config).keyed(k, opc, _parameters(config))


def check_config(config: Mapping[str, Any]) -> None:
    """Refuse what `algorithm` would refuse whatever the keys.

    Raises
    ------
    AlgorithmError
        No algorithm is called so, or a parameter is unknown or out of range.
    """
    found = _named(config)
    found.keyed(Secret(bytes(found.k_sizes[0])), Secret(bytes(found.opc_size)), _parameters(config))


def _named(config: Mapping[str, Any]) -> type[AuthAlgorithm]:
    found = next((one for one in ALGORITHMS if one.name == config.get("name")), None)
    if found is None:
        raise AlgorithmError(f"the algorithm is one of {', '.join(one.name for one in ALGORITHMS)}")
    return found


def _parameters(config: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in config.items() if name != "name"}


def key_sizes(config: Mapping[str, Any]) -> tuple[tuple[int, ...], int]:
    """Return how many bytes K may have, and OPc or TOPc has, for the algorithm that `config` names.

    Raises
    ------
    AlgorithmError
        No algorithm is called so.
    """
    found = _named(config)
    return found.k_sizes, found.opc_size


def config_of(keys: AuthAlgorithm) -> dict[str, Any]:
    """Return what `algorithm` makes the same algorithm of, given the keys again; no key is in it."""
    return {"name": keys.name, **keys.parameters()}
