"""What is the same on every card of a product beyond its home network: operator-wide data that a card kind keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, get_type_hints

from cardwriter.usim.five_gs import HomeKey, Scheme, SuciInfo
from cardwriter.usim.names import EmergencyNumber, NameRule, NetworkName
from cardwriter.usim.network import Act, PlmnAct

_LISTS: Final[Mapping[str, type]] = {
    "languages": str,
    "services_on": int,
    "services_off": int,
    "pcscf": str,
    "files": str,
    "optional": str,
}
_ROWS: Final[Mapping[str, type]] = {"emergency": EmergencyNumber, "names": NetworkName, "name_rules": NameRule}


@dataclass(frozen=True, kw_only=True)
class Product:
    """What a product's cards hold besides the files that every card of their family gets; nothing by default.

    A value that is set has its file written: `languages` EF.LI and EF.PL, `emergency` EF.ECC, `oplmns` EF.OPLMNwAcT,
    `names` and `name_rules` EF.PNN and EF.OPL, `gid1`, `gid2`, `services_on` and `services_off` EF.UST, `pcscf`
    EF.P-CSCF, `routing_indicator` and `suci` their 5G files. `files` names further files that need no value of the
    product's own (`cardwriter.profiles.file_set`): volatile ones that go back to their defaults, the ISIM's
    identities, copies below DF.GSM. `optional` names files that a card of the product may lack. `allow_clear_keys`
    lets K and OPc travel to a station in clear: only for products that are bought without them.
    """

    languages: tuple[str, ...] = ()
    emergency: tuple[EmergencyNumber, ...] = ()
    oplmns: tuple[PlmnAct, ...] = ()
    names: tuple[NetworkName, ...] = ()
    name_rules: tuple[NameRule, ...] = ()
    gid1: bytes = b""
    gid2: bytes = b""
    services_on: tuple[int, ...] = ()
    services_off: tuple[int, ...] = ()
    pcscf: tuple[str, ...] = ()
    routing_indicator: str = ""
    suci: SuciInfo | None = None
    files: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    allow_clear_keys: bool = False

    @classmethod
    def from_json(cls, wire: Mapping[str, Any]) -> Self:
        """Read the form that `to_json` writes; what is left out has its default.

        Raises
        ------
        KeyError, TypeError, ValueError
            It is not of this form.
        """
        read: dict[str, Any] = dict(wire)
        read |= {name: tuple(_all(kind, read[name])) for name, kind in _LISTS.items() if name in read}
        read |= {name: bytes.fromhex(read[name]) for name in ("gid1", "gid2") if name in read}
        read |= {name: tuple(_rows(kind, read[name])) for name, kind in _ROWS.items() if name in read}
        if "oplmns" in read:
            read["oplmns"] = tuple(PlmnAct(_a(str, one["plmn"]), acts_of(one["act"])) for one in read["oplmns"])
        if read.get("suci") is not None:
            read["suci"] = _suci(read["suci"])
        product = cls(**read)
        _a(str, product.routing_indicator)
        _a(bool, product.allow_clear_keys)
        return product

    def to_json(self) -> dict[str, Any]:
        """Return what differs from the defaults as JSON-ready values."""
        kept = {name: value for name, value in vars(self).items() if value != getattr(Product, name)}
        kept |= {name: list(kept[name]) for name in _LISTS if name in kept}
        kept |= {name: kept[name].hex() for name in ("gid1", "gid2") if name in kept}
        kept |= {name: [asdict(one) for one in kept[name]] for name in _ROWS if name in kept}
        if "oplmns" in kept:
            kept["oplmns"] = [{"plmn": one.plmn, "act": [act.name for act in one.act]} for one in self.oplmns]
        if self.suci is not None:
            keys = [{"identifier": key.identifier, "public_key": key.public_key.hex()} for key in self.suci.keys]
            kept["suci"] = {"schemes": [[scheme.name, key] for scheme, key in self.suci.schemes], "keys": keys}
        return kept


def acts_of(names: list[str]) -> Act:
    """Return access technologies from their names in `Act`.

    Raises
    ------
    KeyError
        A name is unknown.
    """
    acts = Act(0)
    for name in names:
        acts |= Act[name]
    return acts


def _a(kind: type, value: Any) -> Any:
    """Return a value of exactly this type: JSON has no other way to keep text and numbers apart."""
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _all(kind: type, values: Any) -> list[Any]:
    return [_a(kind, value) for value in _a(list, values)]


def _rows(kind: type, rows: Any) -> list[Any]:
    hints = get_type_hints(kind)
    return [
        kind(**{name: _a(hints.get(name, object), value) for name, value in row.items()}) for row in _all(dict, rows)
    ]


def _suci(wire: Mapping[str, Any]) -> SuciInfo:
    schemes = tuple((Scheme[name], _a(int, key)) for name, key in wire["schemes"])
    keys = tuple(HomeKey(_a(int, one["identifier"]), bytes.fromhex(one["public_key"])) for one in wire.get("keys", ()))
    return SuciInfo(schemes, keys)
