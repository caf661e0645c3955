"""Whose scripts a station runs: those that the key which it learnt at enrolment has signed for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cardwriter.script import Script
from cardwriter.signing import Destination, is_endorsed, is_signed
from cardwriter.station.link import LinkRefusedError

UNSIGNED: Final = "unsigned"
OTHER_STATION: Final = "other_station"
WRONG_SIGNATURE: Final = "wrong_signature"


class Trust:
    """The service's verifying key, and what it says of a script.

    Parameters
    ----------
    station_id
        This station's public id, which scripts name.
    signer
        The key, 32 bytes.
    keep
        Called with a key that takes its place, before it is used; must have stored it when it returns.
    """

    def __init__(self, station_id: str, signer: bytes, keep: Callable[[bytes], None]) -> None:
        self.station_id = station_id
        self._signer = signer
        self._keep = keep

    @property
    def signer(self) -> bytes:
        """The key whose scripts run now."""
        return self._signer

    def refusal(self, message: dict[str, Any], script: Script, to: Destination) -> str | None:
        """Return why a script from the link may not run here, as `Report.error`; None if it may."""
        if message.get("station") != self.station_id:
            return OTHER_STATION if "signature" in message else UNSIGNED
        signature = message.get("signature")
        if not isinstance(signature, str):
            return UNSIGNED
        try:
            value = bytes.fromhex(signature)
        except ValueError:
            return WRONG_SIGNATURE
        return None if is_signed(self._signer, value, script, to) else WRONG_SIGNATURE

    def follow(self, successor: object, endorsement: object) -> None:
        """Take another key in this one's place, if this one's owner endorsed it; both as hex from the link.

        Raises
        ------
        LinkRefusedError
            It did not: only a new enrolment can tell whether that service is still ours.
        OSError
            The new key cannot be kept.
        """
        try:
            key, proof = bytes.fromhex(str(successor)), bytes.fromhex(str(endorsement))
        except ValueError:
            key, proof = b"", b""
        if not is_endorsed(self._signer, proof, key):
            reason = "it signs scripts with a key that this station has not learnt; enrol it again"
            raise LinkRefusedError("link_key_unknown", reason)
        if key != self._signer:
            self._keep(key)
            self._signer = key
