"""Up to which message a person has read a conversation of theirs. What was answered before counts as read."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("read_id", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(
        "UPDATE conversations SET read_id = "
        "(SELECT COALESCE(MAX(messages.id), 0) FROM messages WHERE messages.conversation_id = conversations.id)"
    )
