# SPDX-License-Identifier: MIT
"""A disc from which GRUB boots the system, on a PC with a BIOS and on one with UEFI."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tern import requirements
from tern.failure import Failure
from tern.qemu import KernelOptions

UEFI = Path(requirements.UEFI.what)
# What is loaded first is dropped: memory is then not as clean as a new emulated machine's. (GRUB 2.06 for UEFI crashes
# on it.)
MENU = """\
if [ $grub_platform = pc ]; then
	multiboot2 /boot/tern.elf
	module2 /boot/dirt
fi
multiboot2 /boot/tern.elf {options}
module2 /boot/initramfs.cpio
boot
"""
DIRT = b"\xff" * (16 << 20)


def make_disc(folder: Path, kernel: Path, archive: Path, options: KernelOptions) -> Path:
    """Puts kernel, boot archive and a menu that starts them at once on a new disc image in the folder."""
    tree, disc = folder / "disc", folder / "disc.iso"
    (tree / "boot" / "grub").mkdir(parents=True)
    shutil.copyfile(kernel, tree / "boot" / "tern.elf")
    shutil.copyfile(archive, tree / "boot" / "initramfs.cpio")
    (tree / "boot" / "dirt").write_bytes(DIRT)
    (tree / "boot" / "grub" / "grub.cfg").write_text(MENU.format(options=options), encoding="ascii")
    done = subprocess.run(
        ["grub-mkrescue", "-o", str(disc), str(tree)], stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode:
        raise Failure(f"grub-mkrescue failed: {done.stderr.strip()[-300:]}")
    return disc
