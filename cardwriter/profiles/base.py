"""What every card family shares: facts of a card, data for it, challenge, verdict, and the family's interface."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.crypto.scp03 import StaticKeys
from cardwriter.crypto.secret import Secret
from cardwriter.profiles.product import Product
from cardwriter.script import Report, Script
from cardwriter.usim.bcd import is_blank
from cardwriter.usim.network import PlmnAct
from cardwriter.usim.texts import Spn

if TYPE_CHECKING:
    from cardwriter.profiles.channel import ScriptChannel


class Failure(enum.StrEnum):
    """Why a job on a card did not end well (REQ-HW-06); stable names for machines and the catalogue of texts."""

    NOT_INSERTED = "not_inserted"
    NOT_BLANK = "not_blank"
    WRONG_KIND = "wrong_kind"
    DATA_NOT_AVAILABLE = "data_not_available"
    WRITE_ERROR = "write_error"
    VERIFY_MISMATCH = "verify_mismatch"
    READER_LOST = "reader_lost"
    REPORT_FAILED = "report_failed"
    WRONG_KEY = "wrong_key"
    """The card's K, OPc or algorithm, or the keys of its secure channel, are not those in stock."""
    ADM_REFUSED = "adm_refused"
    """The card refused this ADM1, or its counter is not full: no further try is made."""
    PIN_ENABLED = "pin_enabled"
    NOT_PROVEN = "not_proven"
    """Written or present, but AUTHENTICATE has not spoken yet: verify again."""
    ANOTHER_CARD = "another_card"
    REFUSED = "refused"
    """The station refused the script before it sent anything."""
    CANCELLED = "cancelled"
    DEAD = "dead"
    """Nobody knows what is on the card, and no reader gets an answer from it: two persons have said so."""
    OPERATOR_SILENT = "operator_silent"
    """The operator's card-data system does not answer, or not so that it could be understood."""
    OPERATOR_REFUSED = "operator_refused"
    """The operator's card-data system gives no data for this card."""


class CardRefused(ValueError):
    """A card must not be written now; nothing was sent.

    `failure` says why, `detail` what was found (status words, counters, file names; never a secret).
    """

    def __init__(self, failure: Failure, detail: str) -> None:
        self.failure = failure
        self.detail = detail
        super().__init__(f"{failure}: {detail}")


class FactsError(ValueError):
    """An identify report does not even say which card it is."""


@dataclass(frozen=True, kw_only=True)
class CardFacts:
    """What `identify` found out about the card in the reader; None where the card did not say.

    `iccid_raw` is EF.ICCID as read, `iccid` its number (empty on a card without one), `serial_raw` the file of the chip
    serial, `serial` its hex nibbles. `imsi_usim` and `imsi_gsm` are EF.IMSI as read below ADF.USIM and DF.GSM;
    `gsm_hidden` says that the latter may be there but was not read. `adm_tries` are the tries left of the ADM that was
    asked for, 0 when blocked. `sizes` maps a file's name to its size, or to its record length, where commands can write
    a file of such a size; `contents` that of a service table to its bytes. `own_number` says that EF.MSISDN may hold a
    number, which is not kept here. `greeting` is the answer of a card with a secure channel to the family's question.
    """

    atr: bytes
    iccid_raw: bytes
    iccid: str
    serial: str | None = None
    usim: bool = False
    imsi_usim: bytes | None = None
    imsi_gsm: bytes | None = None
    gsm_hidden: bool = False
    mnc_length: int | None = None
    pin1_enabled: bool | None = None
    adm_tries: int | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    serial_raw: bytes | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict)
    greeting: bytes | None = None
    own_number: bool = True

    @property
    def blank(self) -> bool:
        """Whether no directory holds an IMSI (REQ-HW-03); a card that hides one is not blank."""
        if self.gsm_hidden or not self.imsi_usim:
            return False
        return is_blank(self.imsi_usim) and is_blank(self.imsi_gsm or b"")


@dataclass(frozen=True, kw_only=True)
class Personalisation:
    """What one card is to hold.

    `msisdn` and `smsc` are international digits without "+"; `hplmns` the home network first with its technologies,
    `ehplmns` all equivalent home networks, the home network itself first (empty if there is only one). `iccid` is the
    number for a card that has none yet. `keys` are given only for a product that lets them travel in clear, or for a
    card whose script is encrypted; `channel` is what that is encrypted with.
    """

    imsi: str
    mnc_length: int
    smsc: str
    spn: Spn
    hplmns: tuple[PlmnAct, ...]
    ehplmns: tuple[str, ...] = ()
    msisdn: str | None = None
    search_minutes: int = 30
    product: Product = field(default_factory=Product)
    iccid: str | None = None
    keys: AuthAlgorithm | None = None
    channel: StaticKeys | None = None
    adm1: Secret

    @property
    def home(self) -> str:
        """The home network: MCC and MNC of the IMSI."""
        return self.imsi[: 3 + self.mnc_length]


@dataclass(frozen=True)
class Challenge:
    """RAND and AUTN of the proof; both travel to the station, neither tells a key."""

    rand: bytes
    autn: bytes


PROOF_SQN = 0
"""A sequence number that no card accepts after its first use, so the proof leaves the card's counter alone."""
PROOF_AMF = bytes.fromhex("8000")
"""Separation bit set, as in an EPS challenge (TS 33.401 §6.1.1, TS 33.102 annex H)."""


def challenge(keys: AuthAlgorithm, rand: bytes) -> Challenge:
    """Return the challenge for the proof of a written card; `rand` is 16 fresh random bytes."""
    return Challenge(rand, keys.autn(rand, PROOF_SQN, PROOF_AMF))


class Kind(enum.StrEnum):
    """How a job left the card (architecture: a card ends in exactly one of these)."""

    VERIFIED = "verified"
    NOTHING_WRITTEN = "nothing_written"
    """No IMSI is on the card: its data may go to another one, but for an ICCID that it bears already."""
    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    """Only reading this card again settles it; until then its data stay with it."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The judgement on one report.

    `failure` is None only for VERIFIED and for a NOTHING_WRITTEN found by reading a blank card. `step` and `sw` name
    the step and its status word where one decided; `detail` adds the driver's error or the file. `iccid` is the number
    read back, when verified, or when it came on the card and the IMSI did not: it stays with that card. `sqn_ms` is the
    card's sequence number, for the HSS, only when verified.
    """

    kind: Kind
    failure: Failure | None = None
    step: str | None = None
    sw: int | None = None
    detail: str | None = None
    iccid: str | None = None
    sqn_ms: int | None = None


@dataclass(frozen=True)
class Expectation:
    """What a verify report is held against: the card as identified, its data, its keys and the challenge sent."""

    facts: CardFacts
    data: Personalisation
    keys: AuthAlgorithm
    challenge: Challenge


class CardProfile(Protocol):
    """A card family: turns facts and data into scripts, reports into verdicts; no I/O, clock or randomness.

    `expires_at` is UTC seconds since the epoch.
    """

    @property
    def name(self) -> str:
        """The name that a card kind in stock refers to; never changed once used."""
        ...

    @property
    def adm(self) -> int:
        """The key reference of the code that rights to write come from."""
        ...

    @property
    def assigns_iccid(self) -> bool:
        """Whether its blanks have no ICCID: writing gives them one."""
        ...

    @property
    def greeting(self) -> bytes:
        """The command by which identify asks a card of this family for its secure channel's state; empty for none."""
        ...

    @property
    def channel(self) -> ScriptChannel | None:
        """How its scripts are encrypted for the card; None where they are not."""
        ...

    def matches(self, facts: CardFacts) -> bool:
        """Whether the card looks like one of this family, by harmless reads only."""
        ...

    def is_blank(self, facts: CardFacts) -> bool:
        """Whether the card holds no identity yet (REQ-HW-03)."""
        ...

    def write_script(self, facts: CardFacts, data: Personalisation, script_id: str, expires_at: int) -> Script:
        """Return the script that personalises the card, EF.IMSI last.

        Raises
        ------
        CardRefused
            The card must not be written: another family, not blank, ADM1 counter not full, PIN1 enabled.
        IdentityError
            The data contradict each other or the card's number.
        CodecError
            A value does not fit its file.
        """
        ...

    def verify_script(
        self, facts: CardFacts, data: Personalisation, challenge: Challenge, script_id: str, expires_at: int
    ) -> Script:
        """Return the read-only script that reads back what was written and asks the card to authenticate."""
        ...

    def judge_write(self, script: Script, report: Report) -> Verdict:
        """Judge a write report: never VERIFIED; UNKNOWN until verified or read again."""
        ...

    def judge_verify(self, script: Script, report: Report, expected: Expectation) -> Verdict:
        """Judge a verify report against what the card should hold and answer."""
        ...
