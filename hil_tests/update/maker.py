"""The maker of the firmware: a repository with tags of this tree, and the key that signs their releases."""

import asyncio
import os
import re
import shutil
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from hil_tests.fixtures.bridge_process import CHECKOUT, BridgeFailed, BridgeProcess
from hil_tests.rig.image import VIRTUAL
from hil_tests.update.release import KEY

WITHIN_S = 60
TRIAL_S = 10  # of its releases, in place of ten minutes; on a busy machine a look at three pages takes some of them
VERSION, TRIAL = "firmware/version.py", "firmware/update/trial.py"
IDENTITY = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "a"}
ENVIRONMENT = os.environ | IDENTITY | {"GIT_COMMITTER_EMAIL": "a@example.org", "GIT_CONFIG_GLOBAL": os.devnull}


class Maker:
    """A maker with its files in `folder`. Its releases count as good after TRIAL_S."""

    def __init__(self, folder: Path) -> None:
        self._tree, self._out = folder / "repository", folder / "out"
        self._key = folder / "key.pem"
        self._out.mkdir(parents=True)
        for room in ("firmware", "modem"):
            shutil.copytree(CHECKOUT / room, self._tree / room, ignore=shutil.ignore_patterns("__pycache__"))
        self._edit(TRIAL, r"^LIVED_MS = \d+", f"LIVED_MS = {TRIAL_S * 1000}")
        self._key.touch(0o600)
        self._key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    def publish_key(self, data: Path) -> None:
        """Write the public key where the bridge with this data folder looks for it."""
        public = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (data / "update-keys").mkdir(parents=True)
        (data / "update-keys" / "0.pem").write_bytes(public)

    async def tag(self, version: str, **sources: str) -> None:
        """Tag the tree as `version`. `sources` replace whole modules of firmware/, by name."""
        if not (self._tree / ".git").exists():
            await self._git("init", "-q")
        self._edit(VERSION, r'^VERSION = ".*"', f'VERSION = "{version}"')
        for name, source in sources.items():
            (self._tree / "firmware" / f"{name}.py").write_text(source)
        await self._git("add", ".")
        await self._git("commit", "-q", "-m", version)
        await self._git("tag", f"v{version}")

    async def release(self, bridge: BridgeProcess, version: str, notes: str) -> None:
        """Build the tag, sign it, and add it to the bridge's store. Raises BridgeFailed."""
        name = str(self._out / f"chargekeeper-{version}-{VIRTUAL}")
        where = ["--repository", str(self._tree), "--folder", str(self._out)]
        done = await bridge.commands(
            ["release", "build", f"v{version}", "--board", VIRTUAL, "--notes", notes, *where],
            ["release", "sign", f"{name}.manifest", "--key", str(self._key)],
            ["release", "add", f"{name}.manifest", f"{name}.image"],
        )
        for one in done:
            if isinstance(one, BridgeFailed):
                raise one

    def _edit(self, file: str, line: str, wanted: str) -> None:
        path = self._tree / file
        text, replaced = re.subn(f"(?m){line}", wanted, path.read_text())
        assert replaced == 1, f"{file} has no {line}"
        path.write_text(text)

    async def _git(self, *words: str) -> None:
        process = await asyncio.create_subprocess_exec("git", *words, cwd=self._tree, env=ENVIRONMENT)
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, words
