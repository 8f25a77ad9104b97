"""Does every import follow the arrows of the design? Each module may only import what ARROWS allows."""

import ast
from collections.abc import Iterator, Mapping, Set
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from firmware.console import COMMANDS
from firmware.lazy_import import ON_DEMAND

ROOT = Path(__file__).parent.parent
ROOMS = ("firmware", "modem", "cloud_bridge", "hil_tests", "tests")

# What every part of the web side may import, and what every page may import besides the pages of its own audience.
_BELOW_WEB = (
    "cloud_bridge.commissioning",
    "cloud_bridge.alerts",
    "cloud_bridge.app_state",
    "cloud_bridge.authority_files",
    "cloud_bridge.availability",
    "cloud_bridge.charging_hours",
    "cloud_bridge.client_address",
    "cloud_bridge.clock",
    "cloud_bridge.commands",
    "cloud_bridge.contact",
    "cloud_bridge.currencies",
    "cloud_bridge.distances",
    "cloud_bridge.duplicate_identity",
    "cloud_bridge.durations",
    "cloud_bridge.duties",
    "cloud_bridge.errors",
    "cloud_bridge.faults",
    "cloud_bridge.live",
    "cloud_bridge.months",
    "cloud_bridge.northbound.address",  # pure
    "cloud_bridge.ocpp_settings",
    "cloud_bridge.passwords",
    "cloud_bridge.paths",
    "cloud_bridge.readiness",
    "cloud_bridge.releases",
    "cloud_bridge.second_factor",
    "cloud_bridge.settings",
    "cloud_bridge.store",
    "cloud_bridge.support",
    "cloud_bridge.tariffs",
    "cloud_bridge.telling_time",
    "cloud_bridge.text",
    "cloud_bridge.time_zones",
    "cloud_bridge.totp",
    "cloud_bridge.troubles",
    "cloud_bridge.values",
    "cloud_bridge.vehicles",
    "cloud_bridge.version",
    "cloud_bridge.wire",
    "cloud_bridge.words",
)
_UNDER_PAGES = (
    "cloud_bridge.web.connections",
    "cloud_bridge.web.errors",
    "cloud_bridge.web.form_errors",
    "cloud_bridge.web.page",
    "cloud_bridge.web.presentation",
    "cloud_bridge.web.public_address",
    "cloud_bridge.web.security",
    "cloud_bridge.web.static_files",
    "cloud_bridge.web.translated_templates",
)

# The entry with the longest prefix of a module's name lists the prefixes of our modules that it may import.
ARROWS: dict[str, tuple[str, ...]] = {
    "firmware.app": ("firmware", "modem"),
    "firmware.main": ("firmware.app", "firmware.boards.chosen"),
    "firmware.boards.tcall.modules.main": ("firmware.main", "firmware.version"),  # the production image's starter
    "firmware.control_loop": ("firmware.charging", "firmware.supervisor"),
    # Lists modules that are in an image without being imported at the start.
    "firmware.image": ("firmware.image", "firmware.lazy_import", "modem.families.registry"),
    "firmware.lazy_import": (),
    "firmware.memory": (),
    "firmware.console": ("firmware.console_pieces", "firmware.errors", "firmware.lazy_import"),
    "firmware.console_pieces": (),
    "firmware.charge_point": ("firmware.errors", "firmware.charging"),
    "firmware.claim_manager": ("firmware.charging",),
    "firmware.daily_report": ("firmware.memory",),
    "firmware.commissioning": (
        "firmware.charging.pilot",
        "firmware.errors",
        "firmware.storage.record_file",
        "firmware.version",
        "modem.signal",
    ),
    "firmware.service": (
        "firmware.commissioning",
        "firmware.errors",
        "firmware.link.commands",
        "firmware.storage",
        "firmware.charging",
        "firmware.memory",
        "firmware.lazy_import",
        "firmware.update",
        "firmware.version",
        "firmware.wall_clock",
        "modem.signal",
    ),
    "firmware.persistence": ("firmware.charging", "firmware.storage", "firmware.lazy_import"),
    "firmware.commands": (
        "firmware.commissioning",
        "firmware.errors",
        "firmware.charging",
        "firmware.link.commands",
        "firmware.storage",
        "firmware.update.ordering",
        "firmware.wall_clock",
    ),
    "firmware.installer_lock": (
        "firmware.errors",
        "firmware.storage",
        "firmware.lazy_import",
        "firmware.unlocking",
    ),
    "firmware.unlocking": ("firmware.errors", "firmware.storage"),
    "firmware.clock": (),
    "firmware": (),
    "firmware.wall_clock": ("firmware.version",),
    "firmware.errors": (),
    "firmware.boards.latched_mark": ("firmware.charging.faults",),  # the names of faults
    "firmware.boards": (
        "firmware.boards",
        "firmware.charging.io",
        "firmware.clock",
        "firmware.metering",
        "modem.ports",
    ),
    "firmware.charging": ("firmware.charging",),
    "firmware.metering": ("firmware.metering", "firmware.charging.io", "modem.contracts"),
    "firmware.storage": ("firmware.storage", "firmware.errors", "firmware.lazy_import"),
    "firmware.update": (
        "firmware.update",
        "firmware.storage.record_file",
        "firmware.errors",
        "firmware.lazy_import",
        "firmware.version",
    ),
    "firmware.link": (
        "firmware.link",
        "firmware.storage",
        "firmware.charging",
        "firmware.errors",
        "firmware.lazy_import",
        "firmware.version",
        "firmware.wall_clock",
        "modem",
    ),
    "modem.at": ("modem.registration", "modem.contracts"),
    "modem.errors": (),
    "modem.replies": (
        "modem.errors",
        "modem.cme",
        "modem.fields",
        "modem.charset",
        "modem.registration",
        "modem.signal",
    ),
    "modem.registration": ("modem.errors", "modem.fields"),
    "modem.cme": (),
    "modem.fields": ("modem.errors",),
    "modem.charset": ("modem.errors",),
    "modem.signal": (),
    "modem.first_match": ("modem.contracts",),
    "modem.budget": (),
    "modem.network_history": ("modem.budget", "modem.signal"),
    "modem.roaming": ("modem.first_match", "modem.network_history", "modem.signal"),
    "modem.recovery_ladder": ("modem.budget",),
    "modem.recovery": ("modem.recovery_ladder", "modem.first_match", "modem.budget"),
    "modem.ports": ("modem.contracts",),
    # A family may extend another family.
    "modem.families": ("modem.families", "modem.errors", "modem.fields", "modem.replies", "modem.signal"),
    "modem": ("modem",),
    "cloud_bridge.contact": (),
    "cloud_bridge.paths": ("cloud_bridge.contact",),
    "cloud_bridge.path_ledger": ("cloud_bridge.contact", "cloud_bridge.paths"),
    "cloud_bridge.path_outages": ("cloud_bridge.contact", "cloud_bridge.paths"),
    "cloud_bridge.charging_hours": (),
    "cloud_bridge.durations": (),
    "cloud_bridge.words": ("cloud_bridge.words",),
    "cloud_bridge.time_zones": ("cloud_bridge.durations", "cloud_bridge.words"),
    "cloud_bridge.currencies": ("cloud_bridge.time_zones", "cloud_bridge.words"),
    "cloud_bridge.months": ("cloud_bridge.time_zones", "cloud_bridge.words"),
    "cloud_bridge.distances": ("cloud_bridge.time_zones", "cloud_bridge.words"),
    "cloud_bridge.tariffs": ("cloud_bridge.store.sites", "cloud_bridge.words"),
    "cloud_bridge.duplicate_identity": ("cloud_bridge.durations",),
    "cloud_bridge.values": ("cloud_bridge.words",),
    "cloud_bridge.commissioning": ("cloud_bridge.values", "cloud_bridge.words"),
    "cloud_bridge.text": ("cloud_bridge.words",),
    "cloud_bridge.wire": ("cloud_bridge.text", "cloud_bridge.values"),
    "cloud_bridge.releases": ("cloud_bridge.releases", "cloud_bridge.errors", "cloud_bridge.words"),
    "cloud_bridge.readiness": (
        "cloud_bridge.readiness",
        "cloud_bridge.charging_hours",
        "cloud_bridge.durations",
        "cloud_bridge.time_zones",
        "cloud_bridge.vehicles.plan",  # pure: the duration of a charge
        "cloud_bridge.wire",
        "cloud_bridge.words",
    ),
    "cloud_bridge.ingest": ("cloud_bridge",),
    # Uses the rules of the pages and the commands of the API, for MQTT clients like a unit's connection.
    "cloud_bridge.home": (
        "cloud_bridge.home",
        "cloud_bridge.acceptor",
        "cloud_bridge.app_state",
        "cloud_bridge.client_address",
        "cloud_bridge.clock",
        "cloud_bridge.commands",
        "cloud_bridge.connection_limits",
        "cloud_bridge.contact",
        "cloud_bridge.durations",
        "cloud_bridge.ingest.certificate",
        "cloud_bridge.ingest.connection",
        "cloud_bridge.ingest.listener",
        "cloud_bridge.ingest.packets",
        "cloud_bridge.ingest.session",
        "cloud_bridge.listening_sockets",
        "cloud_bridge.store",
        "cloud_bridge.values",
        "cloud_bridge.web.api.command_schema",
        "cloud_bridge.web.presentation.view",
        "cloud_bridge.web.security",
        "cloud_bridge.wire",
    ),
    "cloud_bridge.store": (
        "cloud_bridge.store",
        "cloud_bridge.alerts.kinds",  # pure: the kinds
        "cloud_bridge.alerts.services",  # pure: valid targets to store
        "cloud_bridge.clock",
        "cloud_bridge.commissioning",  # pure
        "cloud_bridge.contact",
        "cloud_bridge.currencies",
        "cloud_bridge.distances",
        "cloud_bridge.duplicate_identity",
        "cloud_bridge.durations",
        "cloud_bridge.errors",
        "cloud_bridge.northbound.transactions",  # pure: the stored form of a transaction
        "cloud_bridge.ocpp_settings",  # pure
        "cloud_bridge.path_ledger",
        "cloud_bridge.path_outages",
        "cloud_bridge.paths",
        "cloud_bridge.readiness",  # pure
        "cloud_bridge.releases",  # pure
        "cloud_bridge.text",
        "cloud_bridge.verified_time",
        "cloud_bridge.wire",
        "cloud_bridge.words",
    ),
    "cloud_bridge.web.errors": ("cloud_bridge.words",),
    "cloud_bridge.web.presentation": _BELOW_WEB + ("cloud_bridge.web.errors", "cloud_bridge.web.presentation"),
    "cloud_bridge.web.security": _BELOW_WEB
    + (
        "cloud_bridge.web.errors",
        "cloud_bridge.web.connections",
        "cloud_bridge.web.presentation.words",
        "cloud_bridge.web.public_address",
        "cloud_bridge.web.security",
    ),
    "cloud_bridge.web.api": _BELOW_WEB
    + (
        "cloud_bridge.web.api",
        "cloud_bridge.web.connections",
        "cloud_bridge.web.presentation",
        "cloud_bridge.web.security",
    ),
    "cloud_bridge.web.pages.driver": _BELOW_WEB + _UNDER_PAGES + ("cloud_bridge.web.pages.driver",),
    "cloud_bridge.web.pages.everyone": _BELOW_WEB + _UNDER_PAGES + ("cloud_bridge.web.pages.everyone",),
    "cloud_bridge.web.pages.installer": _BELOW_WEB + _UNDER_PAGES + ("cloud_bridge.web.pages.installer",),
    "cloud_bridge.web.pages.operator": _BELOW_WEB + _UNDER_PAGES + ("cloud_bridge.web.pages.operator",),
    # A provider imports nothing of ours, and tokens nothing of vehicles; polling and linking use both. Of linking, other
    # modules only import the state.
    "cloud_bridge.vehicles": (
        "cloud_bridge.clock",
        "cloud_bridge.errors",
        "cloud_bridge.second_factor",  # sealed with the same keys
        "cloud_bridge.settings",
        "cloud_bridge.settings_file",
        "cloud_bridge.store",
        "cloud_bridge.verified_time",
        "cloud_bridge.vehicles.maker_calls",
        "cloud_bridge.vehicles.providers",
        "cloud_bridge.vehicles.tokens",
    ),
    "cloud_bridge.vehicles.providers": (
        "cloud_bridge.vehicles.providers",
        "cloud_bridge.distances",  # the length of a mile
        "cloud_bridge.errors",
    ),
    "cloud_bridge.vehicles.tokens": (
        "cloud_bridge.clock",
        "cloud_bridge.errors",
        "cloud_bridge.store",
        "cloud_bridge.vehicles.providers",
        "cloud_bridge.vehicles.tokens",
    ),
    "cloud_bridge.vehicles.linking.link": ("cloud_bridge.durations", "cloud_bridge.vehicles.providers.provider_errors"),
    "cloud_bridge.vehicles.linking": (
        "cloud_bridge.errors",
        "cloud_bridge.store",
        "cloud_bridge.vehicles.accounts",
        "cloud_bridge.vehicles.linking",
        "cloud_bridge.vehicles.providers",
        "cloud_bridge.vehicles.repository",
        "cloud_bridge.vehicles.tokens",
    ),
    "cloud_bridge.vehicles.polling": (
        "cloud_bridge.durations",
        "cloud_bridge.duties",
        "cloud_bridge.errors",
        "cloud_bridge.vehicles.accounts",
        "cloud_bridge.vehicles.linking",
        "cloud_bridge.vehicles.polling",
        "cloud_bridge.vehicles.providers",
        "cloud_bridge.vehicles.repository",
        "cloud_bridge.vehicles.tokens",
    ),
    "cloud_bridge.vehicles.maker_calls": ("cloud_bridge.errors",),
    "cloud_bridge.vehicles.plan": (
        "cloud_bridge.durations",
        "cloud_bridge.time_zones",
        "cloud_bridge.vehicles.providers.provider",
    ),
    "cloud_bridge.vehicles.repository": (
        "cloud_bridge.contact",  # which stamp is later
        "cloud_bridge.durations",
        "cloud_bridge.store",
        "cloud_bridge.vehicles.linking.link",
        "cloud_bridge.vehicles.providers",
    ),
    "cloud_bridge.vehicles.webhooks": (
        "cloud_bridge.vehicles.accounts",
        "cloud_bridge.vehicles.providers.provider",
        "cloud_bridge.vehicles.repository",
    ),
    "cloud_bridge": ("cloud_bridge",),
    "hil_tests.environment": ("hil_tests.environment",),
    "hil_tests.environment.cortex_m": ("hil_tests.environment", "hil_tests.rig.image"),  # what is frozen into it
    "hil_tests.sim": ("hil_tests.sim",),
    "hil_tests.fixtures": ("hil_tests.fixtures",),
    "hil_tests.fixtures.no_skips": ("hil_tests.environment.debian",),  # the skip that is tolerated
    # The list that the starter reads, which is added to the image.
    "hil_tests.rig.image": ("firmware.image", "firmware.boards.stock", "firmware.version"),
    # The starter's file names on a board, and the version that it expects.
    "hil_tests.rig.flash": ("hil_tests.rig", "firmware.boards.stock", "firmware.version"),
    "firmware.boards.stock.main": ("firmware.main",),
    # The console protocol of the installer's tool.
    "hil_tests.rig.console": ("hil_tests.rig", "modem.installer.console_pieces"),
    "hil_tests.rig.serial_line": ("modem.ports.pyserial_port",),  # opens a console without a reset
    "hil_tests.rig": ("hil_tests.rig", "hil_tests.fixtures", "hil_tests.sim"),
    "hil_tests.station": ("hil_tests.station", "hil_tests.rig", "hil_tests.fixtures", "hil_tests.sim"),
    "hil_tests.station.flashing": ("hil_tests.station", "hil_tests.rig", "firmware.version"),
    "hil_tests.rig.slots_on_micropython": ("firmware", "modem"),  # runs in the unit, before the firmware
    "hil_tests.rig.esp32_on_micropython": ("firmware", "modem"),  # runs in the unit, around the firmware
    "hil_tests.update.release": ("hil_tests", "firmware.image"),  # the file that contains the version
    "hil_tests.demo": ("hil_tests.demo", "hil_tests.rig", "hil_tests.fixtures", "hil_tests.sim"),
    "hil_tests.cortex_m": ("hil_tests", "tests.test_on_micropython"),  # its list of core tests
    "hil_tests.cortex_m.modules": ("firmware", "tests.firmware"),  # run on the machine
    "hil_tests.bench.modem": ("hil_tests", "modem", "firmware"),  # measures our own code in this process
    "hil_tests.bench.cloud.memory": (
        "hil_tests",
        "cloud_bridge.live",
        "cloud_bridge.wire",
    ),  # measures their size in this process
    "hil_tests.bench.cloud.outages": ("hil_tests", "cloud_bridge.contact"),  # the pure rules, in virtual time
    "hil_tests.bench.cloud.ocpp_outages": (  # the pure rules, in virtual time
        "hil_tests",
        "cloud_bridge.contact",
        "cloud_bridge.ingest.ocpp.beats",
        "cloud_bridge.ingest.ocpp.line",
        "cloud_bridge.ingest.ways_in",
        "cloud_bridge.paths",
    ),
    "hil_tests.bench.readiness": (  # the pure rules, in virtual time
        "hil_tests",
        "cloud_bridge.charging_hours",
        "cloud_bridge.durations",
        "cloud_bridge.readiness",
        "cloud_bridge.vehicles.plan",
        "cloud_bridge.vehicles.providers.provider",
        "cloud_bridge.wire",
    ),
    "hil_tests.bench.vehicles": ("hil_tests", "firmware.charging"),  # the pure rules, in virtual time
    "hil_tests.bench.wear": ("hil_tests", "firmware.charging"),  # the pure rules, in virtual time
    "hil_tests.bench.short_waits_on_micropython": ("firmware", "modem"),  # runs in the unit, around the firmware
    "hil_tests.bench.watched_on_micropython": ("firmware",),  # runs in the unit, around the firmware
    "hil_tests.link.failing_part_on_micropython": ("firmware",),  # runs in the unit, around the firmware
    "hil_tests.modem.test_line_speed": ("hil_tests", "modem"),  # the bring-up, on a real line
    "hil_tests.modem.test_drivers": ("hil_tests", "modem"),  # our drivers, on a real line
    "hil_tests.years": (  # firmware, modem layer and the bridge's own rules, in one process and on one clock
        "hil_tests",
        "firmware",
        "modem",
        "cloud_bridge.clock",
        "cloud_bridge.contact",
        "cloud_bridge.counters",
        "cloud_bridge.ingest.inbound",
        "cloud_bridge.ingest.packets",
        "cloud_bridge.ingest.session",
        "cloud_bridge.ingest.shard",
        "cloud_bridge.ingest.unknown_clients",
        "cloud_bridge.security_log",
        "cloud_bridge.store",
        "cloud_bridge.timekeeping",
        "cloud_bridge.unit_reports",
        "cloud_bridge.upkeep",
        "cloud_bridge.verified_time",
    ),
    "hil_tests.start": ("hil_tests", "firmware"),  # a whole unit on a board of stubs
    "hil_tests": ("hil_tests",),
    "tests": ("firmware", "modem", "cloud_bridge", "hil_tests", "tests"),
}


# Where SQL is written.
SQL_ROOMS = ("cloud_bridge.store",)


def modules() -> list[Path]:
    return sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def is_for_types(node: ast.AST) -> bool:
    """Whether this is `if False:`, which MicroPython's compiler drops. It contains imports for annotations."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and node.test.value is False


def run(node: ast.AST) -> Iterator[ast.AST]:
    """Yield `node` and everything in it that can run."""
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting += [inner for inner in ast.iter_child_nodes(here) if not is_for_types(inner)]


@cache
def imported(path: Path) -> frozenset[str]:
    """Return our modules that `path` imports, including imports on demand."""
    found: set[str] = set()
    statements: list[ast.AST] = [ast.parse(path.read_text())]
    while statements:
        node = statements.pop()
        inner = (one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.expr))  # which contain no import
        statements += [one for one in inner if not is_for_types(one)]
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in found if name.split(".")[0] in ROOMS)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def allowed(module: str) -> tuple[str, ...]:
    return ARROWS[max((part for part in ARROWS if f"{module}.".startswith(f"{part}.")), key=len)]


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_imports_follow_the_arrows(path: Path) -> None:
    targets = allowed(name_of(path))
    strays = {name for name in imported(path) if not any(f"{name}.".startswith(f"{target}.") for target in targets)}
    assert not strays, f"{name_of(path)} may import {targets or 'nothing of ours'}, and imports {sorted(strays)}"


@pytest.mark.parametrize("path", sorted((ROOT / "cloud_bridge").rglob("*.py")), ids=name_of)
def test_statements_are_made_in_the_store_alone(path: Path) -> None:
    """Other rooms pass connections on and catch database errors."""
    if name_of(path).startswith(SQL_ROOMS):
        return
    strays = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "sqlalchemy"
        for alias in node.names
    } - {"Connection", "Row"}
    assert not strays, f"{name_of(path)} makes statements of its own with {sorted(strays)}"


def test_a_stray_import_would_be_seen() -> None:
    assert "firmware" not in {target.split(".")[0] for target in allowed("cloud_bridge.web.pages.routers")}
    assert allowed("firmware.charging.pilot") == ("firmware.charging",)


FIRMWARE = [path for path in modules() if path.relative_to(ROOT).parts[0] in ("firmware", "modem")]


def in_loans(tree: ast.AST) -> set[str]:
    """Return the modules that are imported in a `with LazyImport():` block."""
    found: set[str] = set()
    for node in run(tree):
        if isinstance(node, ast.With) and ast.unparse(node.items[0].context_expr) == "LazyImport()":
            for inner in node.body:
                if isinstance(inner, ast.ImportFrom):
                    found.update(f"{inner.module}.{alias.name}" for alias in inner.names)
    return found


def test_what_is_imported_on_demand_is_in_its_registry_and_imported_in_no_other_way() -> None:
    """Otherwise a module would never be unloaded, or always be loaded, and each costs memory."""
    for name in ON_DEMAND:
        assert (ROOT / name.replace(".", "/")).with_suffix(".py").exists(), name
    borrowed = {name for names in COMMANDS for name in [f"firmware.service.{names}"]}
    for path in FIRMWARE:
        loans = in_loans(ast.parse(path.read_text()))
        assert loans <= set(ON_DEMAND), f"{name_of(path)}: {loans - set(ON_DEMAND)}"
        borrowed |= loans
        if (
            name_of(path) not in ON_DEMAND
            and name_of(path) not in ("modem.__main__",)
            and not {"installer", "image"} & set(path.parts)
        ):
            kept = {
                found for found in imported(path) - loans if found.startswith(tuple(f"{one}." for one in ON_DEMAND))
            }
            assert not kept | (imported(path) - loans) & set(ON_DEMAND), f"{name_of(path)} keeps {kept}"
    # Imported by firmware.commands, by the rules of modem/, by modem.startup, and by the parts of firmware.update.
    brought = {"firmware.link.commands", "modem.first_match", "modem.families.registry"}
    brought |= {
        f"firmware.update.{name}" for name in ("ecdsa", "files", "keys", "slots", "transfer", "trial", "updates")
    }
    assert borrowed | brought == set(ON_DEMAND)


@pytest.mark.parametrize("path", FIRMWARE, ids=name_of)
def test_a_name_that_is_imported_for_types_stands_in_annotations_alone(path: Path) -> None:
    """The names do not exist on the unit."""
    tree = ast.parse(path.read_text())
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if is_for_types(node)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
        for alias in inner.names
    }
    annotations = {
        id(inner) for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) for inner in ast.walk(node.annotation)
    }
    used = {node.id for node in run(tree) if isinstance(node, ast.Name) and id(node) not in annotations}
    also_run = {
        alias.asname or alias.name for node in run(tree) if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert not (names - also_run) & used


def test_no_constructor_takes_more_than_five_arguments() -> None:
    """If there are more, some belong together: give them an object with a name."""
    counted = {
        f"{name_of(path)}.{made.name}": len(made_by.args.posonlyargs + made_by.args.args + made_by.args.kwonlyargs) - 1
        for path in modules()
        if name_of(path).split(".")[0] != "tests"
        for made in ast.walk(ast.parse(path.read_text()))
        if isinstance(made, ast.ClassDef)
        for made_by in made.body
        if isinstance(made_by, ast.FunctionDef) and made_by.name == "__init__"
    }
    assert len(counted) > 100
    assert {name: count for name, count in counted.items() if count > 5} == {}


def import_cycle(imports: Mapping[str, Set[str]]) -> list[str]:
    """Return the modules of one import cycle, in order, or []. A name inside a module counts as the module."""

    def module_of(name: str) -> str:
        while name and name not in imports:
            name = name.rpartition(".")[0]
        return name

    graph = {module: {module_of(name) for name in names} - {module, ""} for module, names in imports.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def test_no_module_imports_itself_through_others() -> None:
    cycle = import_cycle({name_of(path).removesuffix(".__init__"): imported(path) for path in modules()})
    assert not cycle, f"import cycle: {' <- '.join(cycle)}"


def test_an_import_cycle_would_be_seen() -> None:
    assert set(import_cycle({"a.x": {"a.y.NAME"}, "a.y": {"b.z"}, "b.z": {"a.x.NAME"}, "b": set()})) == {
        "a.x",
        "a.y",
        "b.z",
    }
    assert not import_cycle({"a.x": {"a.y.NAME"}, "a.y": set()})
