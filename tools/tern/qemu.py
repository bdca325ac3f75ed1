# SPDX-License-Identifier: MIT
"""The QEMU command line of each architecture."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from tern.requirements import QEMU

MACHINE = {"x86_64": "q35", "aarch64": "virt,gic-version=3", "riscv64": "virt"}
CPU = {"x86_64": "max", "aarch64": "max,pauth-impdef=on", "riscv64": "rv64"}
FIRMWARE = {"x86_64": [], "aarch64": [], "riscv64": ["-bios", "default"]}
LOG_LEVELS = ("error", "warning", "info", "debug")


@dataclass
class Machine:
    """What a boot may choose."""

    smp: int = 1
    memory: str = "512M"
    icount: bool = False  # counts instructions: one is 2^icount_shift nanoseconds
    machine: str | None = None
    cpu: str | None = None
    extra: list[str] = field(default_factory=list)
    grub: bool = False  # GRUB boots from a disc (PCs only), by the BIOS or by `firmware`
    firmware: Path | None = None
    icount_shift: int = 0
    one_host_thread: bool = False  # for all CPUs


@dataclass
class KernelOptions:
    """The kernel command line."""

    framed: bool
    log_level: str = "info"
    trace: bool = False
    fixed_layout: bool = False  # programs, stacks and mappings are not put at random addresses

    def __str__(self) -> str:
        words = [f"tern.console={'framed' if self.framed else 'terminal'}", f"tern.log={self.log_level}"]
        if self.trace:
            words.append("tern.trace=1")
        if self.fixed_layout:
            words.append("tern.layout=fixed")
        return " ".join(words)

    def on(self, machine: Machine) -> "KernelOptions":
        """The same where instructions are counted, so that runs repeat exactly."""
        return replace(self, fixed_layout=True) if machine.icount else self


def command(
    architecture: str, machine: Machine, kernel: Path, initramfs: Path, options: KernelOptions
) -> list[str]:
    """The command line without a console: the caller adds -serial."""
    kernel_words = ["-kernel", str(kernel), "-initrd", str(initramfs), "-append", str(options)]
    return _machine(architecture, machine) + kernel_words + machine.extra


def disc_command(architecture: str, machine: Machine, disc: Path) -> list[str]:
    """The same for a disc that the machine boots from."""
    firmware = ["-bios", str(machine.firmware)] if machine.firmware else []
    return _machine(architecture, machine) + firmware + ["-cdrom", str(disc)] + machine.extra


def _machine(architecture: str, machine: Machine) -> list[str]:
    one_thread = machine.icount or machine.one_host_thread
    accelerator = ["-accel", "tcg,thread=single" if one_thread else "tcg"]
    if machine.icount:
        # What the machine calls random, in the device tree and from the CPU, is the same each time as well.
        accelerator += ["-icount", f"shift={machine.icount_shift}", "-seed", "1"]
    return [
        QEMU[architecture].what,
        *("-display", "none", "-no-reboot", "-nodefaults"),
        *("-machine", machine.machine or MACHINE[architecture]),
        *("-cpu", machine.cpu or CPU[architecture]),
        *accelerator,
        *("-smp", str(machine.smp), "-m", machine.memory),
        *FIRMWARE[architecture],
    ]


TERMINAL = ["-serial", "mon:stdio"]
PIPE = ["-monitor", "none", "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"]
