"""The hall desk: what its three panels are made from (card reader, number, sale)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from inventory.access.caller import Caller
from inventory.access.permissions import Permission
from inventory.domain.errors import DomainError
from inventory.domain.identifiers import parse_iccid
from inventory.i18n import Language
from inventory.runtime import Runtime
from inventory.services import promises
from inventory.services.card_writing import read_last_job
from inventory.services.holds import hold_number
from inventory.services.kits import CardWish, read_card_offer
from inventory.services.stations import read_stations
from inventory.vault.hold_keys import HoldKeys
from inventory.web.deps import NowDep, RuntimeDep, SessionDep, language_of, require
from inventory.web.problems import explain, status_of
from inventory.web.reader_view import SEAT_COOKIE, Place, choose_reader, reader_view, scanned_view, seat_of
from inventory.web.rendering import render
from inventory.web.sale_view import sale_view


@dataclass(frozen=True)
class Desk:
    """One request of a person at the desk."""

    request: Request
    session: AsyncSession
    runtime: Runtime
    caller: Caller
    now: datetime

    @property
    def language(self) -> Language:
        """The language of the page."""
        return language_of(self.request)

    @property
    def keys(self) -> HoldKeys:
        """The keys of holds."""
        return HoldKeys(self.runtime.hold_secret)

    @property
    def seat(self) -> str | None:
        """The name of this browser as a seat."""
        return seat_of(self.request.cookies.get(SEAT_COOKIE))

    def owns(self, shown: dict[str, Any]) -> bool:
        """Whether the person itself took the hold, at this interface."""
        mine = (self.caller.staff_no, self.caller.interface_no)
        return (shown["staff_no"], shown["interface_no"]) == mine

    async def key(self, hold_id: str) -> str | None:
        """Return the key of the person's own hold; a colleague's hold stays closed to it.

        Raises
        ------
        NotFound, InvalidIdentifier
            There is no such hold for this person.
        """
        shown = await promises.read_hold(self.session, self.caller, hold_id, now=self.now)
        return self.keys.key(self.caller.city_id, hold_number(self.caller, hold_id)) if self.owns(shown) else None

    async def place(self) -> Place | None:
        """Return the desk's reader."""
        return choose_reader(await read_stations(self.session, self.caller, seat=self.seat, now=self.now))

    async def reader(
        self, seat: str | None = None, scan: str = "", wanted: str = "", refusal: DomainError | None = None
    ) -> dict[str, Any]:
        """Return the values of the reader panel; a card that was scanned stands there in place of the reader's.

        `wanted` stays chosen in the form after a refusal.
        """
        stations = await read_stations(self.session, self.caller, seat=seat or self.seat, now=self.now)
        shown = reader_view(stations, self.language, wanted=wanted)
        try:
            shown |= await self._scanned(scan) if scan else {}
        except DomainError as unknown:
            refusal = unknown
        return {"reader": shown, "reader_problem": None if refusal is None else explain(self.request, refusal)}

    async def _scanned(self, scan: str) -> dict[str, Any]:
        card = CardWish(iccid=parse_iccid(scan).iccid)
        offer, refusal = await read_card_offer(self.session, self.caller, card, now=self.now)
        return scanned_view(offer, None if refusal is None else explain(self.request, refusal).detail, self.language)

    async def sale(self, hold_id: str | None, refusal: DomainError | None = None) -> dict[str, Any]:
        """Return the values of the sale panel."""
        values: dict[str, Any] = {"sale": None, "sale_url": "/desk/sale", "problem": None, "own": []}
        if refusal is not None:
            values["problem"] = explain(self.request, refusal)
        if hold_id is None:
            own = await promises.read_own_holds(self.session, self.caller, now=self.now)
            values["own"] = [kit | {"ends": datetime.fromisoformat(kit["expires_at"])} for kit in own]
            return values
        shown = await promises.read_hold(self.session, self.caller, hold_id, now=self.now)
        job = await read_last_job(self.session, self.caller, hold_id)
        values["sale"] = sale_view(shown, job, self.language, own=self.owns(shown), now=self.now)
        values["sale_url"] = f"/desk/holds/{hold_id}"
        values["may_release"] = self.owns(shown) or self.caller.may(Permission.HOLDS_RELEASE_OTHERS)
        return values

    async def show_sale(self, hold_id: str | None, refusal: DomainError | None = None) -> Response:
        """Show the sale panel after an act; a refusal keeps its status."""
        status = HTTPStatus.OK if refusal is None else status_of(refusal)
        return self.show("desk/sale.html", await self.sale(hold_id, refusal), status=status)

    def show(self, template: str, values: dict[str, Any], *, status: int = HTTPStatus.OK) -> Response:
        """Return the template filled."""
        return render(self.request, template, values, language=self.language, caller=self.caller, status=status)


Clerk = Annotated[Caller, require(Permission.HOLDS_WRITE)]
Seller = Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True)]
Finisher = Annotated[Caller, require(Permission.HOLDS_WRITE, writes=True, finishing=True)]


async def _reading(request: Request, session: SessionDep, runtime: RuntimeDep, caller: Clerk, now: NowDep) -> Desk:
    return Desk(request, session, runtime, caller, now)


async def _selling(request: Request, session: SessionDep, runtime: RuntimeDep, caller: Seller, now: NowDep) -> Desk:
    return Desk(request, session, runtime, caller, now)


async def _finishing(request: Request, session: SessionDep, runtime: RuntimeDep, caller: Finisher, now: NowDep) -> Desk:
    return Desk(request, session, runtime, caller, now)


DeskDep = Annotated[Desk, Depends(_reading)]
"""The desk, to look at."""
SellingDep = Annotated[Desk, Depends(_selling)]
"""The desk, to change something: within working hours only."""
FinishingDep = Annotated[Desk, Depends(_finishing)]
"""The desk, to end what was begun: for a while after the hours, too (REQ-IF-11)."""
