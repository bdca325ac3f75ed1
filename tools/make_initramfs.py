#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the boot archive, initramfs.cpio: busybox and its applets, the files of user/root, the native programs."""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from pathlib import Path

from tern import cpio

EMPTY_FOLDERS = {"tmp": 0o1777, "dev": 0o755, "proc": 0o755, "sys": 0o755, "root": 0o700}


def main() -> None:
    """Reads the command line and writes the archive and the list of files it depends on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--depfile", type=Path, required=True)
    parser.add_argument("--objcopy", required=True, help="strips debug information from programs")
    parser.add_argument("--busybox", type=Path, required=True, help="a folder with busybox and its applet list")
    parser.add_argument("--root", type=Path, required=True, help="a folder whose files go in as they are")
    parser.add_argument("--program", nargs=2, action="append", default=[], metavar=("GUEST", "HOST"))
    parser.add_argument("--file", nargs=2, action="append", default=[], metavar=("GUEST", "HOST"))
    arguments = parser.parse_args()

    archive = cpio.Archive()
    for path, permissions in EMPTY_FOLDERS.items():
        archive.folder(path, permissions)
    inputs = add_busybox(archive, arguments.busybox) + add_tree(archive, arguments.root)
    for guest, host in arguments.program:
        archive.file(guest, stripped(host, arguments.objcopy), 0o755)
        inputs.append(Path(host))
    for guest, host in arguments.file:
        archive.file(guest, Path(host).read_bytes())
        inputs.append(Path(host))
    arguments.output.write_bytes(archive.to_bytes())
    dependencies = " ".join(str(path).replace(" ", "\\ ") for path in inputs)
    arguments.depfile.write_text(f"{arguments.output}: {dependencies}\n", encoding="utf-8")


def add_busybox(archive: cpio.Archive, folder: Path) -> list[Path]:
    """Adds /bin/busybox and one symbolic link per applet."""
    program, applets = folder / "busybox", folder / "applets"
    archive.file("bin/busybox", program.read_bytes(), 0o755)
    for applet in applets.read_text(encoding="ascii").split():
        if applet != "busybox":
            archive.link(f"bin/{applet}", "busybox")
    return [program, applets]


def add_tree(archive: cpio.Archive, root: Path) -> list[Path]:
    """Adds every file and folder below root, in name order."""
    inputs = [root]
    for path in sorted(root.rglob("*")):
        guest = path.relative_to(root).as_posix()
        inputs.append(path)
        if path.is_symlink():
            archive.link(guest, os.readlink(path))
        elif path.is_dir():
            archive.folder(guest)
        else:
            archive.file(guest, path.read_bytes(), 0o755 if os.access(path, os.X_OK) else 0o644)
    return inputs


def stripped(program: str, objcopy: str) -> bytes:
    """A program without debug information; symbols stay, for backtraces."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "program"
        subprocess.run([objcopy, "--strip-debug", program, str(result)], check=True)
        return result.read_bytes()


if __name__ == "__main__":
    main()
