"""Everything a profile needs for one card, put together in memory: its profile, its keys, its ADM1."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.crypto.algorithms import algorithm
from cardwriter.crypto.scp03 import StaticKeys
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import CardProfile, CardRefused, Failure, profile
from inventory.domain.errors import DomainError
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
    keys: AuthAlgorithm
    adm1: Secret
    channel: StaticKeys | None = None
    """Of a family whose scripts are encrypted, if they are in stock."""


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
        channel = _channel(bench.vault, sealed, family)
        return OpenedCard(family, _keys(bench.vault, sealed, card), _adm1(bench.vault, sealed, card), channel)
    except (DomainError, EnvelopeBroken, TransportKeyUnusable, ValueError) as error:  # the first: of the key file
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"the card's secrets do not open: {error}") from None


def _keys(vault: Vault, sealed: SealedKeys, card: Card) -> AuthAlgorithm:
    return algorithm(card.algorithm, _unwrapped(vault, sealed, sealed.ki), _unwrapped(vault, sealed, sealed.opc))


def _channel(vault: Vault, sealed: SealedKeys, family: CardProfile) -> StaticKeys | None:
    if family.channel is None or sealed.scp_enc is None or sealed.scp_mac is None:
        return None
    enc, mac = (_unwrapped(vault, sealed, one) for one in (sealed.scp_enc, sealed.scp_mac))
    return StaticKeys(family.channel.version, enc, mac)


def _unwrapped(vault: Vault, sealed: SealedKeys, delivered: bytes) -> Secret:
    key = vault.open(sealed.wrapped, table=TRANSPORT_TABLE, row=sealed.index, field=TRANSPORT_FIELD)
    return unwrap(TransportAlgorithm(sealed.algorithm), key, delivered)


def _adm1(vault: Vault, sealed: SealedKeys, card: Card) -> Secret:
    row = place_of_codes(
        city_id=card.city_id, item_no=card.item_no, batch_id=sealed.batch_id, row=sealed.row, bound_to=sealed.bound_to
    )
    return vault.open(sealed.adm1, table=SECRET_TABLE, row=row, field=ADM_FIELD)


def place_of_codes(*, city_id: int, item_no: int, batch_id: int | None, row: int | None, bound_to: str | None) -> str:
    """Name what a card's codes are bound to, by the columns of its row."""
    if bound_to is not None:
        return bound_to
    if batch_id is not None and row is not None:
        return place_of_secrets(city_id, batch_id, row)
    return f"{city_id}/{item_no}"


def place_of_parts(city_id: int, job_id: int) -> str:
    """Name what the issue data of a write job are bound to."""
    return f"{city_id}/{job_id}"


def place_of_secrets(city_id: int, batch_id: int, row: int) -> str:
    """Name what a card's codes are bound to: the load and the row of its file that brought them (docs/adr/0020)."""
    return f"{city_id}/{batch_id}/{row}"
