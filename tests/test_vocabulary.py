"""Is no word defined again that was replaced by a term of the trade?

It checks the names of modules, classes and functions, not prose.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
ROOMS = ("firmware", "modem", "cloud_bridge", "hil_tests")

REPLACED = {
    "House": "AppState",
    "keep_house": "open_app_state",
    "HouseOf": "StateDep",
    "Gate": "MqttListener",
    "Keeper": "MqttListener",
    "UnitConnection": "MqttSession",
    "Intake": "Ingest",
    "Arrival": "InboundMessage",
    "Written": "on_commit",
    "Quarantine": "UnknownClients",
    "Stranger": "UnknownClients",
    "Roster": "UnitRegistry",
    "Ledger": "UptimeLedger",
    "is_deaf": "is_outage",
    "alone": "exclusive_lock",
    "Busy": "LockTimeout",
    "gathered": "batched_paho",
    "guard": "security_headers",
    "shell": "static_files",
    "phone": "pwa",
    "Fate": "CommandStatus",
    "refresh_door": "refresh_client",
    "refresher": "refresh_worker",
    "refreshing": "token_refresh",
    "looking": "poll",
    "watching": "poller",
    "leaving": "unlink",
    "linking": "oauth_callback",
    "choosing": "vehicle_selection",
    "refusals": "link_errors",
    "sealing": "encryption",
    "Beat": "HeartbeatTimer",
    "Air": "RadioMonitor",
    "patience": "backoff",
    "Wishes": "ClaimManager",
    "Housekeeping": "Persistence",
    "Borrowed": "lazy_import",
    "london": "uk_time",
    "situation": "control_state",
    "bringup": "startup",
    "steering": "network_control",
    "knowledge": "network_history",
    "stray": "unexpected_line",
    "Desk": "TestBench",
    "Place": "CloudFixture",
    "Station": "MqttUnit",
    "Charger": "MqttUnit",
}


def _defined(file: str) -> set[str]:
    names = {Path(file).stem}
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
    return names


def _names() -> dict[str, str]:
    files = [
        str(file.relative_to(ROOT))
        for room in ROOMS
        for file in (ROOT / room).rglob("*.py")
        if "node_modules" not in str(file)
    ]
    return {name: file for file in files for name in _defined(file)}


def test_no_word_that_was_replaced_is_defined_again() -> None:
    names = _names()
    again = [f"{names[word]}: {word}; the term is {term}" for word, term in REPLACED.items() if word in names]
    assert again == []
