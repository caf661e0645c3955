"""What random walks through a city of cards share: the city, its places, and what must hold after every step."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from inventory.services.moving import MoveWish, Verb, move
from inventory.services.status_release import ReleaseWish, release_status
from inventory.store.engine import Database, connect
from inventory.store.selection import Selection
from inventory.vault.envelope import Vault
from tests.services.files import iccid, vendor_file
from tests.services.town import NOW, Town, found_town, fresh_key

T = TypeVar("T")
EDGES = [("", "-D1"), ("", "-D2"), ("-D1", "-H1"), ("-H1", "-C1")]
"""Parent and child, as endings of their codes."""
PLACES = ("", "-D1", "-D2", "-H1", "-C1")

_cities = itertools.count(330100, 100)
_serials = itertools.count()

_LEDGER_DISAGREES = """
SELECT count(*) FROM sim WHERE city_id = :city AND holder_id IS DISTINCT FROM (
    SELECT to_holder FROM movement_line AS line JOIN movement USING (city_id, movement_id)
     WHERE line.city_id = sim.city_id AND line.resource = 'sim' AND sim.item_no BETWEEN lo AND hi
     ORDER BY movement_id DESC LIMIT 1)
"""


class CityMachine(RuleBasedStateMachine):
    """A city of its own; places are named by the endings of their codes."""

    runner: ClassVar[asyncio.Runner]
    database: ClassVar[Database]
    vault: ClassVar[Vault]

    def __init__(self) -> None:
        super().__init__()
        self.city = next(_cities)
        self.town: Town = self.runs(found_town(self.database, self.vault, self.city))

    @classmethod
    async def found(cls) -> None:
        """Found what all walks share; nothing but for who says otherwise."""

    @classmethod
    def walk(cls, database_url: str, vault: Vault, *, examples: int) -> None:
        """Take so many random walks."""
        with asyncio.Runner() as runner:
            cls.runner, cls.vault, cls.database = runner, vault, connect(database_url, pool_size=2)
            try:
                runner.run(cls.found())
                run_state_machine_as_test(
                    cls,
                    settings=settings(
                        max_examples=examples,
                        stateful_step_count=20,
                        deadline=None,
                        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
                    ),
                )
            finally:
                runner.run(cls.database.close())

    def runs(self, work: Awaitable[T]) -> T:
        """Run one coroutine to its end."""

        async def whole() -> T:
            return await work

        return self.runner.run(whole())

    def code(self, ending: str) -> str:
        """Give the code of an organisation."""
        return f"{self.city}{ending}"

    def loaded(self, count: int) -> list[str]:
        """Load a box of new cards and give their names."""
        serials = [next(_serials) for _ in range(count)]
        self.runs(self.town.load(vendor_file(serials)))
        return [iccid(serial) for serial in serials]

    @invariant()
    def ledger_tells_who_holds_what(self) -> None:
        """Find that the last document of each card went to its holder."""
        assert self.runs(self.town.value(_LEDGER_DISAGREES, city=self.city)) == 0

    async def moved(
        self, verb: Verb, giver: str, receiver: str, selection: Selection, *, on_the_way: bool = False
    ) -> Any:
        """Issue, recall or transfer."""
        ends = {"giver": self.code(giver), "receiver": self.code(receiver)}
        wish = MoveWish(verb=verb, resource="sim", selection=selection, on_the_way=on_the_way, **ends)
        async with self.database.session() as session:
            return await move(session, self.town.admin, fresh_key(), wish, now=NOW)

    async def released(self, card: str) -> Any:
        """Set the card damaged."""
        wish = ReleaseWish(resource="sim", item=card, to_state="DAMAGED", reason="坏")
        async with self.database.session() as session:
            return await release_status(session, self.town.admin, fresh_key(), wish, now=NOW)
