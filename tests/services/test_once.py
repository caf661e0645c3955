"""The frame of writes: done once for a key, whatever arrives at the same time."""

from __future__ import annotations

from typing import Any

import pytest

from inventory.domain.errors import DuplicateIdentifier, IdempotencyMismatch
from inventory.services.once import WriteKey, once
from tests.services.town import NOW, Town

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def test_of_two_equal_requests_the_slower_one_gets_the_answer_not_the_refusal_it_met(town: Town) -> None:
    write = WriteKey.of("twice", "test", {"name": "one"})

    async def make() -> dict[str, Any]:
        return {"made": "one"}

    async def find_it_made() -> dict[str, Any]:
        async with town.database.session() as quicker:
            await once(quicker, town.admin, write, make, now=NOW)
        raise DuplicateIdentifier(kind="test", value="one", where="here")

    async with town.database.session() as session:
        answer = await once(session, town.admin, write, find_it_made, now=NOW)
    assert (answer.body, answer.replayed) == ({"made": "one"}, True)


async def test_a_refusal_without_an_earlier_success_stays_a_refusal_and_is_not_kept(town: Town) -> None:
    write = WriteKey.of("refused", "test", {})

    async def refuse() -> dict[str, Any]:
        raise DuplicateIdentifier(kind="test", value="one", where="here")

    async def succeed() -> dict[str, Any]:
        return {"made": True}

    async with town.database.session() as session:
        with pytest.raises(DuplicateIdentifier):
            await once(session, town.admin, write, refuse, now=NOW)
        assert (await once(session, town.admin, write, succeed, now=NOW)).replayed is False
        assert (await once(session, town.admin, write, refuse, now=NOW)).replayed is True


async def test_a_key_with_another_body_is_refused(town: Town) -> None:
    async def succeed() -> dict[str, Any]:
        return {"made": True}

    async with town.database.session() as session:
        await once(session, town.admin, WriteKey.of("one", "test", {"a": 1}), succeed, now=NOW)
        with pytest.raises(IdempotencyMismatch):
            await once(session, town.admin, WriteKey.of("one", "test", {"a": 2}), succeed, now=NOW)


def test_the_digest_of_a_body_cannot_be_made_without_the_services_secret() -> None:
    body = {"password": "guessable"}
    plain = WriteKey.of("k", "test", body).body_sha256
    assert WriteKey.of("k", "test", body, secret=b"a" * 32).body_sha256 not in {plain, b""}
