"""Are apt's own source entries converted to another suite, in either format, with source packages only if requested?"""

from pathlib import Path

import pytest

from hil_tests.environment import debian

ONE_LINE = "deb [signed-by=/k.gpg] http://mirror/debian bookworm main\n# deb http://mirror/debian bookworm contrib\n"
DEB822 = "Types: deb\nURIs: http://mirror/debian\nSuites: bookworm bookworm-updates\nComponents: main\n"


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.list").write_text(ONE_LINE)
    (own / "b.sources").write_text(DEB822)
    (own / "c.list").write_text("deb http://others stable main\n")
    monkeypatch.setattr(debian, "SOURCES", (own,))
    into = tmp_path / "into"
    into.mkdir()
    return into


def test_binary_packages_alone(copied: Path) -> None:
    debian._copy_sources("bookworm", "trixie", copied, sources=False)
    assert [path.read_text() for path in sorted(copied.iterdir())] == [
        ONE_LINE.replace("bookworm", "trixie"),
        DEB822.replace("bookworm", "trixie"),
    ]


def test_source_packages_too(copied: Path) -> None:
    debian._copy_sources("bookworm", "trixie", copied, sources=True)
    one_line, deb822 = [path.read_text() for path in sorted(copied.iterdir())]
    assert one_line.endswith("\ndeb-src [signed-by=/k.gpg] http://mirror/debian trixie main\n")
    assert one_line.count("deb-src") == 1
    assert deb822.startswith("Types: deb deb-src\n")
