"""The base of all tables: naming of constraints, column types, and the city rule.

Every table starts its primary key, unique keys and foreign keys between stock tables with `city_id` (GB/T 2260 code),
so that a distributed PostgreSQL can take the schema unchanged. `CITY_FREE_TABLES` names the exceptions with their
reason; tests/store/test_schema.py enforces both.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import TIMESTAMP, BigInteger, Integer, MetaData, SmallInteger, Text
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import UserDefinedType
from typing_extensions import override

CITY_FREE_TABLES = {
    "api_key": "read before the caller's city is known",
    "audit_run": "one run covers every city",
    "card_kind": "reference",
    "enrol_code": "read before the station's city is known",
    "hlr": "reference",
    "holiday": "reference",
    "identifier": "the registry of what is unique across cities, keyed by itself",
    "interface": "reference",
    "interface_staff": "reference",
    "number_plan": "reference",
    "number_plan_source": "reference",
    "organisation": "reference",
    "rule_set": "reference",
    "security_event": "refusals happen before the city is known",
    "segment": "reference: a number finds its city through it",
    "segment_group": "reference",
    "sign_in_session": "read before the caller's city is known",
    "staff": "reference",
    "transport_key": "reference",
    "working_window": "reference",
}


class Xid8(UserDefinedType[int]):
    """The 64-bit transaction id of PostgreSQL: the sealer reads only rows below the oldest one still running."""

    cache_ok = True

    @override
    def get_col_spec(self, **_kw: Any) -> str:
        """Return the type's name in DDL."""
        return "xid8"


ischema_names["xid8"] = Xid8  # `alembic check` reads the tables back

CodeText = Text(collation="C")
"""Text that is compared byte by byte: identifiers, codes."""

CityKey = Annotated[int, mapped_column(Integer, primary_key=True, autoincrement=False)]
Code = Annotated[str, mapped_column(CodeText)]
CodeKey = Annotated[str, mapped_column(CodeText, primary_key=True)]
Small = Annotated[int, mapped_column(SmallInteger)]


class Base(DeclarativeBase):
    """Base of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        int: BigInteger,
        str: Text,
        datetime: TIMESTAMP(timezone=True),
    }
