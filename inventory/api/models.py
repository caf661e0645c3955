"""The base of request and response models: snake_case JSON, nothing unknown accepted, bounded text, whole numbers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

from inventory.request_scope import BIGGEST

LONGEST_TEXT = 2000


class Model(BaseModel):
    """Base of every model of the API."""

    model_config = ConfigDict(extra="forbid", str_max_length=LONGEST_TEXT, frozen=True, allow_inf_nan=False)


def as_rfc3339(moment: datetime) -> str:
    """Return the time as RFC 3339 text in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Time = Annotated[AwareDatetime, PlainSerializer(as_rfc3339, return_type=str, when_used="json")]
"""A time with its offset, written as RFC 3339 in UTC."""

Fen = Annotated[int, Field(strict=True, ge=0, le=BIGGEST)]
"""Money in whole fen."""

ApprovalId = Annotated[str, Field(min_length=1, max_length=40, examples=["a-530700-12"])]
"""The id of an approval (`POST /v1/approvals`)."""

Id = Annotated[int, Field(strict=True, ge=1, le=BIGGEST)]
"""A row number, such as an organisation's."""
