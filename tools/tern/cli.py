# SPDX-License-Identifier: MIT
"""The command line of ./tern."""

from __future__ import annotations

import argparse
import re
import signal
import sys
from pathlib import Path

from tern import commands, places, qemu
from tern.failure import Failure


class _Parser(argparse.ArgumentParser):
    """Answers a wrong command line with one sentence instead of the whole usage."""

    def error(self, message: str):
        raise Failure(f"{message}; `./tern --help` tells more")


def main(words: list[str]) -> int:
    """Runs one command and returns the exit status."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, frame: sys.exit(128 + received))
    try:
        arguments = _parse(words)
        return arguments.function(arguments)
    except Failure as failure:
        print(f"tern: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        print("tern: interrupted", file=sys.stderr)
        return 130


def _parse(words: list[str]) -> argparse.Namespace:
    """Parses all but the guest's command, which stands behind `--` and may contain anything."""
    ours, separator, guest = _split(words)
    arguments = _parser().parse_args(ours)
    if separator and arguments.function is not commands.execute:
        raise Failure(f"{words[0]} takes nothing behind --")
    arguments.guest_command = guest
    return arguments


def _split(words: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in words:
        return words, False, []
    at = words.index("--")
    return words[:at], True, words[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="tern", description="Builds, boots and tests Tern.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)

    run = subparsers.add_parser("run", help="build, boot, interactive shell on this terminal")
    run.set_defaults(function=commands.run)
    _architecture(run)
    _machine(run)
    _kernel(run, "warning")

    execute = subparsers.add_parser(
        "exec",
        help="boot, run one program in the guest, its output and exit status are ours",
        usage="tern exec ARCH [options] -- CMD ARG...",
    )
    execute.set_defaults(function=commands.execute)
    _architecture(execute)
    _machine(execute)
    _kernel(execute, "info")
    execute.add_argument("--put", action="append", default=[], type=_put, metavar="HOST:GUEST", help="copy a file in")
    execute.add_argument("--timeout", type=_seconds, default=60.0, metavar="S", help="seconds (default 60)")
    execute.add_argument("--log", action="store_true", help="show the log of kernel and servers on stderr")

    debug = subparsers.add_parser("debug", help="QEMU waiting for gdb, with symbols")
    debug.set_defaults(function=commands.debug)
    _architecture(debug)
    _machine(debug)
    _kernel(debug, "debug")
    debug.add_argument("--gdb", action="store_true", help="run gdb here; the console goes to a file")
    debug.add_argument("--program", metavar="NAME", help="load the symbols of a server or program too")
    debug.add_argument("--port", type=int, default=1234, help="where gdb connects (default 1234)")

    test = subparsers.add_parser("test", help="everything: lint, unit tests, all system tests")
    test.set_defaults(function=commands.test)
    test.add_argument("architectures", nargs="*", type=_architecture_name, metavar="ARCH")
    test.add_argument("--only", metavar="PATTERN", help="only tests whose name contains or matches the pattern")
    test.add_argument("--long", action="store_true", help="also what takes long")

    bench = subparsers.add_parser("bench", help="instructions of single operations beside seL4's")
    bench.set_defaults(function=commands.bench)
    bench.add_argument("architectures", nargs="*", type=_architecture_name, metavar="ARCH")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the figures to a file")
    bench.add_argument("--where", metavar="NAME", help="in which functions the instructions of one operation are")
    bench.add_argument("--baseline", action="store_true", help="write test/bench/baseline.json and docs/benchmarks.md")

    lint = subparsers.add_parser("lint", help="format, warnings, include directions, generated documents")
    lint.set_defaults(function=commands.lint)

    build = subparsers.add_parser("build", help="build debug and release")
    build.set_defaults(function=commands.build)
    build.add_argument("architectures", nargs="*", type=_architecture_name, metavar="ARCH")
    return parser


def _architecture(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(places.ARCHITECTURES)
    parser.add_argument(
        "architecture", nargs="?", default="x86_64", type=_architecture_name, metavar="ARCH", help=names
    )


def _machine(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("machine")
    group.add_argument("--smp", type=_positive, default=1, metavar="N", help="CPUs (default 1)")
    group.add_argument("--mem", type=_size, default="512M", metavar="SIZE", help="memory (default 512M)")
    group.add_argument("--icount", action="store_true", help="count instructions: one is one nanosecond")
    group.add_argument("--machine", help="another QEMU -machine")
    group.add_argument("--cpu", help="another QEMU -cpu")
    group.add_argument("--qemu-arg", action="append", default=[], metavar="ARG", help="one more word for QEMU")


def _kernel(parser: argparse.ArgumentParser, log_level: str) -> None:
    group = parser.add_argument_group("kernel")
    group.add_argument("--debug-build", action="store_true", help="with assertions and checks")
    group.add_argument("--trace", action="store_true", help="log system calls and IPC")
    group.add_argument("--fixed-layout", action="store_true", help="the same addresses each time, none at random")
    group.add_argument("--log-level", choices=qemu.LOG_LEVELS, default=log_level, help=f"default {log_level}")


def _architecture_name(word: str) -> str:
    if word not in places.ARCHITECTURES:
        raise Failure(f"no architecture '{word}': choose one of {', '.join(places.ARCHITECTURES)}")
    return word


def _positive(word: str) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,3}", word):
        raise Failure(f"'{word}' is not a number of CPUs")
    return int(word)


def _seconds(word: str) -> float:
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]+)?", word) or float(word) == 0:
        raise Failure(f"'{word}' is not a number of seconds")
    return float(word)


def _size(word: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,8}[KMG]?", word):
        raise Failure(f"'{word}' is not a memory size: write for example 512M or 2G")
    return word


def _put(word: str) -> tuple[Path, str]:
    host, _, guest = word.rpartition(":")
    if not host or not guest.startswith("/"):
        raise Failure(f"--put {word}: write HOST:GUEST with an absolute GUEST path")
    if not Path(host).is_file():
        raise Failure(f"--put {word}: no file {host}")
    return Path(host), guest
