"""Do both sides of the wire follow tests/samples/schema.toml, and does every key have a sender and a reader?"""

import ast
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud_bridge.commands import BY_OCPP_ALONE
from cloud_bridge.wire import KINDS, decode
from tests.wire_schema import SCHEMA, Row, bounds, complaints, is_retired, keys_of, kinds_of

ROOT = Path(__file__).parent.parent
SAMPLES = {path.stem: path.read_bytes() for path in sorted((ROOT / "tests" / "samples").glob("*.json"))}
OPERATOR = "operator"  # a sender without a file
# A reader that forwards the details of every event unchanged, so it does not need to name them.
HANDS_ON = "cloud_bridge/web/api/history.py"

ROWS = [(section, key, row) for section, rows in SCHEMA.items() if section != "types" for key, row in rows.items()]
IN_USE = [(section, key, row) for section, key, row in ROWS if not is_retired(row)]


def name_of(value: object) -> str | None:
    return value if isinstance(value, str) else None


def kind_of(sample: str) -> str:
    return sample.split("-")[0]


def test_the_reader_for_both_platforms_reads_what_toml_says() -> None:
    """Does tests/wire_schema.py read the same table as tomllib?"""
    found: dict[str, dict[str, Row]] = {}

    def collect(section: str, rows: dict[str, object]) -> None:
        found[section] = {}
        for key, cells in rows.items():
            if isinstance(cells, dict):
                collect(f"{section}.{key}", cells)
            elif isinstance(cells, list):
                found[section][key] = Row(*(cells if len(cells) == 6 else [key, "", cells[0], "", "", cells[1]]))

    for section, rows in tomllib.loads((ROOT / "tests" / "samples" / "schema.toml").read_text()).items():
        collect(section, rows)
    assert found == SCHEMA


@pytest.mark.parametrize(("section", "key", "row"), ROWS, ids=name_of)
def test_every_row_is_whole(section: str, key: str, row: Row) -> None:
    assert row.type in SCHEMA["types"]
    bounds(row)
    assert row.meaning.endswith("."), "one sentence"


@pytest.mark.parametrize(("section", "key", "row"), ROWS, ids=name_of)
def test_no_key_without_a_reader_and_no_reader_without_a_sender(section: str, key: str, row: Row) -> None:
    if is_retired(row):
        assert any(key in message for message in messages_of(section)), "it stands for no sample"
        return
    assert row.sender and row.reader
    assert all(sender == OPERATOR or (ROOT / sender).is_file() for sender in row.sender.split(", "))
    assert (ROOT / row.reader).is_file()


@pytest.mark.parametrize(("section", "key", "row"), IN_USE, ids=name_of)
def test_the_reader_acts_on_the_key(section: str, key: str, row: Row) -> None:
    """Its source names the key, or the field into which the cloud decodes it."""
    if section.startswith("event.") and (row.reader == HANDS_ON or key == "*"):
        return
    named = {node.value for node in syntax(row.reader) if isinstance(node, ast.Constant)}
    named |= {node.attr for node in syntax(row.reader) if isinstance(node, ast.Attribute)}
    wanted = KINDS[section][1][key][0] if section in KINDS else section if section == "lwt" else key
    if section == "command" or section.startswith("command."):
        wanted = {"do": section.partition(".")[2] or "do", "exp": "exp"}.get(key, key)
    assert wanted in named or any(wanted in str(name) for name in named if section == "lwt"), f"{row.reader}: {wanted}"


@pytest.mark.parametrize("name", SAMPLES)
def test_every_golden_sample_fits_the_schema(name: str) -> None:
    found = complaints(kind_of(name), json.loads(SAMPLES[name]), old=True)
    assert bool(found) == name.endswith("-unknown-key"), found


@pytest.mark.parametrize("name", [name for name in SAMPLES if kind_of(name) in KINDS])
def test_every_golden_sample_decodes_with_nothing_left_over(name: str) -> None:
    assert bool(decode(kind_of(name), SAMPLES[name]).other) == name.endswith("-unknown-key")


@pytest.mark.parametrize(("section", "key", "row"), IN_USE, ids=name_of)
def test_every_key_has_a_golden_sample(section: str, key: str, row: Row) -> None:
    if section != "lwt":  # which is no JSON
        assert any(key in message or (key == "*" and message) for message in messages_of(section))


def messages_of(section: str) -> list[dict[str, object]]:
    """Return the golden samples of a kind; for an event, their details."""
    kind, _, name = section.partition(".")
    messages = [json.loads(text) for sample, text in SAMPLES.items() if kind_of(sample) == kind]
    if kind == "event" and name:
        return [message["d"] for message in messages if message["k"] == name]
    return [message for message in messages if not name or message["do"] == name]


def test_the_firmware_notes_the_events_of_the_schema_and_no_other() -> None:
    """Compares kind, details and file of every call of `note`."""
    noted = {
        (kind, key, path.relative_to(ROOT).as_posix())
        for path in (ROOT / "firmware").rglob("*.py")
        for kind, key in notes(path)
    }
    assert noted == {
        (kind, key, sender)
        for kind in kinds_of("event")
        for key, row in keys_of(f"event.{kind}").items()
        for sender in row.sender.split(", ")
        if kind not in RING
    }


# Events of the control loop, which journal.DETAILS writes; tests/firmware/link/test_sent_messages.py checks them.
RING = (
    "fault_raised",
    "fault_cleared",
    "mode",
    "resumed",
    "tamper",
    "wake_up",
    "contactor_rest",
    "meter_changed",
    "draws_more",
)


def notes(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (kind, key of the details) for each event that a file records with literals."""
    for node in syntax(path):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called.lstrip("_") == "note":
                for part in ast.walk(node.args[1]):
                    if isinstance(part, ast.DictComp):
                        yield str(node.args[0].value), "*"
                    elif isinstance(part, ast.Dict):
                        for key in part.keys:
                            assert isinstance(key, ast.Constant)
                            yield str(node.args[0].value), str(key.value)


def test_the_cloud_gives_the_commands_of_the_schema_and_no_other() -> None:
    """Compares each call of `send_command` and `commands.give`, with arguments and expiry, and the command that sets the
    time. Commands for OCPP chargers only are left out."""
    of_all = {given_by for path in (ROOT / "cloud_bridge").rglob("*.py") for given_by in commands(path)}
    given = {given_by for given_by in of_all if given_by[0] not in BY_OCPP_ALONE}
    for do, keys, _ in given:
        assert set(keys) == set(keys_of(f"command.{do}")) - {"do"}, do
    files = {(do, path) for do, _, path in given}
    for do in kinds_of("command"):
        senders = {row.sender for row in SCHEMA[f"command.{do}"].values()}
        assert len(senders) == 1, do
        assert senders == {OPERATOR} or (do, senders.pop()) in files
    assert {do for do, _ in files} == {
        do for do in kinds_of("command") if SCHEMA[f"command.{do}"]["do"].sender != OPERATOR
    }


def commands(path: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Yield (do, arguments, file) for each command that a file gives with literals."""
    name = path.relative_to(ROOT).as_posix()
    for node in syntax(path):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "send_command":
            _, _, _, _, do, arguments, *holds = node.args
            assert isinstance(do, ast.Constant) and isinstance(arguments, ast.Dict)
            keys = [str(key.value) for key in arguments.keys if isinstance(key, ast.Constant)]
            yield str(do.value), tuple(keys + ["exp"] * bool(holds)), name
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == "commands.give":
            _, _, _, do, arguments, *holds = node.args
            if isinstance(do, ast.Constant) and isinstance(arguments, ast.Dict):
                keys = [str(key.value) for key in arguments.keys if isinstance(key, ast.Constant)]
                yield str(do.value), tuple(keys + ["exp"] * bool(holds)), name
        elif isinstance(node, ast.Dict):
            literal = {
                key.value: value
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            }
            said = literal.get("do")
            if isinstance(said, ast.Constant) and "id" in literal:
                yield str(said.value), tuple(str(key) for key in literal if key not in ("id", "do")), name


def syntax(path: Path | str) -> Iterator[ast.AST]:
    return ast.walk(ast.parse((ROOT / path).read_text()))
