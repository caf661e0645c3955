"""Which drivers there are: URL scheme to the function that opens its readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from drivers.at_modem import open_modem
from drivers.base import ReaderSource
from drivers.dispenser import open_dispenser
from drivers.errors import UnknownSchemeError
from drivers.pcsc import PcscSource
from drivers.phoenix import open_phoenix
from drivers.virtual import VirtualSource

OPENERS: Final[dict[str, Callable[[str], ReaderSource]]] = {
    "at": open_modem,  # at:/dev/ttyUSB2 or at:socket://HOST:PORT, any URL of pyserial
    "crt": open_dispenser,  # crt:/dev/ttyS0, any URL of pyserial
    "pcsc": PcscSource,  # pcsc: or pcsc:PART-OF-READER-NAME
    "phoenix": open_phoenix,  # phoenix:PORT?OPTIONS, see drivers/phoenix_wiring.py
    "virtual": VirtualSource.of,  # virtual:package.module:callable
}


def open_source(url: str) -> ReaderSource:
    """Open the readers behind `scheme:rest`.

    Raises
    ------
    UnknownSchemeError
        No driver is registered for the scheme, or it cannot make sense of the rest.
    """
    scheme, colon, rest = url.partition(":")
    opener = OPENERS.get(scheme) if colon else None
    if opener is None:
        raise UnknownSchemeError(detail=f"{url!r}; known: {', '.join(f'{known}:' for known in OPENERS)}")
    return opener(rest)
