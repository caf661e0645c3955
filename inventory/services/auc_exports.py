"""Tell the network of proven identities: two persons, and every key enclosed under a transport key of the network's.

An export marks what it tells as sent, in one go; its file is made whenever it is fetched, and kept nowhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from cardwriter.crypto.algorithms import STANDARD, algorithm, config_of, key_sizes
from cardwriter.crypto.secret import Secret
from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.approvals import Demand
from inventory.domain.auc import AucForm, Subscriber, TransportName, entry, head
from inventory.domain.errors import (
    InvalidField,
    NotFound,
    NothingToExport,
    TransportKeyNotOpened,
    TransportKeyUnfit,
)
from inventory.domain.identifiers import format_public_id, parse_public_id
from inventory.services.acting import acting
from inventory.services.approval import require_second_person, without_approval
from inventory.services.card_data import TRANSPORT_FIELD, TRANSPORT_TABLE
from inventory.services.once import Answer, WriteKey, once
from inventory.services.policies import city_to_decide_for
from inventory.store import auc, catalogue
from inventory.store.auc import ExportRow, ToldRow, TransportKeyRow
from inventory.store.events import EventDraft, record
from inventory.store.organisation import Node
from inventory.store.stock import allow_long_statements
from inventory.vault.envelope import EnvelopeBroken, Vault
from inventory.vault.transport import KeyPurpose, TransportAlgorithm, TransportKeyUnusable, enclose, unwrap

EXPORT = "export_to_network"
"""Name of the act, which always needs an approval."""
MOST = 1_000_000
"""Identities of one export; more take another one."""
PREFIX = "x"
_KIND = "auc_export"


@dataclass(frozen=True, kw_only=True)
class ExportWish:
    """What to tell: in which form, under which transport key, of which HLR (all), at most how many identities."""

    form: str
    transport_key: str
    hlr: str | None = None
    most: int = 100_000
    approval: str | None = None


@dataclass(frozen=True)
class ExportFile:
    """The file of an export: what it is called, and how its pieces are read; each fetch is told of."""

    name: str
    open: Callable[[AsyncSession], AsyncGenerator[bytes, None]]


async def export(
    session: AsyncSession, caller: Caller, write: WriteKey, wish: ExportWish, *, vault: Vault, now: datetime
) -> Answer:
    """Mark proven identities as sent and answer with the export, whose file may then be fetched.

    What the network refused is told again; what it was told of is not, whoever asks.

    Raises
    ------
    ApprovalNeeded, ApprovalNotGranted, ApprovalDiffers
        A second person's word is needed, or was given for something else.
    InvalidField, NotFound
        There is no such form, key or HLR, or the number is out of range.
    NothingToExport
        The network knows of everything already, the form cannot say it, or others are at work on all that is left.
    OutsideScope
        The caller belongs to a part of the city only.
    TransportKeyNotOpened
        A key that the file needs does not open; nothing is marked.
    TransportKeyUnfit
        The transport key is a vendor's.
    """

    async def work() -> dict[str, Any]:
        done = await perform_export(session, caller, wish, now=now)
        await require_keys(session, caller, done, vault=vault)
        return done

    return await once(session, caller, write, work, now=now)


async def perform_export(session: AsyncSession, caller: Caller, wish: ExportWish, *, now: datetime) -> dict[str, Any]:
    """Do as `export` does, in the transaction that is open; whether its keys open is for `require_keys` to say."""
    city = await whole_city(session, caller)
    form = checked_form(wish.form, wish.most)
    key = await _key_for_network(session, wish.transport_key)
    if wish.hlr is not None and wish.hlr not in {hlr.code for hlr in await catalogue.hlrs_of(session, caller.city_id)}:
        raise NotFound(what="HLR", value=wish.hlr)
    kinds = [code for code, config in (await auc.algorithms(session)).items() if _says(form, config)]
    if not await auc.is_any_untold(session, city_id=caller.city_id, hlr_code=wish.hlr, kinds=kinds):
        raise NothingToExport(form=form.value)
    asked = {"form": form.value, "transport_key": key.index, "kcv": key.kcv.hex(), "hlr": wish.hlr, "most": wish.most}
    demand = Demand(
        act=EXPORT,
        permission=Permission.NETWORK_EXPORT,
        place=city.id,
        wish=without_approval(wish),
        summary=asked,
    )
    approver = await require_second_person(session, caller, wish.approval, demand, now=now)
    await allow_long_statements(session)
    export_id, count = await auc.add_export(
        session, city_id=caller.city_id, form=form, transport_key_index=key.index, hlr_code=wish.hlr, kinds=kinds,
        most=wish.most, staff_no=caller.staff_no, approver=approver, now=now,
    )  # fmt: skip
    if not count:
        raise NothingToExport(form=form.value)
    data = {**asked, "count": count, "approver": approver, "approval": wish.approval}
    await record(
        session, [EventDraft(name="auc.exported", kind=_KIND, item_no=export_id, data=data)], **acting(caller, now)
    )
    return {"id": format_public_id(PREFIX, caller.city_id, export_id), "count": count}


async def require_keys(session: AsyncSession, caller: Caller, done: Mapping[str, Any], /, *, vault: Vault) -> None:
    """Let pass an export just made, in its own transaction, if all the keys that its file needs open.

    Raises
    ------
    TransportKeyNotOpened
        One does not.
    """
    serial = parse_public_id(done["id"], PREFIX, field="export").serial
    (row,) = await auc.exports(session, city_id=caller.city_id, export_id=serial)
    await _encloser(session, caller, row, vault)


async def read_exports(
    session: AsyncSession, caller: Caller, *, before: int | None = None, most: int | None = auc.MOST_LISTED
) -> list[ExportRow]:
    """Return the city's exports, the newest first, of those older than `before` if one is given; `most` None is all.

    Raises
    ------
    OutsideScope
        The caller belongs to a part of the city only.
    """
    async with session.begin():
        await whole_city(session, caller)
        return await auc.exports(session, city_id=caller.city_id, before=before, limit=most)


async def read_network_keys(session: AsyncSession) -> list[str]:
    """Return the indexes of the transport keys that card keys may go out under."""
    async with session.begin():
        rows = (await auc.transport_keys(session)).values()
        return sorted(row.index for row in rows if row.purpose == KeyPurpose.NETWORK)


async def export_file(
    session: AsyncSession, caller: Caller, public_id: str, *, vault: Vault, now: datetime
) -> ExportFile:
    """Give the file of an export, which may be fetched again; every fetch is told of before the first byte goes.

    Raises
    ------
    InvalidIdentifier, NotFound
        The city has no such export.
    OutsideScope
        The caller belongs to a part of the city only.
    """
    wanted = parse_public_id(public_id, PREFIX, field="export")
    async with session.begin():
        await whole_city(session, caller)
        found = await auc.exports(session, city_id=caller.city_id, export_id=wanted.serial)
        if wanted.city_id != caller.city_id or not found:
            raise NotFound(what="export", value=public_id)
    (row,) = found
    form = AucForm(row.form)

    async def pieces(reading: AsyncSession) -> AsyncGenerator[bytes, None]:
        async with reading.begin():
            await allow_long_statements(reading)
            draft = EventDraft(name="auc.fetched", kind=_KIND, item_no=row.export_id, data={"count": row.item_count})
            encloser = await _encloser(reading, caller, row, vault)
            await record(reading, [draft], **acting(caller, now))
        async with reading.begin():
            await allow_long_statements(reading)
            yield head(form, encloser.under).encode()
            told = auc.stream_told(reading, city_id=caller.city_id, export_id=row.export_id)
            async with aclosing(told) as batches:
                async for batch in batches:
                    # Four ciphers a row: not while others wait for the loop
                    yield await asyncio.to_thread(encloser.entries, batch)

    return ExportFile(f"{public_id}.{form.suffix}", pieces)


class _Encloser:
    """Takes card keys from under the vendors' transport keys and puts them under the network's, in memory only.

    `vendors` are those that the card keys lie under: another that does not open is no hindrance.
    """

    def __init__(
        self,
        form: AucForm,
        vault: Vault,
        vendors: Sequence[TransportKeyRow],
        configs: Mapping[str, Mapping[str, Any]],
        network: TransportKeyRow,
    ) -> None:
        self._form = form
        self._configs = configs
        self._vendors = {key.index: (TransportAlgorithm(key.algorithm), _opened(vault, key)) for key in vendors}
        self._network = (TransportAlgorithm(network.algorithm), _opened(vault, network))
        self.under = TransportName(network.index, network.algorithm, network.kcv.hex())

    def entries(self, rows: Sequence[ToldRow]) -> bytes:
        """Give what the file says of these identities.

        Raises
        ------
        TransportKeyNotOpened
            What lies under a vendor's key is no card key.
        """
        return "".join(entry(self._form, self._subscriber(row), self.under) for row in rows).encode()

    def _subscriber(self, row: ToldRow) -> Subscriber:
        config = self._configs[row.kind_code]
        return Subscriber(
            imsi=row.imsi,
            iccid=row.iccid,
            msisdn=row.msisdn,
            hlr=row.hlr_code,
            algorithm=str(config["name"]),
            parameters={} if _is_standard(config) else {name: config[name] for name in config if name != "name"},
            eki=self._enclosed(row.vendor_key, row.ki),
            eopc=self._enclosed(row.vendor_key, row.opc),
            sqn=row.sqn,
        )

    def _enclosed(self, vendor_key: str, sealed: bytes) -> bytes:
        try:
            return enclose(*self._network, unwrap(*self._vendors[vendor_key], sealed))
        except TransportKeyUnusable:
            raise TransportKeyNotOpened(index=vendor_key) from None


async def _encloser(session: AsyncSession, caller: Caller, row: ExportRow, vault: Vault) -> _Encloser:
    """Open the keys that the file of an export needs.

    Raises
    ------
    TransportKeyNotOpened
        One does not open.
    """
    keys = await auc.transport_keys(session)
    vendors = await auc.vendor_keys_of(session, city_id=caller.city_id, export_id=row.export_id)
    configs = await auc.algorithms(session)
    network = keys[row.transport_key_index]
    return _Encloser(AucForm(row.form), vault, [keys[index] for index in vendors], configs, network)


def _opened(vault: Vault, key: TransportKeyRow) -> Secret:
    try:
        return vault.open(key.wrapped, table=TRANSPORT_TABLE, row=key.index, field=TRANSPORT_FIELD)
    except EnvelopeBroken:
        raise TransportKeyNotOpened(index=key.index) from None


async def whole_city(session: AsyncSession, caller: Caller) -> Node:
    """Return the caller's city company, for which the caller must speak: the network is told by cities.

    Raises
    ------
    OutsideScope
        The caller belongs to a part of the city only.
    """
    return await city_to_decide_for(session, caller, about="what the network knows")


def checked_form(name: str, most: int) -> AucForm:
    """Return the form of this name, for a file of at most so many identities.

    Raises
    ------
    InvalidField
        There is none, or the number is out of range.
    """
    form = next((form for form in AucForm if form == name), None)
    if form is None:
        raise InvalidField(field="form", value=name, reason=", ".join(AucForm))
    if not 0 < most <= MOST:
        raise InvalidField(field="most", value=most, reason=f"1 to {MOST}")
    return form


async def _key_for_network(session: AsyncSession, index: str) -> TransportKeyRow:
    key = (await auc.transport_keys(session)).get(index)
    if key is None:
        raise NotFound(what="transport key", value=index)
    if key.purpose != KeyPurpose.NETWORK:
        raise TransportKeyUnfit(index=index, purpose=key.purpose)
    return key


def _says(form: AucForm, config: Mapping[str, Any]) -> bool:
    """Whether the form can say how such cards authenticate."""
    return not form.standard_only or _is_standard(config)


def _is_standard(config: Mapping[str, Any]) -> bool:
    """Whether cards that are told so authenticate by MILENAGE as the standard has it, however that is written."""
    (k_size, *_), opc_size = key_sizes(config)
    keyed = [Secret(bytes(k_size)), Secret(bytes(opc_size))]
    return config_of(algorithm(config, *keyed)) == config_of(algorithm(STANDARD, Secret(bytes(16)), Secret(bytes(16))))
