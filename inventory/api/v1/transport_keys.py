"""Transport keys: what vendors enclose card keys under, and networks take them under. No route gives one out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from cardwriter.crypto.secret import Secret
from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.api.deps import NowDep, RuntimeDep, SessionDep, WriteDep, reply, require
from inventory.api.models import Model
from inventory.api.problems import errors
from inventory.domain.errors import (
    ApprovalDiffers,
    ApprovalNeeded,
    ApprovalNotGranted,
    DuplicateIdentifier,
    InvalidField,
    InvalidIdentifier,
    NotFound,
)
from inventory.downloads import FILES, FileDep, download
from inventory.services.short_lists import transport_key_listing
from inventory.services.transport_keys import TransportKeyWish, import_transport_key, read_transport_keys
from inventory.vault.transport import KeyPurpose, TransportAlgorithm

router = APIRouter(tags=["stations"])


class KeyLetter(Model):
    """What a vendor's letter says of a transport key beside the key: `kcv` is its check value, three bytes."""

    index: Annotated[str, Field(min_length=1, max_length=32)] = Field(examples=["11"])
    algorithm: TransportAlgorithm
    kcv: Annotated[str, Field(pattern="^[0-9A-Fa-f]{6}$")]
    purpose: KeyPurpose = Field(KeyPurpose.VENDOR, description="card keys come in from a vendor under it, or go out")


class NewTransportKey(KeyLetter):
    """A transport key as its letters say; the parts are hexadecimal, one per custodian.

    `approval` is the id of the second person's word (`POST /v1/approvals` with act `import_transport_key`).
    """

    parts: list[Annotated[str, Field(pattern="^(?:[0-9A-Fa-f]{2}){16,24}$")]] = Field(
        min_length=1, max_length=3, repr=False
    )
    approval: Annotated[str, Field(max_length=40, examples=["a-530700-12"])] | None = None


class TransportKeyView(Model):
    """A transport key that is kept, wrapped."""

    index: str
    algorithm: TransportAlgorithm
    kcv: str
    purpose: KeyPurpose


class TransportKeys(Model):
    """The transport keys by index."""

    transport_keys: list[TransportKeyView]


@router.get(
    "/transport-keys",
    operation_id="read_transport_keys",
    summary="The transport keys, by what their letters say",
    response_model=TransportKeys,
    responses=FILES,
)
async def get_transport_keys(
    caller: Annotated[Caller, require(Permission.SETUP_READ)],
    session: SessionDep,
    runtime: RuntimeDep,
    file: FileDep,
) -> Any:
    """List which keys there are, never a key."""
    if file is not None:
        return await download(runtime.database, caller, transport_key_listing(), file)
    return {"transport_keys": await read_transport_keys(session)}


@router.post(
    "/transport-keys",
    operation_id="import_transport_key",
    status_code=201,
    summary="Take in a transport key",
    response_model=TransportKeyView,
    responses=errors(
        ApprovalDiffers,
        ApprovalNeeded,
        ApprovalNotGranted,
        DuplicateIdentifier,
        InvalidField,
        InvalidIdentifier,
        NotFound,
    ),
)
async def post_transport_key(
    caller: Annotated[Caller, require(Permission.LOADS_WRITE, writes=True)],
    wish: NewTransportKey,
    runtime: RuntimeDep,
    session: SessionDep,
    write: WriteDep,
    now: NowDep,
    response: Response,
) -> Any:
    """Keep a transport key, wrapped by the vault; its check value must fit, and a second person agree."""
    asked = TransportKeyWish(
        index=wish.index,
        algorithm=wish.algorithm,
        parts=tuple(Secret.fromhex(part) for part in wish.parts),
        kcv=bytes.fromhex(wish.kcv),
        purpose=wish.purpose,
        approval=wish.approval,
    )
    answer = await import_transport_key(session, caller, write, asked, vault=runtime.vault, now=now)
    return reply(answer, response, 201)
