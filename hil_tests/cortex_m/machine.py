"""A Cortex-M3 that runs MicroPython in QEMU, controlled over its serial line by MicroPython's raw REPL.

If it counts instructions, each takes 32 ns of its virtual time, so its measurements are the same on any host. Without
counting it runs twice as fast.
"""

import os
import re
import select
import subprocess
import time
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

from hil_tests.environment import cortex_m
from hil_tests.fixtures.children import die_with_parent

# 32 ns per instruction (2**5), and virtual time that passes as fast as the host permits
COUNTED = ("-icount", "shift=5,align=off,sleep=off")
IMAGE_ADDRESS = 0x21000000  # 16 MB of PSRAM, which MicroPython does not use
START_WITHIN_S = 30  # of processor time, as all deadlines here: a busy host takes ten times longer
STARVED = 10  # a machine that gets too little processor time is given up after so many times its deadline, by the clock
LOOK_S = 1.0
INTERRUPT, RAW, RUN, SOFT_RESET = b"\x03", b"\x01", b"\x04", b"\x04"
PROMPT, READY = b">", b"raw REPL; CTRL-B to exit\r\n>"
READ_BYTES = 65_536


class MachineFailed(Exception):
    """The machine raised, ended, or did not answer in time. The text is its output."""


class Machine:
    """A machine, as a context manager. `elf` is a build of environment/cortex_m.py; `image` is a ROMFS at IMAGE_ADDRESS."""

    def __init__(self, elf: Path, image: Path | None = None, counted: bool = True, pty: bool = False) -> None:
        """Start QEMU. With `pty`, the serial line is the terminal `port`, which others may use after `release`."""
        command = [
            *cortex_m.QEMU,
            *(COUNTED if counted else ()),
            "-serial",
            "pty" if pty else "stdio",
            "-kernel",
            str(elf),
        ]
        if image:
            command += ["-device", f"loader,file={image},addr={IMAGE_ADDRESS:#x},force-raw=on"]
        self.image_bytes = image.stat().st_size if image else 0
        self._process = subprocess.Popen(
            command,
            env=cortex_m.toolchain().environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )
        self.port = self._find_port() if pty else ""
        self._line: int | None = None
        self.take()

    def take(self) -> None:
        """Take the line and enter the raw REPL, for `run`."""
        if self.port:
            self._line = os.open(self.port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self._line)
        self._write(INTERRUPT + RAW)
        self._read_until(READY, START_WITHIN_S)

    def release(self) -> None:
        """Release the line to others."""
        if self._line is not None:
            os.close(self._line)
            self._line = None

    def _find_port(self) -> str:
        """Return the terminal from QEMU's line `char device redirected to /dev/pts/3 (label serial0)`."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        found = re.search(r"/dev/\S+", line)
        if not found:
            raise MachineFailed(f"QEMU has no terminal; it printed {line!r}")
        return found.group()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Switch the machine off."""
        self.release()
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()

    def run(self, code: str, within_s: float) -> str:
        """Run `code` and return its output. Raises MachineFailed if it raises or takes longer than `within_s`."""
        self._write(code.encode() + RUN)
        answer = self._read_until(RUN + PROMPT, within_s).removeprefix(b"OK")
        printed, _, raised = answer.removesuffix(RUN + PROMPT).partition(RUN)
        text = printed.decode("utf-8", "replace").replace("\r\n", "\n")
        if raised:
            raise MachineFailed(text + raised.decode("utf-8", "replace").replace("\r\n", "\n"))
        return text

    def restart(self) -> None:
        """Do a soft reset: an empty heap and no modules. What was compiled into the machine stays."""
        self._write(SOFT_RESET)
        self._read_until(READY, START_WITHIN_S)

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        descriptor = self._process.stdin.fileno() if self._line is None else self._line
        while data:
            data = data[os.write(descriptor, data) :]

    def _read_until(self, end: bytes, within_s: float) -> bytes:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno() if self._line is None else self._line
        until_s, give_up_s = self._processor_s() + within_s, time.monotonic() + STARVED * within_s
        got = b""
        while not got.endswith(end):
            if self._processor_s() > until_s or time.monotonic() > give_up_s:
                raise MachineFailed(f"not done within {within_s} s of processor time; printed {got[-2000:]!r}")
            if not select.select([descriptor], [], [], LOOK_S)[0]:
                continue
            piece = os.read(descriptor, READ_BYTES)
            if not piece:
                raise MachineFailed(f"the machine ended; printed {got[-2000:]!r}")
            got += piece
        return got

    def _processor_s(self) -> float:
        """Return the processor time that QEMU has used (proc(5), utime and stime). 0 if it has ended."""
        try:
            fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
