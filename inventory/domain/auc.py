"""What an HSS or AuC is told of a proven card, in the forms that they read: keys only under a transport key.

One line of the file is one identity. The HSS and the AuC open the keys, or their operators do on the way in: what
stands where they expect K and OPc is what the transport key made of them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from inventory.domain.errors import IllegalTransition
from inventory.domain.lifecycle import AUC_LIFECYCLE, AucEvent, AucState

AMF: Final = "8000"
"""Separation bit set: TS 33.401 §6.1.1, TS 33.102 annex H."""
SQN_STEP: Final = 32
"""The next SEQ with the same IND of 5 bits, as cards have it by default: TS 33.102 §C.3.2."""
_IND_BITS = 5
_COUNTRY_CODE = "86"
_GIGABITS = 3
_COLUMNS = (
    "imsi", "iccid", "msisdn", "hlr", "algorithm", "parameters", "eki", "eopc", "amf", "sqn",
    "transport_key", "transport_algorithm", "transport_kcv",
)  # fmt: skip


class AucForm(StrEnum):
    """The forms of the file."""

    OPEN5GS = "open5gs"
    """Documents of open5gs' collection `subscribers`, one a line, for mongoimport."""
    OSMO_HLR = "osmo-hlr"
    """Commands for the VTY of osmo-hlr."""
    CSV = "csv"

    @property
    def standard_only(self) -> bool:
        """Whether it knows MILENAGE with the constants of TS 35.206 alone."""
        return self is not AucForm.CSV

    @property
    def suffix(self) -> str:
        """The end of the file's name."""
        return _SUFFIXES[self]


_SUFFIXES: Final = {AucForm.OPEN5GS: "json", AucForm.OSMO_HLR: "vty", AucForm.CSV: "csv"}


@dataclass(frozen=True)
class TransportName:
    """The key that the keys of a file lie under, as both sides call it: `kcv` is its check value, hexadecimal."""

    index: str
    algorithm: str
    kcv: str


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """One identity as the network is told of it.

    `eki` and `eopc` (OPc or TOPc) are enclosed under the transport key. `parameters` are those of the algorithm beside
    its name. `sqn` is what the card reported when it was proven, None for a card that came finished; `msisdn` the
    national number, where it is known.
    """

    imsi: str
    iccid: str
    msisdn: str | None
    hlr: str
    algorithm: str
    parameters: Mapping[str, Any]
    eki: bytes = field(repr=False)
    eopc: bytes = field(repr=False)
    sqn: int | None

    @property
    def international(self) -> str | None:
        """The number with its country code, without "+"."""
        return None if self.msisdn is None else _COUNTRY_CODE + self.msisdn


def head(form: AucForm, under: TransportName) -> str:
    """Give what stands before the first identity: the whole file, if there is none."""
    if form is AucForm.OPEN5GS:
        return ""
    if form is AucForm.OSMO_HLR:
        return f"! K and OPc lie under transport key {_named(under)}: open them first\nenable\n"
    return _csv(_COLUMNS)


def entry(form: AucForm, one: Subscriber, under: TransportName) -> str:
    """Give the lines of one identity."""
    if form is AucForm.OPEN5GS:
        return json.dumps(_document(one, under), separators=(",", ":")) + "\n"
    if form is AucForm.OSMO_HLR:
        return "".join(f"{line}\n" for line in _commands(one))
    return _csv(_cells(one, under))


def deletion_head(form: AucForm) -> str:
    """Give what stands before the first identity that is to be deleted."""
    if form is AucForm.OSMO_HLR:
        return "enable\n"
    return "" if form is AucForm.OPEN5GS else _csv(("imsi", "iccid", "hlr"))


def deletion_entry(form: AucForm, imsi: str, iccid: str | None, hlr: str) -> str:
    """Give the line by which one identity is deleted.

    For open5gs it is a document for `mongoimport --mode=delete --upsertFields=imsi`, for osmo-hlr a command.
    """
    if form is AucForm.OPEN5GS:
        return json.dumps({"imsi": imsi}, separators=(",", ":")) + "\n"
    if form is AucForm.OSMO_HLR:
        return f"subscriber imsi {imsi} delete\n"
    return _csv((imsi, iccid or "", hlr))


def _document(one: Subscriber, under: TransportName) -> dict[str, Any]:
    """Give a document as open5gs' own web page writes it, with one session "internet" in the default slice.

    Its HSS uses `sqn` for the next vector as it is, and reads it only as a 64-bit integer.
    """
    rate = {"value": 1, "unit": _GIGABITS}
    ambr = {"downlink": rate, "uplink": rate}
    priority = {"priority_level": 8, "pre_emption_capability": 1, "pre_emption_vulnerability": 1}
    session = {"name": "internet", "type": 3, "qos": {"index": 9, "arp": priority}, "ambr": ambr, "pcc_rule": []}
    return {
        "schema_version": 1,
        "imsi": one.imsi,
        "msisdn": [] if one.international is None else [one.international],
        "security": {
            "k": one.eki.hex(),
            "op": None,
            "opc": one.eopc.hex(),
            "amf": AMF,
            "sqn": {"$numberLong": str((one.sqn or 0) + SQN_STEP)},
        },
        "ambr": ambr,
        "slice": [{"sst": 1, "default_indicator": True, "session": [session]}],
        "access_restriction_data": 32,
        "subscriber_status": 0,
        "network_access_mode": 0,
        "subscribed_rau_tau_timer": 12,
        "iccid": one.iccid,
        "transport_key": {"index": under.index, "algorithm": under.algorithm, "kcv": under.kcv},
    }


def _commands(one: Subscriber) -> list[str]:
    """Give the commands; osmo-hlr has none for the SQN, it learns it from the card's first answer."""
    subscriber = f"subscriber imsi {one.imsi}"
    number = [] if one.international is None else [f"{subscriber} update msisdn {one.international}"]
    keys = f"k {one.eki.hex()} opc {one.eopc.hex()} ind-bitlen {_IND_BITS}"
    return [
        f"! ICCID {one.iccid}, SQN {'-' if one.sqn is None else one.sqn}",
        f"{subscriber} create",
        *number,
        f"{subscriber} update aud3g milenage {keys}",
    ]


def _cells(one: Subscriber, under: TransportName) -> tuple[str, ...]:
    parameters = json.dumps(dict(one.parameters), separators=(",", ":"), sort_keys=True) if one.parameters else ""
    sqn = "" if one.sqn is None else str(one.sqn)
    return (
        one.imsi, one.iccid, one.international or "", one.hlr, one.algorithm, parameters, one.eki.hex(), one.eopc.hex(),
        AMF, sqn, under.index, under.algorithm, under.kcv,
    )  # fmt: skip


def _csv(cells: tuple[str, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)  # RFC 4180; no tabs for spreadsheets: machines read it
    return line.getvalue()


def _named(under: TransportName) -> str:
    index = "".join(letter if letter.isprintable() else " " for letter in under.index)  # a second line is a command
    return f"{index} ({under.algorithm}, check value {under.kcv})"


class AucAnswer(StrEnum):
    """What the network may answer of an identity."""

    CONFIRMED = "confirmed"
    FAILED = "failed"
    DELETED = "deleted"
    """It had the identity, and has it no longer: its IMSI may go to another card."""


_HEARD: Final = {
    AucAnswer.CONFIRMED: (AucState.CONFIRMED, AucEvent.CONFIRM),
    AucAnswer.FAILED: (AucState.FAILED, AucEvent.FAIL),
    AucAnswer.DELETED: (AucState.DELETED, AucEvent.DELETE),
}


def answered(state: AucState, answer: AucAnswer, *, serves: bool = False) -> AucState:
    """Give the state of an identity once the network has answered; the same answer again changes nothing.

    One that `serves` a sold number may be confirmed though nobody told the network of it: its card came finished, and
    the vendor did; the sale's completion is reported so (N8b).

    Raises
    ------
    IllegalTransition
        The network was never told of it, has deleted it, or now denies what it confirmed.
    """
    target, event = _HEARD[answer]
    if state is AucState.NONE and not (serves and answer is AucAnswer.CONFIRMED):
        raise IllegalTransition(state=state, event=event)  # nobody answers to what was never said
    return target if state in {target, AucState.NONE} else AUC_LIFECYCLE.advance(state, event)
