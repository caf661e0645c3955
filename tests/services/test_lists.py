"""Lists as a source of stock, on the real database."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from inventory.domain.errors import AlreadyLoaded, InvalidField, LoadRejected, NotFound
from inventory.domain.identifiers import NumberKind
from inventory.services.auditing import audit
from inventory.services.load_mending import load_mended, rows_to_mend
from inventory.services.load_standing import read_faults, read_load
from inventory.services.loading import FileKind, read_rejects
from inventory.services.sealing import seal_all
from inventory.services.workbooks import as_list
from tests.services.files import iccid, imsi, imsi_pool, vendor_file, workbook
from tests.services.town import CARD, CITY, NOW, POOL, Town, found_town, fresh_key

pytestmark = [pytest.mark.database, pytest.mark.anyio]

CARDS, NUMBERS = FileKind.CARD_LIST, FileKind.NUMBER_LIST
SEGMENT = "1388880"


def card_list(serials: range) -> bytes:
    return "\r\n".join(["卡号,空卡序列号", *(f"{iccid(no)},{no:020X}" for no in serials), ""]).encode("gb18030")


async def faults_of(town: Town, load: str) -> list[tuple[int, str, str, str]]:
    async with town.database.session() as session:
        found = await read_faults(session, town.admin, public_id=load, after=0, limit=1000)
    return [(fault.row, fault.column, fault.value, fault.code) for _, fault in found]


async def refused(town: Town, content: str, kind: FileKind, **changes: Any) -> list[tuple[int, str, str, str]]:
    with pytest.raises(LoadRejected) as refusal:
        await town.load(content.encode(), kind, **changes)
    return await faults_of(town, refusal.value.params["batch"])


async def rejects(town: Town, load: str) -> str:
    async with town.database.session() as session:
        return (await read_rejects(session, town.admin, public_id=load)).content.decode()


async def in_stock(town: Town) -> tuple[int, ...]:
    """Give how many rows each table of stock and ledger has."""
    tables = ("sim", "number", "subscription_data", "identifier", "movement", "event")
    return tuple([await town.value(f"SELECT count(*) FROM {table}") for table in tables])


async def test_list_of_cards_becomes_blanks_like_those_of_a_vendor(town: Town) -> None:
    """REQ-SIM-02: a file of SIMs can be loaded. REQ-SIM-03: a card has ICCID, serial, kind, batch and vendor."""
    loaded = await town.load(card_list(range(10)), CARDS, vendor="V1")

    assert (loaded["rows"], loaded["rejected"]) == (10, 0)
    rows = await town.rows("SELECT * FROM sim ORDER BY item_no")
    assert [(row.iccid, row.serial) for row in rows] == [(iccid(no), f"{no:020X}") for no in range(10)]
    assert {(row.state, row.kind_code, row.pool) for row in rows} == {("AVAILABLE", CARD, POOL)}
    assert await town.value("SELECT item_count FROM movement") == 10
    assert await town.value("SELECT count(*) FROM event WHERE name = 'sim.loaded'") == 1
    with pytest.raises(AlreadyLoaded):
        await town.load(card_list(range(10)), CARDS)


async def test_list_tells_the_product_of_its_cards_and_no_row_may_have_another(town: Town) -> None:
    await town.load(f"ICCID,卡品\n{iccid(1)},{CARD}\n{iccid(2)},\n".encode(), CARDS, card_kind=None)

    assert await town.value("SELECT count(*) FROM sim WHERE kind_code = :kind", kind=CARD) == 2
    found = await refused(town, f"ICCID,卡品\n{iccid(3)},{CARD}\n{iccid(4)},5G-P\n", CARDS)
    assert found == [(3, "card_kind", "5G-P", "other_card_kind")]
    with pytest.raises(InvalidField):
        await town.load(iccid(5).encode(), CARDS, card_kind=None)


async def test_cards_of_a_list_that_exist_are_refused_by_row(town: Town) -> None:
    """REQ-SIM-04: a duplicate ICCID or serial is refused, within the file and against stock."""
    other = await found_town(town.database, town.vault, 530100)
    await town.load(vendor_file([1]))
    await other.load(vendor_file([2]))

    found = await refused(town, f"{iccid(0)}\n{iccid(1)}\n{iccid(2)}\n", CARDS)

    assert found == [(2, "iccid", iccid(1), "duplicate_in_stock"), (3, "iccid", iccid(2), "duplicate_elsewhere")]


async def test_numbers_of_a_list_are_rated_as_those_of_a_whole_segment(town: Town) -> None:
    """REQ-NUM-02: intake by list and file. REQ-NUM-03: operator and source are kept per number."""
    await town.take(SEGMENT)
    tails = ("0001", "0002", "1234", "8888")
    wanted = {"numbers": [f"{SEGMENT}{tail}" for tail in tails]}
    question = (
        "SELECT number, item_no, state, holder_id, pool, kind, hlr_code, cls, outcome, rule_set_id, tail, mask, rev"
        " FROM number WHERE number = ANY(:numbers) ORDER BY number"
    )
    whole = await town.rows(question, **wanted)
    await town.execute("DELETE FROM number WHERE number = ANY(:numbers)", **wanted)

    loaded = await town.load("\n".join(["号码", *reversed(wanted["numbers"])]).encode(), NUMBERS)

    assert await town.rows(question, **wanted) == whole
    assert await town.value("SELECT array_agg(lo) FROM movement_line WHERE movement_id = 2") == [1, 1234, 8888]
    assert await town.value("SELECT staff_no FROM load_batch WHERE batch_id = 2") == town.admin.staff_no
    assert loaded["rows"] == 4


async def test_a_number_comes_once_and_only_into_its_own_segment(town: Town) -> None:
    """REQ-NUM-04: a number exists once."""
    other = await found_town(town.database, town.vault, 530100)
    await other.take("1388885", hlr_code="H530100", listed=True)
    await town.take(SEGMENT, listed=True)
    await town.load(f"{SEGMENT}0001".encode(), NUMBERS)

    found = await refused(
        town,
        f"号码,HLR\n{SEGMENT}0001,\n13888850001,\n13999990001,\n{SEGMENT}0002,LJ9\n{SEGMENT}0003,LJ1\n",
        NUMBERS,
    )

    assert found == [
        (2, "number", f"{SEGMENT}0001", "duplicate_in_stock"),
        (3, "number", "13888850001", "other_city"),
        (4, "number", "13999990001", "no_segment"),
        (5, "hlr", "LJ9", "other_hlr"),
    ]
    assert await town.value("SELECT count(*) FROM number") == 1


@pytest.mark.parametrize(
    ("kind", "segment", "numbers"),
    [
        (NumberKind.IOT, "140001234", ["1400012340007"]),
        (NumberKind.FIXED, "0888512", ["08885123456"]),
        (NumberKind.SMS_PORT, "106901", ["106901", "10690188", "10690112345678901234"]),
        (NumberKind.ACCESS_CODE, "95588", ["95588"]),
    ],
)
async def test_numbers_of_every_kind_come_by_list(
    town: Town, kind: NumberKind, segment: str, numbers: list[str]
) -> None:
    """REQ-NUM-01: IoT, fixed line, SMS port, access code."""
    await town.take(segment, kind=kind, listed=True)

    await town.load("\n".join(numbers).encode(), NUMBERS)

    rows = await town.rows("SELECT number, kind FROM number ORDER BY number")
    assert sorted(map(tuple, rows)) == sorted((number, kind.value) for number in numbers)


async def test_a_number_that_has_not_the_form_of_its_segment_is_refused(town: Town) -> None:
    await town.take("0888512", kind=NumberKind.FIXED, listed=True)
    await town.take("10650", kind=NumberKind.ACCESS_CODE, listed=True)

    found = await refused(town, "088851234567\n1065012\n", NUMBERS)

    assert [(row, code) for row, _, _, code in found] == [(1, "other_kind"), (2, "other_kind")]


async def test_segments_keep_the_item_numbers_of_numbers_that_come_later(town: Town) -> None:
    await town.take(SEGMENT, listed=True)
    await town.take("1388881")
    await town.load(f"{SEGMENT}0000\n{SEGMENT}9999\n".encode(), NUMBERS)

    rows = await town.rows("SELECT number, item_no FROM number ORDER BY item_no")
    assert [row.number for row in rows] == sorted(row.number for row in rows)
    assert len(rows) == 10_002


async def test_kinds_without_blocks_are_not_taken_whole(town: Town) -> None:
    with pytest.raises(InvalidField):
        await town.take("95588", kind=NumberKind.ACCESS_CODE)


async def test_trial_finds_what_a_load_would_and_takes_nothing(town: Town) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    await town.load(vendor_file([1]))
    before = await in_stock(town)
    text = f"ICCID;备注\n{iccid(0)};a\n{iccid(1)};b\n8.98E+19;c\n{iccid(0)};d\n".encode()

    tried = await town.load(text, CARDS, dry_run=True)

    assert tried["columns"] == ["iccid", ""]
    assert (tried["dry_run"], tried["good"], tried["bad"]) == (True, 1, 3)
    assert [(fault["row"], fault["code"]) for fault in tried["faults"]] == [
        (3, "duplicate_in_stock"),
        (4, "spreadsheet_number"),
        (5, "duplicate_in_file"),
    ]
    assert await in_stock(town) == before
    async with town.database.session() as session:
        batch = await read_load(session, town.admin, public_id=tried["id"])
    assert (batch.state, batch.accepted, batch.rejected) == ("TRIED", 0, 3)


async def test_trial_of_a_good_file_leaves_it_to_be_loaded(town: Town) -> None:
    await town.take(SEGMENT, listed=True)
    before = await in_stock(town)
    trials = [
        await town.load(content, kind, dry_run=True)
        for kind, content in (
            (CARDS, card_list(range(5))),
            (NUMBERS, f"{SEGMENT}0001".encode()),
            (FileKind.SIM_VENDOR, vendor_file(range(5))),
            (FileKind.IMSI_POOL, imsi_pool(range(5))),
        )
    ]

    assert [(trial["good"], trial["bad"]) for trial in trials] == [(5, 0), (1, 0), (5, 0), (5, 0)]
    assert await in_stock(town) == before
    assert (await town.load(card_list(range(5)), CARDS))["rows"] == 5


async def test_a_file_that_lacks_cards_has_no_good_rows(town: Town) -> None:
    tried = await town.load(vendor_file(range(5), quantity=6), dry_run=True)

    assert (tried["good"], [fault["code"] for fault in tried["faults"]]) == (0, ["quantity"])
    with pytest.raises(LoadRejected):
        await town.load(vendor_file(range(5), quantity=6), keep_good=True)


async def test_good_rows_are_taken_and_the_bad_ones_listed_with_the_load(town: Town) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    await town.load(vendor_file([1]))

    loaded = await town.load(f"{iccid(0)}\n{iccid(1)}\nbad\n{iccid(2)}\n".encode(), CARDS, keep_good=True)

    assert (loaded["rows"], loaded["rejected"]) == (2, 2)
    async with town.database.session() as session:
        batch = await read_load(session, town.admin, public_id=loaded["id"])
    assert (batch.state, batch.rows, batch.accepted, batch.rejected) == ("COMMITTED", 4, 2, 2)
    assert await faults_of(town, loaded["id"]) == [
        (2, "iccid", iccid(1), "duplicate_in_stock"),
        (3, "iccid", "bad", "malformed"),
    ]
    assert await town.value("SELECT count(*) FROM sim") == 3


async def test_good_rows_of_every_source_can_be_taken(town: Town) -> None:
    cards = vendor_file(range(3)).replace(iccid(1).encode(), b"77")
    data = imsi_pool(range(3)).replace(imsi(1).encode(), b"77")

    loaded = [
        await town.load(cards, keep_good=True),
        await town.load(data, FileKind.IMSI_POOL, keep_good=True),
    ]

    assert [(load["rows"], load["rejected"]) for load in loaded] == [(2, 1), (2, 1)]
    assert await town.value("SELECT count(*) FROM load_fault WHERE line <> ''") == 0
    with pytest.raises(NotFound):
        await rejects(town, loaded[0]["id"])


async def test_without_a_good_row_nothing_is_taken(town: Town) -> None:
    with pytest.raises(LoadRejected):
        await town.load(b"ICCID\nbad\n", CARDS, keep_good=True)


async def test_bad_rows_come_back_in_the_lists_own_form_and_can_be_mended(town: Town) -> None:
    await town.load(vendor_file([1]))
    text = f'卡号;"序列号"\n{iccid(0)};{0:020X}\n{iccid(1)};{1:020X}\n"bad";{7:020X}\n'

    loaded = await town.load(text.encode(), CARDS, keep_good=True)
    told = await rejects(town, loaded["id"])

    assert told.splitlines() == [
        '卡号;"序列号";reason',
        f"{iccid(1)};{1:020X};iccid:duplicate_in_stock/serial:duplicate_in_stock",
        f'"bad";{7:020X};iccid:malformed',
    ]
    mended = told.replace('"bad"', iccid(7)).replace(f"{1:020X}", f"{9:020X}").replace(f"{iccid(1)}", iccid(9))
    assert (await town.load(mended.encode(), CARDS))["rows"] == 2


async def mended(town: Town, load: str, *lines: str) -> dict[str, Any]:
    async with town.database.session() as session:
        answer = await load_mended(
            session, town.admin, fresh_key(), public_id=load, lines=lines, vault=town.vault, now=NOW
        )
    return answer.body


async def test_bad_rows_are_mended_one_by_one_and_run_again_under_the_lists_name(town: Town) -> None:
    text = f"卡号;备注\n{iccid(0)};a\nbad;b\n8.9E+19;c\n"
    loaded = await town.load(text.encode("gb18030"), CARDS, keep_good=True, name="丽江.csv")
    async with town.database.session() as session:
        batch = await read_load(session, town.admin, public_id=loaded["id"])
        rows = await rows_to_mend(session, batch)

    assert [(row.row, row.line, row.faults[0].code) for row in rows] == [
        (3, "bad;", "malformed"),
        (4, "8.9E+19;", "spreadsheet_number"),
    ]
    again = await mended(town, loaded["id"], f"{iccid(1)};", "bad;", " ")
    assert (again["rows"], again["rejected"]) == (1, 1)
    async with town.database.session() as session:
        assert (await read_load(session, town.admin, public_id=again["id"])).source == "丽江.csv"
    with pytest.raises(LoadRejected):
        await mended(town, again["id"], "still bad;")
    with pytest.raises(InvalidField):
        await mended(town, again["id"], "", "  ")


async def test_only_lists_whose_good_rows_were_taken_are_mended(town: Town) -> None:
    loaded = await town.load(vendor_file(range(3)).replace(iccid(1).encode(), b"77"), keep_good=True)

    with pytest.raises(NotFound):
        await mended(town, loaded["id"], iccid(1))


async def test_rejects_are_written_in_the_lists_encoding(town: Town) -> None:
    text = f"卡号\t备注\n{iccid(0)}\t丽江\nbad\t大理\n"

    loaded = await town.load(text.encode("gb18030"), CARDS, keep_good=True)

    async with town.database.session() as session:
        file = await read_rejects(session, town.admin, public_id=loaded["id"])
    assert file.content == "卡号\t备注\treason\r\nbad\t\ticcid:malformed\r\n".encode("gb18030")


async def test_workbook_is_read_as_a_list(town: Town) -> None:
    rows: list[list[str | float]] = [["卡号", "备注"], [iccid(1), "丽江\n古城"], [], [iccid(2), 7]]

    await town.load(workbook(rows, []), CARDS)

    assert [row.iccid for row in await town.rows("SELECT iccid FROM sim ORDER BY item_no")] == [iccid(1), iccid(2)]


async def test_numbers_in_the_cells_of_a_workbook_are_refused_as_identifiers(town: Town) -> None:
    """A spreadsheet keeps 15 digits of a number; rows are those that the program shows."""
    content = workbook([["备注", "ICCID"], ["", ""], ["a", 89860012345678901234.0], ["b", iccid(2)], [3, 7]])

    loaded = await town.load(content, CARDS, keep_good=True)

    assert await faults_of(town, loaded["id"]) == [
        (3, "iccid", "8.98600123456789E+19", "spreadsheet_number"),
        (5, "iccid", "7.00000000000000E+00", "spreadsheet_number"),
    ]


async def test_bad_rows_of_a_workbook_come_back_as_one_that_is_mended_and_loaded_again(town: Town) -> None:
    """REQ-SIM-02: each line is accepted or rejected with line number and reason."""
    rows = [["备注", "卡号", "序列号"], ["a", iccid(1), f"{1:020X}"], ["b", "bad", ""], ["c", "", "12Z"]]
    loaded = await town.load(workbook(rows), CARDS, keep_good=True, name="丽江.xlsx")
    async with town.database.session() as session:
        file = await read_rejects(session, town.admin, public_id=loaded["id"])

    told = [line.split("\t") for line in as_list(file.content).decode("utf-8-sig").splitlines()]
    assert file.name == f"{loaded['id']}-rejects.xlsx"
    assert told == [
        ["备注", "卡号", "序列号", "reason"],
        ["", "bad", "", "iccid:malformed"],
        ["", "", "12Z", "serial:malformed"],
    ]
    with pytest.raises(LoadRejected) as again:
        await town.load(file.content, CARDS)
    assert await faults_of(town, again.value.params["batch"]) == [
        (2, "iccid", "bad", "malformed"),
        (3, "serial", "12Z", "malformed"),
    ]
    told[1][1], told[2][2] = iccid(7), f"{8:020X}"
    assert (await town.load(workbook(told), CARDS))["rows"] == 2


@pytest.mark.parametrize(
    "content",
    [
        workbook([["ICCID"], [iccid(1)]], [["ICCID"], [iccid(2)]]),
        workbook([["ICCID"]]).replace(b"xl/worksheets/sheet1.xml", b"xl/worksheets/sheet1.xm_"),
        gzip.compress(b"ICCID")[:-3],
    ],
    ids=["two sheets", "no sheet", "cut off"],
)
async def test_packed_files_that_cannot_be_read_whole_are_refused(town: Town, content: bytes) -> None:
    with pytest.raises(InvalidField):
        await town.load(content, CARDS)


async def test_packed_files_are_loaded(town: Town) -> None:
    """REQ-SIM-02: a file of SIMs can be loaded."""
    await town.load(gzip.compress(vendor_file(range(3))))
    await town.load(gzip.compress(workbook([[iccid(7)]])), CARDS)

    assert await town.value("SELECT count(*) FROM sim") == 4


async def test_a_list_with_keys_is_refused_and_none_of_its_text_is_kept(town: Town) -> None:
    found = await refused(town, f"ICCID,Ki\n{iccid(0)},{7:032X}\n", CARDS)

    assert found == [(1, "2", "", "secret_column")]
    assert await town.value("SELECT string_agg(line, '') FROM load_fault") == ""
    assert "Ki" not in str(await town.value("SELECT figures::text FROM load_batch"))


async def test_bytes_that_are_no_text_are_refused(town: Town) -> None:
    with pytest.raises(LoadRejected) as refusal:
        await town.load(b"\xff\xff\xff", CARDS)
    assert await faults_of(town, refusal.value.params["batch"]) == [(0, "", "", "not_text")]


async def test_columns_that_the_caller_names_are_taken(town: Town) -> None:
    await town.load(f"{iccid(1)},{iccid(2)}\n".encode(), CARDS, columns="iccid=2")

    assert await town.value("SELECT iccid FROM sim") == iccid(2)


async def test_book_and_stock_agree_after_lists_were_loaded(town: Town) -> None:
    """REQ-NUM-04: a number exists once."""
    await town.take(SEGMENT, listed=True)
    await town.take("95588", kind=NumberKind.ACCESS_CODE, listed=True)
    await town.load(f"{SEGMENT}0001\n{SEGMENT}0002\n{SEGMENT}8888\n95588\nbad\n".encode(), NUMBERS, keep_good=True)
    await town.load(card_list(range(5)), CARDS)

    async with town.database.session() as session:
        await seal_all(session, now=NOW)
        done = await audit(session, now=NOW)

    assert (done.ok, done.findings) == (True, [])
    assert done.figures[str(CITY)]["loaded"] == {"number": 4, "sim": 5}
