"""Is an interpreter accepted for its features, whatever its name?"""

import sys
from pathlib import Path

import pytest

from hil_tests.environment import micropython

OURS = Path(sys.prefix) / "bin" / "micropython"


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_the_one_that_is_used_lacks_nothing() -> None:
    assert micropython.lacking(OURS) == []


@pytest.mark.parametrize("name", micropython.NEEDED)
def test_what_is_missing_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = {**micropython.NEEDED, name: "__import__('not_built_in')"}
    question = micropython.QUESTION.replace(repr(micropython.NEEDED), repr(needed))
    monkeypatch.setattr(micropython, "QUESTION", question)
    assert micropython.lacking(OURS) == [name]


def test_a_build_without_tls_1_3_is_told_apart_though_its_version_is_new(tmp_path: Path) -> None:
    stock = script(
        tmp_path / "micropython",
        f"""#!/bin/sh
exec {OURS} -c "
import sys
class Context:
    load_verify_locations = verify_callback = None
    def __init__(self, protocol): pass
    def set_ciphers(self, names): raise OSError(-24192)
class Stock:
    SSLContext, PROTOCOL_TLS_CLIENT, CERT_REQUIRED = Context, 0, 2
sys.modules['tls'] = Stock
$2"
""",
    )
    assert micropython.lacking(stock) == ["TLS 1.3"]


def test_what_does_not_start_is_none(tmp_path: Path) -> None:
    assert micropython.lacking(tmp_path / "nothing") is None
    assert micropython.lacking(script(tmp_path / "broken", "#!/bin/sh\nexit 1\n")) is None
