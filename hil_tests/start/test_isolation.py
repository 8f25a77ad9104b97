"""Does a unit charge with the right light, and does the console name the failed part, whatever fails in the talking
half?

Each module is replaced by one that raises, and so is each constructor in app.Unit, on real MicroPython.
"""

import ast
from pathlib import Path

import pytest

from firmware.lazy_import import ON_DEMAND
from hil_tests.rig.image import CHECKOUT, VIRTUAL, sources
from hil_tests.start.stub_unit import WITHIN_MS, Run, run

# The charging half. Without these modules nothing charges.
ESSENTIAL = (
    "firmware.app",
    "firmware.boards",
    "firmware.charge_point",
    "firmware.charging",
    "firmware.claim_manager",
    "firmware.clock",
    "firmware.control_loop",
    "firmware.errors",
    "firmware.health",
    "firmware.lazy_import",
    "firmware.main",
    "firmware.metering",
    "firmware.persistence",
    "firmware.storage.boots",
    "firmware.storage.bounds",
    "firmware.storage.checkpoint",
    "firmware.storage.record_file",
    "firmware.storage.session_log",
    "firmware.storage.settings",
    "firmware.supervisor",
    "firmware.version",
    "firmware.wall_clock",
    "modem.ports",
)
FAMILIES = "modem.families."  # imported when the modem has reported its model
OF_THE_CONSOLE = ("firmware.console", "firmware.console_pieces")  # without it, only the boot event names what failed
ESSENTIAL_CONSTRUCTORS = {
    "Board",
    "Clock",
    "WallClock",
    "Controller",
    "ControlLoop",
    "Health",
    "Boot",
    "Setup",
    "LazyImport",
    "Restored",
    "Wear",
}


def modules() -> list[str]:
    """Return the modules of the talking half."""
    found = [name.removesuffix(".py").replace("/", ".") for name in sources(VIRTUAL)]
    talking = [name for name in found if not f"{name}.".startswith(tuple(f"{one}." for one in ESSENTIAL))]
    return [*sorted(name for name in talking if not name.endswith(".__init__")), "tls"]


def constructors() -> list[str]:
    """Return every class that app.py creates, with its module."""
    tree = ast.parse((CHECKOUT / "firmware" / "app.py").read_text())
    home = {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("firmware")
        for alias in node.names
        if alias.name[0].isupper() and not alias.name.isupper()
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return sorted(f"{home[name]}.{name}" for name in home if name in used - ESSENTIAL_CONSTRUCTORS - {"ChargePoint"})


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(tmp_path_factory.mktemp("healthy"))


def colours(unit: Run) -> list[bool]:
    """Return which of red, green and blue are on. Their brightness changes from step to step."""
    return [int(level) > 0 for level in unit.led.split()]


def charges(unit: Run, healthy: Run) -> None:
    assert unit.charged_ms is not None and unit.charged_ms <= WITHIN_MS, unit.output
    assert colours(unit) == colours(healthy), unit.output


def test_a_unit_of_which_nothing_fails_charges_and_names_nothing(healthy: Run) -> None:
    charges(healthy, healthy)
    assert "sabotaged" not in healthy.output and not [line for line in healthy.console if line.startswith("failed")]
    assert healthy.console[-1] == "ok"


@pytest.mark.parametrize("module", modules())
def test_a_module_that_raises_when_it_is_imported(module: str, healthy: Run, tmp_path: Path) -> None:
    unit = run(tmp_path, module)
    charges(unit, healthy)
    if module in healthy.modules or module.startswith("firmware.service.") or module == "tls":
        named = "object has no attribute" if module == "tls" else f"sabotaged {module}"
        assert [line for line in unit.console if named in line] or module in OF_THE_CONSOLE, unit.output
    else:
        assert module in ON_DEMAND or module.startswith(FAMILIES), f"{module} is imported by nobody"


@pytest.mark.parametrize("made", constructors())
def test_a_constructor_that_raises(made: str, healthy: Run, tmp_path: Path) -> None:
    unit = run(tmp_path, made)
    charges(unit, healthy)
    assert [line for line in unit.console if made in line] or made.endswith(".Console"), unit.output


KEEPERS_OF_WISHES = ("firmware.storage.checkpoint.Checkpoint", "firmware.persistence.Persistence")


@pytest.mark.parametrize("made", KEEPERS_OF_WISHES)
def test_without_what_keeps_wishes_the_time_is_taken_and_a_wish_is_refused(made: str, tmp_path: Path) -> None:
    """The network sends the time before a link is made, so an exception there would keep the unit from its cloud."""
    unit = run(tmp_path, made, typed="time 1800000000\noverride on\nstatus\n")
    assert "error a part failed at the start: see status" in unit.console, unit.output
    assert unit.console[:2] == ["time 1800000000", "ok"], unit.output
