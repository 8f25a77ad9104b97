"""What can go wrong while the environment is made, and the running of commands that turns into it."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

COMMAND_TIMEOUT_S = 900  # a slow line fetching 60 MB of wheels; past that something is stuck


class SetUpError(Exception):
    """The environment cannot be made; the message says what the person at the keyboard can do."""


class NotToBeHad(SetUpError):
    """What is missing is not offered to this machine, whoever sits at it; nothing of ours is broken."""


def run(command: Sequence[str | Path], advice: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run `command` and return what it printed; SetUpError with its last lines and `advice` if it fails."""
    try:
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=env,
            cwd=cwd,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError as missing:
        raise SetUpError(f"{command[0]} is not on this machine. {advice}") from missing
    except subprocess.TimeoutExpired as stuck:
        raise SetUpError(f"{command[0]} took more than {COMMAND_TIMEOUT_S} s. {advice}") from stuck
    if done.returncode != 0:
        said = "\n  ".join(done.stdout.strip().splitlines()[-8:])
        raise SetUpError(f"{Path(str(command[0])).name} failed:\n  {said}\n{advice}")
    return done.stdout
