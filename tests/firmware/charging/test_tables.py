"""Do the tables of the README agree with the code?"""

from pathlib import Path

from tests.firmware.charging import tables


def test_the_readme_has_the_tables_of_the_code() -> None:
    assert Path(tables.README).read_text(encoding="utf-8") == tables.written(), (
        "python -m tests.firmware.charging.tables"
    )
