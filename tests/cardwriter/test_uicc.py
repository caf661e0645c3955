"""The virtual card answers as TS 102 221 and TS 31.102 say, on the wire of T=0."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.usim import commands, fcp, files
from cardwriter.usim.files import Pin
from cardwriter.virtual.apdu import join
from cardwriter.virtual.faults import Fault, FaultKind
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.uicc import Muted, Torn, VirtualUicc
from cardwriter.virtual.vpcd import Wire
from tests.cardwriter.samples import ADM1, ICCID, OPC, RAND, K, a_blank
from tests.cardwriter.station import exchange

KEYS = Milenage(K, OPC)
AMF = bytes.fromhex("8000")
USIM = commands.select_aid(files.USIM_AID)


def raw(card: VirtualUicc, apdu: str) -> str:
    return card.transmit(bytes.fromhex(apdu)).hex()


@pytest.fixture
def card() -> VirtualUicc:
    """Return a blank card in its USIM."""
    found = VirtualUicc(a_blank())
    assert found.transmit(USIM) == b"\x90\x00"
    return found


# Shape of T=0


def test_answer_to_a_command_with_data_waits_for_get_response(card: VirtualUicc) -> None:
    waiting = raw(card, "00a40004026f0700")
    assert waiting[:2] == "61"
    assert raw(card, "00c00000ff") == f"6c{waiting[2:]}"
    answer = bytes.fromhex(raw(card, f"00c00000{waiting[2:]}"))
    assert answer[-2:] == b"\x90\x00"
    assert fcp.parse(answer[:-2]).fid == 0x6F07
    assert raw(card, f"00c00000{waiting[2:]}") == "6985"


def test_waiting_answer_is_gone_after_another_command(card: VirtualUicc) -> None:
    raw(card, "00a40004026f07")
    raw(card, "0020000a")
    assert raw(card, "00c0000010") == "6985"


def test_wrong_length_is_corrected(card: VirtualUicc) -> None:
    assert raw(card, "00b0870000") == "6c09"
    assert raw(card, "00b087000a") == "6c09"
    assert raw(card, "00b0870002") == "ffff9000"
    assert raw(card, "00b0870009") == "ff" * 9 + "9000"
    raw(card, "00a4000c026f42")
    assert raw(card, "00b2010400") == "6c28"


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("00a4", "6700"),
        ("00d6870009ff", "6700"),
        ("00d6000001ff0000", "6700"),
        ("00fe000000", "6d00"),
        ("80b0870009", "6e00"),
        ("a0a40000023f00", "6e00"),
        ("00a4000c00", "6a86"),
        ("00a40000023f00", "6a86"),
        ("00a4030c023f00", "6a86"),
        ("00a4000c021234", "6a82"),
        ("00a4080c047f201234", "6a82"),
        ("00a4040c05a000000001", "6a82"),
        ("00b0000009", "6986"),
        ("00b09f0001", "6a82"),
        ("00b0870a01", "6b00"),
        ("00b2013c09", "6981"),
        ("00b2010309", "6a86"),
        ("002000550000", "6a88"),
    ],
)
def test_bad_command_gets_its_status_word(card: VirtualUicc, apdu: str, sw: str) -> None:
    assert raw(card, apdu) == sw


# Selection


@pytest.mark.parametrize(
    ("apdu", "fid"),
    [
        ("00a40004023f00", 0x3F00),
        ("00a40004027f20", 0x7F20),
        ("00a40004027fff", 0x7FFF),
        ("00a4080404" + "7f206f07", 0x6F07),
        ("00a4090402" + "6f46", 0x6F46),
        ("00a4080402" + "2fe2", 0x2FE2),
        ("00a4040407" + "a0000000871002", 0x7FFF),
    ],
)
def test_selection_finds_the_file_and_describes_it(card: VirtualUicc, apdu: str, fid: int) -> None:
    data, sw = exchange(card, bytes.fromhex(apdu))
    assert sw == 0x9000
    assert fcp.parse(data).fid == fid


def test_path_of_the_application_leads_nowhere_before_one_is_selected(card: VirtualUicc) -> None:
    by_path = "00a4080c04" + "7fff6f07"
    assert raw(card, by_path) == "9000"
    card.reset()
    assert raw(card, by_path) == "6a82"


def test_application_tells_its_name_and_that_its_pin_is_off(card: VirtualUicc) -> None:
    data, _ = exchange(card, commands.select_aid(files.USIM_AID, fcp=True))
    found = fcp.parse(data)
    assert found.aid.startswith(files.USIM_AID)
    assert found.pins == {Pin.PIN1: False}


def test_status_describes_the_current_directory(card: VirtualUicc) -> None:
    assert raw(card, "80f2000c") == "9000"
    length = raw(card, "80f2000000")
    assert length[:2] == "6c"
    assert fcp.parse(bytes.fromhex(raw(card, f"80f20000{length[2:]}"))[:-2]).fid == 0x7FFF


def test_failed_selection_leaves_the_selected_file(card: VirtualUicc) -> None:
    raw(card, "00a4080c022fe2")
    assert raw(card, "00a4000c026fff") == "6a82"
    assert raw(card, "00b000000a") == "98680021436587092183" + "9000"


def test_card_after_reset_stands_at_its_root_without_rights(card: VirtualUicc) -> None:
    exchange(card, commands.verify(Pin.ADM1, ADM1.reveal()))
    assert card.reset() == card.image.atr
    assert raw(card, "00b082000a").endswith("9000")
    card.transmit(USIM)
    assert raw(card, "00d6870001" + "08") == "6982"


def test_atr_has_the_right_check_byte(card: VirtualUicc) -> None:
    check = 0
    for byte in card.image.atr[1:]:
        check ^= byte
    assert check == 0


# Files and rights


def test_update_needs_the_right_its_rule_names(card: VirtualUicc) -> None:
    assert raw(card, "00d6870001" + "08") == "6982"
    assert raw(card, "00d68b0001" + "00") == "9000"
    exchange(card, commands.verify(Pin.ADM1, ADM1.reveal()))
    assert raw(card, "00d6870001" + "08") == "9000"
    raw(card, "00a4080c022fe2")
    assert raw(card, "00d6000001" + "98") == "6982"


def test_update_at_an_offset_keeps_what_is_around_it(card: VirtualUicc) -> None:
    assert raw(card, "00d68b0102" + "aabb") == "9000"
    assert raw(card, "00b08b0004") == "ffaabbff" + "9000"
    assert raw(card, "00d68b0a02" + "aabb") == "6700"


def test_records_are_written_whole(card: VirtualUicc) -> None:
    raw(card, "00a4000c026f42")
    assert raw(card, "00dc020428" + "11" * 40) == "9000"
    assert raw(card, "00b2020428") == "11" * 40 + "9000"
    assert raw(card, "00b2010428") == "ff" * 40 + "9000"
    assert raw(card, "00dc010401" + "11") == "6700"
    assert raw(card, "00b2030428") == "6a83"
    assert raw(card, "00b2000428") == "6a83"
    assert raw(card, "00b0000028") == "6981"


def test_linked_files_are_one_body() -> None:
    image = a_blank()
    image.files["7fff/6f07"].content = bytes(9)
    assert image.file("7f20/6f07") is image.file("7fff/6f07")
    apart = a_blank(gsm_linked=False)
    assert apart.file("7f20/6f07") is not apart.file("7fff/6f07")


# Codes


def test_asking_for_the_counter_spends_nothing(card: VirtualUicc) -> None:
    for _ in range(5):
        assert raw(card, "0020000a") == "63c3"
    assert raw(card, "0020000a00") == "63c3"
    exchange(card, commands.verify(Pin.ADM1, ADM1.reveal()))
    assert raw(card, "0020000a") == "9000"


def test_wrong_code_costs_a_try_and_the_right_one_fills_the_counter(card: VirtualUicc) -> None:
    assert raw(card, "0020000a08" + "00" * 8) == "63c2"
    assert exchange(card, commands.verify(Pin.ADM1, ADM1.reveal()))[1] == 0x9000
    assert card.image.codes[Pin.ADM1].tries == 3
    assert raw(card, "0020000a04" + "00" * 4) == "6700"


def test_third_wrong_code_blocks_for_good(card: VirtualUicc) -> None:
    assert [raw(card, "0020000a08" + "00" * 8) for _ in range(4)] == ["63c2", "63c1", "63c0", "6983"]
    assert raw(card, "0020000a") == "6983"
    assert exchange(card, commands.verify(Pin.ADM1, ADM1.reveal()))[1] == 0x6983


def test_wrong_code_takes_an_earned_right_away(card: VirtualUicc) -> None:
    exchange(card, commands.verify(Pin.ADM1, ADM1.reveal()))
    raw(card, "0020000a08" + "00" * 8)
    assert raw(card, "00d6870001" + "08") == "6982"


def test_disabled_pin_is_not_asked_for(card: VirtualUicc) -> None:
    assert raw(card, "00200001") == "9000"
    assert raw(card, "002000010831323334ffffffff") == "6984"


def test_pin_in_use_hides_what_its_rule_guards(card: VirtualUicc) -> None:
    card.image.codes[Pin.PIN1].enabled = True
    assert raw(card, "00b0870009") == "6982"
    assert exchange(card, commands.authenticate(RAND, bytes(16)))[1] == 0x6982
    assert raw(card, "002000010831323334ffffffff") == "9000"
    assert raw(card, "00b0870009").endswith("9000")


def test_puk_gives_a_new_pin(card: VirtualUicc) -> None:
    card.image.codes[Pin.PIN1].enabled = True
    card.image.codes[Pin.PIN1].tries = 0
    puk, pin = b"12345678".hex(), b"4321\xff\xff\xff\xff".hex()
    assert raw(card, "002c000110" + "00" * 8 + pin) == "63c9"
    assert raw(card, "002c000108" + puk) == "6700"
    assert raw(card, "002c000a10" + puk + pin) == "6a88"
    assert raw(card, "002c000110" + puk + pin) == "9000"
    card.reset()
    assert raw(card, "0020000108" + pin) == "9000"


# Authentication


def authenticate(card: VirtualUicc, sqn: int) -> bytes:
    data, sw = exchange(card, commands.authenticate(RAND, KEYS.autn(RAND, sqn, AMF)))
    assert sw == 0x9000
    return data


def test_fresh_card_answers_sequence_number_zero_with_its_own(card: VirtualUicc) -> None:
    answer = authenticate(card, 0)
    assert answer[:2] == b"\xdc\x0e"
    assert KEYS.open_auts(RAND, answer[2:]) == 0
    assert card.image.seqs == {}


def test_higher_sequence_number_is_accepted_once(card: VirtualUicc) -> None:
    expected = KEYS.f2345(RAND)
    answer = authenticate(card, 0x20)
    assert answer == b"\xdb\x08" + expected.res + b"\x10" + expected.ck + b"\x10" + expected.ik + b"\x08" + expected.kc
    again = authenticate(card, 0x20)
    assert KEYS.open_auts(RAND, again[2:]) == 0x20


def test_each_index_has_a_window_of_its_own(card: VirtualUicc) -> None:
    assert authenticate(card, 0x40)[0] == 0xDB
    assert authenticate(card, 0x21)[0] == 0xDB
    assert authenticate(card, 0x20)[0] == 0xDC
    assert KEYS.open_auts(RAND, authenticate(card, 0)[2:]) == 0x40


def test_token_made_with_another_key_is_a_wrong_mac(card: VirtualUicc) -> None:
    autn = Milenage(OPC, K).autn(RAND, 0x20, AMF)
    assert exchange(card, commands.authenticate(RAND, autn)) == (b"", 0x9862)
    assert card.image.seqs == {}


LONG = {"name": "tuak", "mac_bits": 128, "res_bits": 256, "ck_bits": 256, "ik_bits": 256, "iterations": 2}


@pytest.mark.parametrize(
    "auth", [{"name": "milenage", "r": [1, 2, 3, 4, 5], "res_bits": 32}, {"name": "tuak", "res_bits": 32}, LONG]
)
def test_card_keeps_the_algorithm_it_was_made_with(tmp_path: Path, auth: dict[str, Any]) -> None:
    long = auth["name"] == "tuak"
    a_blank(auth=auth, opc=Secret(bytes(32)) if long else OPC).save(tmp_path / "card.json")
    card = VirtualUicc(CardImage.load(tmp_path / "card.json"))
    card.transmit(USIM)
    keys = card.image.keys
    expected = keys.f2345(RAND)
    data, sw = exchange(card, commands.authenticate(RAND, keys.autn(RAND, 0x20, AMF)))
    assert (data, sw) == (b"\xdb" + join(expected.res, expected.ck, expected.ik, expected.kc), 0x9000)
    data, sw = exchange(card, commands.authenticate(RAND, keys.autn(RAND, 0, AMF)))
    assert (keys.open_auts(RAND, data[2:]), sw) == (0x20, 0x9000)


def test_gsm_context_gives_the_triplet(card: VirtualUicc) -> None:
    expected = KEYS.f2345(RAND)
    data, sw = exchange(card, bytes.fromhex("0088008011" + "10") + RAND)
    assert (data, sw) == (b"\x04" + expected.sres + b"\x08" + expected.kc, 0x9000)


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("0088008111" + "10" + "00" * 16, 0x6A80),
        ("0088008002" + "0100", 0x6A80),
        ("0088008211" + "10" + "00" * 16, 0x6A86),
    ],
)
def test_malformed_challenge_is_refused(card: VirtualUicc, apdu: str, sw: int) -> None:
    assert exchange(card, bytes.fromhex(apdu)) == (b"", sw)


def test_authentication_belongs_to_the_application(card: VirtualUicc) -> None:
    card.reset()
    assert exchange(card, commands.authenticate(RAND, bytes(16)))[1] == 0x6985


# Faults and the image file


def test_silent_card_speaks_again_after_a_reset(card: VirtualUicc) -> None:
    card.image.faults = [Fault(FaultKind.MUTE)]
    for _ in range(2):
        with pytest.raises(Muted):
            raw(card, "0020000a")
    card.reset()
    assert raw(card, "0020000a") == "63c3"


def test_slow_card_takes_its_time_at_every_command() -> None:
    image, slept = a_blank(), list[float]()
    image.faults = [Fault(FaultKind.SLOW, seconds=0.25)]
    card = VirtualUicc(image, sleep=slept.append)
    raw(card, "0020000a")
    raw(card, "0020000a")
    assert slept == [0.25, 0.25]


def test_finishing_status_word_does_not_hide_a_refusal(card: VirtualUicc) -> None:
    card.image.faults = [Fault(FaultKind.FINISH, sw=0x9180)]
    assert raw(card, "00b0000009") == "6986"


def test_torn_card_keeps_what_was_written_and_strikes_once(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    image = a_blank()
    image.faults = [Fault(FaultKind.DIE_AFTER, at=1, ins=0xD6), Fault(FaultKind.ANSWER, at=3, ins=0xB0, sw=0x6581)]
    card = VirtualUicc(image, lambda changed: changed.save(path))
    card.transmit(USIM)
    with pytest.raises(Torn):
        raw(card, "00d68b0001" + "aa")
    again = VirtualUicc(CardImage.load(path))
    again.transmit(USIM)
    assert raw(again, "00b08b0001") == "aa9000"
    assert raw(again, "00d68b0001" + "bb") == "9000"
    assert raw(again, "00b08b0001") == "bb9000"
    assert raw(again, "00b08b0001") == "6581"


def test_image_file_holds_the_whole_card_and_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    image = a_blank(gsm_linked=False)
    image.seqs = {3: 17}
    image.faults = [Fault(FaultKind.SLOW, seconds=0.5)]
    image.save(path)
    assert CardImage.load(path) == image
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["card.json"]


def test_image_in_memory_shows_no_key() -> None:
    text = repr(a_blank()).lower()
    assert K.reveal().hex() not in text
    assert ADM1.reveal().decode() not in text


@given(st.binary(max_size=40))
def test_no_bytes_break_the_card(apdu: bytes) -> None:
    card = VirtualUicc(a_blank())
    answer = card.transmit(apdu)
    assert len(answer) >= 2
    assert card.image.files["2fe2"].content == a_blank(iccid=ICCID).files["2fe2"].content


def test_wire_time_of_a_real_card() -> None:
    """SELECT of a file, READ of 10 bytes at 9600 baud, the UPDATE of an IMSI at 62,500 baud."""
    slow, fast = Wire.parse("372/1"), Wire.parse("512/8")
    assert slow.seconds(bytes(7), bytes(2)) * 1000 == pytest.approx(19.2, abs=0.1)
    assert slow.seconds(bytes(5), bytes(12)) * 1000 == pytest.approx(25.8, abs=0.1)
    assert fast.seconds(bytes(14), bytes(2)) * 1000 == pytest.approx(4.8, abs=0.2)
    with pytest.raises(ValueError, match="positive"):
        Wire.parse("0/1")
