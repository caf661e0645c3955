"""Handle virtual cards: `python -m cardwriter.virtual.cards make|show|insert FILE`.

`make` reads one JSON object from standard input (keys never stand on a command line): `iccid`, `serial`, `k`, `opc`,
`adm1` as hex, `pin1`, `puk1` as digits, `auth` if the algorithm is another than MILENAGE, `profile` if the family is
another than `preset_key`, and `channel` (`version`, `enc`, `mac`) if it is one with a secure channel. `show` prints the
files of a subscriber's card as JSON, without any key. `insert` puts the card into the reader whose control socket is
named, in place of the one before.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from cardwriter.crypto.algorithms import STANDARD
from cardwriter.crypto.secret import Secret
from cardwriter.usim import files
from cardwriter.virtual.families import blank_of
from cardwriter.virtual.image import CardImage
from cardwriter.virtual.scp03 import ChannelKeys
from cardwriter.virtual.vpcd import order

SHOWN: Final = {
    "EF.ICCID": files.ICCID,
    "EF.IMSI": files.IMSI,
    "EF.IMSI (DF.GSM)": files.GSM_IMSI,
    "EF.ACC": files.ACC,
    "EF.AD": files.AD,
    "EF.SPN": files.SPN,
    "EF.HPPLMN": files.HPPLMN,
    "EF.HPLMNwAcT": files.HPLMN_ACT,
    "EF.EHPLMN": files.EHPLMN,
    "EF.FPLMN": files.FPLMN,
    "EF.SMSP": files.SMSP,
    "EF.MSISDN": files.MSISDN,
    "EF.EPSLOCI": files.EPSLOCI,
}
"""What a shop looks at on a card, in the order in which a phone reads it."""


def make(path: Path, wish: dict[str, Any]) -> None:
    """Write the image of a new blank.

    Raises
    ------
    KeyError, ValueError
        The wish is not whole, or a value cannot be coded.
    """
    blank_of(
        wish.get("profile", "preset_key"),
        iccid=wish["iccid"],
        serial=wish["serial"],
        k=Secret.fromhex(wish["k"]),
        opc=Secret.fromhex(wish["opc"]),
        adm1=Secret.fromhex(wish["adm1"]),
        auth=wish.get("auth", STANDARD),
        pin1=wish["pin1"],
        puk1=wish["puk1"],
        channel=_channel(wish["channel"]) if "channel" in wish else None,
    ).save(path)


def _channel(wish: Mapping[str, Any]) -> ChannelKeys:
    return ChannelKeys(wish["version"], Secret.fromhex(wish["enc"]), Secret.fromhex(wish["mac"]))


def show(path: Path) -> dict[str, str]:
    """Return the content of each shown file as hex; a file that the card has not is left out."""
    image = CardImage.load(path)
    found = {name: image.file(ef.path.hex("/", 2)) for name, ef in SHOWN.items()}
    return {name: body.content.hex() for name, body in found.items() if body is not None}


def main() -> None:
    """Make, show or insert one card."""
    parser = argparse.ArgumentParser(description="Virtual cards: make a blank, show what is on one, insert it.")
    parser.add_argument("act", choices=("make", "show", "insert"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--control", type=Path, help="control socket of the reader to insert into")
    options = parser.parse_args()
    match options.act:
        case "make":
            make(options.file, json.load(sys.stdin))
        case "show":
            json.dump(show(options.file), sys.stdout, indent=1)
        case _ if options.control is None:
            parser.error("insert needs --control")
        case _:
            order(options.control, f"insert {options.file.resolve()}")


if __name__ == "__main__":
    main()
