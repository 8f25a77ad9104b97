"""Real nodes and real processes, started anew for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.fixtures.auth_cluster import AuthCluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[AuthCluster]:
    """Three nodes and two auth processes."""
    cluster = AuthCluster(tmp_path)
    try:
        cluster.start("auth-1", "auth-2")
        yield cluster
    finally:
        cluster.stop()
