"""The classic preset-key blank: ICCID, K and OPc inside since the factory, the hall writes the identity data.

Its files are rewritten whole from the leased data, network files first, volatile state back to its defaults, EF.IMSI
last: that file is the mark that the card is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cardwriter.profiles import judgement
from cardwriter.profiles.base import CardFacts, CardRefused, Challenge, Expectation, Failure, Personalisation, Verdict
from cardwriter.profiles.consistency import IdentityError, identity_problems
from cardwriter.profiles.identify import MEASURED
from cardwriter.profiles.plan import Planned, read_steps, select_usim, update_steps
from cardwriter.script import Otherwise, Purpose, Report, Script, Step, SwMask
from cardwriter.usim import commands, files
from cardwriter.usim.identity import ICCID_SIZE, Ad, encode_acc, encode_ad, encode_imsi
from cardwriter.usim.network import (
    encode_hpplmn,
    encode_plmn_acts,
    encode_plmns,
    reset_epsloci,
    reset_loci,
    reset_psloci,
)
from cardwriter.usim.texts import Smsp, encode_msisdn, encode_smsp, encode_spn

_IMSI_UPDATES: Final = ("update.gsm_imsi", "update.imsi")
_IMSI_READS: Final = ("read.gsm_imsi", "read.imsi")
_VERIFIED: Final = (SwMask("9000"),)


@dataclass(frozen=True)
class PresetKey:
    """One product of this family.

    `gsm_linked` says whether EF.IMSI below DF.GSM and ADF.USIM are one body: no SELECT tells. A product whose bodies
    are separate gets its copy written just before the mark. `adm_tries` is the full counter of ADM1.
    """

    name: str
    gsm_linked: bool = True
    adm_tries: int = 3

    def matches(self, facts: CardFacts) -> bool:
        """Whether the card has an ICCID, a USIM with the files of this family, and an ADM1."""
        needed = {ef.name for ef in MEASURED.values()}
        return bool(facts.iccid) and facts.usim and needed <= facts.sizes.keys() and facts.adm_tries is not None

    def is_blank(self, facts: CardFacts) -> bool:
        """Whether neither directory holds an IMSI (REQ-HW-03, type A)."""
        return facts.blank

    def write_script(self, facts: CardFacts, data: Personalisation, script_id: str, expires_at: int) -> Script:
        """Return the script that writes the card with one try of ADM1, after asking its counter.

        Raises
        ------
        CardRefused
            The card must not be written: another family, PIN1 enabled, not blank, ADM1 counter not full.
        IdentityError
            The data contradict each other or the ICCID.
        CodecError
            A value does not fit its file.
        """
        self._refuse_unready(facts)
        if problems := identity_problems(data, facts.iccid):
            raise IdentityError(problems)
        full = SwMask(f"63c{self.adm_tries:x}")
        steps = (
            select_usim(),
            Step(name="query.adm1", apdu=commands.query_tries(files.Pin.ADM1), expect=(full,), returns=True),
            Step(
                name=judgement.VERIFY_ADM,
                apdu=commands.verify(files.Pin.ADM1, data.adm1.reveal()),
                expect=_VERIFIED,
                secret=True,
                changes_card=True,
            ),
            *update_steps(self._plan(facts, data, copy_gsm=not self.gsm_linked)),
        )
        return _script(script_id, Purpose.WRITE, facts, steps, expires_at)

    def _refuse_unready(self, facts: CardFacts) -> None:
        if not self.matches(facts):
            missing = sorted({ef.name for ef in MEASURED.values()} - facts.sizes.keys())
            raise CardRefused(Failure.WRONG_KIND, f"not a {self.name} card, missing: {', '.join(missing) or 'ICCID'}")
        if facts.pin1_enabled:
            raise CardRefused(Failure.PIN_ENABLED, "PIN1 is enabled on a card that should be blank")
        if not facts.blank:
            raise CardRefused(Failure.NOT_BLANK, "the card holds an IMSI or hides it")
        if facts.adm_tries != self.adm_tries:
            raise CardRefused(Failure.ADM_REFUSED, f"{facts.adm_tries} of {self.adm_tries} tries of ADM1 are left")

    def verify_script(
        self, facts: CardFacts, data: Personalisation, challenge: Challenge, script_id: str, expires_at: int
    ) -> Script:
        """Return the script that reads back ICCID and all written files and runs AUTHENTICATE; it changes nothing."""
        steps = (
            # A script starts from a reset, which makes the MF the current directory (TS 102 221 §8.4.1).
            Step(name="read.iccid", apdu=commands.read_binary(ICCID_SIZE, sfi=files.ICCID.sfi), returns=True),
            *read_steps(self._plan(facts, data, copy_gsm=facts.imsi_gsm is not None)),
            Step(
                name=judgement.AUTHENTICATE,
                apdu=commands.authenticate(challenge.rand, challenge.autn),
                otherwise=Otherwise.CONTINUE,
                returns=True,
                secret=True,
            ),
        )
        return _script(script_id, Purpose.VERIFY, facts, steps, expires_at)

    def judge_write(self, script: Script, report: Report) -> Verdict:
        """Judge a write report: never VERIFIED; UNKNOWN until verified or read again."""
        return judgement.judge_write(script, report, _IMSI_UPDATES)

    def judge_verify(self, script: Script, report: Report, expected: Expectation) -> Verdict:
        """Judge a verify report against the data, keys and challenge."""
        plan = self._plan(expected.facts, expected.data, copy_gsm=expected.facts.imsi_gsm is not None)
        contents = {f"read.{file.name}": file.content for file in plan}
        return judgement.judge_verify(script, report, expected, contents, _IMSI_READS)

    @staticmethod
    def _plan(facts: CardFacts, data: Personalisation, *, copy_gsm: bool) -> tuple[Planned, ...]:
        """Return the files in writing order; `copy_gsm` includes DF.GSM's EF.IMSI."""
        sizes, home, imsi = facts.sizes, data.home, encode_imsi(data.imsi)
        plan = [
            Planned("ad", files.AD, encode_ad(Ad(data.mnc_length))),
            Planned("spn", files.SPN, encode_spn(data.spn)),
            Planned("hpplmn", files.HPPLMN, encode_hpplmn(data.search_minutes)),
            Planned("hplmnwact", files.HPLMN_ACT, encode_plmn_acts(data.hplmns, sizes[files.HPLMN_ACT.name])),
            Planned("ehplmn", files.EHPLMN, encode_plmns(data.ehplmns or (home,), sizes[files.EHPLMN.name])),
            Planned("smsp", files.SMSP, encode_smsp(Smsp(data.smsc), sizes[files.SMSP.name]), record=True),
        ]
        if data.msisdn is not None:
            record = encode_msisdn(data.msisdn, sizes[files.MSISDN.name])
            plan.append(Planned("msisdn", files.MSISDN, record, record=True))
        plan += [
            Planned("fplmn", files.FPLMN, encode_plmns((), sizes[files.FPLMN.name])),
            Planned("loci", files.LOCI, reset_loci(home)),
            Planned("psloci", files.PSLOCI, reset_psloci(home)),
            Planned("epsloci", files.EPSLOCI, reset_epsloci(home)),
            Planned("acc", files.ACC, encode_acc(data.imsi)),
        ]
        if copy_gsm:
            plan.append(Planned("gsm_imsi", files.GSM_IMSI, imsi))
        return (*plan, Planned("imsi", files.IMSI, imsi))


def _script(script_id: str, purpose: Purpose, facts: CardFacts, steps: tuple[Step, ...], expires_at: int) -> Script:
    card = facts.iccid_raw.hex()
    return Script(id=script_id, purpose=purpose, card=card, steps=steps, expires_at=expires_at)
