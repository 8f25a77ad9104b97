"""The flash of one unit: real files in a folder, with a layer that counts writes, refuses them, or cuts the supply.

As on littlefs, a write takes effect when the file is closed. A power cut before that leaves the old content.
"""

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REAL_OPEN = builtins.open


class Flash:
    """`refuses` makes every write fail. `cut` is called in the middle of the next write, which then does not take effect."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.writes = 0  # files closed after a write, or removed: each of these programs the flash
        self.refused = 0
        self.refuses = False
        self.cut: Callable[[], None] | None = None
        self._before = str(folder) + "/"

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Intercept every file of the folder that this process opens for writing or removes."""
        real_remove = os.remove

        def remove(path: Any, *arguments: Any, **more: Any) -> None:
            if str(path).startswith(self._before):
                self._write()
            real_remove(path, *arguments, **more)

        builtins.open, os.remove = self._open, remove  # type: ignore[assignment]
        try:
            yield
        finally:
            builtins.open, os.remove = REAL_OPEN, real_remove

    def _open(self, path: Any, mode: str = "r", *arguments: Any, **more: Any) -> Any:
        if not (str(path).startswith(self._before) and mode in ("wb", "ab")):
            return REAL_OPEN(path, mode, *arguments, **more)
        return _Written(self, str(path), mode)

    def _write(self) -> None:
        if self.cut is not None:
            cut, self.cut = self.cut, None
            cut()
        if self.refuses:
            self.refused += 1
            raise OSError(errno.EIO, "the flash refuses")
        self.writes += 1

    def commit(self, path: str, mode: str, content: bytes) -> None:
        """Write the file. Raise OSError if the flash refuses."""
        self._write()
        with REAL_OPEN(path, mode) as file:
            file.write(content)


class _Written(io.BytesIO):
    def __init__(self, flash: Flash, path: str, mode: str) -> None:
        super().__init__()
        self._flash, self._path, self._mode = flash, path, mode
        if flash.refuses:
            flash.refused += 1
            raise OSError(errno.EIO, "the flash refuses")

    def __exit__(self, kind: Any, *_: Any) -> None:
        if kind is None:
            self._flash.commit(self._path, self._mode, self.getvalue())
        self.close()
