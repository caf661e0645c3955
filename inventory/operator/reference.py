"""The reference adapter: JSON over HTTP as docs/operator-adapter.md writes it down."""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from typing_extensions import override

from cardwriter.crypto.secret import Secret
from inventory.domain.errors import InvalidIdentifier
from inventory.domain.identifiers import parse_iccid, parse_imsi
from inventory.operator.adapter import (
    CardSaid,
    Issue,
    IssueWish,
    OperatorBroken,
    OperatorError,
    OperatorRefused,
    OperatorUnavailable,
    Receipt,
)

DEADLINE: Final = 20.0
"""Seconds for a call with all its attempts: a customer stands there."""
ATTEMPTS: Final = 3
LARGEST_ANSWER: Final = 64 * 1024
_MOST_PARTS, _LONGEST_PART = 64, 255
_LONGEST_TEXT: Final = 200
_LATER: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


async def _pause(attempt: int) -> None:
    await asyncio.sleep(0.5 * attempt)


class ReferenceAdapter:
    """Asks one card-data system.

    Parameters
    ----------
    address
        `https://host/path`; without TLS only on this machine.
    key
        Sent as `Authorization: Bearer`.
    deadline
        Seconds until a call with all its attempts ends, whatever the system does.
    pause
        Waits before the n-th attempt (n from 1).

    Raises
    ------
    ValueError
        The address is of another form, or without TLS beyond this machine.
    """

    def __init__(
        self,
        address: str,
        key: Secret,
        *,
        deadline: float = DEADLINE,
        pause: Callable[[int], Awaitable[None]] = _pause,
    ) -> None:
        parts = urlsplit(address)
        local = _is_loopback(parts.hostname or "")
        if not parts.hostname or parts.scheme not in {"http", "https"} or (parts.scheme == "http" and not local):
            raise ValueError("an operator's address reads https://host, or http:// on this machine")
        self._address = address.rstrip("/")
        self._key = key
        self._deadline = deadline
        self._pause = pause
        self._trust_env = not local

    async def request(self, wish: IssueWish) -> Issue:
        """Give the issue data for a blank; see `OperatorAdapter`."""
        body = {"request": wish.request, "serial": wish.serial, "product": wish.product, "number": wish.number}
        answer = await self._call("issue-data", wish.request, body)
        try:
            if answer["serial"] != wish.serial:
                raise OperatorBroken("the issue data are for another card")
            return Issue(
                transaction=_name(answer["transaction"]),
                iccid=parse_iccid(answer["iccid"]).iccid,
                imsi=parse_imsi(answer["imsi"]),
                parts=_parts(answer["issue_data"]),
            )
        except (KeyError, TypeError, ValueError, InvalidIdentifier) as error:
            raise OperatorBroken(f"no issue data ({type(error).__name__})") from None

    async def report(self, said: CardSaid) -> Receipt:
        """Hand in what the card said and give the system's word on it; see `OperatorAdapter`."""
        body = {
            "transaction": said.transaction,
            "serial": said.serial,
            "card_answer": None if said.answer is None else said.answer.hex(),
            "sw": None if said.sw is None else f"{said.sw:04x}",
        }
        answer = await self._call("card-answers", said.transaction, body)
        accepted, reason = answer.get("accepted"), answer.get("reason")
        if answer.get("transaction") != said.transaction or not isinstance(accepted, bool):
            raise OperatorBroken("no receipt for this transaction")
        return Receipt(accepted, _shown(reason) if isinstance(reason, str) else None)

    async def _call(self, what: str, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post until there is an answer, at most `ATTEMPTS` times and within the deadline."""
        headers = {"Authorization": f"Bearer {self._key.reveal().decode()}", "Idempotency-Key": key}
        last: OperatorError = OperatorUnavailable("no answer in time")
        try:
            async with (
                asyncio.timeout(self._deadline),
                httpx2.AsyncClient(timeout=self._deadline, trust_env=self._trust_env, headers=headers) as client,
            ):
                for attempt in range(ATTEMPTS):
                    if attempt:
                        await self._pause(attempt)
                    try:
                        return await self._post(client, what, body)
                    except OperatorUnavailable as error:
                        last = error
        except TimeoutError:
            pass  # `last` says it, or what the attempts before came to
        raise last

    async def _post(self, client: httpx2.AsyncClient, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        content = bytearray()
        try:
            async with client.stream("POST", f"{self._address}/{what}", json=body) as answer:
                status = answer.status_code
                if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
                    raise OperatorUnavailable(f"status {status}")
                if status >= HTTPStatus.BAD_REQUEST:
                    raise OperatorRefused(f"status {status}")
                if status != HTTPStatus.OK:
                    raise OperatorBroken(f"status {status}")
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > LARGEST_ANSWER:
                        raise OperatorBroken(f"an answer of more than {LARGEST_ANSWER} bytes")
        except httpx2.HTTPError as error:
            raise OperatorUnavailable(type(error).__name__) from None
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise OperatorBroken("the answer is no JSON object")
        return found

    @override
    def __repr__(self) -> str:
        return f"ReferenceAdapter({self._address!r})"


def _name(value: object) -> str:
    """Give a name that a header can carry (RFC 9110, 5.5), or the card's answer could never be handed in under it."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT:
        raise ValueError("not a short text")
    if not (value.isascii() and value.isprintable()) or value != value.strip():
        raise ValueError("not a header's value")
    return value


def _shown(text: str) -> str:
    """Give a text of a stranger as it may be kept and shown: a NUL or half a surrogate is no text to a database."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_LONGEST_TEXT])


def _parts(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= _MOST_PARTS:
        raise ValueError("not 1 to 64 parts")
    parts = tuple(map(bytes.fromhex, value))
    if any(not 0 < len(part) <= _LONGEST_PART for part in parts):
        raise ValueError("a part of no or more than 255 bytes")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
