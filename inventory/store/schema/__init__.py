"""The tables, one group per file; Alembic reads `Base.metadata` here."""

from inventory.store.schema.access import (
    ApiKey,
    EnrolCode,
    Holiday,
    Interface,
    InterfaceStaff,
    SecurityEvent,
    SignInSession,
    Staff,
    WorkingWindow,
)
from inventory.store.schema.base import CITY_FREE_TABLES, Base
from inventory.store.schema.cards import CardSecret, SimIdentity, SubscriptionData, TransportKey
from inventory.store.schema.events import AuditRun, Event, SealBlock, SealedEvent
from inventory.store.schema.fees import FeeChange, NumberFee, RuleSetRow
from inventory.store.schema.holds import HoldRow, Idempotency
from inventory.store.schema.movements import LoadBatch, LoadFault, Movement, MovementLine
from inventory.store.schema.organisation import CardKind, Hlr, Organisation
from inventory.store.schema.plan import NumberPlan, NumberPlanSource, Segment, SegmentGroup
from inventory.store.schema.stations import Station, StationReader, WriteJob, WriteStep
from inventory.store.schema.stock import Identifier, Number, Sim, StockItem

__all__ = [
    "CITY_FREE_TABLES",
    "ApiKey",
    "AuditRun",
    "Base",
    "CardKind",
    "CardSecret",
    "EnrolCode",
    "Event",
    "FeeChange",
    "Hlr",
    "HoldRow",
    "Holiday",
    "Idempotency",
    "Identifier",
    "Interface",
    "InterfaceStaff",
    "LoadBatch",
    "LoadFault",
    "Movement",
    "MovementLine",
    "Number",
    "NumberFee",
    "NumberPlan",
    "NumberPlanSource",
    "Organisation",
    "RuleSetRow",
    "SealBlock",
    "SealedEvent",
    "SecurityEvent",
    "Segment",
    "SegmentGroup",
    "SignInSession",
    "Sim",
    "SimIdentity",
    "Staff",
    "Station",
    "StationReader",
    "StockItem",
    "SubscriptionData",
    "TransportKey",
    "WorkingWindow",
    "WriteJob",
    "WriteStep",
]
