"""The keys that a card authenticates with, taken from its key files as its silicon does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from cardwriter.crypto.aka import AlgorithmError, AuthAlgorithm
from cardwriter.crypto.milenage import Milenage, derive_opc
from cardwriter.crypto.secret import Secret
from cardwriter.crypto.tuak import Tuak
from cardwriter.usim.bcd import is_blank
from cardwriter.virtual.image import CardImage

_K_SIZE: Final = 16
_LONG_K: Final = 32
_TOPC_SIZE: Final = 32
_MILENAGE, _TUAK, _NIBBLE, _OPC_GIVEN, _VARIANT = 4, 6, 0x0F, 0x10, 0x40


def keys_of(image: CardImage, application: str) -> AuthAlgorithm | None:
    """Return the keys for AUTHENTICATE below "7fff" or "isim"; None if its key files hold nothing that it understands.

    Key files that were never written leave the card the keys of its factory.
    """
    if not image.key_layout:
        return image.keys
    try:
        return _LAYOUTS[image.key_layout](image, application)
    except AlgorithmError:
        return None


def _content(image: CardImage, path: str) -> bytes:
    file = image.file(path)
    return b"" if file is None else file.content


def _two_files(k_path: str, opc_path: str) -> Callable[[CardImage, str], AuthAlgorithm]:
    """K in one file; in the other a byte that says OP (00) or OPc (01), and that."""

    def read(image: CardImage, _application: str) -> AuthAlgorithm:
        k, second = _content(image, k_path), _content(image, opc_path)
        opc = image.keys.opc
        if not is_blank(second):
            value = Secret(second[1:])
            opc = value if second[0] else derive_opc(Secret(k), value)
        return Milenage(image.keys.k if is_blank(k) else Secret(k), opc)

    return read


def _sysmo(image: CardImage, application: str) -> AuthAlgorithm:
    """Algorithm and lengths in front, then the keys; a file for each application."""
    content = _content(image, f"{application}/af20")
    if is_blank(content):
        return image.keys
    config, body = content[0], content[1:]
    if config & _NIBBLE == _TUAK:
        lengths, iterations, rest = body[0], body[1], body[2:]
        k_size = _LONG_K if config & _VARIANT else _K_SIZE
        long_keys = 256 if lengths & 0x40 else 128
        return Tuak(
            Secret(rest[_TOPC_SIZE : _TOPC_SIZE + k_size]),
            Secret(rest[:_TOPC_SIZE]),
            mac_bits=64 << (lengths >> 3 & 0x07),
            res_bits=32 << (lengths & 0x07),
            ck_bits=long_keys,
            ik_bits=long_keys,
            iterations=iterations,
        )
    if config & _NIBBLE != _MILENAGE:
        raise AlgorithmError("the card was told an algorithm that it does not have")
    k, second = Secret(body[:_K_SIZE]), Secret(body[_K_SIZE : 2 * _K_SIZE])
    opc = second if config & _OPC_GIVEN else derive_opc(k, second)
    return Milenage(k, opc, res_bits=32 if config & _VARIANT else 64)


_LAYOUTS: Final[Mapping[str, Callable[[CardImage, str], AuthAlgorithm]]] = {
    "sysmo_usim": _two_files("7f20/00ff", "7f20/00f7"),
    "sysmo_isim": _sysmo,
    "grcard": _two_files("0001", "6002"),
}
