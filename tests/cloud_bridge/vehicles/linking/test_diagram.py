"""Does the diagram of the README agree with the code?"""

from tests.cloud_bridge.vehicles import diagram


def test_the_readme_has_the_states_of_the_code() -> None:
    assert diagram.README.read_text(encoding="utf-8") == diagram.written(), (
        "python -m tests.cloud_bridge.vehicles.diagram"
    )


def test_the_readme_has_a_place_for_every_part() -> None:
    assert all(f"<!-- {part} -->" in diagram.written() for part in diagram.SHARDS)
