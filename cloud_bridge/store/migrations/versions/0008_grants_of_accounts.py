"""A grant belongs to an account with several vehicles, and its refresh needs no lease: vehicles/token_refresh.py.

A grant that is there keeps its place in the seal, "person 1 vehicle 2", by being called "vehicle 2".
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "account_grants",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("provider", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("refresh_ms", sa.BigInteger(), nullable=False),
        sa.Column("choose_until_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_account_grants_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_account_grants"),
    )
    op.execute(
        "INSERT INTO account_grants (id, person_id, provider, key_id, sealed, generation, refresh_ms) "
        "SELECT 'vehicle ' || vehicles.id, person_id, provider, key_id, sealed, generation, refresh_ms "
        "FROM vehicle_grants JOIN vehicles ON vehicles.id = vehicle_grants.vehicle_id"
    )
    op.drop_table("vehicle_grants")
    op.create_index("ix_account_grants_key_id", "account_grants", ["key_id"], unique=False)
    op.create_index("ix_account_grants_person_id", "account_grants", ["person_id"], unique=False)
    op.create_index("ix_account_grants_choose_until_ms", "account_grants", ["choose_until_ms"], unique=False)
    op.execute(  # in words: SQLite takes a foreign key only with its column
        "ALTER TABLE vehicles ADD COLUMN grant_id VARCHAR(40) "
        "CONSTRAINT fk_vehicles_grant_id REFERENCES account_grants (id)"
    )
    op.execute(
        "UPDATE vehicles SET grant_id = 'vehicle ' || id WHERE 'vehicle ' || id IN (SELECT id FROM account_grants)"
    )
    op.create_index("ix_vehicles_grant_id", "vehicles", ["grant_id"], unique=False)
