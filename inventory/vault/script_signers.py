"""The keys that sign scripts for stations: derived, one from each key version, so that they rotate with the vault's."""

from __future__ import annotations

from dataclasses import dataclass

from cardwriter.signing import Signer
from inventory.vault.envelope import Vault
from inventory.vault.keys import UnknownKeyVersion

_PURPOSE = "script-signer"


@dataclass(frozen=True)
class ScriptSigners:
    """Gives the signing key of now, and its endorsement by one that a station learnt earlier."""

    vault: Vault

    def current(self) -> Signer:
        """Give the key that signs from now on: that of the vault's newest version.

        Raises
        ------
        DomainError
            The key file has changed to something that cannot be used.
        """
        return self._of(self.vault.current)

    def endorsed_by(self, known: object, successor: Signer) -> bytes | None:
        """Give the endorsement by the key that a station says it knows (hex).

        None if it is not one of ours, or of a version that was retired since: that station must enrol again.

        Raises
        ------
        DomainError
            As `current`.
        """
        for version in range(self.vault.current, 0, -1):
            try:
                signer = self._of(version)
            except UnknownKeyVersion:
                continue
            if signer.public.hex() == known:
                return signer.endorse(successor.public)
        return None

    def _of(self, version: int) -> Signer:
        return Signer(self.vault.derive(_PURPOSE, version=version))
