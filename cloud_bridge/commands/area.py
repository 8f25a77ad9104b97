"""How an area of the command line (`unit`, `token`, `user`, ...) declares its commands."""

import argparse
from collections.abc import Callable
from typing import Any

from cloud_bridge.settings import Settings

Answer = dict[str, Any] | list[dict[str, Any]]  # what a command prints: one row or several
Run = Callable[[Settings, argparse.Namespace], Answer]


class Area:
    """One word after `python -m cloud_bridge`, with its commands."""

    def __init__(self, areas: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str) -> None:
        self._commands = areas.add_parser(name, help=about, description=about).add_subparsers(
            required=True, metavar="command"
        )

    def command(self, name: str, about: str, run: Run, *positional: str) -> argparse.ArgumentParser:
        """Returns its parser, for options beside the positional arguments. Every command can print JSON."""
        parser = self._commands.add_parser(name, help=about, description=about)
        for argument in positional:
            parser.add_argument(argument)
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)
        return parser
