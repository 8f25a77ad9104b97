"""Alerts: who wants to be told what, what is to be sent, and how far the alerts have read."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def _number() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert_wishes",
        sa.Column("id", _number(), nullable=False),
        sa.Column("person_id", _number(), nullable=False),
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("via", sa.String(length=10), nullable=False),
        sa.Column("target", sa.String(length=500), server_default="", nullable=False),
        sa.Column("secret", sa.String(length=64), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_alert_wishes_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_alert_wishes"),
        sa.UniqueConstraint("person_id", "about", "via", "target", name="uq_alert_wishes_person_id_about_via_target"),
    )
    op.create_table(
        "alerts",
        sa.Column("id", _number(), nullable=False),
        sa.Column("wish_id", _number(), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("about", sa.String(length=20), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("due_ms", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("trouble", sa.String(length=200), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["wish_id"], ["alert_wishes.id"], name="fk_alerts_wish_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_alerts_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_due_ms", "alerts", ["due_ms"], unique=False)
    op.create_index("ix_alerts_wish_id_unit_id_about", "alerts", ["wish_id", "unit_id", "about"], unique=False)
    op.create_table(
        "alert_cursors",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("seen_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_alert_cursors"),
    )
