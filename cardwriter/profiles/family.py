"""A card family as data, and what follows from it: recognition, blank test, scripts and verdicts.

A card's files are rewritten whole from the leased data, network files first, volatile state back to its defaults, keys
where the family takes them, EF.IMSI last: that file is the mark that the card is complete.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cardwriter.profiles import file_set, judgement
from cardwriter.profiles.atr import HistoricalMask
from cardwriter.profiles.base import (
    CardFacts,
    CardRefused,
    Challenge,
    Expectation,
    Failure,
    Kind,
    Personalisation,
    Verdict,
)
from cardwriter.profiles.channel import ScriptChannel
from cardwriter.profiles.consistency import IdentityError, Problem, identity_problems
from cardwriter.profiles.file_set import FILE_SET, MEASURED, USUAL, FileRule, unknown_files
from cardwriter.profiles.keys import KeyStrategy
from cardwriter.profiles.plan import (
    LONGEST,
    Planned,
    contents_of,
    pieces,
    read_steps,
    select_application,
    update_steps,
)
from cardwriter.script import Otherwise, Purpose, Report, Script, Step, SwMask
from cardwriter.usim import commands, files
from cardwriter.usim.identity import ICCID_SIZE

_IMSI_UPDATES: Final = ("update.gsm_imsi", "update.imsi")
_IMSI_READS: Final = ("read.gsm_imsi", "read.imsi")
_ISIM_PROOF: Final = "authenticate.isim"
_VERIFIED: Final = (SwMask("9000"),)
_USUAL_FILES: Final = frozenset(MEASURED[name].name for name in USUAL)


class Named(enum.Enum):
    """What a blank card of a family is called by, and so what makes it blank (REQ-HW-03)."""

    ICCID = "iccid"
    """Type A: numbered in the factory; blank while no directory holds an IMSI."""
    SERIAL = "serial"
    """Type B: only the chip has a serial; blank while there is neither an ICCID, which the hall writes, nor an IMSI."""


@dataclass(frozen=True, kw_only=True)
class CardFamily:
    """One family, or a product line of it whose cards differ in a way that no SELECT tells.

    `atr` are the historical bytes of its makes, none for a family of many makers. `gsm_linked` says whether EF.IMSI
    below DF.GSM and ADF.USIM are one body; where they are separate the copy is written just before the mark. `adm` is
    the key reference of its administrator, `adm_tries` the full counter. `keys` is how K and OPc are written, None
    where they are inside since the factory for good; `keys_needed` says that a blank has none yet. With a `channel` the
    script is encrypted for the card, ADM, K and OPc with it. `experimental` marks a family that is known from others'
    reports only.
    """

    name: str
    atr: tuple[HistoricalMask, ...] = ()
    named: Named = Named.ICCID
    gsm_linked: bool = True
    adm: int = files.Pin.ADM1
    adm_tries: int = 3
    keys: KeyStrategy | None = None
    keys_needed: bool = False
    channel: ScriptChannel | None = None
    experimental: bool = False

    @property
    def assigns_iccid(self) -> bool:
        """Whether its blanks have no ICCID: writing gives them one."""
        return self.named is Named.SERIAL

    @property
    def greeting(self) -> bytes:
        """The command by which identify asks for the secure channel's state; empty for a family without one."""
        return b"" if self.channel is None else self.channel.greeting

    def matches(self, facts: CardFacts) -> bool:
        """Whether the card is of one of the makes, is named as its family's are, and has the files of a USIM."""
        named = bool(facts.serial) if self.named is Named.SERIAL else bool(facts.iccid)
        make = not self.atr or any(mask.matches(facts.atr) for mask in self.atr)
        speaks = self.channel is None or facts.greeting is not None
        return named and make and speaks and facts.usim and facts.sizes.keys() >= _USUAL_FILES

    def is_blank(self, facts: CardFacts) -> bool:
        """Whether the card holds no IMSI, nor an ICCID that it had not from the factory (REQ-HW-03)."""
        return facts.blank and (self.named is Named.ICCID or not facts.iccid)

    def write_script(self, facts: CardFacts, data: Personalisation, script_id: str, expires_at: int) -> Script:
        """Return the script that writes the card with one try of its ADM, after asking its counter.

        Of a family with a secure channel all that follows the question is encrypted for the card.

        Raises
        ------
        CardRefused
            The card must not be written: another family, PIN1 enabled, not blank, ADM counter not full, a file of the
            product missing, keys that this family or product does not take.
        IdentityError
            The data contradict each other or the ICCID.
        CodecError
            A value does not fit its file.
        """
        self._refuse_unready(facts, data)
        self._refuse_keys(data)
        if problems := self._problems(facts, data):
            raise IdentityError(problems)
        full = SwMask(f"63c{self.adm_tries:x}")
        plan = tuple(self._plan(facts, data, copy_gsm=not self.gsm_linked))
        asking = (
            select_application(files.Directory.USIM),
            Step(name="query.adm1", apdu=commands.query_tries(self.adm), expect=(full,), returns=True),
        )
        writing: Iterable[Step] = (
            Step(
                name=judgement.VERIFY_ADM,
                apdu=commands.verify(self.adm, data.adm1.reveal()),
                expect=_VERIFIED,
                secret=True,
                changes_card=True,
            ),
            *update_steps(plan),
        )
        if self.channel is not None and data.channel is not None:
            writing = self.channel.wrap(writing, facts, data.channel, script_id)
        return self._script(script_id, Purpose.WRITE, facts, (*asking, *writing), expires_at)

    def _refuse_unready(self, facts: CardFacts, data: Personalisation) -> None:
        if not self.matches(facts):
            missing = ", ".join(sorted(_USUAL_FILES - facts.sizes.keys()))
            found = f"missing: {missing}" if missing else f"ATR {facts.atr.hex()}, {self._signs} missing"
            raise CardRefused(Failure.WRONG_KIND, f"not a {self.name} card, {found}")
        if facts.pin1_enabled:
            raise CardRefused(Failure.PIN_ENABLED, "PIN1 is enabled on a card that should be blank")
        begun = self.named is Named.SERIAL and facts.blank and facts.iccid == data.iccid
        if not (self.is_blank(facts) or begun):
            raise CardRefused(Failure.NOT_BLANK, "the card holds an identity or hides it")
        if facts.adm_tries is None:
            raise CardRefused(Failure.WRONG_KIND, f"not a {self.name} card, missing: ADM {self.adm:02x}")
        if facts.adm_tries != self.adm_tries:
            raise CardRefused(Failure.ADM_REFUSED, f"{facts.adm_tries} of {self.adm_tries} tries of the ADM are left")

    def _refuse_keys(self, data: Personalisation) -> None:
        """Refuse keys that may not travel, or cannot be said on this card; and a blank that needs them without any.

        What is encrypted for the card may travel; a card that takes nothing else is not written in clear instead.
        """
        if self.channel is not None and data.channel is None:
            raise CardRefused(Failure.DATA_NOT_AVAILABLE, "no keys of the card's secure channel are in stock")
        if data.keys is None:
            if self.keys_needed:
                raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"a {self.name} card has no keys yet and gets none")
        elif self.channel is None and not data.product.allow_clear_keys:
            raise CardRefused(Failure.DATA_NOT_AVAILABLE, "the product does not let keys travel in clear")
        elif self.keys is None or not self.keys.supports(data.keys):
            raise CardRefused(Failure.WRONG_KIND, f"a {self.name} card cannot be given these keys")

    @property
    def _signs(self) -> str:
        """What a card of the family shows beside its files."""
        return f"{self.named.value}{'' if self.channel is None else ', secure channel'} or USIM"

    def _problems(self, facts: CardFacts, data: Personalisation) -> tuple[Problem, ...]:
        if self.named is Named.ICCID and data.iccid not in (None, facts.iccid):
            return (Problem("iccid", "is not the one on the card"),)
        iccid = facts.iccid if self.named is Named.ICCID else data.iccid
        if not iccid:
            raise CardRefused(Failure.DATA_NOT_AVAILABLE, "no ICCID is leased for a card that has none")
        return identity_problems(data, iccid)

    def verify_script(
        self, facts: CardFacts, data: Personalisation, challenge: Challenge, script_id: str, expires_at: int
    ) -> Script:
        """Return the script that reads back all written files and runs AUTHENTICATE; it changes nothing.

        A card whose ISIM has keys of its own proves them too.
        """
        plan = tuple(self._plan(facts, data, copy_gsm=facts.imsi_gsm is not None))
        steps = [
            # A script starts from a reset, which makes the MF the current directory (TS 102 221 §8.4.1).
            *self._read_name(),
            *read_steps(plan),
            _authenticate(judgement.AUTHENTICATE, challenge),
        ]
        if any(file.secret and file.ef.directory is files.Directory.ISIM for file in plan):
            steps += [select_application(files.Directory.ISIM), _authenticate(_ISIM_PROOF, challenge)]
        return self._script(script_id, Purpose.VERIFY, facts, tuple(steps), expires_at)

    def _read_name(self) -> tuple[Step, ...]:
        if self.named is Named.ICCID:
            read = commands.read_binary(ICCID_SIZE, sfi=files.ICCID.sfi)
            return (Step(name="read.iccid", apdu=read, returns=True),)
        select = Step(name="select.serial", apdu=commands.select_path(files.SERIAL.path))
        return (select, Step(name="read.serial", apdu=commands.read_binary(ICCID_SIZE), returns=True))

    def judge_write(self, script: Script, report: Report) -> Verdict:
        """Judge a write report: never VERIFIED; UNKNOWN until verified or read again."""
        marks = (*_IMSI_UPDATES, "update.iccid") if self.named is Named.SERIAL else _IMSI_UPDATES
        return judgement.judge_write(script, report, marks)

    def judge_verify(self, script: Script, report: Report, expected: Expectation) -> Verdict:
        """Judge a verify report against the data, keys and challenge."""
        facts = expected.facts
        contents = contents_of(self._plan(facts, expected.data, copy_gsm=facts.imsi_gsm is not None))
        if self.named is Named.ICCID:
            who = judgement.Who("read.iccid", facts.iccid_raw, marks=_IMSI_READS)
        else:
            who = judgement.Who("read.serial", facts.serial_raw or b"", marks=_IMSI_READS)
        verdict = judgement.judge_verify(script, report, expected, contents, who)
        proof = report.result(_ISIM_PROOF)
        if verdict.kind is not Kind.VERIFIED or proof is None:
            return verdict
        second = judgement.judge_proof(proof, expected.keys, expected.challenge)
        return verdict if second.kind is Kind.VERIFIED else second

    def _plan(self, facts: CardFacts, data: Personalisation, *, copy_gsm: bool) -> Iterator[Planned]:
        """Return the files in writing order; `copy_gsm` includes DF.GSM's EF.IMSI."""
        product = data.product
        if unknown := unknown_files(product):
            raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"no file is named {', '.join(unknown)}")
        for rule in FILE_SET:
            if rule.wanted(product) and not self._lacks(rule, facts, data):
                yield from self._pieces(rule, facts, data)
        if self.keys is not None and data.keys is not None:
            yield from self.keys.plan(data.keys)
        if self.named is Named.SERIAL:
            yield from self._pieces(file_set.ICCID, facts, data)
        if copy_gsm:
            yield from self._pieces(file_set.GSM_IMSI, facts, data)
        yield from self._pieces(file_set.IMSI, facts, data)

    def _pieces(self, rule: FileRule, facts: CardFacts, data: Personalisation) -> Iterator[Planned]:
        size = facts.sizes.get(rule.ef.name, 0)
        contents = [rule.code(value, size) for value in rule.values(data, facts)]
        longest = LONGEST if self.channel is None else self.channel.longest
        return pieces(rule.name, rule.ef, contents, records=rule.records, longest=longest)

    def _lacks(self, rule: FileRule, facts: CardFacts, data: Personalisation) -> bool:
        """Whether the card has not the file and the product lets it; else the card is of another kind."""
        if not rule.measured or rule.ef.name in facts.sizes:
            return False
        if rule.name not in data.product.optional:
            raise CardRefused(Failure.WRONG_KIND, f"not a card of the product, missing: {rule.ef.name}")
        return True

    def _script(
        self, script_id: str, purpose: Purpose, facts: CardFacts, steps: tuple[Step, ...], expires_at: int
    ) -> Script:
        if self.named is Named.ICCID:
            card, serial = facts.iccid_raw.hex(), None
        else:
            card, serial = None, (facts.serial_raw or b"").hex()
        return Script(id=script_id, purpose=purpose, card=card, serial=serial, steps=steps, expires_at=expires_at)


def _authenticate(name: str, challenge: Challenge) -> Step:
    return Step(
        name=name,
        apdu=commands.authenticate(challenge.rand, challenge.autn),
        otherwise=Otherwise.CONTINUE,
        returns=True,
        secret=True,
    )
