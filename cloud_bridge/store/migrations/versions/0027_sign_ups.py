"""Invitations to sign up, and letters to people who have forgotten their password."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"

PERSON = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", PERSON, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("made_by", PERSON, nullable=True),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("claim_hash", sa.String(length=64), nullable=True),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["made_by"], ["people.id"], name="fk_invitations_made_by", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_invitations"),
        sa.UniqueConstraint("code_hash", name="uq_invitations_code_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_invitations_made_by", "invitations", ["made_by"])
    op.create_table(
        "password_resets",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("person_id", PERSON, nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_password_resets_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("code_hash", name="pk_password_resets"),
    )
    op.create_index("ix_password_resets_person_id", "password_resets", ["person_id"])
