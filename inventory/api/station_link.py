"""The service's end of a station's link: a WebSocket over which scripts go down and results come up.

Text frames hold one JSON object each, told apart by `type`. From the station: hello, readers, dispenser, step, report,
pong. To it: welcome, signer, run, ack, cancel, move, ping, revoked. A script is signed for its station, reader and
job; before one that another key signs than the station has learnt, `signer` hands over to that key.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from cardwriter.script import ScriptError
from cardwriter.signing import Destination, Signer
from inventory.api.deps import runtime_of
from inventory.domain.errors import BadCredentials, DomainError
from inventory.domain.identifiers import format_public_id
from inventory.observability import Metrics
from inventory.runtime import Runtime
from inventory.services import card_writing, links
from inventory.services.card_data import Workbench
from inventory.services.card_reports import Reported, abandon_report, take_report
from inventory.services.dispensers import hear_dispenser
from inventory.services.kiosk_loop import Loop
from inventory.services.links import LinkState, ReaderSeen
from inventory.services.orders import Ack, Cancel, Move, Order, Run
from inventory.store.notices import Notice
from inventory.store.stations import StationRow
from inventory.tasks import end
from inventory.vault.hold_keys import HoldKeys
from inventory.vault.script_signers import ScriptSigners

router = APIRouter()
PING_SECONDS = 10.0
SILENCE_SECONDS = 30.0
"""A station that has said nothing for so long, though pinged, is gone."""
WATCH_SECONDS = 15.0
_HELLO_SECONDS = 15.0
_LOOK_SECONDS = 5.0
"""So often the self-service machines are looked at though nothing was heard: time alone may end a sale."""
_GOING_AWAY = 1001  # RFC 6455 clause 7.4.1
_POLICY_VIOLATION = 1008

_log = structlog.get_logger(__name__)
Message = dict[str, Any]


@router.websocket("/station-link")
async def station_link(websocket: WebSocket) -> None:
    """Hold a station's link; refused with 403 before the handshake if the credential opens nothing."""
    runtime = runtime_of(websocket)
    scheme, _, credential = websocket.headers.get("authorization", "").partition(" ")
    try:
        async with runtime.database.session() as session:
            station = await links.admit_station(
                session, credential if scheme.lower() == "bearer" else None, now=runtime.clock()
            )
    except BadCredentials:
        await websocket.close(_POLICY_VIOLATION)
        return
    await websocket.accept()
    await _Link(websocket, runtime, station, websocket.app.state.metrics).hold()


class _Link:
    """One connection of one station."""

    def __init__(self, websocket: WebSocket, runtime: Runtime, station: StationRow, metrics: Metrics) -> None:
        self._websocket = websocket
        self._runtime = runtime
        self._station = station
        self._metrics = metrics
        self._bench = Workbench(runtime.vault, os.urandom)
        self._loop = Loop(
            database=runtime.database, keys=HoldKeys(runtime.hold_secret), most=runtime.settings.kiosk_cards,
            take_back=runtime.settings.kiosk_take_back,
        )  # fmt: skip
        self._signers = ScriptSigners(runtime.vault)
        self._signing = self._signers.current()
        self._known: object = None
        """The key whose scripts the station runs, as hex: what it said itself, or was told since."""
        self._id = secrets.token_hex(8)
        self._heard = asyncio.get_running_loop().time()
        self._sending = asyncio.Lock()
        self._handed = set[str]()
        """The scripts that went out over this very connection: no answer to them is missing yet."""
        self._name = format_public_id("st", station.city_id, station.station_id)
        self._log = _log.bind(station=self._name)

    async def hold(self) -> None:
        """Serve the link until it ends, whatever ends it."""
        self._metrics.links.inc()
        try:
            async with self._runtime.notices.subscribe() as notices:
                hello = await asyncio.wait_for(self._receive(), _HELLO_SECONDS)
                await self._greet(hello)
                self._log.info("link_up")
                await _until_first_ends(self._listen(), self._keep_alive(), self._heed(notices))
        except (WebSocketDisconnect, TimeoutError):
            pass
        except SQLAlchemyError as error:
            self._log.warning("link_broken", error=type(error).__name__)
        finally:
            self._metrics.links.dec()
            self._log.info("link_down")
            with suppress(SQLAlchemyError):
                async with self._runtime.database.session() as session:
                    await links.close_link(session, self._station, self._id)
            with suppress(RuntimeError, WebSocketDisconnect):  # the other side had closed it
                await self._websocket.close(_GOING_AWAY)

    async def _greet(self, hello: Message) -> None:
        """Take over the station: its journal first, then its jobs, then its readers."""
        if hello.get("type") != "hello":
            raise WebSocketDisconnect(_POLICY_VIOLATION)
        async with self._runtime.database.session() as session:
            await links.open_link(session, self._station, self._id, now=self._runtime.clock())
        self._known = hello.get("signer")
        await self._send({"type": "welcome", "station": self._name, "name": self._station.name})
        journal = hello.get("journal")
        for filed in journal if isinstance(journal, list) else []:
            await self._take({**filed, "type": "report"} if isinstance(filed, dict) else {})
        async with self._runtime.database.session() as session:
            resumed = await card_writing.resume(
                session, self._station, handed=frozenset(self._handed), now=self._runtime.clock()
            )
        await self._carry_out(resumed)
        await self._take({"type": "readers", "readers": hello.get("readers")})
        async with self._runtime.database.session() as session:
            await links.drop_gone_readers(session, self._station, now=self._runtime.clock())

    async def _listen(self) -> None:
        while True:
            await self._take(await self._receive())

    async def _keep_alive(self) -> None:
        """Ping; end when the station is silent, revoked, or has another link."""
        loop = asyncio.get_running_loop()
        while loop.time() - self._heard < SILENCE_SECONDS:
            await self._send({"type": "ping"})
            if await self._is_over():
                return
            await asyncio.sleep(PING_SECONDS)
        self._log.warning("station_silent")

    async def _is_over(self) -> bool:
        async with self._runtime.database.session() as session:
            state = await links.keep_link(session, self._station, self._id, now=self._runtime.clock())
        if state is LinkState.REVOKED:
            await self._send({"type": "revoked"})
        return state is not LinkState.HELD

    async def _heed(self, notices: asyncio.Queue[Notice | None]) -> None:
        """Begin jobs that any process of the service has opened for this station; end when the link is over."""
        mine = (self._station.city_id, self._station.station_id)
        while True:
            try:
                notice = await asyncio.wait_for(notices.get(), _LOOK_SECONDS)
            except TimeoutError:
                await self._serve_customers()
                continue
            if notice is not None and (notice.city_id, notice.station_id) != mine:
                continue
            if notice is not None and notice.cancel is not None:
                await self._carry_out([Cancel(notice.cancel)])
                continue
            if notice is not None and notice.move is not None and notice.reader is not None:
                await self._carry_out([Move(notice.reader, notice.move)])
                continue
            if notice is None or notice.job_id is not None:
                async with self._runtime.database.session() as session:
                    now = self._runtime.clock()
                    begun = await card_writing.take_up(session, self._bench, self._station, now=now)
                    await self._carry_out(begun)
            if notice is None or notice.look:
                async with self._runtime.database.session() as session:
                    looks = await links.look_again(session, self._bench, self._station, now=self._runtime.clock())
                    await self._carry_out(looks)
            elif notice.job_id is None and notice.link != self._id and await self._is_over():
                return
            await self._serve_customers()

    async def _serve_customers(self) -> None:
        """Bring the sales at the station's self-service machines on."""
        done = await self._loop.advance(self._station, now=self._runtime.clock())
        for error in done.failed:
            self._log.error("kiosk_not_advanced", error=error)
        for state in done.ended:
            self._metrics.kiosk_sales.labels(state).inc()
        await self._carry_out(done.moves)

    async def _take(self, message: Message) -> None:
        """Do what a message asks for; one without sense is dropped, a report always acknowledged."""
        try:
            await self._carry_out(await self._understand(message))
        except (ScriptError, DomainError) as error:
            self._log.warning("message_refused", type=str(message.get("type"))[:20], error=str(error))
            await self._acknowledge(message)
        except IntegrityError as error:
            # Repeating it would break on the same rows for ever: the job ends, and the station is told to forget it.
            self._log.error("message_breaks_stock", type=str(message.get("type"))[:20], error=type(error.orig).__name__)
            await self._abandon(message)
            await self._acknowledge(message)

    async def _abandon(self, message: Message) -> None:
        if message.get("type") != "report":
            return
        try:
            async with self._runtime.database.session() as session:
                reported = Reported.from_wire(message)
                await abandon_report(session, self._station, reported, now=self._runtime.clock())
        except (DomainError, IntegrityError) as error:
            self._log.error("report_not_abandoned", error=type(error).__name__)

    async def _acknowledge(self, message: Message) -> None:
        match message:
            case {"type": "report", "report": {"script_id": str(script_id)}}:
                await self._carry_out([Ack(script_id)])
            case _:
                pass

    async def _understand(self, message: Message) -> Sequence[Order]:
        now = self._runtime.clock()
        async with self._runtime.database.session() as session:
            match message:
                case {"type": "readers", "readers": list(wires)}:
                    seen = [ReaderSeen.from_wire(wire) for wire in wires]
                    return await links.see_readers(session, self._bench, self._station, seen, now=now)
                case {"type": "dispenser"}:
                    await hear_dispenser(session, self._station, message)
                case {"type": "step"}:
                    await links.hear_step(session, self._station, message, now=now)
                case {"type": "report"}:
                    taken = await take_report(session, self._bench, self._station, Reported.from_wire(message), now=now)
                    if taken.ended is not None:
                        self._metrics.jobs.labels(taken.ended).inc()
                    return taken.orders
                case {"type": "pong"}:
                    pass
                case _:
                    self._log.warning("message_unknown", type=str(message.get("type"))[:20])
        return []

    async def _carry_out(self, orders: Sequence[Order]) -> None:
        for order in orders:
            match order:
                case Run(job, reader, script):
                    self._handed.add(script.id)
                    signer = await self._signer()
                    signature = signer.sign(script, Destination(station=self._name, reader=reader, job=job))
                    address = {"station": self._name, "reader": reader, "job": job}
                    signed = {"script": script.to_wire(), "signature": signature.hex()}
                    await self._send({"type": "run", **address, **signed})
                case Ack(script_id):
                    await self._send({"type": "ack", "script": script_id})
                case Cancel(script_id):
                    await self._send({"type": "cancel", "script": script_id})
                case Move(reader, movement, name):
                    await self._send({"type": "move", "reader": reader, "movement": movement, "name": name})

    async def _signer(self) -> Signer:
        """Give the key that signs, and see that the station has been told of it.

        A station that cannot be told by a key which it knows refuses the new one, and says that it must enrol again.
        """
        with suppress(DomainError):  # while the key file cannot be used, the key of before goes on
            self._signing = self._signers.current()
        signer = self._signing
        key = signer.public.hex()
        if key != self._known:
            endorsement = self._signers.endorsed_by(self._known, signer)
            if endorsement is None:
                self._log.warning("station_must_enrol_again")
            self._known = key
            await self._send({"type": "signer", "key": key, "endorsement": endorsement and endorsement.hex()})
        return signer

    async def _receive(self) -> Message:
        """Return the next message that is a JSON object."""
        while True:
            text = await self._websocket.receive_text()
            self._heard = asyncio.get_running_loop().time()
            try:
                message = json.loads(text)
            except (ValueError, RecursionError):
                message = None
            if isinstance(message, dict):
                return message
            self._log.warning("message_unreadable")

    async def _send(self, message: Message) -> None:
        async with self._sending:
            await self._websocket.send_text(json.dumps(message, ensure_ascii=False))


async def _until_first_ends(*works: Coroutine[Any, Any, None]) -> None:
    """Run all until one ends, end the others, and raise what ended the first."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await asyncio.gather(*map(end, tasks))
    for task in done:
        task.result()


@asynccontextmanager
async def watching(runtime: Runtime, *, pause: float = WATCH_SECONDS) -> AsyncIterator[None]:
    """Settle what silent stations leave, again and again, while the block lasts."""

    async def watch() -> None:
        while True:
            await asyncio.sleep(pause)
            try:
                async with runtime.database.session() as session:
                    await links.settle_silent(session, now=runtime.clock())
            except (SQLAlchemyError, DomainError) as error:
                _log.warning("watch_failed", error=type(error).__name__)

    task = asyncio.create_task(watch(), name="station-watch")
    try:
        yield
    finally:
        await end(task)
