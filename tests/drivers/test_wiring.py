from __future__ import annotations

import pytest

from drivers.errors import NoReaderError, UnknownSchemeError
from drivers.phoenix import open_phoenix
from drivers.phoenix_wiring import Wiring


def test_a_bare_port_is_wired_as_usual() -> None:
    assert Wiring.parse("/dev/ttyUSB0") == Wiring("/dev/ttyUSB0", 3_571_200, ("rts", True), None, faster=False)


def test_options_say_how_else() -> None:
    wiring = Wiring.parse("COM3?clock=3686400&reset=dtr-inverted&detect=cd&speed=best")
    assert wiring == Wiring("COM3", 3_686_400, ("dtr", False), ("cd", True), faster=True)


def test_a_ports_own_options_stay_with_it() -> None:
    wiring = Wiring.parse("rfc2217://reader.hall:2217?poll_modem&detect=cts&timeout=5")
    assert (wiring.port, wiring.detect) == ("rfc2217://reader.hall:2217?poll_modem&timeout=5", ("cts", True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?clock=1",
        "COM3?clock=fast",
        "COM3?clock=0",
        "COM3?clock=4",
        "COM3?clock=20000001",
        "COM3?clock=-1",
        "COM3?reset=cts",
        "COM3?detect=rts",
        "COM3?speed=9600",
        "COM3?colour=red",
    ],
)
def test_what_makes_no_sense_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(UnknownSchemeError, match=r"clock=HZ, reset=rts\|"):
        Wiring.parse(text)


def test_an_url_of_a_kind_that_pyserial_does_not_know_is_refused() -> None:
    with pytest.raises(UnknownSchemeError, match="pigeon"):
        open_phoenix("pigeon://roof")


def test_a_port_that_is_searched_for_may_be_plugged_in_later() -> None:
    source = open_phoenix("hwgrep://no such reader")
    assert source.wait(0) == ()


def test_a_remote_port_without_a_number_is_no_reader() -> None:
    source = open_phoenix("rfc2217://127.0.0.1")
    assert source.wait(0) == ()
    with pytest.raises(NoReaderError):
        source.connect(source.name)
