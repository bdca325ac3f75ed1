# SPDX-License-Identifier: MIT
"""Static glibc programs that use the Linux personality hard: what calls do, what they leak, what random ones break."""

from pathlib import Path

from tern import qemu
from tern.testing import Guest, check, equal, system_test, tap

FOLDER = Path(__file__).parent
CHILDREN, CALLS = 6, 3000
LEAK_KIBIBYTES = 64  # that 200 processes or threads may keep; a page of each would be 800


def _check(guest: Guest, source: str, cpus: int) -> None:
    program = guest.compile(FOLDER / source)
    outcome = guest.run("/tmp/checks", put={"/tmp/checks": program}, timeout=180, machine=qemu.Machine(smp=cpus))
    points, trouble = tap.parse(outcome.stdout.decode(errors="replace"))
    for point in points:
        check(point.passed, f"{point.name}: {point.reason}")
    check(trouble is None, str(trouble))
    equal("status", outcome.status, 0)


@system_test()
def linux_calls(guest: Guest) -> None:
    _check(guest, "linux_calls.c", 1)


@system_test()
def linux_calls_on_4_cpus(guest: Guest) -> None:
    _check(guest, "linux_calls.c", 4)


@system_test()
def linux_futexes(guest: Guest) -> None:
    _check(guest, "linux_futexes.c", 1)


@system_test()
def linux_futexes_on_4_cpus(guest: Guest) -> None:
    _check(guest, "linux_futexes.c", 4)


@system_test()
def linux_leaks(guest: Guest) -> None:
    program = guest.compile(FOLDER / "linux_leaks.c")
    output = guest.succeed("/tmp/leaks", put={"/tmp/leaks": program}, timeout=180)
    lost = {name: int(number) for name, number in (line.split() for line in output.decode().splitlines())}
    equal("kinds", list(lost), ["fork", "vfork", "thread", "execute"])
    for name, kibibytes in lost.items():
        check(kibibytes <= LEAK_KIBIBYTES, f"200 times {name} cost {kibibytes} KiB")


@system_test()
def linux_random_calls(guest: Guest) -> None:
    program = guest.compile(FOLDER / "linux_fuzz.c")
    words = ("/tmp/fuzz", str(CHILDREN), str(CALLS), "21")
    output = guest.succeed(*words, put={"/tmp/fuzz": program}, timeout=180, machine=qemu.Machine(smp=2))
    equal("stdout", output, b"alive\n")
