"""The command `corr`: each subcommand is a module with `add_parser` and `run`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from . import bench, demo, edges, filter, info, learn
from ._errors import CommandError

COMMANDS = (demo, filter, edges, learn, bench, info)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as for every other mistake; argparse would print the usage too."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="corr", description="Fast 2-D cross-correlation on NumPy arrays."
    )
    parser.add_argument("--version", action="version", version=f"corr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for module in COMMANDS:
        module.add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 if it did, 2 with one line on stderr if it could not."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    for name, value in vars(arguments).items():
        if value == []:  # what argparse before Python 3.13 makes of --name=--
            parser.error(f"argument --{name}: expected one argument")
    try:
        arguments.run(arguments)
    except CommandError as error:
        print(f"corr {arguments.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"corr {arguments.command}: interrupted", file=sys.stderr)
        return 130
    return 0
