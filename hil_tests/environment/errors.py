"""The errors of creating the environment, and a function that runs commands and raises them."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

COMMAND_TIMEOUT_S = 900  # for a slow line fetching 60 MB of wheels; past that something hangs


class SetUpError(Exception):
    """The environment cannot be created. The message tells the user what to do."""


class NotToBeHad(SetUpError):
    """What is missing is not available for this machine. Nothing in this project is broken."""


def run(command: Sequence[str | Path], advice: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run `command` and return its output. Raises SetUpError with its last lines and `advice` if it fails."""
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
