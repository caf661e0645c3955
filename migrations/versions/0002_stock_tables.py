"""Tables of stock, promises, the ledger, events, cards and stations, all by city."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from inventory.store.schema import base as schema

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "event",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("event_no", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("xid", schema.Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("item_no", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("from_state", sa.Text(collation="C"), nullable=True),
        sa.Column("to_state", sa.Text(collation="C"), nullable=True),
        sa.Column("staff_no", sa.Text(collation="C"), nullable=False),
        sa.Column("interface_no", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("order_ref", sa.Text(collation="C"), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "event_no", name=op.f("pk_event")),
    )
    op.create_index("ix_event_item", "event", ["city_id", "kind", "item_no", "event_no"], unique=False)
    op.create_index("ix_event_xid", "event", ["city_id", "xid", "event_no"], unique=False)
    op.create_table(
        "hold",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hold_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("interface_no", sa.Text(collation="C"), nullable=False),
        sa.Column("staff_no", sa.Text(collation="C"), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("business", sa.Text(collation="C"), nullable=False),
        sa.Column("order_ref", sa.Text(collation="C"), nullable=True),
        sa.Column("customer_ref", sa.Text(), nullable=True),
        sa.Column("number_item_no", sa.BigInteger(), nullable=True),
        sa.Column("sim_item_no", sa.BigInteger(), nullable=True),
        sa.Column("sim_wish", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("data_no", sa.BigInteger(), nullable=True),
        sa.Column("quote", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("expires_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("first_seconds", sa.Integer(), nullable=False),
        sa.Column("extensions", sa.SmallInteger(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closed_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("close_reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "hold_id", name=op.f("pk_hold")),
    )
    op.create_index(
        "ix_hold_due",
        "hold",
        ["city_id", "expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('ACTIVE', 'BOOKED')"),
    )
    op.create_index(
        "ix_hold_order",
        "hold",
        ["city_id", "order_ref"],
        unique=False,
        postgresql_where=sa.text("order_ref IS NOT NULL"),
    )
    op.create_table(
        "idempotency",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("interface_no", sa.Text(collation="C"), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("operation", sa.Text(collation="C"), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "interface_no", "key", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "load_batch",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("resource", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("staff_no", sa.Text(collation="C"), nullable=False),
        sa.Column("interface_no", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("figures", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "batch_id", name=op.f("pk_load_batch")),
    )
    op.create_index(
        "uq_load_batch_digest",
        "load_batch",
        ["city_id", "resource", "sha256"],
        unique=True,
        postgresql_where=sa.text("state = 'COMMITTED'"),
    )
    op.create_table(
        "movement",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("movement_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("resource", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("from_holder", sa.BigInteger(), nullable=True),
        sa.Column("to_holder", sa.BigInteger(), nullable=False),
        sa.Column("item_count", sa.BigInteger(), nullable=False),
        sa.Column("receiver", sa.Text(), nullable=True),
        sa.Column("returner", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=True),
        sa.Column("rule_set_id", sa.Integer(), nullable=True),
        sa.Column("staff_no", sa.Text(collation="C"), nullable=False),
        sa.Column("interface_no", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "movement_id", name=op.f("pk_movement")),
    )
    op.create_table(
        "seal_block",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first_position", sa.BigInteger(), nullable=False),
        sa.Column("last_position", sa.BigInteger(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "block_no", name=op.f("pk_seal_block")),
    )
    op.create_table(
        "sealed_event",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event_no", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("city_id", "position", name=op.f("pk_sealed_event")),
        sa.UniqueConstraint("city_id", "event_no", name=op.f("uq_sealed_event_city_id_event_no")),
    )
    op.create_table(
        "write_job",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=False),
        sa.Column("reader", sa.Text(collation="C"), nullable=False),
        sa.Column("sim_item_no", sa.BigInteger(), nullable=False),
        sa.Column("data_no", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("script_id", sa.Text(collation="C"), nullable=True),
        sa.Column("rand", sa.LargeBinary(), nullable=True),
        sa.Column("delivered_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("steps_total", sa.Integer(), nullable=True),
        sa.Column("facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("verdict", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("staff_no", sa.Text(collation="C"), nullable=False),
        sa.Column("interface_no", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("finished_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("city_id", "job_id", name=op.f("pk_write_job")),
    )
    op.create_index(
        "ix_write_job_sim",
        "write_job",
        ["city_id", "sim_item_no"],
        unique=False,
        postgresql_where=sa.text("state IN ('created', 'identifying', 'writing', 'verifying', 'unknown')"),
    )
    op.create_index(
        "ix_write_job_station",
        "write_job",
        ["city_id", "station_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('created', 'identifying', 'writing', 'verifying', 'unknown')"),
    )
    op.create_index(
        "uq_write_job_open",
        "write_job",
        ["city_id", "hold_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('created', 'identifying', 'writing', 'verifying', 'unknown')"),
    )
    op.create_table(
        "load_fault",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("batch_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fault_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "batch_id"],
            ["load_batch.city_id", "load_batch.batch_id"],
            name=op.f("fk_load_fault_city_id_batch_id_load_batch"),
        ),
        sa.PrimaryKeyConstraint("city_id", "batch_id", "fault_no", name=op.f("pk_load_fault")),
    )
    op.create_table(
        "movement_line",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("movement_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("resource", sa.Text(collation="C"), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("lo", sa.BigInteger(), nullable=False),
        sa.Column("hi", sa.BigInteger(), nullable=False),
        sa.Column("outcomes", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "movement_id"],
            ["movement.city_id", "movement.movement_id"],
            name=op.f("fk_movement_line_city_id_movement_id_movement"),
        ),
        sa.PrimaryKeyConstraint("city_id", "movement_id", "line_no", name=op.f("pk_movement_line")),
    )
    op.create_index("ix_movement_line_probe", "movement_line", ["city_id", "resource", "level", "block"], unique=False)
    op.create_table(
        "number",
        sa.Column("number", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(collation="C"), nullable=False),
        sa.Column("hlr_code", sa.Text(collation="C"), nullable=True),
        sa.Column("cls", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), nullable=False),
        sa.Column("tail", sa.SmallInteger(), nullable=False),
        sa.Column("mask", sa.SmallInteger(), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("transit_id", sa.BigInteger(), nullable=True),
        sa.Column("pool", sa.Text(collation="C"), nullable=True),
        sa.Column("hold_id", sa.BigInteger(), nullable=True),
        sa.Column("hold_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["rule_set_id"], ["rule_set.id"], name=op.f("fk_number_rule_set_id_rule_set")),
        sa.PrimaryKeyConstraint("city_id", "item_no", name=op.f("pk_number")),
        sa.UniqueConstraint("city_id", "number", name=op.f("uq_number_city_id_number")),
    )
    op.create_index(
        "ix_number_free",
        "number",
        ["city_id", "holder_id", "tail", "item_no"],
        unique=False,
        postgresql_where=sa.text("state = 'UNUSED'"),
    )
    op.create_index(
        "ix_number_hold",
        "number",
        ["city_id", "hold_id"],
        unique=False,
        postgresql_where=sa.text("hold_id IS NOT NULL"),
    )
    op.create_index(
        "ix_number_rev", "number", ["city_id", "rev"], unique=False, postgresql_where=sa.text("state = 'UNUSED'")
    )
    op.create_index(
        "ix_number_tail",
        "number",
        ["city_id", "tail", "item_no"],
        unique=False,
        postgresql_where=sa.text("state = 'UNUSED'"),
    )
    op.create_table(
        "sim",
        sa.Column("iccid", sa.Text(collation="C"), nullable=True),
        sa.Column("serial", sa.Text(collation="C"), nullable=True),
        sa.Column("kind_code", sa.Text(collation="C"), nullable=False),
        sa.Column("hlr_code", sa.Text(collation="C"), nullable=True),
        sa.Column("generation", sa.SmallInteger(), nullable=False),
        sa.Column("adm_refused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("holder_id", sa.BigInteger(), nullable=False),
        sa.Column("transit_id", sa.BigInteger(), nullable=True),
        sa.Column("pool", sa.Text(collation="C"), nullable=True),
        sa.Column("hold_id", sa.BigInteger(), nullable=True),
        sa.Column("hold_until", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["kind_code"], ["card_kind.code"], name=op.f("fk_sim_kind_code_card_kind")),
        sa.PrimaryKeyConstraint("city_id", "item_no", name=op.f("pk_sim")),
        sa.UniqueConstraint("city_id", "iccid", name=op.f("uq_sim_city_id_iccid")),
        sa.UniqueConstraint("city_id", "serial", name=op.f("uq_sim_city_id_serial")),
    )
    op.create_index(
        "ix_sim_free",
        "sim",
        ["city_id", "holder_id", "kind_code", "item_no"],
        unique=False,
        postgresql_where=sa.text("state = 'AVAILABLE'"),
    )
    op.create_index(
        "ix_sim_hold", "sim", ["city_id", "hold_id"], unique=False, postgresql_where=sa.text("hold_id IS NOT NULL")
    )
    op.create_table(
        "station",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("station_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("credential_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("online_since", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("last_seen_at", sa.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("link_id", sa.Text(collation="C"), nullable=True),
        sa.ForeignKeyConstraint(["org_id"], ["organisation.id"], name=op.f("fk_station_org_id_organisation")),
        sa.PrimaryKeyConstraint("city_id", "station_id", name=op.f("pk_station")),
    )
    op.create_index(op.f("ix_station_credential_sha256"), "station", ["credential_sha256"], unique=False)
    op.create_table(
        "subscription_data",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hlr_code", sa.Text(collation="C"), nullable=False),
        sa.Column("imsi", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("hold_id", sa.BigInteger(), nullable=True),
        sa.Column("sim_item_no", sa.BigInteger(), nullable=True),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["hlr_code"], ["hlr.code"], name=op.f("fk_subscription_data_hlr_code_hlr")),
        sa.PrimaryKeyConstraint("city_id", "data_no", name=op.f("pk_subscription_data")),
        sa.UniqueConstraint("city_id", "imsi", name=op.f("uq_subscription_data_city_id_imsi")),
    )
    op.create_index(
        "ix_subscription_data_free",
        "subscription_data",
        ["city_id", "hlr_code", "data_no"],
        unique=False,
        postgresql_where=sa.text("state = 'FREE'"),
    )
    op.create_index(
        "ix_subscription_data_hold",
        "subscription_data",
        ["city_id", "hold_id"],
        unique=False,
        postgresql_where=sa.text("hold_id IS NOT NULL"),
    )
    op.create_table(
        "write_step",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("job_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("script", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("sw", sa.Text(collation="C"), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "job_id"],
            ["write_job.city_id", "write_job.job_id"],
            name=op.f("fk_write_step_city_id_job_id_write_job"),
        ),
        sa.PrimaryKeyConstraint("city_id", "job_id", "step_no", name=op.f("pk_write_step")),
    )
    op.create_table(
        "card_secret",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("generation", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("transport_key_index", sa.Text(collation="C"), nullable=False),
        sa.Column("ki", sa.LargeBinary(), nullable=False),
        sa.Column("opc", sa.LargeBinary(), nullable=False),
        sa.Column("adm1", sa.LargeBinary(), nullable=False),
        sa.Column("pin1", sa.LargeBinary(), nullable=True),
        sa.Column("puk1", sa.LargeBinary(), nullable=True),
        sa.Column("pin2", sa.LargeBinary(), nullable=True),
        sa.Column("puk2", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "item_no"], ["sim.city_id", "sim.item_no"], name=op.f("fk_card_secret_city_id_item_no_sim")
        ),
        sa.ForeignKeyConstraint(
            ["transport_key_index"],
            ["transport_key.index"],
            name=op.f("fk_card_secret_transport_key_index_transport_key"),
        ),
        sa.PrimaryKeyConstraint("city_id", "item_no", "generation", name=op.f("pk_card_secret")),
    )
    op.create_table(
        "fee_change",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("change_no", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("item_no", sa.BigInteger(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("staff_no", sa.Text(collation="C"), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("interface_no", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "item_no"],
            ["number.city_id", "number.item_no"],
            name=op.f("fk_fee_change_city_id_item_no_number"),
        ),
        sa.PrimaryKeyConstraint("city_id", "change_no", name=op.f("pk_fee_change")),
    )
    op.create_table(
        "number_fee",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cls", sa.Integer(), nullable=False),
        sa.Column("rule_set_id", sa.Integer(), nullable=False),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("change_no", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "item_no"],
            ["number.city_id", "number.item_no"],
            name=op.f("fk_number_fee_city_id_item_no_number"),
        ),
        sa.ForeignKeyConstraint(["rule_set_id"], ["rule_set.id"], name=op.f("fk_number_fee_rule_set_id_rule_set")),
        sa.PrimaryKeyConstraint("city_id", "item_no", name=op.f("pk_number_fee")),
    )
    op.create_table(
        "sim_identity",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("item_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("application", sa.Text(collation="C"), nullable=False),
        sa.Column("imsi", sa.Text(collation="C"), nullable=False),
        sa.Column("hlr_code", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("auc", sa.Text(collation="C"), nullable=False),
        sa.Column("number_item_no", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["city_id", "item_no"], ["sim.city_id", "sim.item_no"], name=op.f("fk_sim_identity_city_id_item_no_sim")
        ),
        sa.ForeignKeyConstraint(["hlr_code"], ["hlr.code"], name=op.f("fk_sim_identity_hlr_code_hlr")),
        sa.PrimaryKeyConstraint("city_id", "item_no", "slot", name=op.f("pk_sim_identity")),
        sa.UniqueConstraint("city_id", "imsi", name=op.f("uq_sim_identity_city_id_imsi")),
    )
    op.create_table(
        "station_reader",
        sa.Column("city_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("station_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("insertion", sa.BigInteger(), nullable=False),
        sa.Column("facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("sim_item_no", sa.BigInteger(), nullable=True),
        sa.Column("script_id", sa.Text(collation="C"), nullable=True),
        sa.Column("seen_at", sa.TIMESTAMP(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["city_id", "station_id"],
            ["station.city_id", "station.station_id"],
            name=op.f("fk_station_reader_city_id_station_id_station"),
        ),
        sa.PrimaryKeyConstraint("city_id", "station_id", "name", name=op.f("pk_station_reader")),
    )
