"""Parse the command line, run the command, and turn every user error into one sentence and exit status 2."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from fairneuron_core import __version__
from fairneuron_core.cli.commands import COMMANDS
from fairneuron_core.cli.output import answer_alone
from fairneuron_core.errors import FairNeuronError, SettingError

BAD_INPUT = 2
INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """argparse, but a wrong command line is an error like every other: one sentence, exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise SettingError(f"{message[:1].upper()}{message[1:]}. See `{self.prog} --help`.")


def build_parser(chosen: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of all commands; only the chosen one gets its flags, since reading them imports its methods."""
    parser = _Parser(prog="fairneuron", description="Audit and repair the fairness of neural networks.")
    parser.add_argument("--version", action="version", version=f"fairneuron {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        sub.add_argument("--json", action="store_true", help="print one JSON object to stdout")
        sub.add_argument("--workspace", metavar="DIR", help="folder of stored runs and models ($FAIRNEURON_HOME)")
        if name == chosen:
            command.arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = build_parser(next((w for w in words if w in COMMANDS), None)).parse_args(words)
        with answer_alone():
            results = COMMANDS[arguments.command].run(arguments)
        if results is not None:
            _print(arguments, results)
            return COMMANDS[arguments.command].status(results)
    except FairNeuronError as error:
        print(f"fairneuron: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("fairneuron: interrupted; nothing was stored.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; Python would complain once more when it flushes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _print(arguments: argparse.Namespace, results: dict[str, Any]) -> None:
    if arguments.json:
        print(json.dumps(results, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False))
    else:
        print(COMMANDS[arguments.command].show(results))
