"""Plans for the next departure, and whoever has the usual alerts is told if one will not be met."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "ready_plans",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("vehicle_id", NUMBER, nullable=False),
        sa.Column("set_ms", sa.BigInteger(), nullable=False),
        sa.Column("ready_ms", sa.BigInteger(), nullable=False),
        sa.Column("begin_ms", sa.BigInteger(), nullable=False),
        sa.Column("target_percent", sa.Float(), nullable=False),
        sa.Column("capacity_kwh", sa.Float(), nullable=False),
        sa.Column("power_w", sa.Float(), nullable=False),
        sa.Column("hours", sa.String(length=200), nullable=True),
        sa.Column("hours_ms", sa.BigInteger(), nullable=False),
        sa.Column("judged_ms", sa.BigInteger(), nullable=False),
        sa.Column("watched", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("full_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_ready_plans_unit_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_ready_plans_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["vehicle_id"], ["vehicles.id"], name="fk_ready_plans_vehicle_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_ready_plans"),
    )
    for column in ("person_id", "vehicle_id", "ready_ms"):
        op.create_index(f"ix_ready_plans_{column}", "ready_plans", [column])
    op.execute(
        """INSERT INTO alert_wishes (person_id, about, via, target, secret)
        SELECT DISTINCT person_id, 'not_ready', via, '', '' FROM alert_wishes AS usual
        WHERE via IN ('email', 'browser') AND target = '' AND NOT EXISTS (
            SELECT 1 FROM alert_choices AS chosen WHERE chosen.person_id = usual.person_id AND chosen.via = usual.via
        )"""
    )
