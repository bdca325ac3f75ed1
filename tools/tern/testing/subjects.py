# SPDX-License-Identifier: MIT
"""What a system test works on: a guest that it boots, or the host where it calls ./tern."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from tern import build, children, guest, places, qemu
from tern.symbols import Symboliser


class TestFailure(Exception):
    """A test did not hold; the text says why."""


def check(condition: bool, reason: str) -> None:
    """Fails the test unless the condition holds."""
    if not condition:
        raise TestFailure(reason)


def equal(what: str, found: Any, expected: Any) -> None:
    """Fails the test unless two values are the same."""
    check(found == expected, f"{what} is {_short(found)}, not {_short(expected)}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:100]} ... {text[-40:]}"


class Guest:
    """One architecture; each run is a boot of its own, kept in the test's log."""

    def __init__(self, config: build.Configuration, folder: Path, log: Path) -> None:
        assert config.architecture
        self.architecture: str = config.architecture
        self.configuration = config
        self.folder = folder
        self.log = log

    def boot(
        self,
        *words: str,
        put: dict[str, Path] | None = None,
        timeout: float = 90.0,
        machine: qemu.Machine | None = None,
        trace: bool = False,
        fixed_layout: bool = False,
    ) -> guest.Outcome:
        """Boots and runs one program, however that ends; `put` maps guest paths to host files."""
        program = guest.Program(list(words), [(host, path) for path, host in (put or {}).items()], timeout)
        options = qemu.KernelOptions(framed=True, trace=trace, fixed_layout=fixed_layout)
        outcome = guest.run(self.configuration, machine or qemu.Machine(), options, program)
        end = f"status {outcome.status} after {outcome.seconds:.1f} s ({outcome.complaint or 'ended by itself'})"
        self.note(f"$ {shlex.join(words)}\n{end}\n".encode())
        kernel_log = Symboliser(self.configuration).feed(outcome.log)
        for title, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr), ("log", kernel_log)):
            self.note(f"--- {title}\n".encode() + text + b"\n")
        return outcome

    def run(self, *words: str, **options: Any) -> guest.Outcome:
        """Boots and runs one program; fails the test where the guest did not end by itself with a status."""
        outcome = self.boot(*words, **options)
        if outcome.complaint:
            raise TestFailure(outcome.complaint)
        return outcome

    def compile(self, source: Path, how: str = "-static") -> Path:
        """Makes a static Linux program of a C source."""
        program = self.folder / source.stem
        compiler = f"{self.architecture}-linux-gnu-gcc"
        words = [compiler, "-O1", "-Wall", "-Wextra", how, "-pthread", "-o", str(program), str(source), "-lm"]
        done = subprocess.run(words, capture_output=True, text=True)
        check(done.returncode == 0, f"{compiler} says: {done.stderr.strip()[:200]}")
        return program

    def note(self, text: bytes) -> None:
        """Appends to the test's log."""
        with open(self.log, "ab") as log:
            log.write(text)

    def succeed(self, *words: str, **options: Any) -> bytes:
        """Runs a program that must end with status 0 and returns its output."""
        outcome = self.run(*words, **options)
        check(outcome.status == 0, f"status is {outcome.status}; stderr: {_short(outcome.stderr)}")
        return outcome.stdout


class Host:
    """The build machine."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self._log = log

    def tern(
        self, *words: str, path: str | None = None, timeout: float = 60.0
    ) -> subprocess.CompletedProcess[bytes]:
        """Calls ./tern as a user would, with another PATH where one is given."""
        environment = {**os.environ, **({"PATH": path} if path else {})}
        command = [str(places.TREE / "tern"), *words]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        done = children.run(command, timeout, env=environment, **pipes)
        with open(self._log, "ab") as log:
            log.write(f"$ {shlex.join(command)}\nstatus {done.returncode}\n--- stdout\n".encode())
            log.write(done.stdout + b"\n--- stderr\n" + done.stderr + b"\n")
        return done
