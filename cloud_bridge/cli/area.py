"""The framework of the command line's areas (`unit`, `token`, `user`, ...), each of which declares its commands."""

import argparse
from collections.abc import Callable
from typing import Any

from cloud_bridge.settings import Settings

Answer = dict[str, Any] | list[dict[str, Any]]  # what a command prints: one row or several
Run = Callable[[Settings, argparse.Namespace], Answer]


class Parser(argparse.ArgumentParser):
    """A parser that reports surplus words itself, with the usage of the command that they were typed after."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


class Area:
    """An area: one word after `python -m cloud_bridge`, with its commands."""

    def __init__(self, areas: "argparse._SubParsersAction[Parser]", name: str, about: str) -> None:
        self._commands = areas.add_parser(name, help=about, description=about).add_subparsers(
            required=True, metavar="command"
        )

    def command(self, name: str, about: str, run: Run, *positional: str) -> argparse.ArgumentParser:
        """Declare a command, and return its parser, for options beside the positional arguments. Every command can print
        JSON."""
        parser = self._commands.add_parser(name, help=about, description=about)
        for argument in positional:
            parser.add_argument(argument)
        parser.add_argument("--json", action="store_true", help="print JSON")
        parser.set_defaults(run=run)
        return parser
