"""How a station becomes known: a one-time code from the service is traded for the station's own credential."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpx2

from cardwriter.station.link import is_loopback, link_url
from cardwriter.station.trust import Trust

FILE_NAME: Final = "credential.json"
_TIMEOUT = 15.0
_NOT_ABOUT_THE_CODE: Final = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}
)


class EnrolmentError(Exception):
    """The service did not take the code, or there is no place to keep its credential.

    `code` names the sentence for people, with what to do (`texts.TEXTS`), `values` fill it; the text is the log's.
    """

    def __init__(self, code: str, text: str, /, **values: object) -> None:
        super().__init__(text)
        self.code = code
        self.values = values


class OutdatedCredentialError(ValueError):
    """The station enrolled when scripts were not signed yet: it cannot tell whose they are, and must enrol again."""


@dataclass(frozen=True)
class Credential:
    """What the service knows this station by, and what the station knows the service by.

    `signer` is the hex of the key that signs scripts; `secret` is shown nowhere.
    """

    service: str
    station_id: str
    name: str
    signer: str
    secret: str = field(repr=False)


def load(folder: Path) -> Credential | None:
    """Return the credential kept in the data folder, or None if the station was never enrolled.

    Raises
    ------
    OutdatedCredentialError
        It comes from an enrolment that told no signing key.
    TypeError, ValueError
        The file holds something else.
    """
    try:
        kept = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except RecursionError:
        raise ValueError("nested deeper than any credential") from None
    if isinstance(kept, dict) and "secret" in kept and "signer" not in kept:
        raise OutdatedCredentialError
    credential = Credential(**kept)
    bytes.fromhex(credential.signer)
    return credential


def trust_of(credential: Credential, folder: Path) -> Trust:
    """Return what tells the service's scripts from others'; a key that takes over is kept in the data folder."""
    return Trust(
        credential.station_id,
        bytes.fromhex(credential.signer),
        keep=lambda signer: _keep(replace(credential, signer=signer.hex()), folder),
    )


def enrol(service: str, code: str, folder: Path, *, name: str) -> Credential:
    """Trade a one-time code for a credential and keep it in the data folder, readable by its owner alone.

    Sending the same code again after a lost answer is safe: the idempotency key comes from the code.

    Raises
    ------
    EnrolmentError
        The service cannot be reached, or refuses the code (wrong, used or too old); the folder takes no file.
    LinkRefusedError
        The address is without TLS beyond this machine.
    """
    link_url(service)
    _try(folder)  # before the code is spent
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
            service=address,
            station_id=given["station_id"],
            name=given["name"],
            signer=bytes.fromhex(given["signer"]).hex(),
            secret=given["credential"],
        )
    except httpx2.HTTPStatusError as error:
        raise _answered(address, error.response) from None
    except httpx2.HTTPError as error:
        reason = f"the service at {address} cannot be reached: {error}"
        raise EnrolmentError("enrol_unreachable", reason, service=address, reason=error) from None
    except (ValueError, KeyError, TypeError):
        raise EnrolmentError(
            "enrol_not_ours", f"what answers at {address} is not the service", service=address
        ) from None
    try:
        _keep(credential, folder)
    except OSError as error:
        raise _no_place(folder, error) from None
    return credential


def _try(folder: Path) -> None:
    """Find out whether the folder, made if need be, takes a file."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise _no_place(folder, error) from None


def _no_place(folder: Path, error: OSError) -> EnrolmentError:
    reason = (
        f"the folder {folder} takes no file ({error.strerror}); make it this user's own, then give the same code again"
    )
    return EnrolmentError("enrol_no_place", reason, folder=folder, reason=error.strerror)


def _answered(address: str, answer: httpx2.Response) -> EnrolmentError:
    """Tell a code that the service refuses from a server that is not the service, or is in trouble."""
    status = answer.status_code
    if answer.is_client_error and status not in _NOT_ABOUT_THE_CODE:
        return EnrolmentError("enrol_code_refused", f"the service refused the enrolment code ({status})", status=status)
    reason = f"{address} answered {status} to the enrolment code"
    return EnrolmentError("enrol_no_answer", reason, service=address, status=status)


def _keep(credential: Credential, folder: Path) -> None:
    """Write the file whole or not at all."""
    draft = folder / f"{FILE_NAME}.new"
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(credential), file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / FILE_NAME)
