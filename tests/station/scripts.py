"""Scripts for the tiny card, as a service would build them."""

from __future__ import annotations

from datetime import UTC, datetime

from cardwriter.script import Otherwise, Purpose, Script, Step, SwMask
from tests.station.tiny_card import ADM, ICCID

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LATER = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())
IMSI = bytes.fromhex("082980000000000010")


def step(
    name: str,
    apdu: str,
    *,
    returns: bool = False,
    secret: bool = False,
    changes: bool = False,
    otherwise: Otherwise = Otherwise.STOP,
    expect: tuple[str, ...] = ("9000", "91xx"),
) -> Step:
    """Make a step from hex."""
    return Step(
        name=name,
        apdu=bytes.fromhex(apdu),
        returns=returns,
        secret=secret,
        changes_card=changes,
        otherwise=otherwise,
        expect=tuple(SwMask(mask) for mask in expect),
    )


def script(
    *steps: Step,
    named: str = "script-1",
    purpose: Purpose = Purpose.WRITE,
    card: str | None = ICCID.hex(),
    expires_at: int = LATER,
) -> Script:
    """Make a script for the tiny card."""
    return Script(id=named, purpose=purpose, card=card, steps=steps, expires_at=expires_at)


SELECT_AD = step("select EF.AD", "00a40004026fad00")
SELECT_IMSI = step("select EF.IMSI", "00a40004026f0700")
READ_IMSI = step("read EF.IMSI", "00b0000009", returns=True)
VERIFY_ADM = step("verify ADM", "0020000a08" + ADM.hex(), secret=True)
WRITE_AD = step("write EF.AD", "00d600000400000002", changes=True)
WRITE_IMSI = step("write EF.IMSI", "00d6000009" + IMSI.hex(), changes=True)
AUTHENTICATE = step("authenticate", "008800811110" + "ab" * 16 + "00", secret=True, returns=True)

IDENTIFY = script(
    step("select EF.ICCID", "00a40004022fe200", returns=True),
    step("read EF.ICCID", "00b000000a", returns=True),
    named="identify-1",
    purpose=Purpose.IDENTIFY,
    card=None,
)
WRITE = script(VERIFY_ADM, SELECT_AD, WRITE_AD, SELECT_IMSI, WRITE_IMSI, named="write-1")
