"""Intake of cards (REQ-SIM-01, 02, 03, 16): keys stay as delivered, codes are sealed while the file is read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from cardwriter.crypto.algorithms import key_sizes
from cardwriter.profiles import profile
from inventory.domain.calendar import business_day
from inventory.domain.errors import Busy, InvalidField, NotFound
from inventory.domain.identifiers import format_public_id
from inventory.domain.kinds import SIM
from inventory.domain.lifecycle import SimEvent
from inventory.domain.loading import BadRow, CardRow, covers
from inventory.services.boxes import box_event
from inventory.services.card_data import ADM_FIELD, SECRET_TABLE, place_of_secrets
from inventory.services.file_reading import Reading
from inventory.services.intake import (
    Delivery,
    Intake,
    Taken,
    Tell,
    city_of,
    find_registered,
    in_slices,
    write_intake,
)
from inventory.store import card_intake, catalogue, ends, load_boxes, load_imsis, movements, staging, stock
from inventory.store.card_intake import CardTerms
from inventory.store.engine import is_unique_violation
from inventory.store.events import record
from inventory.store.kits import SLOT
from inventory.store.loads import IMSI, FaultRow
from inventory.store.movements import LedgerRange
from inventory.store.staging import CARDS
from inventory.vault.envelope import RowSealer
from inventory.vault.transport import as_delivered


@dataclass(frozen=True)
class FittingKeys:
    """How many bytes Ki and OPc of a card may have as delivered, and whether it needs the keys of a secure channel."""

    ki: frozenset[int]
    opc: frozenset[int]
    channel: bool

    def fit(self, ki: bytes | None, opc: bytes | None, scp_enc: bytes | None) -> bool:
        """Tell whether a card with these keys can be written; one without keys has nothing that could not."""
        if ki is None or opc is None:
            return True
        return len(ki) in self.ki and len(opc) in self.opc and (scp_enc is not None or not self.channel)


_CODES = (ADM_FIELD, "pin1", "puk1", "pin2", "puk2")
"""What is sealed while a file is read, in the order of `staging.SEALED`."""
_NOTHING = (None,) * len(staging.SEALED)


@dataclass(frozen=True)
class OpenedStock:
    """Stock opened for a number of cards.

    `put` takes the staged cards at some places. `put_secrets` takes what at rest is not staged: of the cards from a
    place on, the row in the file and the secrets of each. `close` ends the intake.
    """

    put: Callable[[range], Awaitable[None]]
    put_secrets: Callable[[int, Iterable[Sequence[Any]]], Awaitable[None]]
    close: Callable[[], Awaitable[Taken]]


class CardIntake(Intake[CardRow]):
    """Puts cards into the city's stock: blanks, and finished ones with the IMSI that is on them."""

    stage = CARDS

    def __init__(self, delivery: Delivery, reading: Reading) -> None:
        super().__init__(delivery)
        self._reading = reading
        self._key_known = False
        self._hlrs: frozenset[str] | None = None
        self._boxed = self._several = False

    @override
    async def staged(
        self, session: AsyncSession, rows: Sequence[CardRow]
    ) -> tuple[Iterator[Sequence[Any]], list[FaultRow]]:
        """Return cards with their codes sealed for this load and their row, and what the city cannot take of them.

        Raises
        ------
        NotFound
            The transport key of their keys was never imported.
        """
        if not self._key_known and any(card.secrets.ki for card in rows):
            index = self._reading.transport_key
            self._key_known = await card_intake.knows_transport_key(session, index)
            if not self._key_known:
                raise NotFound(what="transport key", value=index)
        if self._hlrs is None:
            self._hlrs = await catalogue.open_hlrs(session, self.city_id)
        known = self._hlrs
        sealer = self.delivery.vault.for_rows(SECRET_TABLE, _CODES)
        return (self._staged(card, sealer) for card in rows), [
            fault for card in rows for fault in self._faults(card, known)
        ]

    @override
    async def put_aside(self, session: AsyncSession, rows: Sequence[CardRow | BadRow]) -> None:
        """Keep which box each card lies in, and its IMSIs behind the first."""
        boxes = [(row.row, row.box) for row in rows if row.box is not None]
        if boxes:
            await load_boxes.put_aside(session, boxes, first=not self._boxed)
            self._boxed = True
        cards = (row for row in rows if isinstance(row, CardRow) and row.further_imsis)
        further = [
            (card.row, slot, card.iccid, card.serial, imsi, "")
            for card in cards
            for slot, imsi in enumerate(card.further_imsis, start=SLOT + 1)
        ]
        if further:
            await load_imsis.put_aside(session, further, first=not self._several)
            self._several = True

    def _staged(self, card: CardRow, sealer: RowSealer) -> Sequence[Any]:
        names = (card.iccid, card.serial, card.imsi)
        prepaid = card.prepaid
        terms = (prepaid.face_value, prepaid.expires_on, prepaid.area)
        return (card.row, card.line, *names, card.hlr, *terms, *self._sealed(card, sealer))

    def _faults(self, card: CardRow, hlrs: frozenset[str]) -> Iterator[FaultRow]:
        """Name what keeps a card out of this city, today."""
        if card.hlr is not None and card.hlr not in hlrs:
            yield FaultRow(card.row, "hlr", card.hlr, "unknown_hlr", card.line)
        last = card.prepaid.expires_on
        if last is not None and last < business_day(self.delivery.who["now"]):
            yield FaultRow(card.row, "expires_on", last.isoformat(), "expired", card.line)
        if not covers(card.prepaid, self.city_id):
            yield FaultRow(card.row, "area", card.prepaid.area or "", "other_area", card.line)

    @override
    async def find_taken(self, session: AsyncSession) -> None:
        """Note every card that exists already.

        Raises
        ------
        InvalidField
            Neither file nor caller names the product of the cards.
        NotFound
            The product is unknown or closed.
        """
        fitting = await self.fitting_keys(session)
        await card_intake.find_unfit_keys(session, ki=fitting.ki, opc=fitting.opc)
        if fitting.channel:
            await card_intake.find_lacking_channel(session)
        await self.find_known(session)

    async def fitting_keys(self, session: AsyncSession) -> FittingKeys:
        """Return which keys the product's cards take. Raises as `find_taken`."""
        code = self._product()
        product = await catalogue.find_card_kind(session, code)
        if product is None or not product.active:
            raise NotFound(what="card kind", value=code)
        ki, opc = key_sizes(product.algorithm)
        channel = _is_encrypted_for(product.profile)
        return FittingKeys(frozenset(as_delivered(ki)), frozenset(as_delivered([opc])), channel=channel)

    async def find_known(self, session: AsyncSession) -> None:
        """Note every card whose names exist already."""
        await find_registered(session, self)
        if self._several:
            await load_imsis.find_taken(session, city_id=self.city_id)
        if self._boxed:
            await load_boxes.find_unfit(session, city_id=self.city_id)

    @override
    async def take(self, session: AsyncSession, count: int, tell: Tell) -> Taken:
        """Put the cards into stock, in order of their names.

        Raises
        ------
        Busy
            Another load has taken one of the cards just now.
        InvalidField
            Neither file nor caller names the product of the cards.
        """
        opened = await self.open(session, count)
        await staging.number_items(session, CARDS, self.ascent, count)
        await in_slices(count, tell, opened.put)
        return await opened.close()

    async def open(self, session: AsyncSession, count: int) -> OpenedStock:
        """Open the city's stock for `count` cards. Raises as `take`, also later."""
        code = self._product()
        holder_id = await city_of(session, self.city_id)
        items = await stock.reserve_item_numbers(session, SIM, city_id=self.city_id, count=count)
        await stock.lock_for_transaction(session, f"data_no/{self.city_id}")
        data = await card_intake.last_data_no(session, self.city_id) + 1
        terms = CardTerms(
            city_id=self.city_id,
            holder_id=holder_id,
            kind_code=code,
            pool=self.delivery.terms.pool,
            batch_id=self.delivery.batch_id,
            state=SIM.lifecycle.enter(SimEvent.INTAKE),
            now=self.delivery.who["now"],
            transit_id=await movements.next_movement_id(session) if self.delivery.terms.announced else None,
        )

        key = self._reading.transport_key

        async def put(places: range) -> None:
            await enter_names(session, self, places)
            await card_intake.enter_cards(session, terms, first=items.start, transport_key=key, places=places)
            if IMSI in self.names:
                await card_intake.enter_identities(session, terms, first=items.start, data=data, places=places)

        async def close() -> Taken:
            await ends.count_generations(session, city_id=self.city_id, batch_id=self.delivery.batch_id)
            if self._several:
                async with as_busy():
                    await load_imsis.enter(session, terms, first=items.start, data=data + count)
            figures: dict[str, Any] = {"kind": code}
            if self._boxed:
                figures["boxes"] = await self._box(session, items.start)
            ranges = [LedgerRange(items.start, items.stop - 1)]
            way = terms.transit_id
            if way is not None:
                figures["announced"] = format_public_id("m", self.city_id, way)
            return Taken(await write_intake(session, SIM, self.delivery, holder_id, ranges, way=way), figures)

        async def put_secrets(start: int, secrets: Iterable[Sequence[Any]]) -> None:
            numbered = ((number, *rest) for number, rest in enumerate(secrets, start=items.start + start))
            await card_intake.copy_secrets(session, terms, transport_key=key, secrets=numbered)

        return OpenedStock(put, put_secrets, close)

    async def _box(self, session: AsyncSession, first: int) -> int:
        """Make the boxes that the file names, with their events, and return how many there are.

        Raises
        ------
        Busy
            Somebody has packed one of them just now.
        """
        load = format_public_id("b", self.city_id, self.delivery.batch_id)
        who = self.delivery.who
        async with as_busy():
            filled = await load_boxes.fill(
                session, first=first, city_id=self.city_id, staff_no=who["staff_no"], load=load, now=who["now"]
            )
        drafts = [
            box_event(SIM, box.box_no, "box_packed", {"box": box.code, "count": box.count, "load": load})
            for box in filled
        ]
        await record(session, drafts, **who)
        return len(filled)

    def _product(self) -> str:
        """Return the product of the cards, which the file or who sent it names."""
        if self._reading.card_kind is None:
            raise InvalidField(field="card_kind", value=None, reason="name the card product of the file")
        return self._reading.card_kind

    def _sealed(self, card: CardRow, sealer: RowSealer) -> Sequence[bytes | None]:
        """Seal the codes for the card's row; what the vendor encrypted stays as it came. Some cards come without."""
        secrets = card.secrets
        if secrets.ki is None or secrets.opc is None or secrets.adm1 is None:
            return _NOTHING
        digits = (secrets.pin1, secrets.puk1, secrets.pin2, secrets.puk2)
        codes = [secrets.adm1, *[None if code is None else code.encode() for code in digits]]
        row = place_of_secrets(self.city_id, self.delivery.batch_id, card.row)
        keys = (secrets.ki, secrets.opc, secrets.scp_enc, secrets.scp_mac)
        return (*keys, *sealer.seal(codes, row=row))


def _is_encrypted_for(name: str) -> bool:
    """Whether cards of this profile take encrypted scripts alone; a profile that is not ours is refused elsewhere."""
    try:
        return profile(name).channel is not None
    except KeyError:
        return False


async def enter_names(session: AsyncSession, intake: Intake[Any], places: range) -> None:
    """Register the names of the intake's staged items at these places.

    Raises
    ------
    Busy
        Another load has registered one of them just now.
    """
    async with as_busy():
        await card_intake.enter_names(session, intake.stage, intake.names, city_id=intake.city_id, places=places)


@asynccontextmanager
async def as_busy() -> AsyncIterator[None]:
    """Let what another one has written just now be tried again.

    Raises
    ------
    Busy
        A name stands already that was free when it was looked for.
    """
    try:
        yield
    except IntegrityError as error:
        if is_unique_violation(error):
            raise Busy from None
        raise
