"""The service on a socket, a real station beside it with a virtual card, and people who call the API."""

from __future__ import annotations

import asyncio
import socket
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI
from sqlalchemy import create_engine, text

from cardwriter.crypto.secret import Secret
from cardwriter.station.app import Station
from cardwriter.station.enrol import enrol, trust_of
from drivers.base import ReaderSource
from drivers.virtual import VirtualSource
from inventory.services.transport_keys import TransportKeyWish, found_transport_key
from inventory.store.engine import connect
from inventory.vault.hold_keys import HoldKeys
from inventory.vault.transport import TransportAlgorithm
from tests.api.live import wait_until
from tests.builders import FOUNDED, Login, Operator
from tests.cards.hall import TRANSPORT_KEY, CardKeys, encrypt, fresh
from tests.patience import PATIENCE
from tests.web.stock import administrator


class Desk:
    """The service on a socket, a station beside it, and a clerk's HTTP client."""

    def __init__(self, app: FastAPI, url: str, operator: Operator, service: str, folder: Path) -> None:
        self.app, self.operator, self.service, self.folder = app, operator, service, folder
        self.url = url
        self.engine = create_engine(url)
        self.source = VirtualSource()
        self.reader_source: ReaderSource = self.source
        self.station: Station | None = None
        self.name = ""
        self.client = httpx2.Client(base_url=service, timeout=PATIENCE, trust_env=False)

    def call(self, login: Login, path: str, body: object = None, **headers: str) -> dict[str, Any]:
        """Write, or read when there is no body."""
        heads = {**login.headers, "Idempotency-Key": uuid.uuid4().hex, **headers}
        if body is None:
            answer = self.client.get(path, headers=heads)
        else:
            answer = self.client.post(path, json=body, headers=heads)
        found: dict[str, Any] = answer.json()
        return found | {"status_code": answer.status_code}

    def bring_key(self) -> None:
        """Take in the vendor's transport key, as the founder does."""
        wish = TransportKeyWish(
            index="11",
            algorithm=TransportAlgorithm.AES_128_ECB,
            parts=(Secret(TRANSPORT_KEY),),
            kcv=encrypt(bytes(16))[:3],
        )

        async def bring() -> None:
            database = connect(self.url, pool_size=1)
            async with database.session() as session:
                await found_transport_key(
                    session,
                    administrator(self.operator),
                    fresh(),
                    wish,
                    vault=self.app.state.runtime.vault,
                    now=FOUNDED,
                )
            await database.close()

        asyncio.run(bring())

    def code(self) -> str:
        """Ask for an enrolment code for the hall."""
        return str(self.call(self.operator.hall_keeper, "/v1/stations:code", {"org_id": self.operator.point})["code"])

    def start_station(self) -> None:
        """Enrol the hall PC if it is not yet, and start its station."""
        data = self.folder / "station"
        if not self.name:
            self.credential = enrol(self.service, self.code(), data, name="一号台")
            self.name = self.credential.station_id
        self.station = Station(
            self.reader_source,
            service=self.service,
            credential=self.credential.secret,
            trust=trust_of(self.credential, data),
            data=data,
            tell=lambda *_, **__: None,
            on_end=lambda: None,
            clock=self.app.state.runtime.clock,
        )
        self.station.start()
        wait_until(lambda: self.seen()["online"])

    def drop_links(self) -> None:
        """Break the station's connection under it, as a network does."""
        assert self.station is not None
        connection = self.station._link._connection
        assert connection is not None
        connection.socket.shutdown(socket.SHUT_RDWR)

    def stop_station(self) -> None:
        """End the station, if it runs."""
        if self.station is not None:
            self.station.stop()

    def seen(self) -> dict[str, Any]:
        """Give the station as the clerk sees it."""
        found = self.call(self.operator.clerk, "/v1/stations")["stations"]
        return dict(next((one for one in found if one["id"] == self.name), {"online": False, "readers": []}))

    def reader(self) -> dict[str, Any]:
        """Give the station's reader as the clerk sees it."""
        return dict(next(iter(self.seen()["readers"]), {"card": None, "state": None}))

    def stock(self, item_no: int) -> str:
        """Put one blank card with its secrets and one data unit into stock, hold both, and give the hold."""
        sealed = self.app.state.runtime.vault.seal(
            CardKeys.of(item_no).adm1.reveal(), table="card_secret", row=f"530700/{item_no}", field="adm1"
        )
        given = {
            "item": item_no,
            "iccid": f"8986002600{item_no:010d}",
            "holder": self.operator.clerk_node,
            "org": self.operator.point,
            "ki": encrypt(CardKeys.of(item_no).k.reveal()),
            "opc": encrypt(CardKeys.of(item_no).opc.reveal()),
            "adm": sealed,
            "imsi": f"46000{item_no:010d}",
            "now": self.app.state.runtime.clock(),
            "until": self.app.state.runtime.clock() + timedelta(minutes=30),
        }
        with self.engine.begin() as conn:
            hold_id = conn.execute(text(_HOLD), given).scalar_one()
            for statement in _STOCK.split(";"):
                conn.execute(text(statement), {**given, "hold": hold_id})
        return f"h-530700-{hold_id}"

    def write(self, hold: str, *, reader: str = "virtual") -> dict[str, Any]:
        """Start a write job for the kit."""
        key = HoldKeys(self.app.state.runtime.hold_secret).key(530700, int(hold.rsplit("-", 1)[1]))
        wish = {"hold": hold, "station": self.name, "reader": reader}
        return self.call(self.operator.clerk, "/v1/write-jobs", wish, **{"Haoka-Hold-Key": key})

    def found_station(self) -> bool:
        """Whether the service knows a station; from then on it is this desk's."""
        known = self.call(self.operator.clerk, "/v1/stations")["stations"]
        self.name = known[0]["id"] if known else ""
        return bool(known)

    def ended(self, job: str, *, but: frozenset[str] | set[str] = frozenset({"wait"})) -> dict[str, Any]:
        """Wait until the job has ended, or says what to do next other than `but`, and give it."""
        found: dict[str, Any] = {}

        def over() -> bool:
            found.update(self.call(self.operator.clerk, f"/v1/write-jobs/{job}"))
            return found["next_step"] not in but

        wait_until(over)
        return found


_HOLD = """
INSERT INTO hold (city_id, state, interface_no, staff_no, org_id, business, sim_item_no, data_no, quote, expires_at,
                  first_seconds, extensions, created_at)
VALUES (530700, 'ACTIVE', 'x', 'x', :org, 'activation', :item, :item, '{}', :until, 1800, 0,
        :now)
RETURNING hold_id
"""
_STOCK = """
INSERT INTO hlr VALUES ('LJ1', 530700, 'LJ1', '+8613800888500') ON CONFLICT DO NOTHING;
INSERT INTO card_kind (code, name_zh, name_en, profile, capacity_kb, capabilities, network, fee_fen)
VALUES ('P', 'P', 'P', 'preset_key', 128, '[]', '{"spn": {"name": "Haoka"}}', 0) ON CONFLICT DO NOTHING;
INSERT INTO sim (city_id, item_no, state, version, holder_id, pool, hold_id, hold_until, batch_id, updated_at, iccid,
                 kind_code, generation)
VALUES (530700, :item, 'HELD', 1, :holder, 'hall', :hold, :until, 1, now(), :iccid, 'P', 1);
INSERT INTO card_secret (city_id, item_no, generation, transport_key_index, ki, opc, adm1)
VALUES (530700, :item, 1, '11', :ki, :opc, :adm);
INSERT INTO subscription_data (city_id, data_no, hlr_code, imsi, state, version, hold_id, batch_id, updated_at)
VALUES (530700, :item, 'LJ1', :imsi, 'RESERVED', 1, :hold, 1, now())
"""
