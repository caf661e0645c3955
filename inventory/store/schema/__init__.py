"""The tables, one group per file; Alembic reads `Base.metadata` here."""

from inventory.store.schema.access import (
    ApiKey,
    CityHoliday,
    EnrolCode,
    Holiday,
    Interface,
    InterfaceStaff,
    SecurityEvent,
    SignInSession,
    Staff,
    WorkingWindow,
)
from inventory.store.schema.approvals import Approval
from inventory.store.schema.base import CITY_FREE_TABLES, Base
from inventory.store.schema.boxes import Box, BoxLine
from inventory.store.schema.cards import (
    AucDeletion,
    AucExport,
    CardIssue,
    CardSecret,
    SimIdentity,
    SubscriptionData,
    TransportKey,
)
from inventory.store.schema.events import AuditRun, Event, SealBlock, SealedEvent
from inventory.store.schema.fees import FeeChange, NumberFee, RuleSetRow
from inventory.store.schema.holds import HoldRow, Idempotency
from inventory.store.schema.kiosk import KioskSale
from inventory.store.schema.legal import LegalOrder, LegalOrderLine
from inventory.store.schema.limits import IssueQuota, StockThreshold
from inventory.store.schema.loads import ListMapping, LoadRun, Upload, UploadPart
from inventory.store.schema.movements import LoadBatch, LoadFault, Movement, MovementLine
from inventory.store.schema.number_kinds import NumberKindRow
from inventory.store.schema.organisation import CardKind, Hlr, Organisation
from inventory.store.schema.plan import NumberPlan, NumberPlanSource, Segment, SegmentGroup
from inventory.store.schema.policies import CityPolicy, HoldTime
from inventory.store.schema.ports import PortRent
from inventory.store.schema.reasons import ReasonRow
from inventory.store.schema.recalls import RecallOrder
from inventory.store.schema.stations import BulkOrder, Station, StationReader, WriteJob, WriteStep
from inventory.store.schema.stock import Identifier, Number, Sim, StockItem
from inventory.store.schema.stocktakes import Stocktake, StocktakeFinding, StocktakeScan

__all__ = [
    "CITY_FREE_TABLES",
    "ApiKey",
    "Approval",
    "AucDeletion",
    "AucExport",
    "AuditRun",
    "Base",
    "Box",
    "BoxLine",
    "BulkOrder",
    "CardIssue",
    "CardKind",
    "CardSecret",
    "CityHoliday",
    "CityPolicy",
    "EnrolCode",
    "Event",
    "FeeChange",
    "Hlr",
    "HoldRow",
    "HoldTime",
    "Holiday",
    "Idempotency",
    "Identifier",
    "Interface",
    "InterfaceStaff",
    "IssueQuota",
    "KioskSale",
    "LegalOrder",
    "LegalOrderLine",
    "ListMapping",
    "LoadBatch",
    "LoadFault",
    "LoadRun",
    "Movement",
    "MovementLine",
    "Number",
    "NumberFee",
    "NumberKindRow",
    "NumberPlan",
    "NumberPlanSource",
    "Organisation",
    "PortRent",
    "ReasonRow",
    "RecallOrder",
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
    "StockThreshold",
    "Stocktake",
    "StocktakeFinding",
    "StocktakeScan",
    "SubscriptionData",
    "TransportKey",
    "Upload",
    "UploadPart",
    "WorkingWindow",
    "WriteJob",
    "WriteStep",
]
