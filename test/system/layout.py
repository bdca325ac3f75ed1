# SPDX-License-Identifier: MIT
"""Where programs, their stacks and their memory are: elsewhere each time, unless the layout is to be fixed."""

from pathlib import Path

from tern import qemu
from tern.commands import PROGRAM_BASE
from tern.testing import Guest, check, equal, system_test

SOURCE = Path(__file__).with_name("layout.c")
STARTS = 3
PARTS = ("code", "stack", "heap", "mapping")
# Where the C library has no start code for static programs that run anywhere, those of Linux have their code in one place.
NOT_STATIC_PIE = ("riscv64",)


def _places(guest: Guest, program: str, **options) -> list[set[str]]:
    """Starts a program some times in one boot; for each part of it the addresses that it had."""
    if program == "/tmp/layout":
        how = "-static" if guest.architecture in NOT_STATIC_PIE else "-static-pie"
        options["put"] = {program: guest.compile(SOURCE, how)}
    loop = "; ".join([program] * STARTS)
    lines = guest.succeed("/bin/busybox", "sh", "-c", loop, **options).decode().splitlines()
    equal("number of lines", len(lines), STARTS)
    return [set(column) for column in zip(*(line.split() for line in lines), strict=True)]


def _differ(guest: Guest, program: str) -> list[set[str]]:
    """Several processes of one boot, two boots. Returns the addresses in the fixed layout. (RISC-V has few enough places for two processes to be alike by chance.)"""
    code_is_fixed = program == "/tmp/layout" and guest.architecture in NOT_STATIC_PIE
    boots = [_places(guest, program, machine=qemu.Machine(smp=4)) for _ in range(2)]
    for part, first, second in zip(PARTS, *boots, strict=True):
        if part == "code" and code_is_fixed:
            equal("number of addresses of the code", len(first | second), 1)
            continue
        for addresses in (first, second):
            check(len(addresses) > 1, f"all processes have their {part} at {addresses}")
        check(first != second, f"the {part} is at {first} in both boots")
    first, second = (_places(guest, program, fixed_layout=True) for _ in range(2))
    check(all(len(addresses) == 1 for addresses in first), f"with a fixed layout the addresses are {first}")
    equal("addresses in another boot", second, first)
    return first


@system_test()
def layout_of_linux_programs(guest: Guest) -> None:
    _differ(guest, "/tmp/layout")


@system_test()
def layout_of_native_programs(guest: Guest) -> None:
    (code,) = _differ(guest, "/tern/test-programs/layout")[0]
    equal("distance of the code from where ./tern debug has it", int(code, 16) - PROGRAM_BASE & ~0xFFFF, 0)
