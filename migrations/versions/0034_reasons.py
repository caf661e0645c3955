"""Reasons as a code table, and their codes with documents and events.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_USUAL = (
    ("back_in_sale", "重新投放", "Put on sale again", ["release", "block"]),
    ("kept_back", "预留不售", "Kept back", ["release", "block"]),
    ("wrong_state", "状态有误", "The state was wrong", ["release"]),
    ("card_faulty", "卡片损坏", "Faulty card", ["release", "scrap", "refuse"]),
    ("hall_needs", "网点补货", "The hall runs low", ["issue", "transfer"]),
    ("sales_campaign", "营销活动", "Sales campaign", ["issue", "transfer"]),
    ("slow_selling", "滞销回收", "Sells slowly", ["recall", "transfer"]),
    ("hall_closes", "网点撤并", "The hall closes", ["recall", "transfer"]),
    ("clerk_leaves", "人员离岗", "The clerk leaves", ["recall", "transfer"]),
    ("wrong_issue", "发放有误", "Issued by mistake", ["recall", "transfer", "refuse"]),
    ("short_delivery", "数量不足", "Fewer came than written", ["refuse"]),
    ("wrong_sort", "品种不符", "Not what was asked for", ["refuse"]),
    ("damaged_on_the_way", "运输损坏", "Damaged on the way", ["refuse", "scrap"]),
    ("card_expired", "卡片过期", "Past its last day", ["scrap"]),
    ("misprinted", "印刷差错", "Misprinted", ["scrap"]),
    ("vendor_recall", "厂家召回", "Called back by the vendor", ["scrap"]),
    ("registered_wrongly", "误登记", "Registered by mistake", ["scrap", "undo"]),
    ("card_lost", "卡片遗失", "Lost", ["block"]),
    ("card_stolen", "卡片被盗", "Stolen", ["block"]),
    ("card_found", "卡片找回", "Found again", ["block"]),
    ("under_review", "待核查", "To be looked into", ["block"]),
    ("wrong_scope", "盘点范围有误", "Wrong place counted", ["cancel"]),
    ("count_broken_off", "盘点中断", "Count broken off", ["cancel"]),
    ("wrong_file", "文件有误", "Wrong file", ["undo"]),
    ("loaded_twice", "重复入库", "Loaded twice", ["undo"]),
    ("sold_singly", "拆零销售", "To be sold one by one", ["open"]),
    ("content_checked", "拆箱核对", "Content to be checked", ["open"]),
    ("agreed_price", "议价审批通过", "Agreed price", ["fee"]),
    ("wrong_class", "分级有误", "Wrong class", ["fee"]),
)
_EVERY_CITY = 0


def upgrade() -> None:
    """Make the table with the usual reasons; what was said before has no code."""
    table = op.create_table(
        "reason",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("name_zh", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("purposes", JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("changed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "code", name=op.f("pk_reason")),
    )
    made = {"city_id": _EVERY_CITY, "changed_at": datetime(2026, 11, 23, tzinfo=UTC), "changed_by": "product"}
    op.bulk_insert(
        table,
        [{"code": code, "name_zh": zh, "name_en": en, "purposes": what, **made} for code, zh, en, what in _USUAL],
    )
    for told in ("movement", "event"):
        op.add_column(told, sa.Column("reason_code", sa.Text(collation="C"), nullable=True))


def downgrade() -> None:
    """Forget the codes; the words stay."""
    for told in ("event", "movement"):
        op.drop_column(told, "reason_code")
    op.drop_table("reason")
