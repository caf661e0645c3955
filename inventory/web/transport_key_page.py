"""Transport keys: which there are, and the question to a second person. Their parts are sent by command, not here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError, InvalidField
from inventory.downloads import FileDep, download
from inventory.services.approving import Question
from inventory.services.short_lists import transport_key_listing
from inventory.services.transport_keys import IMPORT_KEY, KCV, read_transport_keys
from inventory.vault.transport import KeyPurpose, TransportAlgorithm
from inventory.web.asking import wait_for
from inventory.web.deps import FormDep, NowDep, RuntimeDep, SessionDep, WriteDep, language_of, require
from inventory.web.problems import Tried, render_form
from inventory.web.wording import PageWording

router = APIRouter(prefix="/transport-keys")

Reader = Annotated[Caller, require(Permission.SETUP_READ)]
Loader = Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)]
_FIELDS = ("index", "algorithm", "kcv", "purpose")
_LONGEST = 32
"""Characters of an index."""


@router.get("")
async def show(request: Request, session: SessionDep, caller: Reader, runtime: RuntimeDep, file: FileDep) -> Response:
    """Show what the letters of the keys say, and the form to ask for a new one."""
    if file is not None:
        return await download(
            runtime.database, caller, transport_key_listing(), file, PageWording(language_of(request))
        )
    return await _page(request, session, caller, Tried({}))


@router.post("")
async def ask(
    request: Request, session: SessionDep, caller: Loader, write: WriteDep, form: FormDep, now: NowDep
) -> Response:
    """Ask a second person for its word on a key of this letter."""
    try:
        return await wait_for(request, session, caller, write, Question(IMPORT_KEY, _letter(form)), now=now)
    except DomainError as refusal:
        return await _page(request, session, caller, Tried(form, refusal))


def _letter(form: Mapping[str, str]) -> dict[str, str]:
    """Read what the letter says.

    Raises
    ------
    InvalidField
        It says something that no letter does.
    """
    letter = {name: form.get(name, "").strip() for name in _FIELDS}
    if not 1 <= len(letter["index"]) <= _LONGEST:
        raise InvalidField(field="index", value=letter["index"], reason=f"1 to {_LONGEST} characters")
    for name, known in (("algorithm", TransportAlgorithm), ("purpose", KeyPurpose)):
        if letter[name] not in set(known):
            raise InvalidField(field=name, value=letter[name], reason=f"one of {', '.join(known)} is needed")
    if KCV.fullmatch(letter["kcv"]) is None:
        raise InvalidField(field="kcv", value=letter["kcv"], reason="6 hex digits are needed")
    return letter


async def _page(request: Request, session: SessionDep, caller: Caller, tried: Tried) -> Response:
    values = {
        "keys": await read_transport_keys(session),
        "algorithms": list(TransportAlgorithm),
        "purposes": list(KeyPurpose),
        "may_ask": caller.may(Permission.LOADS_WRITE),
        "sent": {name: tried.form.get(name, "") for name in _FIELDS},
    }
    return render_form(request, "policies/transport_keys.html", values, tried.refusal, caller=caller)
