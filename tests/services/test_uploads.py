"""Uploads in pieces on the real database."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest

from inventory.domain.errors import InvalidField, InvalidIdentifier, NotFound, UploadDamaged, UploadOffset
from inventory.services.loading import FileKind, LoadTerms, start_load
from inventory.services.stored_file import PART, stored_file
from inventory.services.uploads import (
    KEPT,
    Piece,
    UploadWish,
    append,
    begin_upload,
    delete_upload,
    read_upload,
    sweep_uploads,
)
from inventory.store.uploads import StoredUpload
from tests.services.files import ADM1, vendor_file
from tests.services.town import CARD, NOW, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]


async def begun(town: Town, content: bytes, sha256: bytes | None = None) -> str:
    async with town.database.session() as session:
        wish = UploadWish(name="out.txt", size=len(content), sha256=sha256)
        answer = await begin_upload(session, town.admin, fresh_key(), wish, now=NOW)
    return str(answer.body["id"])


async def send(town: Town, upload: str, offset: int, content: bytes) -> StoredUpload:
    async with town.database.session() as session:
        piece = Piece(offset=offset, content=content)
        return await append(session, town.admin, upload, piece, vault=town.vault, now=NOW)


async def kept(town: Town, upload: StoredUpload) -> bytes:
    async with town.database.session() as session, session.begin():
        return await session.run_sync(lambda sync: stored_file(sync, town.vault, upload).read())


async def test_file_sent_in_pieces_is_whole_and_digested(town: Town) -> None:
    content = bytes(range(256)) * 10_000
    upload = await begun(town, content)
    for offset in range(0, len(content), 700_000):
        stands = await send(town, upload, offset, content[offset : offset + 700_000])

    assert (stands.received, stands.sha256) == (len(content), hashlib.sha256(content).digest())
    assert await kept(town, stands) == content
    assert await town.value("SELECT max(octet_length(sealed)) FROM upload_part") <= PART + 64


async def test_upload_goes_on_where_it_broke_off(town: Town) -> None:
    content = vendor_file(range(10))
    upload = await begun(town, content)
    await send(town, upload, 0, content[:100])

    with pytest.raises(UploadOffset) as refusal:
        await send(town, upload, 300, content[300:])
    assert refusal.value.params["offset"] == 100
    again = await send(town, upload, 0, content[:100])  # its answer was lost
    assert again.received == 100
    async with town.database.session() as session:
        assert (await read_upload(session, town.admin, public_id=upload)).received == 100
    assert await kept(town, await send(town, upload, 100, content[100:])) == content


async def test_nothing_of_a_file_lies_in_clear(town: Town) -> None:
    """REQ-SEC-03: a vendor's file holds codes in clear."""
    content = vendor_file(range(3))
    await send(town, await begun(town, content), 0, content)

    sealed = await town.value("SELECT sealed FROM upload_part")
    assert ADM1.encode() not in sealed


async def test_parts_that_changed_places_do_not_open(town: Town) -> None:
    content = bytes(PART) + b"1" * PART
    stands = await send(town, await begun(town, content), 0, content)
    await town.execute("UPDATE upload_part SET start = start + 7 * CASE start WHEN 0 THEN 1 ELSE -1 END")

    with pytest.raises(UploadDamaged):
        await kept(town, stands)


async def test_a_file_whose_earlier_part_does_not_open_any_more_is_sent_again_from_its_beginning(town: Town) -> None:
    """Altered in the database, or sealed on a host that has a newer key: no fault of the service's, and no dead end."""
    content = vendor_file(range(3))
    upload = await begun(town, content)
    await send(town, upload, 0, content[:100])
    await town.execute("UPDATE upload_part SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)")

    with pytest.raises(UploadDamaged):
        await send(town, upload, 100, content[100:])
    assert await kept(town, await send(town, upload, 0, content)) == content


async def test_damaged_file_is_refused_and_sent_again_from_its_beginning(town: Town) -> None:
    content = vendor_file(range(3))
    upload = await begun(town, content, hashlib.sha256(content).digest())

    with pytest.raises(UploadDamaged):
        await send(town, upload, 0, content.swapcase())
    assert (await send(town, upload, 0, content)).sha256 == hashlib.sha256(content).digest()


@pytest.mark.parametrize("size", [0, 10**12])
async def test_size_that_cannot_be_is_refused(town: Town, size: int) -> None:
    async with town.database.session() as session:
        with pytest.raises(InvalidField):
            await begin_upload(session, town.admin, fresh_key(), UploadWish(name="f", size=size), now=NOW)


async def test_piece_beyond_the_end_is_refused(town: Town) -> None:
    upload = await begun(town, b"abc")

    with pytest.raises(InvalidField):
        await send(town, upload, 0, b"abcd")
    with pytest.raises(InvalidField, match="1 to 3 bytes"):
        await send(town, upload, 0, b"")


async def test_piece_after_the_whole_file_is_told_that_it_is_here(town: Town) -> None:
    upload = await begun(town, b"abc")
    await send(town, upload, 0, b"abc")

    with pytest.raises(InvalidField, match="all of the file is here already"):
        await send(town, upload, 3, b"d")


async def test_upload_of_another_city_is_not_there(town: Town) -> None:
    upload = await begun(town, b"abc")
    other = await found_town(town.database, town.vault, 530100)

    async with town.database.session() as session:
        with pytest.raises(NotFound):
            await read_upload(session, other.admin, public_id=upload)
        with pytest.raises(InvalidIdentifier):
            await read_upload(session, other.admin, public_id="b-1-1")
        await delete_upload(session, other.admin, public_id=upload)
        assert (await read_upload(session, town.admin, public_id=upload)).size == 3


async def test_deleted_upload_is_gone_with_its_parts(town: Town) -> None:
    upload = await begun(town, b"abc")
    await send(town, upload, 0, b"abc")

    async with town.database.session() as session:
        await delete_upload(session, town.admin, public_id=upload)
        await delete_upload(session, town.admin, public_id=upload)

    assert await town.value("SELECT count(*) FROM upload_part") == 0


async def test_old_uploads_are_swept_but_not_those_that_a_load_needs(town: Town) -> None:
    await begun(town, b"abc")
    needed = await begun(town, vendor_file([1]))
    await send(town, needed, 0, vendor_file([1]))
    async with town.database.session() as session:
        terms = LoadTerms(kind=FileKind.SIM_VENDOR, card_kind=CARD)
        await start_load(session, town.admin, fresh_key(), needed, terms, now=NOW)

        assert await sweep_uploads(session, now=NOW + KEPT) == 0
        assert await sweep_uploads(session, now=NOW + KEPT + timedelta(seconds=1)) == 1
        assert (await read_upload(session, town.admin, public_id=needed)).sha256 is not None
