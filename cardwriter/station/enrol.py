"""How a station becomes known: a one-time code from the service is traded for the station's own credential."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import httpx2

from cardwriter.station.link import is_loopback, link_url

FILE_NAME: Final = "credential.json"
_TIMEOUT = 15.0


class EnrolmentError(Exception):
    """The service did not take the code."""


@dataclass(frozen=True)
class Credential:
    """What the service knows this station by; `secret` is shown nowhere."""

    service: str
    station_id: str
    name: str
    secret: str = field(repr=False)


def load(folder: Path) -> Credential | None:
    """Return the credential kept in the data folder, or None if the station was never enrolled."""
    try:
        return Credential(**json.loads((folder / FILE_NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def enrol(service: str, code: str, folder: Path, *, name: str) -> Credential:
    """Trade a one-time code for a credential and keep it in the data folder, readable by its owner alone.

    Sending the same code again after a lost answer is safe: the idempotency key comes from the code.

    Raises
    ------
    EnrolmentError
        The service cannot be reached, or refuses the code (wrong, used or too old).
    LinkRefusedError
        The address is without TLS beyond this machine.
    """
    link_url(service)
    address = service.rstrip("/")
    key = hashlib.sha256(f"enrol {code}".encode()).hexdigest()[:32]
    try:
        with httpx2.Client(timeout=_TIMEOUT, trust_env=not is_loopback(service)) as client:
            answer = client.post(
                f"{address}/v1/stations:enrol", json={"code": code, "name": name}, headers={"Idempotency-Key": key}
            )
        answer.raise_for_status()
        given = answer.json()
        credential = Credential(
            service=address, station_id=given["station_id"], name=given["name"], secret=given["credential"]
        )
    except httpx2.HTTPStatusError as error:
        raise EnrolmentError(f"the service refused the enrolment code ({error.response.status_code})") from None
    except httpx2.HTTPError as error:
        raise EnrolmentError(f"the service at {address} cannot be reached: {error}") from None
    except (ValueError, KeyError, TypeError):
        raise EnrolmentError(f"what answers at {address} is not the service") from None
    _keep(credential, folder)
    return credential


def _keep(credential: Credential, folder: Path) -> None:
    """Write the file whole or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = folder / f"{FILE_NAME}.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(credential), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE_NAME)
