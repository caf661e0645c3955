from __future__ import annotations

from typing import Any

import pytest

from cardwriter.script import Script
from cardwriter.signing import Destination, Signer
from cardwriter.station.link import LinkRefusedError
from cardwriter.station.trust import Trust
from tests.station.fake_service import SIGNER, STATION, run_message
from tests.station.scripts import WRITE

OTHER = Signer(bytes(32))
HERE = Destination(station=STATION, reader="virtual", job="job-1")
GOOD = run_message(WRITE)


@pytest.fixture
def kept() -> list[bytes]:
    """Collect the keys that were put on disk."""
    return []


@pytest.fixture
def trust(kept: list[bytes]) -> Trust:
    return Trust(STATION, SIGNER.public, keep=kept.append)


def test_a_script_signed_for_this_station_may_run(trust: Trust) -> None:
    assert trust.refusal(GOOD, Script.from_wire(GOOD["script"]), HERE) is None


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({name: GOOD[name] for name in ("type", "job", "reader", "script")}, "unsigned"),
        ({**GOOD, "signature": None}, "unsigned"),
        ({**GOOD, "signature": 7}, "unsigned"),
        ({**GOOD, "signature": "no hex"}, "wrong_signature"),
        ({**GOOD, "signature": ""}, "wrong_signature"),
        (run_message(WRITE, signer=OTHER), "wrong_signature"),
        (run_message(WRITE, job="job-2"), "wrong_signature"),
        (run_message(WRITE, reader="elsewhere"), "wrong_signature"),
        ({**run_message(WRITE, station="s-2"), "station": STATION}, "wrong_signature"),
        (run_message(WRITE, station="s-2"), "other_station"),
    ],
)
def test_any_other_script_is_refused_by_name(trust: Trust, message: dict[str, Any], why: str) -> None:
    """REQ-HW-05: the right script on the right card, at the right station."""
    assert trust.refusal(message, WRITE, HERE) == why


def test_a_key_endorsed_by_the_one_before_takes_over_for_good(trust: Trust, kept: list[bytes]) -> None:
    trust.follow(OTHER.public.hex(), SIGNER.endorse(OTHER.public).hex())
    assert (trust.signer, kept) == (OTHER.public, [OTHER.public])
    assert trust.refusal(run_message(WRITE, signer=OTHER), WRITE, HERE) is None
    assert trust.refusal(GOOD, WRITE, HERE) == "wrong_signature"


def test_the_same_key_told_again_is_not_stored_again(trust: Trust, kept: list[bytes]) -> None:
    trust.follow(SIGNER.public.hex(), SIGNER.endorse(SIGNER.public).hex())
    assert (trust.signer, kept) == (SIGNER.public, [])


@pytest.mark.parametrize(
    ("key", "endorsement"),
    [
        (OTHER.public.hex(), OTHER.endorse(OTHER.public).hex()),
        (OTHER.public.hex(), None),
        ("no hex", SIGNER.endorse(OTHER.public).hex()),
        (None, None),
    ],
)
def test_a_key_that_nobody_known_endorses_ends_the_link(
    trust: Trust, kept: list[bytes], key: object, endorsement: object
) -> None:
    with pytest.raises(LinkRefusedError, match="enrol it again"):
        trust.follow(key, endorsement)
    assert (trust.signer, kept) == (SIGNER.public, [])


def test_a_key_that_the_disk_does_not_take_is_not_used() -> None:
    def full(_: bytes) -> None:
        raise OSError(28, "No space left on device")

    trust = Trust(STATION, SIGNER.public, keep=full)
    with pytest.raises(OSError, match="No space"):
        trust.follow(OTHER.public.hex(), SIGNER.endorse(OTHER.public).hex())
    assert trust.signer == SIGNER.public
