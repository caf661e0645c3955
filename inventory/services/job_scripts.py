"""Hand a job its next script: identify, write, verify; each is built from what the job keeps and the vault opens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.aka import AuthAlgorithm
from cardwriter.profiles import (
    VERIFY_ADM,
    CardFacts,
    CardRefused,
    Challenge,
    Expectation,
    Failure,
    Personalisation,
    challenge,
    identify_script,
    measured_for,
    profile,
)
from cardwriter.script import Purpose, Script
from inventory.domain.cardjobs import LEASE, ScriptRef, parse_script_ref
from inventory.domain.errors import StaleVersion
from inventory.domain.identifiers import NumberKind
from inventory.domain.lifecycle import (
    DataEvent,
    DataState,
    IdentityState,
    SimEvent,
    SimState,
    WriteJobEvent,
    WriteJobState,
)
from inventory.services.card_data import OpenedCard, Workbench, open_card
from inventory.services.card_ends import is_alive, job_name, move_card, move_job, move_unit, tell
from inventory.services.card_json import (
    content_for,
    content_json,
    content_of,
    facts_json,
    facts_of,
    product_of,
    with_secrets,
)
from inventory.services.looks import CLOCK_SKEW, SCRIPT_LIFE, card_of, expiry
from inventory.services.numbering import assigns_iccid, gets_iccid
from inventory.services.orders import Run
from inventory.store import cardjobs, kits, legal_orders
from inventory.store.cardjobs import Job
from inventory.store.kits import Card, DataUnit, Kit
from inventory.store.stations import StationRow

WRITE_SPAN = SCRIPT_LIFE + CLOCK_SKEW
"""So long after it was handed out a station may still begin a write script."""
_RAND_BYTES = 16  # 3GPP TS 33.102 clause 6.3.2


async def hand_identify(session: AsyncSession, job: Job, *, now: datetime) -> Run:
    """Hand out the script that reads who the card is; again if the first was lost, for nothing has changed yet.

    It asks for the files of the card's product too, which a look at any card does not.
    """
    card = await kits.find_card(session, city_id=job.city_id, item_no=job.sim_item_no)
    script = identify_script(next_id(job, Purpose.IDENTIFY), expiry(now), **({} if card is None else _survey(card)))
    columns = handed(script, now)
    if job.state == WriteJobState.CREATED:
        await move_job(session, job, WriteJobEvent.IDENTIFY, now=now, **columns)
    elif not await cardjobs.change_job(session, job, **columns):
        raise StaleVersion(item=job_name(job))
    return Run(job_name(job), job.reader, script)


def _survey(card: Card) -> dict[str, Any]:
    """Give what identify asks of a card of this kind; of one whose kind is not well described, what it asks of any."""
    try:
        family, measured = profile(card.profile), measured_for(product_of(card.network))
    except (KeyError, TypeError, ValueError):
        return {}
    return {"measured": measured, "adm": family.adm, "greeting": family.greeting}


async def hand_write(session: AsyncSession, bench: Workbench, job: Job, facts: CardFacts, *, now: datetime) -> Run:
    """Lease the kit's data to its card and hand out the script that writes it; all or nothing (REQ-HW-04, S4).

    The script is complete before the first row changes, so a card that is refused leaves no trace but its job.

    Raises
    ------
    CardRefused
        Not the kit's card, not blank, another kind, its ADM1 is in doubt, or the kit's data cannot be had.
    IdentityError, CodecError
        The data contradict each other or do not fit the card.
    """
    kit, card, unit = await _ready(session, job, facts)
    opened = await open_card(session, bench, card)
    content = _content(card, kit, unit, iccid=_number_of(card, unit))
    script = opened.profile.write_script(
        facts,
        with_secrets(content, opened.adm1, opened.keys, opened.channel),
        next_id(job, Purpose.WRITE),
        expiry(now),
    )
    await kits.keep_kit_until(session, kit, now + LEASE)
    await move_unit(session, job, unit, DataEvent.LEASE, now=now, sim_item_no=card.item_no)
    await kits.lease_identity(session, card, unit)
    # In stock before it is sent: whatever is lost afterwards, nobody tries this key again without asking
    adm = {"adm_sent": any(step.name == VERIFY_ADM for step in script.steps)}
    until = {"hold_until": kit.expires_at.isoformat()}
    await move_card(session, job, card, SimEvent.START_WRITE, now=now, data=until, **adm)
    kept = {"facts": facts_json(facts), "content": content_json(content), "write_until": now + WRITE_SPAN}
    await move_job(session, job, WriteJobEvent.DELIVER_WRITE, now=now, **kept, **handed(script, now))
    return Run(job_name(job), job.reader, script)


async def hand_verify(
    session: AsyncSession, bench: Workbench, job: Job, station: StationRow, reader: str, *, now: datetime
) -> Run:
    """Hand out the script that reads the card back and lets it authenticate; a fresh challenge every time.

    A job whose card is unknown stays so until the answer is judged.

    Raises
    ------
    CardRefused
        The card's secrets do not open.
    """
    opened, facts, content = await opened_job(session, bench, job)
    rand = bench.entropy(_RAND_BYTES)
    script = opened.profile.verify_script(
        facts, content, challenge(opened.keys, rand), next_id(job, Purpose.VERIFY), expiry(now)
    )
    columns = {**handed(script, now), "rand": rand, "station_id": station.station_id, "reader": reader}
    if job.state == WriteJobState.WRITING:
        await move_job(session, job, WriteJobEvent.DELIVER_VERIFY, now=now, **columns)
    elif not await cardjobs.change_job(session, job, **columns):
        raise StaleVersion(item=job_name(job))
    else:
        await tell(session, job, [], now=now)
    return Run(job_name(job), reader, script)


async def opened_job(
    session: AsyncSession, bench: Workbench, job: Job
) -> tuple[OpenedCard, CardFacts, Personalisation]:
    """Give the card's opened secrets with the facts and content that the job keeps.

    Raises
    ------
    CardRefused
        The card's secrets do not open.
    """
    card = await kits.find_card(session, city_id=job.city_id, item_no=job.sim_item_no)
    if card is None or job.facts is None or job.content is None:
        raise StaleVersion(item=job_name(job))
    opened = await open_card(session, bench, card)
    content = with_secrets(content_of(job.content), opened.adm1, opened.keys, opened.channel)
    return opened, facts_of(job.facts), content


def handed_script(opened: OpenedCard, facts: CardFacts, content: Personalisation, job: Job) -> Script:
    """Build the write or verify script again that the job handed out last, to judge its report."""
    script_id = job.script_id or ""
    expires_at = expiry(job.delivered_at) if job.delivered_at else 0
    if parse_script_ref(script_id).purpose == Purpose.WRITE:
        return opened.profile.write_script(facts, content, script_id, expires_at)
    return opened.profile.verify_script(facts, content, _challenge(opened.keys, job), script_id, expires_at)


def expectation(opened: OpenedCard, facts: CardFacts, content: Personalisation, job: Job) -> Expectation:
    """Give what the answers to the job's verify script must be."""
    return Expectation(facts, content, opened.keys, _challenge(opened.keys, job))


def _challenge(keys: AuthAlgorithm, job: Job) -> Challenge:
    if job.rand is None:
        raise StaleVersion(item=job_name(job))
    return challenge(keys, job.rand)


async def ready_card(session: AsyncSession, job: Job, facts: CardFacts) -> tuple[Kit, Card]:
    """Lock kit and card, or say why the card in the reader is not to be written.

    Raises
    ------
    CardRefused
        Not the kit's card, its ADM1 is in doubt, or card and kit are not as they were when the job was started.
    """
    kit = await kits.find_kit(session, city_id=job.city_id, hold_id=job.hold_id, lock=True)
    card = await kits.find_card(session, city_id=job.city_id, item_no=job.sim_item_no, lock=True)
    if kit is None or card is None or not is_alive(kit):
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, "the kit has ended")
    if await legal_orders.kit_is_under(session, city_id=kit.city_id, hold_id=kit.hold_id):
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, "an item of the kit is under a legal hold")
    read = await card_of(session, job.city_id, facts)
    if read is None or read.item_no != card.item_no:
        raise CardRefused(Failure.ANOTHER_CARD, f"the card in the reader is {facts.iccid or facts.serial or 'unnamed'}")
    if card.adm_refused:
        raise CardRefused(Failure.ADM_REFUSED, "this card refused its ADM1 before")
    if card.adm_sent:
        raise CardRefused(Failure.ADM_REFUSED, "its ADM1 was sent before, and nobody knows what came of it")
    if card.state != SimState.HELD or card.hold_id != kit.hold_id:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"the card is {card.state}")
    if await kits.identity_state(session, card) is not IdentityState.NONE:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, "the card has an identity in stock already")
    return kit, card


async def _ready(session: AsyncSession, job: Job, facts: CardFacts) -> tuple[Kit, Card, DataUnit]:
    """Lock kit, card and data, or say why the card in the reader is not to be written."""
    kit, card = await ready_card(session, job, facts)
    unit = None if job.data_no is None else await kits.find_data(session, city_id=job.city_id, data_no=job.data_no)
    if unit is None:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, "the kit has no data unit")
    if unit.state != DataState.RESERVED or unit.hold_id != kit.hold_id:
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"the kit's data unit is {unit.state}")
    return kit, card, unit


def _number_of(card: Card, unit: DataUnit) -> str | None:
    """Give the ICCID that is written: the unit's, or the one that the card bears already; None where none is."""
    new = gets_iccid(card.profile, card.iccid)
    if new != (unit.iccid is not None):
        what = "has no ICCID for this card" if new else "has an ICCID, as this card has"
        raise CardRefused(Failure.DATA_NOT_AVAILABLE, f"the kit's data unit {what}")
    return (unit.iccid or card.iccid) if assigns_iccid(card.profile) else None


def _content(card: Card, kit: Kit, unit: DataUnit, *, iccid: str | None) -> Personalisation:
    mobile = kit.number if kit.number_kind == NumberKind.MOBILE else None
    try:
        return content_for(card.network, imsi=unit.imsi, smsc=unit.smsc, mobile=mobile, iccid=iccid)
    except (KeyError, TypeError, ValueError) as error:
        raise CardRefused(
            Failure.DATA_NOT_AVAILABLE, f"card kind {card.kind_code} has no usable network ({type(error).__name__})"
        ) from None


def next_id(job: Job, purpose: Purpose) -> str:
    """Give the id of the job's next script."""
    ordinal = parse_script_ref(job.script_id).ordinal + 1 if job.script_id else 1
    return ScriptRef(job_name(job), ordinal, purpose.value).text


def handed(script: Script, now: datetime) -> dict[str, Any]:
    """Give the columns of a job that a script was just handed out for."""
    return {"script_id": script.id, "steps_total": len(script.steps), "delivered_at": now}
