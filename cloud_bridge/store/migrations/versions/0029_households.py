"""Who uses a charger beside its owner; and when a car's account answered last."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"

ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("vehicles", sa.Column("heard_ms", sa.BigInteger(), nullable=True))
    op.execute("UPDATE vehicles SET heard_ms = CASE WHEN failures = 0 THEN looked_ms ELSE seen_ms END")
    op.create_table(
        "members",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", ROW_NUMBER, nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_members_unit_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_members_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "person_id", name="pk_members"),
    )
    op.create_index("ix_members_person_id", "members", ["person_id"])
    op.create_table(
        "member_invitations",
        sa.Column("id", ROW_NUMBER, nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_member_invitations_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_member_invitations"),
        sa.UniqueConstraint("code_hash", name="uq_member_invitations_code_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_member_invitations_unit_id", "member_invitations", ["unit_id"])
    op.create_index("ix_member_invitations_expires_ms", "member_invitations", ["expires_ms"])
