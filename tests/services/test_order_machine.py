"""Random recall orders and stocktakes among moves: what was loaded stays, the ledger and the marks agree with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)

from inventory.domain.errors import NotEnoughStock
from inventory.services.approving import Question, ask, grant
from inventory.services.counting import CountWish, count
from inventory.services.moving import Verb
from inventory.services.recall_orders import OrderWish, end_order, order_recall
from inventory.services.stocktake_posting import POST_STOCKTAKE, PostWish, post_stocktake
from inventory.store.selection import ByCount, ByName
from inventory.vault.envelope import Vault
from tests.services.machine import EDGES, PLACES, CityMachine
from tests.services.town import NOW, fresh_key

pytestmark = pytest.mark.database

BELOW = {"-D1": {"-D1", "-H1", "-C1"}, "-D2": {"-D2"}, "-H1": {"-H1", "-C1"}}
"""What lies at and under a place."""


class Orders(CityMachine):
    """Cards of one city; the model is where each is, whether it is damaged or lost, and under which order owed."""

    def __init__(self) -> None:
        super().__init__()
        self.place: dict[str, str] = {}
        self.damaged: set[str] = set()
        self.lost: set[str] = set()
        self.owed: dict[str, str] = {}
        """The recall order under which the city wants a card back."""

    def movable(self, ending: str, *, up: bool) -> list[str]:
        """Give the cards at a place that may go up or down from there, in order."""
        stays = self.lost if up else self.lost | self.damaged | set(self.owed)
        return sorted(card for card, at in self.place.items() if at == ending and card not in stays)

    def put(self, cards: Iterable[str], ending: str) -> None:
        """Say that the cards are at the place now; what comes to the city is owed no more."""
        for card in cards:
            self.place[card] = ending
            if ending == "":
                self.owed.pop(card, None)

    @initialize()
    def stock_the_places(self) -> None:
        """Load a first box and let something lie at every place of the line."""
        self.load(12)
        for edge, many in zip((EDGES[0], EDGES[2], EDGES[3]), (9, 6, 3), strict=True):
            there = self.movable(edge[0], up=False)
            self.runs(self.moved(Verb.ISSUE, *edge, ByCount(many)))
            self.put(there[:many], edge[1])

    @rule(count=st.integers(1, 30))
    def load(self, count: int) -> None:
        """Load a box of cards."""
        self.place |= dict.fromkeys(self.loaded(count), "")

    @precondition(lambda self: self.place)
    @rule(edge=st.sampled_from(EDGES), down=st.booleans(), data=st.data())
    def move_some(self, edge: tuple[str, str], data: st.DataObject, *, down: bool) -> None:
        """Move so many cards along an edge, the lowest first; more than there are is refused."""
        giver, receiver = edge if down else edge[::-1]
        verb = Verb.ISSUE if down else Verb.RECALL
        there = self.movable(giver, up=not down)
        count = data.draw(st.integers(1, len(there) + 1))
        if len(there) < count:
            with pytest.raises(NotEnoughStock):
                self.runs(self.moved(verb, giver, receiver, ByCount(count)))
        else:
            self.runs(self.moved(verb, giver, receiver, ByCount(count)))
            self.put(there[:count], receiver)

    @precondition(lambda self: set(self.place) - self.damaged - self.lost)
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        """Set a card damaged where it lies."""
        card = data.draw(st.sampled_from(sorted(set(self.place) - self.damaged - self.lost)))
        self.runs(self.released(card))
        self.damaged.add(card)

    @precondition(lambda self: self.place)
    @rule(below=st.sampled_from(sorted(BELOW)), data=st.data())
    def order_back(self, below: str, data: st.DataObject) -> None:
        """Order everything under a place back to the city; a part is handed over at once, the rest goes only up."""
        gone = self.damaged | self.lost
        wanted = [card for card, at in self.place.items() if at in BELOW[below] and card not in gone]
        if wanted:
            order = self.runs(self.ordered(below)).body["id"]
            self.owed |= dict.fromkeys(wanted, order)
            near = [card for card in wanted if self.place[card] in {"-D1", "-D2"}]
            for card in data.draw(st.lists(st.sampled_from(sorted(near)), max_size=2, unique=True)) if near else ():
                self.runs(self.moved(Verb.RECALL, self.place[card], "", ByName((card,))))
                self.put([card], "")
        else:
            with pytest.raises(NotEnoughStock):
                self.runs(self.ordered(below))

    @precondition(lambda self: self.owed)
    @rule(data=st.data())
    def end_order(self, data: st.DataObject) -> None:
        """End an order; the rest may go anywhere again."""
        order = data.draw(st.sampled_from(sorted(set(self.owed.values()))))
        self.runs(self.ended(order))
        self.owed = {card: other for card, other in self.owed.items() if other != order}

    @precondition(lambda self: self.place)
    @rule(place=st.sampled_from(PLACES), data=st.data())
    def count_and_post(self, place: str, data: st.DataObject) -> None:
        """Count a place, perhaps with cards missing and others too much, and set the book right."""
        here = [card for card, at in self.place.items() if at == place and card not in self.lost]
        missing = set(data.draw(st.lists(st.sampled_from(sorted(here)), max_size=3)) if here else [])
        others = sorted(set(self.place) - set(here) - self.lost)
        extra = set(data.draw(st.lists(st.sampled_from(others), max_size=3)) if others else [])
        self.runs(self.counted(place, tuple(sorted(set(here) - missing | extra)), short=bool(missing)))
        self.lost |= missing
        self.damaged -= missing
        self.put(extra, place)

    @invariant()
    def loaded_is_the_sum_of_states_and_of_holders(self) -> None:
        """Find what was loaded once, in the state and the hands that the model says."""
        rows = self.runs(self.town.rows("SELECT state, count(*) FROM sim WHERE city_id = :c GROUP BY 1", c=self.city))
        free = len(self.place) - len(self.damaged) - len(self.lost)
        states = {"DAMAGED": len(self.damaged), "LOST": len(self.lost), "AVAILABLE": free}
        assert dict(rows) == {state: count for state, count in states.items() if count}
        rows = self.runs(
            self.town.rows("SELECT holder_id, count(*) FROM sim WHERE city_id = :c GROUP BY 1", c=self.city)
        )
        ids = {ending: self.town.nodes[self.code(ending)].id for ending in PLACES}
        assert dict(rows) == {ids[ending]: count for ending, count in Counter(self.place.values()).items()}

    @invariant()
    def what_is_owed_is_marked_and_nothing_else(self) -> None:
        """Find the marks of recall orders on exactly the cards that the model says."""
        marked = self.runs(
            self.town.rows("SELECT iccid FROM sim WHERE city_id = :c AND recall_id IS NOT NULL", c=self.city)
        )
        assert {card for (card,) in marked} == set(self.owed)

    async def ordered(self, below: str) -> Any:
        """Order everything under a place back to the city."""
        wish = OrderWish(resource="sim", place=self.code(""), below=self.code(below), reason="换季")
        async with self.database.session() as session:
            return await order_recall(session, self.town.admin, fresh_key(), wish, now=NOW)

    async def ended(self, order: str) -> Any:
        """End a recall order."""
        async with self.database.session() as session:
            return await end_order(session, self.town.admin, fresh_key(), order, "不再需要", now=NOW)

    async def counted(self, place: str, cards: tuple[str, ...], *, short: bool) -> None:
        """Count a place at one go and post the count, with a second person where cards are missing."""
        admin = self.town.admin
        second = replace(admin, staff_no=f"{self.city}second")
        wish = CountWish(resource="sim", place=self.code(place), items=cards)
        async with self.database.session() as session:
            stocktake = (await count(session, admin, fresh_key(), wish, now=NOW)).body["stocktake"]
        approval = None
        if short:
            question = Question(POST_STOCKTAKE, {"stocktake": stocktake})
            async with self.database.session() as session:
                asked = await ask(session, admin, fresh_key(), question, lasts=timedelta(hours=1), now=NOW)
            approval = asked.body["approval"]
            async with self.database.session() as session:
                await grant(session, second, fresh_key(), approval=approval, now=NOW)
        post = PostWish(stocktake=stocktake, approval=approval)
        async with self.database.session() as session:
            await post_stocktake(session, admin, fresh_key(), post, now=NOW)


def test_ledger_and_marks_agree_whatever_is_ordered_back_and_counted(database_url: str, vault: Vault) -> None:
    Orders.walk(database_url, vault, examples=5)
