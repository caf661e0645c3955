"""Everything a profile needs for one card, put together in memory: its profile, its keys, its ADM1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import CardProfile, CardRefused, Failure, profile
from inventory.store import kits
from inventory.store.kits import Card, SealedKeys
from inventory.vault.envelope import EnvelopeBroken, Vault
from inventory.vault.transport import TransportAlgorithm, TransportKeyUnusable, unwrap

TRANSPORT_TABLE = "transport_key"
TRANSPORT_FIELD = "wrapped"
SECRET_TABLE = "card_secret"  # noqa: S105  # a table's name
ADM_FIELD = "adm1"


@dataclass(frozen=True)
class Workbench:
    """What building and judging scripts needs beside the database: the vault, and a source of random bytes."""

    vault: Vault
    entropy: Callable[[int], bytes]


@dataclass(frozen=True)
class OpenedCard:
    """A card's profile and opened secrets; lives as long as one judgement and is never stored or printed."""

    profile: CardProfile
    keys: Milenage
    adm1: Secret


async def open_card(session: AsyncSession, bench: Workbench, card: Card) -> OpenedCard:
    """Unwrap a card's K and OPc and open its ADM1, in memory only (REQ-HW-10).

    Raises
    ------
    CardRefused
        The stock has no usable secrets or no profile for the card (`data_not_available`).
    """
    try:
        family = profile(card.profile)
    except KeyError:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"card kind {card.kind_code} names no known profile") from None
    sealed = await kits.sealed_keys(session, card)
    if sealed is None:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, "no secrets of this card are in stock")
    try:
        return OpenedCard(family, _keys(bench.vault, sealed), _adm1(bench.vault, sealed, card))
    except (EnvelopeBroken, TransportKeyUnusable, ValueError) as error:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"the card's secrets do not open: {error}") from None


def _keys(vault: Vault, sealed: SealedKeys) -> Milenage:
    key = vault.open(sealed.wrapped, table=TRANSPORT_TABLE, row=sealed.index, field=TRANSPORT_FIELD)
    algorithm = TransportAlgorithm(sealed.algorithm)
    return Milenage(unwrap(algorithm, key, sealed.ki), unwrap(algorithm, key, sealed.opc))


def _adm1(vault: Vault, sealed: SealedKeys, card: Card) -> Secret:
    return vault.open(sealed.adm1, table=SECRET_TABLE, row=f"{card.city_id}/{card.item_no}", field=ADM_FIELD)
