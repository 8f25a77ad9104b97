"""Is the log of a process of units parsed as it was written?"""

from collections import Counter
from io import StringIO
from pathlib import Path

import pytest

from hil_tests.fleet.charge_point import Message
from hil_tests.fleet.log import Delivery, Log, LoggedIn, Sample, epoch_s, read
from hil_tests.fleet.unit import Attempt


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = StringIO()
    log = Log(written, 1_000_000.0)
    log.attempt("cp-1", Attempt(Message("heartbeat", 9, 3, b"{}", True), 1.0, 1.5, 2.25, True))
    log.sample(3.0, 10, 2)
    log.login("cp-1", 0.5, 0.123)
    log.counts(Counter({"lost: TimeoutError": 2}))
    files = [tmp_path / "one", tmp_path / "two"]
    for file in files:
        file.write_text(written.getvalue())
    found = read(files)
    one = Delivery("cp-1", "heartbeat", 9, 3, True, 1_000_001_000, 1_000_001_500, 1_000_002_250, True)
    assert found.deliveries == [one, one]
    assert found.samples == [Sample(1_000_003_000, 10, 2)] * 2
    assert found.logins == [LoggedIn("cp-1", 1_000_000_500, 123)] * 2
    assert found.counts == {"lost: TimeoutError": 4}


def test_a_wait_between_the_two_clocks_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    monotonic_s = iter([1.0, 1.5, *(step / 1000 for step in range(2000, 2040))])  # the first reading was delayed
    monkeypatch.setattr("time.monotonic", lambda: next(monotonic_s))
    monkeypatch.setattr("time.time", iter([501.4, *(502.0 + step / 500 for step in range(20))]).__next__)
    assert epoch_s() == pytest.approx(500.0, abs=0.001)


def test_another_line_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("X\t1\n")
    with pytest.raises(ValueError, match="unknown kind of line"):
        read([tmp_path / "log"])
