"""What a name looks like, without accents and by more letters: store/names.py.

Where two of the present names look alike by now, the older account has the form, as in 0013.
"""

import sqlalchemy as sa
from alembic import op

from cloud_bridge.store.names import MAX_FORM, appearance, folded

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    connection = op.get_bind()
    connection.execute(sa.text("UPDATE people SET name_folded = NULL, name_appearance = NULL"))
    taken: set[tuple[str, str]] = set()
    for person_id, name in connection.execute(sa.text("SELECT id, name FROM people ORDER BY id")).all():
        forms = {"name_folded": folded(name)[:MAX_FORM], "name_appearance": appearance(name)[:MAX_FORM]}
        for column, form in forms.items():
            if form and (column, form) not in taken:
                taken.add((column, form))
                statement = sa.text(f"UPDATE people SET {column} = :form WHERE id = :id")
                connection.execute(statement, {"form": form, "id": person_id})
