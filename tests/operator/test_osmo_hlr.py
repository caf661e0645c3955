"""What osmo-hlr makes of the files that it is given: the real program, and a card that has to take its vectors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from cardwriter.crypto.milenage import Milenage
from cardwriter.crypto.secret import Secret
from cardwriter.virtual.blank import blank_card
from cardwriter.virtual.uicc import VirtualUicc
from inventory.domain.auc import AucForm, Subscriber, TransportName, deletion_entry, deletion_head, entry, head
from tests.operator.osmo_hlr import Gsup, Vty, running

pytestmark = pytest.mark.e2e

IMSI, OTHER_IMSI = "460001234567890", "460001234567891"
K, OPC = bytes(range(16)), bytes(range(16, 32))
UNDER = TransportName("HSS1", "aes-128-ecb", "a1b2c3")
OPENED = Subscriber(
    imsi=IMSI,
    iccid="89860026000000000001",
    msisdn="13888810000",
    hlr="LJ1",
    algorithm="milenage",
    parameters={},
    eki=K,
    eopc=OPC,
    sqn=64,
)
"""As it stands in the file once whoever imports it has opened the keys."""
WITHOUT_NUMBER = replace(OPENED, imsi=OTHER_IMSI, msisdn=None, sqn=None)
SELECT_USIM = bytes.fromhex("00a4040c07a0000000871002")
AHEAD, IND_BITS = 5000, 5  # TS 33.102 §C.3.1
SUCCESS, BEHIND = 0xDB, 0xDC  # TS 31.102 §7.1.2.1


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("hlr")) as address:
        yield address


@pytest.fixture
def vty(address: str) -> Iterator[Vty]:
    with closing(Vty(address)) as line:
        yield line
        for imsi in (IMSI, OTHER_IMSI):
            line.say(f"subscriber imsi {imsi} delete")


def tell(vty: Vty, file: str) -> list[str]:
    """Give it every line of a file; return what it says to the commands about subscribers."""
    said = [(line, vty.say(line)) for line in file.splitlines()]
    return [answer for line, answer in said if line.startswith("subscriber")]


def told(*subscribers: Subscriber) -> str:
    return head(AucForm.OSMO_HLR, UNDER) + "".join(entry(AucForm.OSMO_HLR, one, UNDER) for one in subscribers)


def gone(*imsis: str) -> str:
    return deletion_head(AucForm.OSMO_HLR) + "".join(
        deletion_entry(AucForm.OSMO_HLR, imsi, None, "LJ1") for imsi in imsis
    )


def authenticate(card: VirtualUicc, rand: bytes, autn: bytes) -> list[bytes]:
    """Give the card a vector; return the tag and the fields of its answer (TS 31.102 §7.1.2.1)."""
    card.transmit(SELECT_USIM)
    fields = bytes([len(rand)]) + rand + bytes([len(autn)]) + autn
    announced = card.transmit(bytes.fromhex("00880081") + bytes([len(fields)]) + fields)
    answer = card.transmit(bytes.fromhex("00c00000") + announced[1:])
    assert answer[-2:] == b"\x90\x00"
    parts, rest = [answer[:1]], answer[1:-2]
    while rest:
        parts.append(rest[1 : 1 + rest[0]])
        rest = rest[1 + rest[0] :]
    return parts


def test_every_command_of_an_export_is_taken(vty: Vty) -> None:
    """REQ-AUC-01."""
    answers = tell(vty, told(OPENED, WITHOUT_NUMBER))
    assert [answer.split(" ", 2)[:2] for answer in answers] == [
        ["%", "Created"],
        ["%", "Updated"],
        [""],
        ["%", "Created"],
        [""],
    ]
    shown = vty.say(f"subscriber imsi {IMSI} show")
    for line in ("MSISDN: 8613888810000", f"K={K.hex()}", f"OPC={OPC.hex()}", "IND-bitlen=5"):
        assert line in shown


def test_a_file_that_is_read_twice_leaves_what_was_there(vty: Vty) -> None:
    tell(vty, told(OPENED))
    before = vty.say(f"subscriber imsi {IMSI} show")
    tell(vty, told(OPENED))
    assert vty.say(f"subscriber imsi {IMSI} show") == before


def test_a_told_card_takes_the_vectors_of_its_hlr_even_when_it_is_ahead(vty: Vty, address: str) -> None:
    """REQ-AUC-01: the HLR begins at nothing, and learns from the card's first answer where it is."""
    tell(vty, told(OPENED))
    adm1 = Secret(b"12345678")
    image = blank_card(iccid=OPENED.iccid, serial="1" * 20, k=Secret(K), opc=Secret(OPC), adm1=adm1)
    image.seqs = dict.fromkeys(range(1 << IND_BITS), AHEAD)
    card = VirtualUicc(image)
    card.reset()
    with closing(Gsup(address)) as network:
        first = network.vector(IMSI)
        tag, auts = authenticate(card, first.rand, first.autn)
        assert tag[0] == BEHIND
        again = network.vector(IMSI, after=(first.rand, auts))
        tag, res, *_ = authenticate(card, again.rand, again.autn)
    assert (tag[0], res) == (SUCCESS, again.res)
    assert Milenage(Secret(K), Secret(OPC)).open_autn(again.rand, again.autn) >> IND_BITS > AHEAD


def test_deletions_are_taken_and_one_that_is_gone_already_does_no_harm(vty: Vty) -> None:
    """REQ-AUC-01."""
    tell(vty, told(OPENED, WITHOUT_NUMBER))
    deleted, absent = tell(vty, gone(IMSI, IMSI))
    assert deleted == f"% Deleted subscriber for IMSI '{IMSI}'"
    assert absent.startswith("% No subscriber")
    shown = vty.say("show subscribers all")
    assert OTHER_IMSI in shown
    assert IMSI not in shown
