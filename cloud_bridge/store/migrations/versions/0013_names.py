"""The forms of a name by which it is found and compared: store/names.py.

Where two of the present names are one by now, the older account has the form, and the other is found as it is written.
"""

import sqlalchemy as sa
from alembic import op

from cloud_bridge.store.names import MAX_FORM, appearance, folded

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for column in ("name_folded", "name_appearance"):
        op.add_column("people", sa.Column(column, sa.String(length=MAX_FORM), nullable=True))
    connection = op.get_bind()
    taken: set[tuple[str, str]] = set()
    for person_id, name in connection.execute(sa.text("SELECT id, name FROM people ORDER BY id")).all():
        forms = {"name_folded": folded(name)[:MAX_FORM], "name_appearance": appearance(name)[:MAX_FORM]}
        for column, form in forms.items():
            if form and (column, form) not in taken:
                taken.add((column, form))
                statement = sa.text(f"UPDATE people SET {column} = :form WHERE id = :id")
                connection.execute(statement, {"form": form, "id": person_id})
    op.create_index("ix_people_name_folded", "people", ["name_folded"], unique=True)
    op.create_index("ix_people_name_appearance", "people", ["name_appearance"], unique=True)
