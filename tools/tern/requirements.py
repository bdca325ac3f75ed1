# SPDX-License-Identifier: MIT
"""What a command needs on the machine, and installing it on Debian as root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

from tern import places
from tern.failure import Failure
from tern.progress import say, step

OLDEST_QEMU = (7, 2)
ATTEMPTS = 4


@dataclass(frozen=True)
class Requirement:
    """A program (by name) or a file (by absolute path), and the Debian package that has it."""

    what: str
    package: str

    def met(self) -> bool:
        """Whether the machine has it."""
        return Path(self.what).exists() if self.what.startswith("/") else shutil.which(self.what) is not None


QEMU = {
    "x86_64": Requirement("qemu-system-x86_64", "qemu-system-x86"),
    "aarch64": Requirement("qemu-system-aarch64", "qemu-system-arm"),
    "riscv64": Requirement("qemu-system-riscv64", "qemu-system-misc"),
}
EMULATION = {
    "x86_64": [QEMU["x86_64"]],
    "aarch64": [QEMU["aarch64"]],
    "riscv64": [QEMU["riscv64"], Requirement("/usr/share/qemu/opensbi-riscv64-generic-fw_dynamic.bin", "opensbi")],
}
COMPILER = {
    "x86_64": [Requirement("x86_64-linux-gnu-gcc", "gcc")],
    "aarch64": [Requirement("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")],
    "riscv64": [Requirement("riscv64-linux-gnu-gcc", "gcc-riscv64-linux-gnu")],
}
STATIC_GLIBC = {
    "x86_64": Requirement("/usr/lib/x86_64-linux-gnu/libc.a", "libc6-dev"),
    "aarch64": Requirement("/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross"),
    "riscv64": Requirement("/usr/riscv64-linux-gnu/lib/libc.a", "libc6-dev-riscv64-cross"),
}
BUILD_TOOLS = [
    Requirement("gcc", "gcc"),
    STATIC_GLIBC["x86_64"],
    Requirement("meson", "meson"),
    Requirement("ninja", "ninja-build"),
    Requirement("make", "make"),
    Requirement("dpkg-source", "dpkg-dev"),
    Requirement("xz", "xz-utils"),
]
CLANG = [Requirement("clang", "clang")]
LINT_TOOLS = [Requirement("clang-format", "clang-format"), Requirement("sparse", "sparse")]
CHART = [Requirement("gnuplot", "gnuplot-nox")]
DEBUGGER = [Requirement("gdb-multiarch", "gdb-multiarch")]

UEFI = Requirement("/usr/share/ovmf/OVMF.fd", "ovmf")
GRUB = [
    UEFI,
    Requirement("grub-mkrescue", "grub-common"),
    Requirement("/usr/lib/grub/i386-pc", "grub-pc-bin"),
    Requirement("/usr/lib/grub/x86_64-efi", "grub-efi-amd64-bin"),
    Requirement("xorriso", "xorriso"),
    Requirement("mformat", "mtools"),
]


def for_build(architectures: Iterable[str]) -> list[Requirement]:
    """What building the system for some architectures needs."""
    return BUILD_TOOLS + [need for architecture in architectures for need in COMPILER[architecture]]


def for_run(architecture: str) -> list[Requirement]:
    """What building and booting one architecture needs."""
    return for_build([architecture]) + EMULATION[architecture]


def for_lint() -> list[Requirement]:
    """What ./tern lint needs."""
    return for_build(places.ARCHITECTURES) + CLANG + LINT_TOOLS


def for_test(architectures: Iterable[str]) -> list[Requirement]:
    """What ./tern test needs."""
    needs = for_lint() + DEBUGGER + (GRUB if "x86_64" in architectures else [])
    for architecture in architectures:
        needs += [*EMULATION[architecture], STATIC_GLIBC[architecture]]
    return needs


def ensure(needs: Iterable[Requirement]) -> None:
    """Installs what is missing, or says in one sentence what to do."""
    missing = _missing(needs)
    if not missing:
        return
    packages = sorted({need.package for need in missing})
    command = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(packages)}"
    what = ", ".join(dict.fromkeys(need.what for need in missing))
    if not (shutil.which("apt-get") and shutil.which("dpkg-query")):
        raise Failure(f"{what} missing: install what Debian has in {', '.join(packages)}")
    absent = [package for package in packages if not _installed(package)]
    if not absent:
        raise Failure(f"{what} missing although its package is installed: mend PATH or reinstall {' '.join(packages)}")
    if os.geteuid() != 0:
        raise Failure(f"{what} missing; as root, run: {command}")
    _install(absent)
    still = _missing(needs)
    if still:
        raise Failure(f"{still[0].what} is still missing after installing {still[0].package}")


def check_qemu(architecture: str) -> None:
    """Refuses a QEMU that is too old."""
    program = QEMU[architecture].what
    try:
        done = subprocess.run(
            [program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        raise Failure(f"{program} does not run: reinstall the package {QEMU[architecture].package}") from None
    version = re.search(r"version (\d+)\.(\d+)", done.stdout)
    if not version:
        raise Failure(f"{program} --version does not tell a version: {OLDEST_QEMU[0]}.{OLDEST_QEMU[1]} or newer is needed")
    found = int(version.group(1)), int(version.group(2))
    if found < OLDEST_QEMU:
        raise Failure(
            f"{program} is version {found[0]}.{found[1]}, Tern needs {OLDEST_QEMU[0]}.{OLDEST_QEMU[1]} or newer:"
            f" install {QEMU[architecture].package} of Debian 12"
        )


def _missing(needs: Iterable[Requirement]) -> list[Requirement]:
    return [need for need in dict.fromkeys(needs) if not need.met()]


def _installed(package: str) -> bool:
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status}", package], capture_output=True, text=True)
    return done.stdout == "installed"


def _install(packages: list[str]) -> None:
    """apt-get install; the index is read anew only when the one at hand does not do."""
    log = places.cache() / "apt-install.log"
    install = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    with step(f"installing {len(packages)} packages: {' '.join(packages)}"):
        if not _apt(["apt-get", "--print-uris", *install[1:]], log) or not _apt(install, log):
            _retried(["apt-get", "update"], log)
            _retried(install, log)


def _retried(command: list[str], log: Path) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        if _apt(command, log):
            return
        if attempt < ATTEMPTS:
            say(f"the package registry answered badly (attempt {attempt} of {ATTEMPTS}), trying again")
            time.sleep(5 * attempt)
    raise Failure(f"{command[0]} {command[1]} failed {ATTEMPTS} times: see {log}")


def _apt(command: list[str], log: Path) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["-o", "Acquire::Retries=3", "-o", "DPkg::Lock::Timeout=300"]
    with open(log, "ab") as output:
        done = subprocess.run(
            [*command, *options], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    return done.returncode == 0
