"""Random loads, issues, recalls and damages: what was loaded stays, and the ledger always tells who holds what."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from inventory.domain.errors import MovementRefused, NotEnoughStock
from inventory.services.moving import MoveWish, Verb, move
from inventory.services.status_release import ReleaseWish, release_status
from inventory.store.engine import Database, connect
from inventory.store.selection import ByCount, ByName, Selection
from inventory.vault.envelope import Vault
from tests.services.files import iccid, vendor_file
from tests.services.town import NOW, Town, found_town, fresh_key

pytestmark = pytest.mark.database

T = TypeVar("T")
EDGES = [("", "-D1"), ("", "-D2"), ("-D1", "-H1"), ("-H1", "-C1")]
"""Parent and child, as endings of their codes."""

_cities = itertools.count(330100, 100)
_serials = itertools.count()

_LEDGER_DISAGREES = """
SELECT count(*) FROM sim WHERE city_id = :city AND holder_id IS DISTINCT FROM (
    SELECT to_holder FROM movement_line AS line JOIN movement USING (city_id, movement_id)
     WHERE line.city_id = sim.city_id AND line.resource = 'sim' AND sim.item_no BETWEEN lo AND hi
     ORDER BY movement_id DESC LIMIT 1)
"""


class Custody(RuleBasedStateMachine):
    """Cards of one city; the model is where each is and whether it is damaged."""

    runner: ClassVar[asyncio.Runner]
    database: ClassVar[Database]
    vault: ClassVar[Vault]

    def __init__(self) -> None:
        super().__init__()
        self.city = next(_cities)
        self.town: Town = self.runs(found_town(self.database, self.vault, self.city))
        self.place: dict[str, str] = {}
        self.damaged: set[str] = set()

    def runs(self, work: Awaitable[T]) -> T:
        """Run one coroutine to its end."""

        async def whole() -> T:
            return await work

        return self.runner.run(whole())

    def code(self, ending: str) -> str:
        """Give the code of an organisation."""
        return f"{self.city}{ending}"

    def movable(self, ending: str, *, up: bool) -> list[str]:
        """Give the cards at a place that may go up or down from there, in order."""
        return sorted(card for card, at in self.place.items() if at == ending and (up or card not in self.damaged))

    @rule(count=st.integers(1, 30))
    def load(self, count: int) -> None:
        """Load a box of cards."""
        serials = [next(_serials) for _ in range(count)]
        self.runs(self.town.load(vendor_file(serials)))
        self.place |= {iccid(serial): "" for serial in serials}

    @precondition(lambda self: self.place)
    @rule(edge=st.sampled_from(EDGES), down=st.booleans(), count=st.integers(1, 12))
    def move_some(self, edge: tuple[str, str], count: int, *, down: bool) -> None:
        """Move so many cards along an edge, the lowest first; more than there are is refused."""
        giver, receiver = edge if down else edge[::-1]
        there = self.movable(giver, up=not down)
        if len(there) < count:
            with pytest.raises(NotEnoughStock):
                self.runs(self.moved(edge, ByCount(count), down=down))
        else:
            self.runs(self.moved(edge, ByCount(count), down=down))
            self.place |= dict.fromkeys(there[:count], receiver)

    @precondition(lambda self: self.place)
    @rule(edge=st.sampled_from(EDGES), down=st.booleans(), data=st.data())
    def move_named(self, edge: tuple[str, str], data: st.DataObject, *, down: bool) -> None:
        """Move named cards along an edge; one that may not go stops them all."""
        giver, receiver = edge if down else edge[::-1]
        names = data.draw(st.lists(st.sampled_from(sorted(self.place)), min_size=1, max_size=6, unique=True))
        if set(names) <= set(self.movable(giver, up=not down)):
            self.runs(self.moved(edge, ByName(tuple(names)), down=down))
            self.place |= dict.fromkeys(names, receiver)
        else:
            with pytest.raises(MovementRefused):
                self.runs(self.moved(edge, ByName(tuple(names)), down=down))

    @precondition(lambda self: set(self.place) - self.damaged)
    @rule(data=st.data())
    def damage(self, data: st.DataObject) -> None:
        """Set a card damaged where it lies."""
        card = data.draw(st.sampled_from(sorted(set(self.place) - self.damaged)))
        self.runs(self.released(card))
        self.damaged.add(card)

    @invariant()
    def loaded_is_the_sum_of_states_and_of_holders(self) -> None:
        """Find what was loaded once, in the state and the hands that the model says."""
        rows = self.runs(self.town.rows("SELECT state, count(*) FROM sim WHERE city_id = :c GROUP BY 1", c=self.city))
        states = {"DAMAGED": len(self.damaged), "AVAILABLE": len(self.place) - len(self.damaged)}
        assert dict(rows) == {state: count for state, count in states.items() if count}
        rows = self.runs(
            self.town.rows("SELECT holder_id, count(*) FROM sim WHERE city_id = :c GROUP BY 1", c=self.city)
        )
        ids = {ending: self.town.nodes[self.code(ending)].id for ending in ("", "-D1", "-D2", "-H1", "-C1")}
        assert dict(rows) == {ids[ending]: count for ending, count in Counter(self.place.values()).items()}

    @invariant()
    def ledger_tells_who_holds_what(self) -> None:
        """Find that the last document of each card went to its holder."""
        assert self.runs(self.town.value(_LEDGER_DISAGREES, city=self.city)) == 0

    async def moved(self, edge: tuple[str, str], selection: Selection, *, down: bool) -> Any:
        """Issue or recall along an edge."""
        parent, child = map(self.code, edge)
        async with self.database.session() as session:
            if down:
                wish = MoveWish(verb=Verb.ISSUE, resource="sim", giver=parent, receiver=child, selection=selection)
                return await move(session, self.town.admin, fresh_key(), wish, now=NOW)
            back = MoveWish(verb=Verb.RECALL, resource="sim", giver=child, receiver=parent, selection=selection)
            return await move(session, self.town.admin, fresh_key(), back, now=NOW)

    async def released(self, card: str) -> Any:
        """Set the card damaged."""
        wish = ReleaseWish(resource="sim", item=card, to_state="DAMAGED", reason="坏")
        async with self.database.session() as session:
            return await release_status(session, self.town.admin, fresh_key(), wish, now=NOW)


def test_custody_agrees_with_the_ledger_whatever_happens(database_url: str, vault: Vault) -> None:
    with asyncio.Runner() as runner:
        Custody.runner, Custody.vault = runner, vault
        Custody.database = connect(database_url, pool_size=2)
        try:
            run_state_machine_as_test(
                Custody,
                settings=settings(
                    max_examples=15,
                    stateful_step_count=20,
                    deadline=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                ),
            )
        finally:
            runner.run(Custody.database.close())
