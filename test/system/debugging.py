# SPDX-License-Identifier: MIT
"""`./tern debug` as the README says: its words in one terminal, the line that it prints and then gdb's commands in another."""

import os
import re
import select
import shlex
import signal
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from typing import Iterator

from tern import children, places
from tern.testing import Guest, TestFailure, check, equal, system_test

START_SECONDS = 60.0  # ./tern looks first whether everything is built
DEBUGGER_SECONDS = 90.0

# Function and file of a frame in a backtrace.
FRAME = re.compile(r"(?:0x[0-9a-f]+ in )?(\w+) \(.*\) at (?:\S*/)?(\w+/\w+\.c):\d+$", re.MULTILINE | re.DOTALL)


def _sessions() -> list[tuple[list[str], list[str]]]:
    """The README's: the words for ./tern behind the architecture, and what is typed to gdb."""
    _, _, section = (places.TREE / "README.md").read_text(encoding="utf-8").partition("\n## How to debug\n")
    section, _, _ = section.partition("\n## ")
    found = []
    for part in re.split(r"^    ", section, flags=re.MULTILINE):
        if begun := re.match(r"\$ \./tern debug \w+(.*)", part):
            found.append((shlex.split(begun[1], comments=True), []))
        elif typed := re.match(r"\(gdb\) (.*)", part):
            found[-1][1].append(typed[1])
    return found


@contextmanager
def _tern_debug(guest: Guest, words: list[str]) -> Iterator[list[str]]:
    """./tern debug: the command that it says to run. Nothing that it started outlives the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [str(places.TREE / "tern"), "debug", guest.architecture, "--port", str(port), *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with children.child(command, start_new_session=True, **pipes) as process:
        try:
            yield shlex.split(_debugger_line(guest, process))
        finally:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(START_SECONDS)
            left = True
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                left = False
        check(not left, "./tern debug has ended and left something behind")


def _debugger_line(guest: Guest, process: subprocess.Popen) -> str:
    """The line to type in another terminal."""
    assert process.stdout
    said = b""
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(rb"^  (gdb-multiarch .*)\n", said, re.MULTILINE)):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        data = os.read(process.stdout.fileno(), 65536) if ready else b""
        said += data
        if not data:
            raise TestFailure(f"./tern debug never said how to attach; it ends with {said[-80:]!r}")
    guest.note(said)
    return found[1].decode()


def _debug(guest: Guest, words: list[str], typed: list[str]) -> str:
    """What gdb says to what is typed."""
    with _tern_debug(guest, words) as command:
        batch = [command[0], "-nx", "-batch", "-ex", "set tcp connect-timeout 60", *command[1:]]
        for line in typed:
            batch += ["-ex", line]
        try:
            done = children.run(
                batch, DEBUGGER_SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
        except subprocess.TimeoutExpired:
            raise TestFailure(f"gdb does not come to its end: {typed}") from None
        guest.note(f"$ {shlex.join(batch)}\n".encode() + done.stdout)
        return done.stdout.decode(errors="replace")


def _check_backtrace(said: str, *functions: str) -> None:
    """Functions, in this order, the first of them where it stopped, each with its file; others may be between them."""
    frames = re.split(r"^#\d+ +", said, flags=re.MULTILINE)[1:]
    shown = [f"{frame[1]} at {frame[2]}" for text in frames if (frame := FRAME.match(text))]
    equal("innermost frame", shown[:1], [functions[0]])
    equal("frames", [function for function in shown if function in functions], list(functions))


@system_test()
def debugging_the_kernel_as_the_readme_says(guest: Guest) -> None:
    words, typed = _sessions()[0]
    equal("words", words, [])
    said = _debug(guest, words, typed)
    outer = ("init_process_start at kernel/init_process.c", "kernel_main at kernel/main.c")
    _check_backtrace(said, "address_space_map at mm/address_space_map.c", *outer)


@system_test()
def debugging_a_server_as_the_readme_says(guest: Guest) -> None:
    """By an address that no smaller program has code at, so that no other comes there."""
    words, typed = _sessions()[1]
    equal("words", words, ["--program", "linux"])
    said = _debug(guest, words, typed)
    _check_backtrace(said, "program_load at loader/program.c", "main at linux/main.c")
