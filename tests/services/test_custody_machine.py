"""Random loads, moves, deliveries, damages, ends and transfers between cities.

Nothing is lost, and the ledger always tells who holds what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from typing_extensions import override

from inventory.access.permissions import Role
from inventory.domain.errors import MovementRefused, NotEnoughStock
from inventory.domain.kinds import SIM
from inventory.services.approval import without_approval
from inventory.services.auditing import audit
from inventory.services.ending import WAYS, Ending, EndWish, end
from inventory.services.moving import Verb
from inventory.services.receiving import Signature, accept, refuse
from inventory.services.sealing import seal_all
from inventory.store.selection import ByCount, ByName
from inventory.vault.envelope import Vault
from tests.services.machine import EDGES, PLACES, CityMachine, T
from tests.services.town import NOW, Town, found_town, fresh_key

pytestmark = pytest.mark.database

SIBLINGS = ("-D1", "-D2")
GONE = "-ended"
NEIGHBOUR = 330000
"""The city to which cards are sent; it is found by all examples."""
WITHIN = [way for way in Ending if not WAYS[way].crosses]
"""Ends that stay in the city's own book."""
ENOUGH = 30
"""With so many cards there is no need for more: the other verbs have their turn."""


@dataclass(frozen=True)
class Card:
    """Where a card is, how it is, and on which document it is on its way."""

    place: str
    state: str = "AVAILABLE"
    way: str | None = None


class Custody(CityMachine):
    """Cards of one city; the model says of each where and how it is."""

    neighbour: ClassVar[Town]

    def __init__(self) -> None:
        super().__init__()
        self.cards: dict[str, Card] = {}
        self.givers: dict[str, str] = {}
        """Who sends each document that is on its way."""
        self.away: dict[str, str | None] = {}
        """The cards that the neighbour has, each with the document by which it is on its way there."""
        self.left = 0
        """How often a card has left for the neighbour: each time a row stays behind."""

    @classmethod
    @override
    async def found(cls) -> None:
        """Found the neighbour."""
        cls.neighbour = await found_town(cls.database, cls.vault, NEIGHBOUR)

    def lying(self, place: str, states: frozenset[str]) -> list[str]:
        """Give the cards at a place that are in one of the states and on no way, in the order in which they came."""
        here = (name for name, card in self.cards.items() if card.place == place and card.way is None)
        return [name for name in here if self.cards[name].state in states]

    def some(self, data: st.DataObject, names: list[str]) -> tuple[str, ...]:
        """Draw some of the cards."""
        return tuple(data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=6, unique=True)))

    def put(self, names: tuple[str, ...] | list[str], **changes: Any) -> None:
        """Tell the model what has become of cards."""
        self.cards |= {name: replace(self.cards[name], **changes) for name in names}

    def tries(self, names: tuple[str, ...], allowed: list[str], work: Callable[[], Awaitable[T]]) -> T | None:
        """Do it, if all of the cards may go; else be refused."""
        if set(names) <= set(allowed):
            return self.runs(work())
        with pytest.raises(MovementRefused):
            self.runs(work())
        return None

    @precondition(lambda self: len(self.cards) < ENOUGH)
    @rule(count=st.integers(8, 30))
    def load(self, count: int) -> None:
        """Load a box of cards."""
        self.cards |= {card: Card("") for card in self.loaded(count)}

    @precondition(lambda self: self.cards)
    @rule(edge=st.sampled_from(EDGES), down=st.booleans(), count=st.integers(1, 12))
    def move_some(self, edge: tuple[str, str], count: int, *, down: bool) -> None:
        """Move so many cards along an edge, the lowest first; more than there are is refused."""
        giver, receiver = edge if down else edge[::-1]
        there = self.lying(giver, SIM.movable_down if down else SIM.movable_up)
        verb = Verb.ISSUE if down else Verb.RECALL
        if len(there) < count:
            with pytest.raises(NotEnoughStock):
                self.runs(self.moved(verb, giver, receiver, ByCount(count)))
        else:
            self.runs(self.moved(verb, giver, receiver, ByCount(count)))
            self.put(there[:count], place=receiver)

    @precondition(lambda self: self.cards)
    @rule(edge=st.sampled_from([*EDGES, SIBLINGS]), forth=st.booleans(), sent=st.booleans(), data=st.data())
    def move_named(self, edge: tuple[str, str], data: st.DataObject, *, forth: bool, sent: bool) -> None:
        """Hand named cards over or send them on their way; one that may not go stops them all."""
        giver, receiver = edge if forth else edge[::-1]
        verb = Verb.TRANSFER if edge == SIBLINGS else Verb.ISSUE if forth else Verb.RECALL
        allowed = self.lying(giver, SIM.movable_up if verb is Verb.RECALL else SIM.movable_down)
        names = self.some(data, data.draw(st.sampled_from([allowed or sorted(self.cards), sorted(self.cards)])))
        document = self.tries(names, allowed, lambda: self.moved(verb, giver, receiver, ByName(names), on_the_way=sent))
        if document is not None:
            way = str(document.body["id"]) if sent else None
            self.put(names, place=receiver, way=way)
            if way is not None:
                self.givers[way] = giver

    @precondition(lambda self: self.givers)
    @rule(accepts=st.booleans(), whole=st.booleans(), data=st.data())
    def answer(self, data: st.DataObject, *, accepts: bool, whole: bool) -> None:
        """Sign for cards that are on their way, or send them back, which puts them on their way again."""
        way = data.draw(st.sampled_from(sorted(self.givers)))
        there = sorted(name for name, card in self.cards.items() if card.way == way)
        names = tuple(there) if whole else self.some(data, there)
        receiver = self.cards[names[0]].place
        back = self.runs(self.answered(way, receiver, None if whole else ByName(names), accepts=accepts))
        if accepts:
            self.put(names, way=None)
        elif self.givers[way] == str(NEIGHBOUR):
            self.gone_there(names, back)
        else:
            self.put(names, place=self.givers[way], way=back)
            self.givers[back] = receiver
        if len(names) == len(there):
            del self.givers[way]

    @precondition(lambda self: self.cards)
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        """Set a card damaged where it lies."""
        sound = [name for name, card in self.cards.items() if card.state == "AVAILABLE" and card.way is None]
        if sound:
            card = data.draw(st.sampled_from(sorted(sound)))
            self.runs(self.released(card))
            self.put((card,), state="DAMAGED")

    @precondition(lambda self: self.cards)
    @rule(way=st.sampled_from(WITHIN), place=st.sampled_from(PLACES), data=st.data())
    def end(self, way: Ending, place: str, data: st.DataObject) -> None:
        """Let cards of a place go a way out of stock, or back; one that may not go stops them all."""
        moves = WAYS[way].moves(SIM)
        allowed = self.lying(place, frozenset(moves))
        names = self.some(data, data.draw(st.sampled_from([allowed or sorted(self.cards), sorted(self.cards)])))
        if self.tries(names, allowed, lambda: self.ended(way, place, names)) is not None:
            gone = {"place": GONE} if WAYS[way].leaves else {}
            for name in names:
                self.put((name,), state=moves[self.cards[name].state], **gone)

    @precondition(lambda self: self.cards)
    @rule(data=st.data())
    def send_to_city(self, data: st.DataObject) -> None:
        """Send cards of the city company to the neighbour; one that may not go stops them all."""
        allowed = self.lying("", SIM.movable_down)
        names = self.some(data, data.draw(st.sampled_from([allowed or sorted(self.cards), sorted(self.cards)])))
        document = self.tries(names, allowed, lambda: self.ended(Ending.SEND_TO_CITY, "", names))
        if document is not None:
            self.gone_there(names, str(document.body["other"]))

    def gone_there(self, names: tuple[str, ...], way: str) -> None:
        """Tell the model that cards are on their way to the neighbour."""
        for name in names:
            del self.cards[name]
        self.away |= dict.fromkeys(names, way)
        self.left += len(names)

    @precondition(lambda self: any(self.away.values()))
    @rule(accepts=st.booleans(), data=st.data())
    def answer_there(self, data: st.DataObject, *, accepts: bool) -> None:
        """Let the neighbour sign for some cards, or send them home."""
        way = data.draw(st.sampled_from(sorted({way for way in self.away.values() if way})))
        names = self.some(data, sorted(name for name in self.away if self.away[name] == way))
        back = self.runs(self.answered(way, str(NEIGHBOUR), ByName(names), accepts=accepts, by=self.neighbour))
        if accepts:
            self.away |= dict.fromkeys(names)
            return
        for name in names:
            del self.away[name]
        self.cards |= {name: Card("", way=back) for name in sorted(names)}
        self.givers[back] = str(NEIGHBOUR)

    @invariant()
    def neighbour_has_what_was_sent_there(self) -> None:
        """Find each card in one city only, on its way or signed for."""
        query = "SELECT iccid, transit_id IS NOT NULL AS sent FROM sim WHERE city_id = :c AND iccid = ANY(:names)"
        names = [*self.away, *self.cards]
        rows = self.runs(self.town.rows(query, c=NEIGHBOUR, names=names))
        assert {row.iccid: row.sent for row in rows} == {name: way is not None for name, way in self.away.items()}

    @invariant()
    def loaded_is_the_sum_of_states_and_of_holders(self) -> None:
        """Find what was loaded once, in the state and the hands that the model says."""
        query = """SELECT o.code, state, transit_id IS NOT NULL AS sent, count(*) AS cards
            FROM sim JOIN organisation o ON o.id = holder_id WHERE sim.city_id = :c GROUP BY 1, 2, 3"""
        rows = self.runs(self.town.rows(query, c=self.city))
        model = Counter((self.code(card.place), card.state, card.way is not None) for card in self.cards.values())
        model += Counter({(self.code(GONE), "SENT_AWAY", False): self.left})
        assert {(row.code, row.state, row.sent): row.cards for row in rows} == model

    @override
    def teardown(self) -> None:
        """Seal what happened and find every account right and the chain whole."""
        self.runs(self.audited())

    async def answered(
        self, way: str, receiver: str, selection: ByName | None, *, accepts: bool, by: Town | None = None
    ) -> str:
        """Answer a delivery as staff of the receiver, or of another city; give what is on its way from now on."""
        signature = Signature(movement=way, selection=selection, person="李", reason=None if accepts else "破损")
        role = Role.CITY_ADMIN if not receiver else Role.HALL_KEEPER
        signer = self.town.at(self.code(receiver), role) if by is None else by.admin
        async with self.database.session() as session:
            done = await (accept if accepts else refuse)(session, signer, fresh_key(), signature, now=NOW)
        return str(done.body.get("other") or done.body["id"])

    async def ended(self, way: Ending, place: str, names: tuple[str, ...]) -> Any:
        """End cards by two persons."""
        wish = EndWish(
            way=way,
            resource="sim",
            place=self.code(place),
            selection=ByName(names),
            reason="季末",
            reference="RMA-7" if WAYS[way].claimed else None,
            handed_in=names if WAYS[way].handed_in else None,
            to_city=str(NEIGHBOUR) if WAYS[way].crosses else None,
        )
        approval = await self.town.approved(way, **without_approval(wish))
        async with self.database.session() as session:
            return await end(session, self.town.admin, fresh_key(), replace(wish, approval=approval), now=NOW)

    async def audited(self) -> None:
        """Seal and audit."""
        async with self.database.session() as session:
            await seal_all(session, now=NOW)
            assert (await audit(session, now=NOW)).findings == []


def test_custody_agrees_with_the_ledger_whatever_happens(database_url: str, vault: Vault) -> None:
    """REQ-SIM-08, REQ-STK-04: each card's path is known; loaded is the sum of states and of holders at every step."""
    Custody.walk(database_url, vault, examples=8)
