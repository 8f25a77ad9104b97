"""A PostgreSQL server for each test that needs one."""

from collections.abc import Iterator

import pytest

from hil_tests.fixtures.postgresql import BINARIES, Server


@pytest.fixture
def server() -> Iterator[Server]:
    if not BINARIES:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    server = Server(in_memory=True)
    yield server
    server.close()
