"""Roll-outs of releases, what each unit was sent of them, and which version each unit runs."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.create_table(
        "roll_outs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("release", sa.String(length=16), nullable=False),
        sa.Column("chosen_by", sa.String(length=10), nullable=False),
        sa.Column("chosen", sa.String(length=100), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("soak_ms", sa.BigInteger(), nullable=False),
        sa.Column("required_by_ms", sa.BigInteger(), nullable=True),
        sa.Column("started_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("ring_ms", sa.BigInteger(), nullable=False),
        sa.Column("ended_ms", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["release"], ["releases.name"], name="fk_roll_outs_release"),
        sa.PrimaryKeyConstraint("id", name="pk_roll_outs"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "roll_out_units",
        sa.Column("roll_out_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("ring", sa.Integer(), nullable=False),
        sa.Column("is_newest", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("state_ms", sa.BigInteger(), nullable=False),
        sa.Column("ordered_ms", sa.BigInteger(), nullable=True),
        sa.Column("installed_ms", sa.BigInteger(), nullable=True),
        sa.Column("loaded", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["roll_out_id"], ["roll_outs.id"], name="fk_roll_out_units_roll_out_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_roll_out_units_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("roll_out_id", "unit_id", name="pk_roll_out_units"),
    )
    op.create_index("ix_roll_out_units_roll_out_id_state_ring", "roll_out_units", ["roll_out_id", "state", "ring"])
    is_newest = sa.text("is_newest") if op.get_bind().dialect.name == "postgresql" else sa.text("is_newest = 1")
    op.create_index(
        "ix_roll_out_units_newest",
        "roll_out_units",
        ["unit_id"],
        unique=True,
        sqlite_where=is_newest,
        postgresql_where=is_newest,
    )
    op.create_table(
        "update_bytes",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_update_bytes_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_update_bytes"),
    )
    op.add_column("units", sa.Column("firmware", sa.String(length=40), nullable=True))
    op.create_index("ix_units_firmware_id", "units", ["firmware", "id"])
    _fill(op.get_bind().dialect.name)


def _fill(dialect: str) -> None:
    """What each unit has told at its last boot. An event that is no JSON object was never stored."""
    version = "payload::jsonb -> 'd' ->> 'v'" if dialect == "postgresql" else "json_extract(payload, '$.d.v')"
    last = f"""SELECT substr(CAST({version} AS TEXT), 1, 40) FROM events
        WHERE events.unit_id = units.id AND events.kind = 'boot' ORDER BY received_ms DESC, events.id DESC LIMIT 1"""
    op.execute(f"UPDATE units SET firmware = ({last})")
