"""Is a changed certificate file tried once, and the old certificate kept while the file is wrong?"""

import argparse
from pathlib import Path

import pytest

from cloud_bridge.cli import tls
from cloud_bridge.ingest.certificate import Certificate
from cloud_bridge.settings import Settings


def test_files_that_are_no_certificate_are_complained_of_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tls.run(Settings("127.0.0.1", 0, 0, tmp_path, None), argparse.Namespace(name=None, folder=tmp_path))
    certificate = Certificate(tmp_path / "server.pem", tmp_path / "server.key")
    assert not certificate.look()
    caplog.clear()
    (tmp_path / "server.pem").write_text("none")
    assert not certificate.look() and not certificate.look()
    assert len(caplog.records) == 1
