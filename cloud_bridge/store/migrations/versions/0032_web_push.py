"""Browsers that are notified by Web Push, and who has chosen their alerts themselves: everybody who has some now."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "alert_choices",
        sa.Column("person_id", NUMBER, autoincrement=False, nullable=False),
        sa.Column("via", sa.String(length=10), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_alert_choices_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "via", name="pk_alert_choices"),
    )
    op.execute("INSERT INTO alert_choices (person_id, via) SELECT DISTINCT person_id, 'email' FROM alert_wishes")
    op.create_table(
        "push_browsers",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("person_id", NUMBER, nullable=False),
        sa.Column("device_hash", sa.String(length=64), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("endpoint_secret", sa.String(length=1000), nullable=False),
        sa.Column("endpoint_hash", sa.String(length=64), nullable=False),
        sa.Column("p256dh_secret", sa.String(length=100), nullable=False),
        sa.Column("auth_secret", sa.String(length=30), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_push_browsers_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["device_hash"], ["known_devices.token_hash"], name="fk_push_browsers_device_hash", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_push_browsers"),
        sa.UniqueConstraint("device_hash", name="uq_push_browsers_device_hash"),
        sa.UniqueConstraint("endpoint_hash", name="uq_push_browsers_endpoint_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_push_browsers_person_id", "push_browsers", ["person_id"], unique=False)
    op.add_column("alerts", sa.Column("browser_id", sa.BigInteger(), nullable=True))
