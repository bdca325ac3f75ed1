# SPDX-License-Identifier: MIT
"""Other machines than the usual one, and many boots."""

from tern import grub, qemu
from tern.testing import Guest, equal, system_test


def _boots_on(guest: Guest, machine: qemu.Machine) -> None:
    output = guest.succeed("/bin/busybox", "cat", "/etc/motd", machine=machine)
    equal("stdout", output, b"Welcome to Tern.\n")


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
    for number in range(20):
        output = guest.succeed("/bin/busybox", "echo", str(number))
        equal(f"stdout of boot {number}", output, f"{number}\n".encode())
