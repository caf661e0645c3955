import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import (
    NUMBER_FORMS,
    NumberKind,
    PublicId,
    format_public_id,
    local_part,
    luhn_digit,
    parse_any_number,
    parse_chip_serial,
    parse_iccid,
    parse_imsi,
    parse_number,
    parse_public_id,
    swap_nibbles,
)

iccids = st.from_regex(r"89[0-9A-F]{16,17}[0-9A-E]", fullmatch=True)
not_text = st.one_of(st.none(), st.integers(), st.booleans(), st.binary(), st.lists(st.text()))


@given(iccids)
def test_an_iccid_in_normal_form_stays_as_it_is(iccid: str) -> None:
    assert parse_iccid(iccid).iccid == iccid


@given(iccids)
def test_the_swapped_and_padded_form_on_the_card_gives_the_same_iccid(iccid: str) -> None:
    on_card = swap_nibbles(iccid.ljust(20, "F"))
    assert parse_iccid(on_card) == (iccid, ("swapped",))


def test_the_published_example_reads_from_its_bytes() -> None:
    """ITU-T E.118 number of 19 digits and its ten bytes in EF.ICCID."""
    assert parse_iccid("988812010000407643F3").iccid == "8988211000000467343"
    assert swap_nibbles("89860012345678901238") == "98680021436587092183"


def test_hex_letters_spaces_and_lower_case_are_read() -> None:
    assert parse_iccid(" 898600d0 1210f1 234567 ").iccid == "898600D01210F1234567"


def test_a_filler_after_nineteen_digits_is_dropped() -> None:
    assert parse_iccid("8988211000000467343F").iccid == "8988211000000467343"


@pytest.mark.parametrize("value", ["", "8986", "898600123456789012", "898600123456789012345", "88860012345678901238"])
def test_an_iccid_of_wrong_length_or_prefix_is_refused(value: str) -> None:
    with pytest.raises(InvalidIdentifier) as refused:
        parse_iccid(value, field="row 3 ICCID")
    assert refused.value.params["field"] == "row 3 ICCID"
    assert refused.value.params["value"] == value


def test_a_wrong_luhn_digit_is_advice_and_only_for_issuers_that_keep_the_rule() -> None:
    strict = frozenset({"898821"})
    assert parse_iccid("8988211000000467343", luhn_issuers=strict).warnings == ()
    assert parse_iccid("8988211000000467344", luhn_issuers=strict).warnings == ("luhn",)
    assert parse_iccid("898821100000046A343", luhn_issuers=strict).warnings == ("luhn",)
    assert parse_iccid("8988211000000467344").warnings == ()


def test_the_luhn_digit_of_published_numbers() -> None:
    assert luhn_digit("898821100000046734") == "3"
    assert luhn_digit("7992739871") == "3"


@given(st.text("0123456789", min_size=1, max_size=19), st.integers(0, 18), st.integers(1, 9))
def test_luhn_sees_every_single_wrong_digit(digits: str, place: int, shift: int) -> None:
    place %= len(digits)
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    assert luhn_digit(wrong) != luhn_digit(digits)


@given(not_text)
def test_what_is_not_text_is_refused(value: object) -> None:
    for parse in (parse_iccid, parse_imsi, parse_chip_serial, parse_number):
        with pytest.raises(InvalidIdentifier):
            parse(value)
    with pytest.raises(InvalidIdentifier):
        parse_public_id(value, "h")


@given(st.text())
def test_any_text_is_either_read_or_refused_by_name(value: str) -> None:
    for parse in (parse_iccid, parse_imsi, parse_chip_serial, parse_number):
        with contextlib.suppress(InvalidIdentifier):
            parse(value)


def test_an_imsi_has_fifteen_digits_of_china_or_the_test_network() -> None:
    assert parse_imsi("460 00 1234567890") == "460001234567890"
    assert parse_imsi("001010123456789") == "001010123456789"
    for wrong in (
        "46000123456789",
        "4600012345678901",
        "310410123456789",
        "46000123456789A",
        "４６０００１２３４５６７８９０",
    ):
        with pytest.raises(InvalidIdentifier):
            parse_imsi(wrong)


def test_a_chip_serial_has_sixteen_or_twenty_characters() -> None:
    assert parse_chip_serial("00a1234567890123") == "00A1234567890123"
    assert parse_chip_serial("00112233445566778899") == "00112233445566778899"
    with pytest.raises(InvalidIdentifier):
        parse_chip_serial("001122334455667788")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (NumberKind.MOBILE, "13812345678", "12812345678"),
        (NumberKind.IOT, "1064712345678", "1064512345678"),
        (NumberKind.FIXED, "08885123456", "08881234567"),
        (NumberKind.SMS_PORT, "10690123456", "10700000"),
        (NumberKind.ACCESS_CODE, "12583", "97123"),
    ],
)
def test_each_kind_of_number_has_its_own_form(kind: NumberKind, good: str, bad: str) -> None:
    """REQ-NUM-01: mobile, SMS port, access code, fixed line and IoT, each with its own format."""
    assert parse_number(good, kind) == good
    with pytest.raises(InvalidIdentifier) as refused:
        parse_number(bad, kind)
    assert refused.value.params["reason"] == NUMBER_FORMS[kind].advice


@pytest.mark.parametrize("written", ["+86 138-1234-5678", "008613812345678", "138 1234 5678"])
def test_a_mobile_number_is_read_as_people_write_it(written: str) -> None:
    assert parse_number(written) == "13812345678"


@pytest.mark.parametrize("number", ["13888888888", "1064612345678", "08885123456", "10690123456", "95588"])
def test_a_number_is_read_by_its_form_whatever_its_kind(number: str) -> None:
    """REQ-NUM-01: each kind has its own format."""
    assert parse_any_number(f" {number} ") == number


@pytest.mark.parametrize("number", ["97123", "", 95588])
def test_what_has_the_form_of_no_kind_is_refused(number: object) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_any_number(number)


def test_a_fixed_number_written_for_abroad_gets_its_trunk_zero_back() -> None:
    assert parse_number("+86 10 62345678", NumberKind.FIXED) == "01062345678"


@pytest.mark.parametrize(
    ("number", "local"),
    [
        ("01062345678", "62345678"),
        ("02162345678", "62345678"),
        ("08885123456", "5123456"),
        ("053162345678", "62345678"),
    ],
)
def test_the_local_part_of_a_fixed_number_leaves_out_the_area_code(number: str, local: str) -> None:
    assert local_part(parse_number(number, NumberKind.FIXED)) == local


def test_only_mobile_and_fixed_numbers_have_fee_rules() -> None:
    """REQ-NUM-16: access codes have no fee rules."""
    assert {kind for kind, form in NUMBER_FORMS.items() if form.fee_rules} == {NumberKind.MOBILE, NumberKind.FIXED}


@given(st.from_regex(r"[a-z]{1,3}", fullmatch=True), st.integers(110000, 999999), st.integers(1, 10**18))
def test_a_public_id_reads_back(prefix: str, city: int, serial: int) -> None:
    assert parse_public_id(format_public_id(prefix, city, serial), prefix) == PublicId(prefix, city, serial)


@pytest.mark.parametrize(
    "value", ["h-530700-0", "h-030700-1", "h-530700-01", "j-530700-1", "h-5307-1", "h-530700-1\n", "1"]
)
def test_a_public_id_of_another_form_is_refused(value: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_public_id(value, "h")
