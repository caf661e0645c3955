"""Write a test identity to a test card at the workbench: no service, no stock, nobody's data (docs/adr/0025).

Three locks keep the hall's cards out: the card bears no operator's number, it is of a family that is given its keys by
hand, and it holds no identity but one of the test network. The counter of its ADM is asked first, and one try is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from cardwriter.profiles import (
    PROFILES,
    CardFacts,
    CardFamily,
    CardProfile,
    CardRefused,
    Expectation,
    Failure,
    Personalisation,
    Product,
    Verdict,
    challenge,
    identify_script,
    matching,
    measured_for,
    read_facts,
)
from cardwriter.script import Report, Script
from cardwriter.station.journal import Journal
from cardwriter.station.runner import run
from cardwriter.usim.bcd import CodecError
from cardwriter.usim.identity import IMSI_SIZE, decode_imsi
from cardwriter.usim.network import Act, PlmnAct
from cardwriter.usim.texts import Spn
from cardwriter.workshop.trial import NETWORK, OPERATORS, TrialIdentity
from drivers.base import CardConnection

FAMILIES: Final[tuple[CardFamily, ...]] = tuple(
    family for family in PROFILES if family.keys is not None and family.channel is None and not family.experimental
)
"""Test cards: whoever holds their ADM gives them their keys. The cards that halls sell bear theirs from the factory."""
_PRODUCT: Final = Product(allow_clear_keys=True)
_BLANK: Final = b"\xff" * IMSI_SIZE
_SECONDS: Final = 600


@dataclass
class Workbench:
    """One card in one reader, and the journal of what is done to it.

    `name` gives each script a name of its own, `clock` the current time, aware; `tell` is told each step's position,
    of how many, its name and status word.
    """

    card: CardConnection
    reader: str
    journal: Journal
    name: Callable[[], str]
    clock: Callable[[], datetime]
    tell: Callable[[int, int, str, int], None]

    def write(self, identity: TrialIdentity, rand: bytes) -> Verdict:
        """Write the card, read it back and let it prove its keys; `rand` is 16 fresh random bytes.

        Raises
        ------
        CardRefused
            It is no test card, not the one of the file, or not ready: no step of the writing was sent.
        FactsError
            The card does not even say which one it is.
        IdentityError, CodecError
            The identity contradicts itself, or does not fit the card.
        """
        data = personalisation(identity)
        facts = read_facts(self._run(identify_script(self.name(), self._expiry, measured=measured_for(_PRODUCT))))
        family = family_of(facts, identity)
        facts = as_blank(facts)
        write = family.write_script(facts, data, self.name(), self._expiry)
        verdict = family.judge_write(write, self._run(write))
        if verdict.failure is not Failure.NOT_PROVEN:
            return verdict
        asked = challenge(identity.keys, rand)
        verify = family.verify_script(facts, data, asked, self.name(), self._expiry)
        return family.judge_verify(verify, self._run(verify), Expectation(facts, data, identity.keys, asked))

    @property
    def _expiry(self) -> int:
        return int(self.clock().timestamp()) + _SECONDS

    def _run(self, script: Script) -> Report:
        entry = self.journal.open(script, job=None, reader=self.reader, insertion=0)
        if entry is None:
            raise RuntimeError(f"{script.id} was run before")
        steps = len(script.steps)
        return run(
            self.card,
            script,
            entry,
            on_step=lambda index, result: self.tell(index + 1, steps, result.name, result.sw),
            cancelled=lambda: False,
            now=self.clock(),
        )


def personalisation(identity: TrialIdentity) -> Personalisation:
    """Return all that goes on the card: the test network is its home, and the only one."""
    return Personalisation(
        imsi=identity.imsi,
        mnc_length=identity.mnc_length,
        smsc=identity.smsc,
        spn=Spn(identity.spn),
        hplmns=(PlmnAct(NETWORK, Act.E_UTRAN | Act.UTRAN | Act.GSM),),
        product=_PRODUCT,
        keys=identity.keys,
        adm1=identity.adm1,
    )


def family_of(facts: CardFacts, identity: TrialIdentity) -> CardProfile:
    """Return the family by which this card is written.

    Raises
    ------
    CardRefused
        It is not the card of the file, it bears an operator's number, or it is of no family of test cards.
    """
    if facts.iccid != identity.iccid:
        raise CardRefused(Failure.ANOTHER_CARD, "the file names another ICCID")
    if facts.iccid.startswith(OPERATORS):
        raise CardRefused(Failure.WRONG_KIND, f"an operator's card, ICCID {OPERATORS}…")
    likely = [family for family in FAMILIES if family in matching(facts)]
    if len(likely) != 1:
        raise CardRefused(Failure.WRONG_KIND, f"none of {', '.join(family.name for family in FAMILIES)}")
    return likely[0]


def as_blank(facts: CardFacts) -> CardFacts:
    """Return the facts of a card that bears a test identity as if it bore none: it may be written again."""
    return replace(facts, imsi_usim=_without_test(facts.imsi_usim), imsi_gsm=_without_test(facts.imsi_gsm))


def _without_test(content: bytes | None) -> bytes | None:
    """Return EF.IMSI as it is, or blank where it holds an IMSI of the test network."""
    try:
        return _BLANK if content and decode_imsi(content).startswith(NETWORK) else content
    except CodecError:
        return content
