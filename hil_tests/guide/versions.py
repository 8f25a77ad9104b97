"""The repository for the clean root: this checkout in its present state, and an earlier version with fewer tables."""

import os
import subprocess
import tempfile
from pathlib import Path

from hil_tests.environment.errors import SetUpError
from hil_tests.fixtures.bridge_process import CHECKOUT

FORMER = "d4f76c73041ecf1589e7dcc523eda95223e1e909"  # before migrations 0048 to 0050
DEPLOY = "cloud_bridge/deploy"  # a page has to fit the files that it names, so both versions have the present ones


class Versions:
    """Two tags in a bare repository of two commits."""

    former, newest = "former", "newest"

    def __init__(self, repository: Path) -> None:
        """Create the repository. Raises SetUpError in a clone without the history."""
        _git("cat-file", "-e", FORMER)  # fails in a shallow clone
        _git("init", "--quiet", "--bare", "--initial-branch=main", str(repository))
        with tempfile.TemporaryDirectory(prefix="chargekeeper-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            _git("add", "--all", **index)
            newest = _git("write-tree", **index)
            _git("read-tree", FORMER, **index)
            _git("rm", "--quiet", "-r", "--force", "--cached", DEPLOY, **index)
            _git("read-tree", f"--prefix={DEPLOY}/", f"{newest}:{DEPLOY}", **index)
            former = _git("write-tree", **index)
        first = _commit(former)
        for name, commit in ((self.former, first), (self.newest, _commit(newest, "-p", first))):
            _git("push", "--quiet", str(repository), f"{commit}:refs/tags/{name}", f"{commit}:refs/heads/main")


def _commit(tree: str, *parent: str) -> str:
    author = {f"GIT_{who}_{what}": "stranger" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return _git("commit-tree", tree, *parent, "-m", "a version", **author)


def _git(*words: str, **environment: str) -> str:
    """Run git and return its output. Raises SetUpError."""
    done = subprocess.run(
        ["git", *words], cwd=CHECKOUT, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SetUpError(f"git {words[0]}: {done.stderr}")
    return done.stdout.strip()
