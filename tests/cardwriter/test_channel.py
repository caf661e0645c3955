"""Scripts that are encrypted for one card, and what that card and the rules around it make of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cardwriter.crypto.scp03 import StaticKeys
from cardwriter.crypto.secret import Secret
from cardwriter.profiles import CardFacts, CardFamily, CardRefused, Failure, Kind, profile
from cardwriter.profiles.channel import ScriptChannel
from cardwriter.script import Outcome, Script
from cardwriter.usim import commands
from cardwriter.usim.identity import encode_imsi
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.scp03 import ChannelKeys
from cardwriter.virtual.uicc import VirtualUicc
from tests.cardwriter.samples import ADM1, CHANNEL, EXPIRES, IMSI, OPC, K, blank_for, identify, some_data_for
from tests.cardwriter.station import exchange, run

FAMILY = profile("scp03")
OTHER = StaticKeys(CHANNEL.version, CHANNEL.enc, Secret(bytes(16)))


@pytest.fixture
def image() -> CardImage:
    return blank_for(FAMILY)


def script_for(facts: CardFacts, **changes: Any) -> Script:
    return FAMILY.write_script(facts, some_data_for(FAMILY, **changes), "write", EXPIRES)


def refusal(facts: CardFacts, **changes: Any) -> CardRefused:
    with pytest.raises(CardRefused) as refused:
        script_for(facts, **changes)
    return refused.value


def test_no_key_code_or_identity_leaves_the_service_in_clear(image: CardImage) -> None:
    """REQ-HW-10: K, OPc and ADM1 travel encrypted for the card, though its product lets no key travel in clear."""
    script = script_for(identify(FAMILY, VirtualUicc(image)))
    wire = b"|".join(step.apdu for step in script.steps)
    hidden = (K.reveal(), OPC.reveal(), ADM1.reveal(), encode_imsi(IMSI), CHANNEL.enc.reveal(), CHANNEL.mac.reveal())
    assert [one for one in hidden if one in wire] == []
    assert {step.apdu[0] for step in script.steps[4:]} == {0x04}


def test_the_card_holds_its_keys_after_it_opened_the_script(image: CardImage) -> None:
    card = VirtualUicc(image)
    assert run(card, script_for(identify(FAMILY, card))).outcome is Outcome.COMPLETED
    assert image.files["7f20/00ff"].content == K.reveal()
    assert image.files["7f20/00f7"].content == b"\x01" + OPC.reveal()


def test_the_same_script_comes_out_when_it_is_made_again(image: CardImage) -> None:
    """A service that was killed builds it anew to judge the report."""
    facts = identify(FAMILY, VirtualUicc(image))
    assert script_for(facts) == script_for(facts)
    assert (
        FAMILY.write_script(facts, some_data_for(FAMILY), "another", EXPIRES).steps[2:] != script_for(facts).steps[2:]
    )


def test_what_is_not_wrapped_changes_nothing_on_such_a_card(image: CardImage) -> None:
    card = VirtualUicc(image)
    card.reset()
    assert exchange(card, commands.verify(FAMILY.adm, ADM1.reveal()))[1] == 0x9000
    assert exchange(card, commands.select_path(bytes.fromhex("7f2000ff")))[1] == 0x9000
    assert exchange(card, commands.update_binary(K.reveal()))[1] == 0x6982


def test_a_script_opens_once_and_on_no_other_card(image: CardImage) -> None:
    """Replayed, or put to a card with other keys, it ends before the first command in it, with nothing written."""
    card, other = VirtualUicc(image), VirtualUicc(blank_for(FAMILY, channel=ChannelKeys(0x30, OTHER.enc, OTHER.mac)))
    script = script_for(identify(FAMILY, card))
    run(card, script)
    for where in (card, other):
        report = run(where, script)
        verdict = FAMILY.judge_write(script, report)
        assert (verdict.kind, verdict.failure, verdict.step) == (
            Kind.NOTHING_WRITTEN,
            Failure.WRITE_ERROR,
            "channel.open",
        )
    assert other.image.codes[FAMILY.adm].tries == 3


@pytest.mark.parametrize("change", ["dropped", "altered", "moved"])
def test_a_command_dropped_altered_or_moved_on_the_way_ends_the_channel(image: CardImage, change: str) -> None:
    card = VirtualUicc(image)
    script = script_for(identify(FAMILY, card))
    steps = list(script.steps)
    at = next(index for index, step in enumerate(steps) if step.name == "update.k")
    match change:
        case "dropped":
            del steps[at]
        case "altered":
            steps[at] = replace(steps[at], apdu=steps[at].apdu[:5] + b"\0" + steps[at].apdu[6:])
        case _:
            steps[at - 1], steps[at] = steps[at], steps[at - 1]
    report = run(card, replace(script, steps=tuple(steps)))
    assert (report.outcome, report.results[-1].sw) == (Outcome.STOPPED, 0x6982)
    assert exchange(card, steps[-1].apdu)[1] == 0x6985
    assert image.files["7fff/6f07"].content == b"\xff" * 9


def test_a_card_with_other_channel_keys_than_in_stock_is_told_before_any_try(image: CardImage) -> None:
    refused = refusal(identify(FAMILY, VirtualUicc(image)), channel=OTHER)
    assert refused.failure is Failure.WRONG_KEY
    assert image.channel is not None
    assert image.channel.failures == 0


def test_a_card_whose_channel_keys_are_not_in_stock_is_not_written_in_clear_instead(image: CardImage) -> None:
    assert refusal(identify(FAMILY, VirtualUicc(image)), channel=None).failure is Failure.DATA_NOT_AVAILABLE


def test_a_card_without_such_a_channel_is_of_another_kind() -> None:
    facts = identify(FAMILY, VirtualUicc(blank_for(FAMILY, channel=None)))
    assert facts.greeting is None
    assert not FAMILY.matches(facts)
    refused = refusal(facts)
    assert (refused.failure, "secure channel" in refused.detail) == (Failure.WRONG_KIND, True)


def other(version: int, parameter: int, sequence: bytes) -> Callable[[bytes], bytes]:
    """Change key version, parameter i and sequence number of a greeting."""
    return lambda greeting: greeting[:10] + bytes([version, 3, parameter]) + greeting[13:29] + sequence


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda _: b"", "not that of SCP03"),
        (other(0x31, 0x70, b"\0\0\1"), "key version 31"),
        (other(0x30, 0x60, b""), "in advance"),
        (other(0x30, 0x70, b"\xff\xff\xff"), "in advance"),
        (other(0x30, 0x70, b"\0\0\7"), "another application"),
        (lambda one: one[:13] + bytes(32) + one[-3:], "key version 30"),
    ],
)
def test_a_channel_whose_next_session_cannot_be_told_is_refused(
    image: CardImage, change: Callable[[bytes], bytes], why: str
) -> None:
    facts = identify(FAMILY, VirtualUicc(image))
    refused = refusal(replace(facts, greeting=change(facts.greeting or b"")))
    assert (refused.failure, why in refused.detail) == (Failure.WRONG_KIND, True)


def test_a_record_that_fits_no_wrapped_command_is_refused(image: CardImage) -> None:
    facts = identify(FAMILY, VirtualUicc(image))
    refused = refusal(replace(facts, sizes={**facts.sizes, "EF.SMSP": 240}))
    assert (refused.failure, "update.smsp" in refused.detail) == (Failure.WRONG_KIND, True)


def test_a_long_file_is_cut_into_pieces_that_fit_a_wrapped_command(image: CardImage) -> None:
    image.files["7fff/6f62"].content = b"\xff" * 250
    card = VirtualUicc(image)
    facts = identify(FAMILY, card)
    names = [step.name for step in script_for(facts).steps]
    assert [name for name in names if name.startswith("update.hplmnwact")] == [
        "update.hplmnwact",
        "update.hplmnwact+239",
    ]
    assert run(card, script_for(facts)).outcome is Outcome.COMPLETED


def test_challenges_of_sixteen_bytes_work_as_well() -> None:
    assert isinstance(FAMILY, CardFamily)
    assert FAMILY.channel is not None
    family = replace(FAMILY, channel=replace(FAMILY.channel, size=16))
    card = VirtualUicc(blank_for(FAMILY, channel=ChannelKeys(0x30, CHANNEL.enc, CHANNEL.mac, size=16)))
    script = family.write_script(identify(family, card), some_data_for(FAMILY), "write", EXPIRES)
    assert run(card, script).outcome is Outcome.COMPLETED
    assert ScriptChannel(version=0x30, aid=b"").longest > family.greeting[4]


def test_a_card_keeps_its_sequence_number_on_disk(image: CardImage, tmp_path: Any) -> None:
    identify(FAMILY, VirtualUicc(image))
    image.save(tmp_path / "card.json")
    kept = CardImage.load(tmp_path / "card.json")
    assert kept.channel == image.channel
    assert kept.channel is not None
    assert kept.channel.sequence == 1
