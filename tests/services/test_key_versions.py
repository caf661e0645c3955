"""Everything sealed goes under the newest key while others work, and a key is only destroyed when nothing needs it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from cardwriter.crypto.secret import Secret
from inventory.domain.errors import KeyVersionInUse, NotFound, ReasonMissing
from inventory.services.key_versions import Rewrapped, count_versions, retire, rewrap
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.services.uploads import keep_whole
from inventory.store import envelopes
from inventory.store.envelopes import SEALED, SealedTable
from inventory.store.schema import Base, TransportKey
from inventory.vault.envelope import EnvelopeBroken, Vault
from inventory.vault.keys import FileKeyProvider
from inventory.vault.transport import TransportAlgorithm, key_check_value
from tests.services.files import vendor_file
from tests.services.town import CITY, NOW, Town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

AES = TransportAlgorithm.AES_128_ECB
KEY = Secret(bytes(range(16)))
TRANSPORT = SEALED[0]


@pytest.fixture
def provider(tmp_path: Path) -> FileKeyProvider:
    return FileKeyProvider(tmp_path / "vault.key")


@pytest.fixture
def kept(provider: FileKeyProvider, town: Town) -> Town:
    """Give the city with keys of this test's own."""
    return changed(town, vault=Vault(provider))


async def bring(town: Town, *indexes: str) -> None:
    """Take in a transport key by each of these names."""
    for index in indexes:
        wish = TransportKeyWish(index=index, algorithm=AES, parts=(KEY,), kcv=key_check_value(AES, KEY))
        async with town.database.session() as session:
            await found_transport_key(session, town.admin, fresh_key(), wish, vault=town.vault, now=NOW)


async def rewrapped(town: Town, rows: int | None = None) -> Rewrapped:
    async with town.database.session() as session:
        return await rewrap(session, vault=town.vault, rows=rows, tell=lambda _table, _rows: None, now=NOW)


async def opened(town: Town) -> dict[str, bytes]:
    """Give every secret that does not lie with its vendor, by place."""
    found = {}
    for row in await town.rows("SELECT index, wrapped FROM transport_key WHERE index <> '11'"):
        found[row.index] = town.vault.open(row.wrapped, table="transport_key", row=row.index, field="wrapped").reveal()
    for row in await town.rows("SELECT * FROM card_secret"):
        place = row.bound_to or f"{row.city_id}/{row.batch_id}/{row.row}"
        for name in ("adm1", "pin1", "puk1", "pin2", "puk2"):
            sealed = getattr(row, name)
            if sealed is not None:
                found[f"{row.item_no} {name}"] = town.vault.open(
                    sealed, table="card_secret", row=place, field=name
                ).reveal()
    for row in await town.rows("SELECT * FROM upload_part"):
        place = f"{row.city_id}/{row.upload_id}/{row.start}"
        found[place] = town.vault.open(row.sealed, table="upload_part", row=place, field="sealed").reveal()
    return found


async def test_every_sealed_thing_opens_as_before_and_lies_under_the_newest_key(
    kept: Town, provider: FileKeyProvider
) -> None:
    await kept.load(vendor_file(range(6)))
    await bring(kept, "21", "22")
    async with kept.database.session() as session, session.begin():
        await keep_whole(session, kept.admin, "file.out", b"content", vault=kept.vault, now=NOW)
    await kept.execute("UPDATE transport_key SET wrapped = :own WHERE index = '11'", own=_own(kept))
    before = await opened(kept)
    provider.rotate(now=NOW)

    done = await rewrapped(kept, rows=2)

    assert await opened(kept) == before
    assert len(before) == 6 * 3 + 2 + 1
    assert not done.broken
    assert {version for count in done.versions.values() for version in count} == {2}
    told = await kept.rows("SELECT name, data FROM event WHERE name = 'keys.rewrapped'")
    assert [row.data["after"] for row in told] == [{"2": sum(sum(count.values()) for count in done.versions.values())}]


def _own(town: Town) -> bytes:
    return town.vault.seal(KEY.reveal(), table="transport_key", row="11", field="wrapped")


async def test_every_column_of_bytes_is_either_sealed_and_walked_or_known_not_to_be() -> None:
    """A new sealed column that the walk does not know would be lost with the first key retired."""
    walked = {(sealed.name, name) for sealed in SEALED for name in sealed.fields}
    open_ones = {
        ("card_secret", "ki"), ("card_secret", "opc"), ("card_secret", "scp_enc"), ("card_secret", "scp_mac"),
        ("transport_key", "kcv"), ("write_job", "rand"), ("card_issue", "answer"),
        ("movement_line", "outcomes"), ("seal_block", "hash"), ("seal_block", "previous_hash"),
    }  # fmt: skip
    found = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.type.python_type is bytes and not column.name.endswith("sha256")
    }
    assert found - open_ones == walked


async def test_a_walk_that_broke_off_is_finished_by_the_next(kept: Town, provider: FileKeyProvider) -> None:
    await kept.execute("UPDATE transport_key SET wrapped = :own WHERE index = '11'", own=_own(kept))
    await bring(kept, "21", "22", "23")
    provider.rotate(now=NOW)

    def broken_off(_table: str, _rows: int) -> None:
        raise KeyboardInterrupt

    async with kept.database.session() as session:
        with pytest.raises(KeyboardInterrupt):
            await rewrap(session, vault=kept.vault, rows=2, tell=broken_off, now=NOW)
    async with kept.database.session() as session:
        halfway = await count_versions(session)
    done = await rewrapped(kept)

    assert halfway["transport_key"] == {1: 2, 2: 2}
    assert done.rows == 2
    assert done.versions["transport_key"] == {2: 4}


async def test_what_does_not_open_stays_as_it_is_and_is_named(kept: Town, provider: FileKeyProvider) -> None:
    await bring(kept, "21", "22")
    await kept.execute("UPDATE transport_key SET wrapped = :own WHERE index = '11'", own=_own(kept))
    await kept.execute("UPDATE transport_key SET wrapped = set_byte(wrapped, 20, 255 - get_byte(wrapped, 20)) "
                       "WHERE index = '21'")  # fmt: skip
    bad = await kept.value("SELECT wrapped FROM transport_key WHERE index = '21'")
    provider.rotate(now=NOW)

    done = await rewrapped(kept)

    assert done.broken == ["transport_key.wrapped of 21 was altered or moved; restore the row from a backup"]
    assert await kept.value("SELECT wrapped FROM transport_key WHERE index = '21'") == bad
    assert done.versions["transport_key"] == {1: 1, 2: 2}


async def replace_late(town: Town, replace: Any) -> bytes:
    """Read an envelope, let another one be put there meanwhile, put the resealed one there by `replace`.

    Return the secret that lies there in the end.
    """
    async with town.database.session() as session, session.begin():
        (row,) = await envelopes.walk(session, TRANSPORT, but=2, after=["11"], rows=1)
    resealed = town.vault.reseal(row["wrapped"], table="transport_key", row="21", field="wrapped")
    newer = town.vault.seal(b"newer", table="transport_key", row="21", field="wrapped")
    await town.execute("UPDATE transport_key SET wrapped = :newer WHERE index = '21'", newer=newer)
    async with town.database.session() as session, session.begin():
        await replace(session, TRANSPORT, [(row, {"wrapped": resealed})])
    left = await town.value("SELECT wrapped FROM transport_key WHERE index = '21'")
    return town.vault.open(left, table="transport_key", row="21", field="wrapped").reveal()


async def test_an_envelope_that_changed_since_it_was_read_is_not_replaced(
    kept: Town, provider: FileKeyProvider
) -> None:
    await bring(kept, "21")
    provider.rotate(now=NOW)
    assert await replace_late(kept, envelopes.replace) == b"newer"


async def test_without_the_comparison_the_newer_secret_would_be_lost(kept: Town, provider: FileKeyProvider) -> None:
    """The canary of the test above."""

    async def replace(session: Any, _sealed: SealedTable, changes: Any) -> None:
        for row, new in changes:
            await session.execute(update(TransportKey).where(TransportKey.index == row["index"]).values(new))

    await bring(kept, "21")
    provider.rotate(now=NOW)
    assert await replace_late(kept, replace) == KEY.reveal()


async def retired(town: Town, provider: FileKeyProvider, version: int, told: list[int]) -> None:
    async with town.database.session() as session:
        await retire(session, provider, version, reason="a year old", now=NOW, tell=told.append)


async def test_a_version_that_seals_nothing_is_retired_with_its_reason(kept: Town, provider: FileKeyProvider) -> None:
    await kept.execute("DELETE FROM transport_key")
    await bring(kept, "21")
    provider.rotate(now=NOW)
    await rewrapped(kept)

    await retired(kept, provider, 1, [])

    assert list(provider.versions) == [2]
    (told,) = await kept.rows("SELECT * FROM event WHERE name = 'keys.retired'")
    assert (told.city_id, told.item_no, told.reason) == (CITY, 1, "a year old")
    assert await opened(kept) == {"21": KEY.reveal()}


async def test_a_version_that_still_seals_something_is_kept(kept: Town, provider: FileKeyProvider) -> None:
    await bring(kept, "21")
    provider.rotate(now=NOW)
    with pytest.raises(KeyVersionInUse, match="2 envelopes"):
        await retired(kept, provider, 1, [])
    assert list(provider.versions) == [1, 2]


async def test_a_version_is_retired_with_a_reason_or_not_at_all(kept: Town, provider: FileKeyProvider) -> None:
    async with kept.database.session() as session:
        with pytest.raises(ReasonMissing):
            await retire(session, provider, 1, reason=" ", now=NOW, tell=lambda _: None)
    with pytest.raises(NotFound):
        await retired(kept, provider, 9, [])


async def sealed_beside(town: Town, provider: FileKeyProvider, retiring: Any) -> bool:
    """Seal in a transaction that is open while the version is rotated away and `retiring`; tell whether it opens."""
    await town.execute("DELETE FROM transport_key")
    waits = asyncio.Event()
    async with town.database.session() as session, session.begin():
        sealed = town.vault.seal(KEY.reveal(), table="transport_key", row="31", field="wrapped")
        session.add(TransportKey(index="31", algorithm=AES, wrapped=sealed, kcv=bytes(3)))
        await session.flush()
        provider.rotate(now=NOW)
        ends = asyncio.create_task(retiring(waits))
        await asyncio.wait([ends, asyncio.create_task(waits.wait())], return_when=asyncio.FIRST_COMPLETED)
    with contextlib.suppress(KeyVersionInUse):
        await ends
    restarted = Vault(FileKeyProvider(provider._path))
    try:
        restarted.open(sealed, table="transport_key", row="31", field="wrapped")
    except EnvelopeBroken:
        return False
    return True


async def test_a_version_that_an_open_transaction_sealed_with_is_not_destroyed(
    kept: Town, provider: FileKeyProvider
) -> None:
    async def retiring(waits: asyncio.Event) -> None:
        async with kept.database.session() as session:
            await retire(session, provider, 1, reason="old", now=NOW, tell=lambda _count: waits.set())

    assert await sealed_beside(kept, provider, retiring)


async def test_without_waiting_for_others_their_secret_would_be_lost(kept: Town, provider: FileKeyProvider) -> None:
    """The canary of the test above: the count alone does not see what is not committed."""

    async def retiring(_waits: asyncio.Event) -> None:
        async with kept.database.session() as session:
            assert not any(count[1] for count in (await count_versions(session)).values())
        provider.retire(1, reason="old", now=NOW)

    assert not await sealed_beside(kept, provider, retiring)
