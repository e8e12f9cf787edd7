"""`corr info`: what this build and this machine are."""

from __future__ import annotations

import argparse
from typing import Any

from .. import show_config


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("info", help="show version, compiler, ISA and threads")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    show_config()
