from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardwriter.crypto.scp03 import (
    Greeting,
    HostChannel,
    Level,
    ScpError,
    StaticKeys,
    Wrapped,
    card_challenge,
    initialize_update,
)
from cardwriter.crypto.secret import Secret
from tests.cardwriter.scp03_card import Scp03Card, cmac

SESSIONS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "vectors" / "scp03.json").read_text())["sessions"]
ENC, MAC = bytes(range(32)), bytes(range(32, 64))
HOST = bytes(range(100, 116))


@pytest.fixture(params=SESSIONS, ids=lambda one: one["from"])
def recorded(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each recorded session in turn."""
    found: dict[str, Any] = request.param
    return found


def hexes(*texts: str) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def keys_of(size: int) -> StaticKeys:
    return StaticKeys(0x30, Secret(ENC[:size]), Secret(MAC[:size]))


def opened(level: Level = Level.ALL) -> tuple[HostChannel, Scp03Card]:
    """Return a session just opened, in which the card echoes its commands."""
    card = Scp03Card(ENC[:16], MAC[:16], size=8, serve=lambda apdu: (apdu, 0x9000))
    greeting = Greeting.parse(card.transmit(initialize_update(0x30, HOST[:8]))[0])
    channel = HostChannel(keys_of(16), HOST[:8], greeting.challenge, level)
    assert card.transmit(channel.external_authenticate()) == (b"", 0x9000)
    return channel, card


def test_sessions_of_a_real_card_are_built_again_byte_by_byte(recorded: dict[str, Any]) -> None:
    start, answer, authenticate = hexes(
        recorded["initialize_update"], recorded["greeting"], recorded["external_authenticate"]
    )
    keys = StaticKeys(start[2], Secret.fromhex(recorded["enc"]), Secret.fromhex(recorded["mac"]))
    assert initialize_update(keys.version, start[5:13]) == start
    greeting = Greeting.parse(answer)
    assert greeting.version == keys.version
    channel = HostChannel(keys, start[5:13], greeting.challenge, Level(authenticate[2]))
    channel.check(greeting.cryptogram)
    assert channel.external_authenticate() == authenticate
    wrapped = [channel.wrap(bytes.fromhex(plain)) for plain, _ in recorded["commands"]]
    assert [one.apdu.hex() for one in wrapped] == [sent for _, sent in recorded["commands"]]
    assert channel.open(wrapped[0], bytes.fromhex(recorded["answer"]), 0x9000).hex() == recorded["data"]


def test_what_a_card_will_draw_is_known_before_it_does(recorded: dict[str, Any]) -> None:
    """REQ-HW-10: so a script is encrypted for the card in advance, and no station sees a key."""
    greeting = Greeting.parse(bytes.fromhex(recorded["greeting"]))
    keys = StaticKeys(greeting.version, Secret.fromhex(recorded["enc"]), Secret.fromhex(recorded["mac"]))
    assert greeting.sequence is not None
    assert card_challenge(keys, greeting.sequence, bytes.fromhex(recorded["aid"])) == greeting.challenge


def test_the_cards_own_mac_is_that_of_rfc_4493() -> None:
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    message = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")
    found = [cmac(key, message[:length]).hex() for length in (0, 16, 40)]
    assert found == [
        "bb1d6929e95937287fa37d129b756746",
        "070a16b46b4d4144f79bdd9dd04a287c",
        "dfa66747de9ae63030ca32611497c827",
    ]


@given(
    key_size=st.sampled_from([16, 24, 32]),
    size=st.sampled_from([8, 16]),
    level=st.sampled_from(Level),
    script=st.lists(st.tuples(st.binary(max_size=223), st.binary(max_size=200)), max_size=4),
)
def test_card_that_opens_a_script_wrapped_in_advance_gets_every_command_and_answers_are_proven(
    key_size: int, size: int, level: Level, script: list[tuple[bytes, bytes]]
) -> None:
    got, answers = list[bytes](), iter([data for _, data in script])

    def serve(apdu: bytes) -> tuple[bytes, int]:
        got.append(apdu)
        return next(answers), 0x9000

    card = Scp03Card(ENC[:key_size], MAC[:key_size], size=size, serve=serve)
    keys = keys_of(key_size)
    channel = HostChannel(keys, HOST[:size], card_challenge(keys, 1, card.aid, size), level)
    plain = [b"\x00\xd6\x01\x02" + (bytes([len(data)]) + data if data else b"") for data, _ in script]
    begin, wrapped = channel.external_authenticate(), [channel.wrap(apdu) for apdu in plain]
    greeting = Greeting.parse(card.transmit(initialize_update(0x30, HOST[:size]))[0])
    channel.check(greeting.cryptogram)
    assert card.transmit(begin) == (b"", 0x9000)
    found = [channel.open(one, *card.transmit(one.apdu)) for one in wrapped]
    assert got == plain
    assert found == [data for _, data in script]


def test_script_for_another_sequence_number_is_not_taken() -> None:
    card = Scp03Card(ENC[:16], MAC[:16], size=8, serve=lambda apdu: (apdu, 0x9000))
    card.transmit(initialize_update(0x30, HOST[:8]))
    stale = HostChannel(keys_of(16), HOST[:8], card_challenge(keys_of(16), 1, card.aid), Level.ALL)
    greeting = Greeting.parse(card.transmit(initialize_update(0x30, HOST[:8]))[0])
    assert card.transmit(stale.external_authenticate())[1] == 0x6982
    with pytest.raises(ScpError, match="cryptogram"):
        stale.check(greeting.cryptogram)


def test_command_out_of_its_order_is_not_taken() -> None:
    channel, card = opened()
    _, second = channel.wrap(bytes.fromhex("00d6000001aa")), channel.wrap(bytes.fromhex("00d6000001bb"))
    assert card.transmit(second.apdu) == (b"", 0x6982)


@pytest.mark.parametrize("level", [Level.C_MAC_R_MAC, Level.ALL])
def test_answer_that_is_not_the_cards_own_is_refused(level: Level) -> None:
    channel, card = opened(level)
    command = channel.wrap(bytes.fromhex("00d6000001aa"))
    answer, sw = card.transmit(command.apdu)
    for said in (answer[:-1] + bytes([answer[-1] ^ 1]), bytes([answer[0] ^ 1]) + answer[1:], answer[-8:], b""):
        with pytest.raises(ScpError, match="R-MAC"):
            channel.open(command, said, sw)
    with pytest.raises(ScpError, match="R-MAC"):
        channel.open(command, answer, 0x6282)


def test_error_comes_bare_and_a_warning_signed() -> None:
    channel, card = opened()
    said = iter([0x6A82, 0x63C1, 0x9110])
    card.serve = lambda _: (b"", next(said))
    for sw in (0x6A82, 0x63C1, 0x9110):
        command = channel.wrap(bytes.fromhex("00d6000001aa"))
        answer = card.transmit(command.apdu)
        assert channel.open(command, *answer) == b""
        assert answer[1] == sw
        assert len(answer[0]) == (0 if sw == 0x6A82 else 8)
    with pytest.raises(ScpError, match="came with data"):
        channel.open(channel.wrap(bytes.fromhex("00b0000001")), b"x", 0x6A82)


@pytest.mark.parametrize("data", [b"\x01" * 15, bytes(16), b"\x01" * 16])
def test_signed_answer_that_is_not_encrypted_as_it_should_be_is_refused(data: bytes) -> None:
    channel, card = opened(Level.ALL)
    command = channel.wrap(bytes.fromhex("00b0000001"))
    signed = data + cmac(card.channel._rmac, command.chaining + data + b"\x90\x00")[:8]
    with pytest.raises(ScpError, match="encrypted answer"):
        channel.open(command, signed, 0x9000)


@pytest.mark.parametrize(("level", "most"), [(Level.C_MAC, 247), (Level.ALL, 239)])
def test_command_carries_no_more_than_fits(level: Level, most: int) -> None:
    channel, _ = opened(level)
    assert channel.capacity == most
    assert len(channel.wrap(b"\x00\xd6\x00\x00" + bytes([most]) + bytes(most)).apdu) <= 5 + 255
    with pytest.raises(ScpError, match=str(most)):
        channel.wrap(b"\x00\xd6\x00\x00" + bytes([most + 1]) + bytes(most + 1))


@pytest.mark.parametrize("apdu", ["00d6", "00d6000003aabb", "00d6000001aa0000", "01d6000001aa"])
def test_what_is_no_short_command_on_the_basic_channel_is_not_wrapped(apdu: str) -> None:
    channel, _ = opened()
    with pytest.raises(ScpError):
        channel.wrap(bytes.fromhex(apdu))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "00" * 10 + "30" + "0370" + "11" * 16,
        "00" * 10 + "30" + "0260" + "11" * 16,
        "00" * 10 + "30" + "0360" + "11" * 18,
        "00" * 10 + "30" + "0360" + "11" * 17,
    ],
)
def test_greeting_of_another_form_is_refused(answer: str) -> None:
    with pytest.raises(ScpError):
        Greeting.parse(bytes.fromhex(answer))


def test_greeting_with_random_challenges_has_no_sequence_number() -> None:
    greeting = Greeting.parse(bytes(10) + b"\x30\x03\x60" + b"\x11" * 16 + b"\x22" * 16)
    assert (greeting.challenge, greeting.cryptogram, greeting.sequence) == (b"\x11" * 16, b"\x22" * 16, None)


@pytest.mark.parametrize(("enc", "mac"), [(15, 15), (16, 24)])
def test_keys_that_aes_has_not_are_refused(enc: int, mac: int) -> None:
    with pytest.raises(ScpError, match="16, 24 or 32"):
        StaticKeys(0x30, Secret(bytes(enc)), Secret(bytes(mac)))


@pytest.mark.parametrize(("host", "card"), [(7, 7), (8, 16)])
def test_challenges_of_other_lengths_are_refused(host: int, card: int) -> None:
    with pytest.raises(ScpError, match="8 or 16"):
        HostChannel(keys_of(16), bytes(host), bytes(card), Level.ALL)


def test_no_key_or_command_stands_in_any_text_form() -> None:
    """REQ-HW-10: keys are seen by no log."""
    channel, _ = opened()
    seen: list[object] = [
        keys_of(16),
        channel,
        channel.wrap(bytes.fromhex("00d6000001aa")),
        Wrapped(b"secret", b"c", 1),
    ]
    text = repr(seen)
    assert "secret" not in text
    for key in (ENC[:16], MAC[:16]):
        assert repr(key)[2:-1] not in text
        assert key.hex() not in text
