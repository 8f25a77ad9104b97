"""Accounts: e-mail addresses, tokens with scopes, claimed units, installers, secrets that can be taken away.

Columns are added in place: making `people` or `units` anew would make SQLite carry out the ON DELETE of what refers
to them. What `ALTER TABLE` cannot add there is an index of its own.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("people", sa.Column("email", sa.String(length=254), nullable=True))
    op.create_index("ix_people_email", "people", ["email"], unique=True)
    op.create_table(
        "email_changes",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_email_changes_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name="pk_email_changes"),
        sa.UniqueConstraint("code_hash", name="uq_email_changes_code_hash"),
    )
    with op.batch_alter_table("tokens") as tokens:  # nothing refers to it
        tokens.add_column(sa.Column("name", sa.String(length=100), server_default="", nullable=False))
        tokens.add_column(sa.Column("scopes", sa.String(length=100), server_default="read", nullable=False))
        tokens.add_column(sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        tokens.create_foreign_key("fk_tokens_person_id", "people", ["person_id"], ["id"], ondelete="CASCADE")
    op.add_column("units", sa.Column("name", sa.String(length=100), server_default="", nullable=False))
    op.add_column("units", sa.Column("claimed_ms", sa.BigInteger(), nullable=True))
    op.add_column("units", sa.Column("credentials_ms", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_units_owner_id", "units", ["owner_id"], unique=False)
    op.create_index("ix_units_claim_hash", "units", ["claim_hash"], unique=True)
    op.create_index("ix_units_credentials_ms", "units", ["credentials_ms"], unique=False)
    op.create_table(
        "unit_installers",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("since_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_unit_installers_unit_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_unit_installers_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", "person_id", name="pk_unit_installers"),
    )
    op.create_index("ix_unit_installers_person_id", "unit_installers", ["person_id"], unique=False)
