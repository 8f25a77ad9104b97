"""Support, work for installers, tariffs and commands given on the pages."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "contact_details",
        sa.Column(
            "person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("full_name", sa.String(length=100), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_contact_details_person_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", name="pk_contact_details"),
    )
    op.create_table(
        "commands",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("given_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("do", sa.String(length=40), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_commands_person_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_commands_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
    )
    op.create_index("ix_commands_unit_id_given_ms", "commands", ["unit_id", "given_ms"], unique=False)
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("newest_ms", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_conversations_person_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_conversations_unit_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_person_id", "conversations", ["person_id"], unique=False)
    op.create_index("ix_conversations_waiting_newest_ms", "conversations", ["waiting", "newest_ms"], unique=False)
    op.create_table(
        "jobs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("installer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("raised_ms", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("once", sa.String(length=32), nullable=False),
        sa.Column("visited_ms", sa.BigInteger(), nullable=True),
        sa.Column("report_name", sa.String(length=100), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("closed_ms", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["installer_id"], ["people.id"], name="fk_jobs_installer_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_jobs_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("once", name="uq_jobs_once"),
    )
    op.create_index("ix_jobs_installer_id_closed_ms", "jobs", ["installer_id", "closed_ms"], unique=False)
    op.create_index("ix_jobs_unit_id", "jobs", ["unit_id"], unique=False)
    op.create_table(
        "tariffs",
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("off_peak_rate", sa.Integer(), nullable=True),
        sa.Column("off_peak_from", sa.Integer(), server_default="0", nullable=False),
        sa.Column("off_peak_to", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["units.id"], name="fk_tariffs_unit_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("unit_id", name="pk_tariffs"),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("author_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("from_support", sa.Boolean(), nullable=False),
        sa.Column("sent_ms", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=True),
        sa.Column("once", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["people.id"], name="fk_messages_author_id", ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversations.id"], name="fk_messages_conversation_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
        sa.UniqueConstraint("once", name="uq_messages_once"),
    )
    op.create_index("ix_messages_conversation_id", "messages", ["conversation_id"], unique=False)
