"""Rows belong to a person and the time of their ownership: store/ownership.py.

Who owned a unit before is not known. The past before the claim is nobody's; from the claim on it is the present owner's.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("units", sa.Column("owned_from_ms", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("units", sa.Column("first_owned_ms", sa.BigInteger(), nullable=True))
    op.add_column("units", sa.Column("first_until_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "ownerships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=True),
        sa.Column("unsure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_ownerships_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_ownerships_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_ownerships"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ownerships_unit_id_from_ms", "ownerships", ["unit_id", "from_ms"], unique=False)
    op.create_index("ix_ownerships_person_id", "ownerships", ["person_id"], unique=False)
    op.execute(
        "INSERT INTO ownerships (unit_id, person_id, from_ms) "
        "SELECT id, owner_id, coalesce(claimed_ms, created_ms) FROM units WHERE owner_id IS NOT NULL"
    )
    op.execute(
        "UPDATE units SET owned_from_ms = coalesce(claimed_ms, created_ms), "
        "first_owned_ms = coalesce(claimed_ms, created_ms) WHERE owner_id IS NOT NULL"
    )
