"""Does every request for a refresh get an answer, whatever happens to the process that refreshes?"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from cloud_bridge.vehicles.tokens import refresh_client
from cloud_bridge.vehicles.tokens.refresh_client import OUTAGE, REFRESH_WORKER, RefreshWorkerProcess
from cloud_bridge.vehicles.tokens.token_refresh import Outcome

SOON_S = 10.0  # much less than refresh_client.ANSWER_S

ANSWERS_ONCE = """
import json, sys
sys.stdin.readline()
order = json.loads(sys.stdin.readline())
print(json.dumps({"id": order["id"], "trouble": None, "advice": "", "retry_after_ms": None}), flush=True)
"""
DIES_AT_FIRST = f"""
import os
if not os.path.exists("was here"):
    os.mkdir("was here")
    os.kill(os.getpid(), 9)
{ANSWERS_ONCE}
"""
DIES_IN_THE_MIDDLE_OF_A_LINE = """
import sys
for _ in range(3):
    sys.stdin.readline()
print('{"id": 1, "refre', end="", flush=True)
"""
GOES_DEAF = """
import os, sys
sys.stdin.readline()
sys.stdin.readline()
if not os.path.exists("was here"):
    os.mkdir("was here")
    os.close(0)
    open("deaf", "w").close()
    open("end").close()
"""


@contextmanager
def door(folder: Path, *command: str) -> Iterator[RefreshWorkerProcess]:
    opened = RefreshWorkerProcess(folder, None, command)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def asking(opened: RefreshWorkerProcess, askers: int) -> Iterator[list[Future[Outcome]]]:
    with ThreadPoolExecutor(askers) as pool:
        yield [pool.submit(opened.refresh, "grant", 1) for _ in range(askers)]


def test_a_process_that_cannot_be_started_is_an_outage(tmp_path: Path) -> None:
    with door(tmp_path, str(tmp_path / "nothing")) as opened:
        assert [opened.refresh("grant", 1), opened.refresh("grant", 1)] == [OUTAGE, OUTAGE]


def test_a_process_that_ends_at_once_is_an_outage_for_all_who_wait(tmp_path: Path) -> None:
    with door(tmp_path, sys.executable, "-c", "") as opened, asking(opened, 8) as answers:
        assert [answer.result(SOON_S) for answer in answers] == [OUTAGE] * 8


def test_an_answer_cut_off_by_a_kill_is_an_outage_for_all_who_wait(tmp_path: Path) -> None:
    with door(tmp_path, sys.executable, "-c", DIES_IN_THE_MIDDLE_OF_A_LINE) as opened, asking(opened, 2) as answers:
        assert [answer.result(SOON_S) for answer in answers] == [OUTAGE] * 2


def test_a_broken_pipe_answers_the_one_who_wrote_and_leaves_the_others_to_their_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("deaf")
    os.mkfifo("end")
    with door(tmp_path, sys.executable, "-c", GOES_DEAF) as opened, asking(opened, 1) as answers:
        open("deaf").close()  # blocks until it is
        assert opened.refresh("another", 1) == OUTAGE
        assert not answers[0].done()
        open("end", "w").close()
        assert answers[0].result(SOON_S) == OUTAGE


def test_a_process_that_died_is_started_again(tmp_path: Path) -> None:
    with door(tmp_path, sys.executable, "-c", ANSWERS_ONCE) as opened:
        assert [opened.refresh("grant", 1), opened.refresh("grant", 2)] == [Outcome(), Outcome()]


def test_a_process_that_is_killed_before_it_answers_is_followed_by_one_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with door(tmp_path, sys.executable, "-c", DIES_AT_FIRST) as opened:
        assert opened.refresh("grant", 1) == Outcome()


def test_a_process_that_is_killed_before_it_was_told_where_is_followed_by_one_that_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, first = refresh_client._start, [True]

    def dies(command: Sequence[str]) -> refresh_client._Worker:
        worker = start(command)
        if first.pop():
            worker.process.kill()
            worker.process.wait()
        first.append(False)
        return worker

    monkeypatch.setattr(refresh_client, "_start", dies)
    with door(tmp_path, sys.executable, "-c", ANSWERS_ONCE) as opened:
        assert opened.refresh("grant", 1) == Outcome()


def test_a_refresher_whose_starter_is_gone_goes_without_a_word() -> None:
    done = subprocess.run(REFRESH_WORKER, stdin=subprocess.DEVNULL, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
