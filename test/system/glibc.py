# SPDX-License-Identifier: MIT
"""A static glibc program that the user brings, and how the system tells that a fault killed it."""

import signal
import time
from pathlib import Path

from tern.testing import Guest, check, equal, system_test

SOURCE = Path(__file__).with_name("glibc_probe.c")
FLOATS = "sqrt 1.4142135623731 sum 1.64393456668156 third 0.666666666666667"


def _probe(guest: Guest) -> dict[str, Path]:
    return {"/tmp/p": guest.compile(SOURCE)}


def _dies(guest: Guest, how: str, number: signal.Signals) -> None:
    outcome = guest.run("/tmp/p", how, put=_probe(guest))
    equal("status", outcome.status, 128 + number)


@system_test()
def glibc_program(guest: Guest) -> None:
    lines = guest.succeed("/tmp/p", put=_probe(guest)).decode().splitlines()
    equal("number of lines", len(lines), 3)
    wall = int(lines[0].removeprefix("wall "))
    check(abs(wall - time.time()) < 300, f"the wall clock says {wall}")
    equal("floats", lines[1], FLOATS)
    equal("last line", lines[2], "all well")


@system_test()
def killed_by_segmentation_fault(guest: Guest) -> None:
    _dies(guest, "crash", signal.SIGSEGV)


@system_test()
def killed_by_illegal_instruction(guest: Guest) -> None:
    _dies(guest, "illegal", signal.SIGILL)


@system_test()
def killed_by_abort(guest: Guest) -> None:
    _dies(guest, "abort", signal.SIGABRT)


@system_test(architectures=("x86_64",))
def killed_by_division(guest: Guest) -> None:
    _dies(guest, "divide", signal.SIGFPE)
