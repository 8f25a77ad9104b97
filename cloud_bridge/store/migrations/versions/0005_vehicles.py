"""Car accounts: vehicles, their sealed grants, and drivers who are at the maker's authorisation page."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "vehicles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("car_id", sa.String(length=100), nullable=False),
        sa.Column("vin", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("before", sa.String(length=20), nullable=True),
        sa.Column("advice", sa.String(length=400), server_default="", nullable=False),
        sa.Column("seen_ms", sa.BigInteger(), nullable=True),
        sa.Column("battery_percent", sa.Float(), nullable=True),
        sa.Column("plugged_in", sa.Boolean(), nullable=True),
        sa.Column("charging", sa.Boolean(), nullable=True),
        sa.Column("range_km", sa.Float(), nullable=True),
        sa.Column("looked_ms", sa.BigInteger(), nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_vehicles_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_vehicles"),
    )
    op.create_index("ix_vehicles_due_ms", "vehicles", ["due_ms"], unique=False)
    op.create_index("ix_vehicles_person_id_vin", "vehicles", ["person_id", "vin"], unique=True)
    op.create_index("ix_vehicles_provider_car_id", "vehicles", ["provider", "car_id"], unique=False)
    op.create_table(
        "vehicle_attempts",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("session_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("vehicle_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_vehicle_attempts_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicles.id"], name="fk_vehicle_attempts_vehicle_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("state_hash", name="pk_vehicle_attempts"),
    )
    op.create_index("ix_vehicle_attempts_expires_ms", "vehicle_attempts", ["expires_ms"], unique=False)
    op.create_table(
        "vehicle_grants",
        sa.Column("vehicle_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("refresh_ms", sa.BigInteger(), nullable=False),
        sa.Column("refresher", sa.String(length=40), nullable=True),
        sa.Column("lease_ms", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["vehicle_id"], ["vehicles.id"], name="fk_vehicle_grants_vehicle_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("vehicle_id", name="pk_vehicle_grants"),
    )
    op.create_index("ix_vehicle_grants_key_id", "vehicle_grants", ["key_id"], unique=False)
    op.create_index("ix_vehicle_grants_refresh_ms", "vehicle_grants", ["refresh_ms"], unique=False)
