# SPDX-License-Identifier: MIT
"""Other machines than the usual one, and many boots."""

from tern import grub, qemu
from tern.testing import Guest, check, equal, system_test


def _boots_on(guest: Guest, machine: qemu.Machine) -> None:
    outcome = guest.run("/bin/busybox", "cat", "/etc/motd", machine=machine)
    equal("stdout", outcome.stdout, b"Welcome to Tern.\n")
    check(b"] error:" not in outcome.log, "the log tells of an error")


@system_test()
def little_memory(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(memory="128M"))


@system_test()
def memory_above_four_gibibytes(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(memory="5G"))


@system_test()
def four_cpus(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(smp=4))


@system_test()
def processors(guest: Guest) -> None:
    """Programs are told of the CPUs that there are."""
    for count in (1, 4, 8):
        output = guest.succeed(
            "/bin/busybox", "sh", "-c", "nproc; grep -c ^processor /proc/cpuinfo", machine=qemu.Machine(smp=count)
        )
        equal(f"numbers with {count} CPUs", output.split(), [str(count).encode()] * 2)


@system_test()
def counted_instructions(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(icount=True))


@system_test(architectures=("x86_64",))
def machine_pc(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(machine="pc"))


@system_test(architectures=("aarch64",))
def machine_gicv2(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(machine="virt,gic-version=2"))


@system_test(architectures=("aarch64",))
def entered_at_el2(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(machine="virt,gic-version=3,virtualization=on"))


@system_test(architectures=("x86_64",))
def booted_by_grub(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(grub=True))
    _boots_on(guest, qemu.Machine(grub=True, smp=4, machine="pc"))


@system_test(architectures=("x86_64",))
def booted_by_grub_on_uefi(guest: Guest) -> None:
    _boots_on(guest, qemu.Machine(grub=True, firmware=grub.UEFI, smp=4))


@system_test()
def twenty_boots_in_a_row(guest: Guest) -> None:
    _boots(guest, 20, qemu.Machine())


@system_test(long=True, configuration="release")
def hundred_boots_on_four_cpus(guest: Guest) -> None:
    _boots(guest, 100, qemu.Machine(smp=4))


def _boots(guest: Guest, count: int, machine: qemu.Machine) -> None:
    for number in range(count):
        output = guest.succeed("/bin/busybox", "echo", str(number), machine=machine)
        equal(f"stdout of boot {number}", output, f"{number}\n".encode())
