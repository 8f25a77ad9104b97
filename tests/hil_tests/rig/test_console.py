"""Does the client of the service console tell answers, refusals, remarks and silence apart?"""

import asyncio
import re
import zlib

import pytest

from hil_tests.rig.console import Console, ConsoleError, ConsoleSilent, Losses
from tests.hil_tests.sim.modem.virtual_time import run


def answer_to(request: bytes, text: bytes) -> bytes:
    """`text` as the unit says it: its last line bears the ID of the command, and a CRC of the lines before."""
    found = re.search(rb"\*(\d+)\.", request)
    assert found
    lines = [line for line in re.split(rb"[\r\n]+", text) if line and not line.startswith(b"#")]
    crc = zlib.crc32(b"".join(line + b"\n" for line in lines if line != b"ok"))
    return re.sub(rb"\bok\b", b"ok @%s %08x" % (found[1], crc), text).replace(b"error", b"error @" + found[1])


def ask(*said: bytes) -> tuple[list[str], Console]:
    """Asks `status` of a unit that says these chunks."""

    async def scenario() -> tuple[list[str], Console]:
        def unit(request: bytes) -> None:
            whole = answer_to(request, b"".join(said))
            cuts = [sum(len(chunk) for chunk in said[:number]) for number in range(1, len(said))]
            for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
                asyncio.get_running_loop().call_soon(console.received, whole[start:end])

        console = Console(unit)
        return await console.ask("status"), console

    return run(scenario())


def test_is_an_answer_its_lines_up_to_ok() -> None:
    """However it is cut, with CR, LF or both?"""
    assert ask(b"id CK-1\r\npi", b"lot A1\r", b"\nok\r\n")[0] == ["id CK-1", "pilot A1"]


def test_are_remarks_kept_apart() -> None:
    """A line that begins with # is no part of the answer?"""
    answer, console = ask(b"id CK-1\n# link lost\nok\n")
    assert answer == ["id CK-1"]
    assert list(console.remarks) == ["link lost"]


def test_is_a_refusal_raised_with_its_words() -> None:
    """`error` and what to do?"""
    with pytest.raises(ConsoleError, match="try help"):
        ask(b"error no command; try help\n")


def test_is_silence_raised_too() -> None:
    """Nothing at all, or an answer without its end?"""
    with pytest.raises(ConsoleSilent):
        ask(b"id CK-1\n")


def test_is_a_line_that_was_closed_meanwhile_silence() -> None:
    """The unit was switched off while another question was being asked?"""

    def closed(_: bytes) -> None:
        raise OSError(9, "Bad file descriptor")

    with pytest.raises(ConsoleSilent, match="off"):
        run(Console(closed).ask("status"))


def test_does_a_late_answer_not_count_for_the_next_question() -> None:
    """Given up after its time, then said?"""

    async def scenario() -> list[str]:
        asked: list[bytes] = []
        console = Console(asked.append)
        with pytest.raises(ConsoleSilent):
            await console.ask("status", within_s=1)
        console.received(answer_to(asked[0], b"id CK-1\nok\n"))
        question = asyncio.create_task(console.ask("csq"))
        await asyncio.sleep(0)
        console.received(answer_to(asked[-1], b"csq 17\nok\n"))
        return await question

    assert run(scenario()) == ["csq 17"]


def test_what_a_line_loses_is_counted() -> None:
    """A command that came at the second time, and one that was given up."""

    async def scenario() -> Losses:
        losses, asked = Losses(), []

        def unit(request: bytes) -> None:
            asked.append(request)
            if len(asked) == 2:
                asyncio.get_running_loop().call_soon(console.received, answer_to(request, b"ok\n"))

        console = Console(unit, losses=losses)
        assert await console.ask("status") == []
        assert losses == Losses(repeats=1, unanswered=0)
        with pytest.raises(ConsoleSilent):
            await console.ask("status", within_s=0.5)
        return losses

    assert run(scenario()) == Losses(repeats=1, unanswered=1)
