"""`haoka card diff`: a card held against a golden one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cardwriter.usim import files
from cardwriter.virtual.image import CardImage
from cardwriter.workshop.diff import CARD, Difference, NotADumpError, differences, load
from cardwriter.workshop.dump import key_of
from tests.cardwriter.samples import a_blank
from tests.workshop.cards import personal_image, place
from tests.workshop.test_dump import BLANK, PERSONAL, dumped, invoke


def told(golden: CardImage, card: CardImage, *ignore: str, full: bool = False) -> list[tuple[str, str]]:
    found = differences(dumped(golden, full=full), dumped(card, full=full), ignore=ignore)
    return [(one.place, one.aspect) for one in found]


def changed(change: Callable[[CardImage], None]) -> CardImage:
    image = a_blank()
    change(image)
    return image


def with_spn(image: CardImage) -> None:
    place(image, files.SPN).content = b"\x00" + b"SHOP".ljust(16, b"\xff")


def longer(image: CardImage) -> None:
    place(image, files.EHPLMN).content += b"\xff" * 3


def guarded(image: CardImage) -> None:
    place(image, files.ACC).rule = 4


def without(image: CardImage) -> None:
    del image.files["7fff/6f60"]


def locked(image: CardImage) -> None:
    image.codes[files.Pin.PIN1].enabled = True


SPN, EHPLMN, ACC, PLMN_ACT = map(key_of, (files.SPN, files.EHPLMN, files.ACC, files.PLMN_ACT))


def test_a_card_is_like_itself() -> None:
    assert told(a_blank(), a_blank()) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (with_spn, {(SPN, "content"), ("GSM/6f46", "content")}),
        (longer, {(EHPLMN, "size"), (EHPLMN, "content")}),
        (without, {(PLMN_ACT, "existence")}),
    ],
)
def test_each_sort_of_difference_is_told(change: Callable[[CardImage], None], expected: set[tuple[str, str]]) -> None:
    assert set(told(a_blank(), changed(change))) == expected


def test_rights_that_differ_are_told() -> None:
    assert (ACC, "rights") in told(a_blank(), changed(guarded))


def test_a_card_that_hides_more_is_told() -> None:
    found = told(a_blank(), changed(locked))
    assert ("card", "pins") in found
    assert (ACC, "readable") in found


def test_another_card_of_the_product_is_like_it_but_for_what_is_its_own() -> None:
    other = a_blank(iccid="89860012345678901246", serial="20260100000000000043")
    assert told(a_blank(), other) == [(key_of(files.ICCID), "content"), (key_of(files.SERIAL), "content")]
    assert told(a_blank(), other, CARD) == []


def test_a_file_named_may_hold_something_else() -> None:
    assert told(a_blank(), changed(with_spn), "EF.SPN", "EF.SPN (DF.GSM)") == []


def test_a_hidden_subscriber_is_not_compared_and_a_shown_one_is() -> None:
    imsi = (key_of(files.IMSI), "content")
    assert imsi not in told(a_blank(), personal_image())
    assert imsi in told(a_blank(), personal_image(), full=True)


def test_a_file_of_a_newer_list_is_told() -> None:
    golden, card = dumped(a_blank()), dumped(a_blank())
    extra: dict[str, Any] = card["files"][SPN]
    card["files"]["USIM/6fff"] = extra
    assert list(differences(golden, card)) == [Difference("USIM/6fff", "EF.SPN", "existence", False, True)]


@pytest.fixture
def golden(tmp_path: Path) -> Path:
    path = tmp_path / "golden.json"
    path.write_text(json.dumps(dumped(a_blank())))
    return path


def test_the_command_says_that_there_is_no_difference(golden: Path) -> None:
    assert invoke("diff", str(golden), "--reader", BLANK, "--lang", "en") == (0, "No difference.\n")
    assert invoke("diff", str(golden), "--reader", BLANK, "--json") == (0, "[]\n")


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "内容不同: ff x 12 → ff x 9"), ("en", "content differs: ff x 12 → ff x 9")]
)
def test_the_command_tells_differences_in_words(lang: str, words: str, golden: Path) -> None:
    right = json.loads(golden.read_text())
    right["files"][EHPLMN] |= {"content": "ff" * 12}
    right["files"][SPN] |= {"rights": None}
    right["files"][key_of(files.SMSP)]["content"][0] = "00" * 40
    golden.write_text(json.dumps(right))
    code, output = invoke("diff", str(golden), "--reader", PERSONAL, "--lang", lang)
    assert code == 1
    assert words.replace("ff x 9", "ff x 24") in output
    assert "00 x 40 | ff x 40" in output
    assert 'None → {"READ": "ALW", "UPDATE": "ADM1"}' in output


def test_differences_for_programs(golden: Path) -> None:
    right = json.loads(golden.read_text())
    right["atr"] = "3b00"
    golden.write_text(json.dumps(right))
    code, output = invoke("diff", str(golden), "--reader", BLANK, "--json")
    (found,) = json.loads(output)
    assert (code, found["place"], found["aspect"], found["golden"]) == (1, "card", "atr", "3b00")


DUMP = '{"format": "haoka card dump 1", "files": {"MF/2fe2": %s}}'


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "[" * 100_000),
        DUMP % "{}",
        DUMP % '{"name": "EF.ICCID", "content": "zz"}',
        DUMP % '{"name": "EF.ICCID", "content": 98}',
        DUMP % '{"name": "EF.ICCID", "content": ["98", null]}',
    ],
)
def test_what_is_no_dump_is_refused_with_advice(text: str, tmp_path: Path) -> None:
    path = tmp_path / "golden.json"
    path.write_text(text)
    code, output = invoke("diff", str(path), "--reader", BLANK, "--lang", "en")
    assert (code, "haoka card dump --json" in output) == (2, True)


def test_a_golden_dump_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotADumpError, match=r"nothing\.json"):
        load(tmp_path / "nothing.json")


@pytest.mark.parametrize(("lang", "word"), [("zh", "两张卡上都没有"), ("en", "Neither card has")])
def test_a_slip_in_what_to_leave_out_is_told(golden: Path, lang: str, word: str) -> None:
    slips = ["--ignore", "EF.SPM", "--ignore", "card"]
    code, output = invoke("diff", str(golden), "--reader", BLANK, *slips, "--lang", lang)
    assert (code, word in output, "EF.SPM" in output) == (2, True, True)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_dump_that_a_windows_console_has_redirected_is_read(golden: Path, encoding: str) -> None:
    golden.write_text(golden.read_text(), encoding=encoding)
    assert invoke("diff", str(golden), "--reader", BLANK, "--lang", "en") == (0, "No difference.\n")
