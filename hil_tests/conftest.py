"""Fixtures of the running system (scenarios/system.py) for tests of a charge point, on the rig named by `--rig`
(rigs.toml)."""

from collections.abc import Generator, Iterator
from typing import Any

import pytest

from hil_tests.fixtures.cloud import Cloud
from hil_tests.rig.contract import Rig
from hil_tests.rig.rigs import NotThere, RigKind, kinds
from hil_tests.scenarios.system import (
    LINK_WITHIN_S,
    System,
    Trouble,
    Troubled,
    bring_to_rest,
    cut_network,
    get_into,
    hang_modem,
    running,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--rig NAME`, which runs only the tests of a charge point, on this rig."""
    parser.addoption("--rig", choices=sorted(kinds()), help="test a charge point on this rig of hil_tests/rigs.toml")


def pytest_configure(config: pytest.Config) -> None:
    """Register the mark by which a test declares what it needs of its rig."""
    config.addinivalue_line(
        "markers", "needs(*what): skipped on a rig that does not offer it (rig/contract.py, OFFERS)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip tests whose rig lacks something. With `--rig`, leave out tests that have no charge point on a rig."""
    rig = _rig(config)
    for item in items:
        lacking = rig.lacking(tuple(need for mark in item.iter_markers("needs") for need in mark.args))
        if lacking:
            item.add_marker(pytest.mark.skip(reason=lacking))
    if config.getoption("--rig"):
        others = [item for item in items if "system" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def _rig(config: pytest.Config) -> RigKind:
    return kinds()[config.getoption("--rig") or "virtual"]


@pytest.fixture(scope="session")
def system(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Run the system, in a folder with a space in its name."""
    try:
        with running(_rig(pytestconfig), tmp_path_factory.mktemp("the system")) as everything:
            yield everything
            troubled = [one for one in (everything.garage, everything.shed) if one]
            _reports.extend(site.console_report() for site in (everything.house, *(one.site for one in troubled)))
            _reports.extend(one.report() for one in troubled if one.watch.starved)
    except NotThere as why:
        pytest.exit(str(why), pytest.ExitCode.USAGE_ERROR)


_reports: list[str] = []  # of each unit, for the end of the session


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the consoles lost, which retries hide, and interruptions by a busy computer, whether the tests pass or
    not."""
    for line in _reports:
        terminalreporter.write_line(line)


@pytest.fixture
def rig(system: System) -> Rig:
    """Return the house's unit, at rest."""
    bring_to_rest(system.house)
    return system.house.rig


@pytest.fixture
def cloud(system: System, rig: Rig) -> Cloud:
    """Return the cloud's view of the house, when the unit has a proven link to it."""
    rig.wait_for(lambda seen: seen.mode == "smart", LINK_WITHIN_S)
    return system.house.cloud


@pytest.fixture(scope="module")
def garage(system: System) -> Iterator[Troubled]:
    """Yield a unit whose network is cut. On a rig with one unit this is the house."""
    yield from _troubled(system, system.garage, cut_network)


@pytest.fixture(scope="module")
def shed(system: System) -> Iterator[Troubled]:
    """Yield a unit whose modem hangs. On a rig with one unit this is the house."""
    yield from _troubled(system, system.shed, hang_modem)


def _troubled(system: System, since_the_start: Troubled | None, how: Trouble) -> Iterator[Troubled]:
    if since_the_start is None:
        bring_to_rest(system.house)
    site = since_the_start or get_into(how, system.house)
    yield site
    site.watch.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Add to a failing test what the rig recorded: its log, the firmware's output, the modem's dialogue."""
    report = yield
    used = getattr(item, "funcargs", {})
    system = used.get("system")
    if report.failed and isinstance(system, System):
        report.sections.append(("the rig of the session", system.house.rig.full_log()))
        for name in ("garage", "shed"):
            troubled = used.get(name)
            if isinstance(troubled, Troubled) and troubled.site is not system.house:
                report.sections.append((f"the rig of the {name}", troubled.site.rig.full_log()))
    return report
