"""A vendor's transport key is taken in by two persons, who agree on its letter and not on the key itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cardwriter.crypto.secret import Secret
from inventory.domain.errors import ApprovalDiffers, ApprovalNeeded, DuplicateIdentifier, InvalidField, SamePerson
from inventory.services.approving import Question, ask, carry_out, grant
from inventory.services.transport_keys import IMPORT_KEY, TransportKeyWish, import_transport_key
from inventory.vault.transport import TransportAlgorithm, key_check_value
from tests.services.test_approvals import DAY
from tests.services.town import NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

AES = TransportAlgorithm.AES_128_ECB
PARTS = (Secret(bytes(range(16))), Secret(bytes(range(100, 116))))
KEY = Secret(bytes(a ^ b for a, b in zip(PARTS[0].reveal(), PARTS[1].reveal(), strict=True)))
KCV = key_check_value(AES, KEY)
LETTER: dict[str, Any] = {"index": "21", "algorithm": AES.value, "kcv": KCV.hex(), "purpose": "vendor"}


async def take_in(town: Town, approval: str | None = None, **changes: Any) -> None:
    wish = TransportKeyWish(
        **{"index": "21", "algorithm": AES, "parts": PARTS, "kcv": KCV, "approval": approval, **changes}
    )
    async with town.database.session() as session:
        await import_transport_key(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)


async def test_a_key_is_taken_in_with_the_word_of_a_second_person(town: Town) -> None:
    with pytest.raises(ApprovalNeeded):
        await take_in(town)
    approval = await town.approved(IMPORT_KEY, **LETTER)
    await take_in(town, approval)

    sealed = await town.value("SELECT wrapped FROM transport_key WHERE index = '21'")
    assert town.vault.open(sealed, table="transport_key", row="21", field="wrapped") == KEY
    told = await town.value("SELECT data FROM event WHERE name = 'transport_key.imported'")
    assert told == {**LETTER, "approval": approval, "approver": town.second.staff_no}


async def test_nothing_of_the_key_is_kept_with_the_approval(town: Town) -> None:
    """REQ-SEC-03."""
    await take_in(town, await town.approved(IMPORT_KEY, **LETTER))
    rows = await town.rows("SELECT to_jsonb(approval) AS row FROM approval UNION ALL SELECT to_jsonb(event) FROM event")
    written = json.dumps([row.row for row in rows])
    assert not [part for part in (*PARTS, KEY) if part.reveal().hex() in written]


async def test_the_word_is_for_the_key_of_that_check_value_only(town: Town) -> None:
    approval = await town.approved(IMPORT_KEY, **LETTER)
    other = Secret(bytes(16))
    with pytest.raises(ApprovalDiffers):
        await take_in(town, approval, parts=(other,), kcv=key_check_value(AES, other))
    with pytest.raises(InvalidField, match="another key"):
        await take_in(town, approval, parts=(other,))


async def test_who_asks_does_not_answer(town: Town) -> None:
    async with town.database.session() as session:
        asked = await ask(session, town.admin, fresh_key(), Question(IMPORT_KEY, LETTER), lasts=DAY, now=NOW)
        with pytest.raises(SamePerson):
            await grant(session, town.admin, fresh_key(), approval=str(asked.body["approval"]), now=NOW)


async def test_an_index_that_is_taken_is_refused_before_anybody_is_asked(town: Town) -> None:
    async with town.database.session() as session:
        with pytest.raises(DuplicateIdentifier):
            await ask(
                session, town.admin, fresh_key(), Question(IMPORT_KEY, {**LETTER, "index": "11"}), lasts=DAY, now=NOW
            )


async def test_what_was_granted_cannot_be_done_without_the_parts_and_stays_granted(town: Town) -> None:
    approval = await town.approved(IMPORT_KEY, **LETTER)
    async with town.database.session() as session:
        with pytest.raises(InvalidField, match="/v1/transport-keys"):
            await carry_out(session, town.admin, fresh_key(), approval=approval, vault=town.vault, now=NOW)
    await take_in(town, approval)
