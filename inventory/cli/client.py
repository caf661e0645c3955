"""Commands for staff are clients of `/v1`, like every other caller: same keys, same hours, same refusals."""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path
from typing import IO, Any

import httpx2
import typer
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from inventory.cli.refusals import exit_status, language
from inventory.domain.errors import Refusal
from inventory.i18n import Language
from inventory.refusal_status import STATUS

_TIMEOUT_SECONDS = 120
"""A load of a whole segment is one request."""


class ClientSettings(BaseSettings):
    """Who the command line is, and which service it talks to."""

    model_config = SettingsConfigDict(env_prefix="HAOKA_", frozen=True, extra="ignore")

    service_url: str = Field(
        default="http://127.0.0.1:8460", description="Address of the service that commands talk to."
    )
    interface: str | None = Field(default=None, description="Interface number that commands use.")
    staff: str | None = Field(default=None, description="Staff id that commands use.")
    secret: SecretStr | None = Field(default=None, description="API key or session token that commands use.")


class Refused(typer.Exit):
    """A request that the service refused; `params` are those of its problem document."""

    def __init__(self, status: int, params: dict[str, Any]) -> None:
        super().__init__(status)
        self.params = params


class Unreachable(typer.Exit):
    """A request that did not reach the service, or whose answer did not come."""


class Client:
    """Calls the service as the person of the settings; a refusal is printed and ends the command."""

    def __init__(self, settings: ClientSettings, *, language: Language) -> None:
        headers = {"Haoka-Interface": settings.interface, "Haoka-Staff": settings.staff}
        secret = settings.secret.get_secret_value() if settings.secret else None
        self._address = settings.service_url
        self._headers = {
            **{name: value for name, value in headers.items() if value},
            **({"Authorization": f"Bearer {secret}"} if secret else {}),
            "Accept-Language": "zh-CN" if language == "zh" else "en",
        }

    def read(self, path: str, **query: Any) -> dict[str, Any]:
        """GET the path and return the JSON document.

        Raises
        ------
        typer.Exit
            The service refused or cannot be reached; the reason is on standard error.
        """
        wanted = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", path, params=wanted)

    def save(self, path: str, file: Path, **query: Any) -> None:
        """GET the list of the path whole and write it to the file, piece by piece: CSV, or XLSX by the file's name.

        Raises
        ------
        typer.Exit
            As for `read`, or the file cannot be written; what is there of it is taken away again.
        """
        form = "xlsx" if file.suffix.lower() == ".xlsx" else "csv"
        self.save_file(path, file, **query, format=form)

    def save_file(self, path: str, file: Path, **query: Any) -> None:
        """GET what the path answers and write it to the file, as `save` does; raises as that does.

        What is no plain file, such as /dev/stdout, or a link to one, is written into and never replaced.
        """
        wanted = {name: value for name, value in query.items() if value is not None}
        plain = not file.is_symlink() and (file.is_file() or not file.exists())
        unfinished = file.with_name(f"{file.name}.part") if plain else file
        try:
            with unfinished.open("wb") as target:
                self._answer("GET", path, params=wanted, into=target)
            if plain:
                unfinished.replace(file)
        except OSError as error:
            _complain(f"{file} cannot be written: {error.strerror}")
            raise typer.Exit(1) from None
        finally:
            if plain:
                unfinished.unlink(missing_ok=True)

    def write(
        self, path: str, body: Any = None, *, key: str | None = None, method: str = "POST", **more: Any
    ) -> dict[str, Any]:
        """Send a write once, with the idempotency key given or a fresh one, and return its answer.

        Raises
        ------
        Refused
            The service refused; the reason is on standard error.
        Unreachable
            It cannot be reached.
        """
        headers = {"Idempotency-Key": key or secrets.token_hex(16)}
        return self._call(method, path, headers=headers, **({"json": body} if body is not None else {}), **more)

    def append(self, path: str, offset: int, piece: bytes) -> dict[str, Any]:
        """Send a piece of an upload and return the upload as it stands.

        Raises
        ------
        Refused
            The service refused; the reason is on standard error.
        Unreachable
            The connection was lost; ask where the upload stands and go on from there.
        """
        headers = {"Upload-Offset": str(offset), "Content-Type": "application/octet-stream"}
        return self._call("PATCH", path, headers=headers, content=piece)

    def _call(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        answer = self._answer(method, path, **request)
        document: dict[str, Any] = answer.json() if answer.content else {}
        return document

    def _answer(self, method: str, path: str, *, into: IO[bytes] | None = None, **request: Any) -> httpx2.Response:
        """Return the answer; the body of a good one goes piece by piece `into` a file if one is given."""
        # A workbook's first byte comes after its last row: a file is waited for as long as the connection stands
        timeout = httpx2.Timeout(_TIMEOUT_SECONDS, read=_TIMEOUT_SECONDS if into is None else None)
        try:
            with (
                httpx2.Client(base_url=self._address, headers=self._headers, timeout=timeout) as http,
                http.stream(method, path, **request) as answer,
            ):
                if into is not None and answer.is_success:
                    for piece in answer.iter_bytes():
                        into.write(piece)
                else:
                    answer.read()
        except httpx2.HTTPError as error:
            _complain(f"{self._address} cannot be reached: {error}; is the service up (haoka up)?")
            raise Unreachable(exit_status(Refusal.BUSY)) from None
        if answer.is_success:
            return answer
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        title, detail = problem.get("title", answer.reason_phrase), problem.get("detail", "")
        _complain(f"{title}: {detail} [{problem.get('code', answer.status_code)}]")
        for fault in problem.get("errors") or ():
            _complain(f"  {fault['field']}: {fault['reason']}")
        raise Refused(_status_of(answer.status_code), problem.get("params", {}))


def connect() -> Client:
    """Return the client that the environment describes (docs/settings.md)."""
    return Client(ClientSettings(), language=language(None))


def show(document: dict[str, Any]) -> None:
    """Print an answer as JSON, for people and for pipes."""
    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))


def _complain(text: str) -> None:
    sys.stderr.write(text + "\n")


def _status_of(http_status: int) -> int:
    """Return the exit status that belongs to a refusal's HTTP status."""
    return next((exit_status(sort) for sort, status in STATUS.items() if status == http_status), 1)
