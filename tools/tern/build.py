# SPDX-License-Identifier: MIT
"""The build folders: which there are, how Meson sets each up, and building them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tern import cpio, downloads, places, sysroot
from tern.failure import BUILD, Failure
from tern.progress import say

DEBUG_OPTIONS = ("-Doptimization=g", "-Dchecks=true", "-Dwerror=true")
RELEASE_OPTIONS = ("-Doptimization=2", "-Dchecks=false", "-Dwerror=false")


@dataclass(frozen=True)
class Configuration:
    """One build folder: an architecture (None: the build machine, for unit tests), a cross file and options."""

    name: str
    architecture: str | None
    cross_file: str | None
    options: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The build folder."""
        return places.BUILD / self.name

    @property
    def kernel(self) -> Path:
        """The kernel with its symbols."""
        return self.folder / "tern.elf"

    @property
    def boot_image(self) -> Path:
        """The file that QEMU boots."""
        return self.kernel if self.architecture == "x86_64" else self.folder / "tern.bin"

    @property
    def initramfs(self) -> Path:
        """The boot archive."""
        return self.folder / "initramfs.cpio"

    def program(self, name: str) -> Path | None:
        """A native program of the build, with its symbols."""
        folders = (self.folder / "user", self.folder / "test")
        return next((path for folder in folders for path in sorted(folder.rglob(name)) if path.is_file()), None)

    def archive_names(self, folder: str) -> list[str]:
        """The files of one folder in the boot archive."""
        paths = cpio.read(self.initramfs.read_bytes())
        return [path[len(folder) + 1 :] for path in paths if path.startswith(folder + "/")]


HOST = Configuration("host", None, None, DEBUG_OPTIONS)
CLANG = Configuration("x86_64-clang", "x86_64", "x86_64-clang.ini", DEBUG_OPTIONS)


def configuration(architecture: str, debug: bool) -> Configuration:
    """The debug or release build of an architecture."""
    kind, options = ("debug", DEBUG_OPTIONS) if debug else ("release", RELEASE_OPTIONS)
    return Configuration(f"{architecture}-{kind}", architecture, f"{architecture}.ini", options)


def general_path(architecture: str) -> Configuration:
    """The debug build whose kernel has no fast path of IPC."""
    return Configuration(
        f"{architecture}-general-path", architecture, f"{architecture}.ini", (*DEBUG_OPTIONS, "-Dfast_path=false")
    )


def latency(architecture: str) -> Configuration:
    """A release build whose kernel measures how long interrupts stay off."""
    options = (*RELEASE_OPTIONS, "-Dlatency=true")
    return Configuration(f"{architecture}-latency", architecture, f"{architecture}.ini", options)


def build(config: Configuration) -> None:
    """Sets a build folder up where needed and brings it up to date."""
    with places.locked(places.BUILD / f".{config.name}.lock"):
        _set_up(config)
        _compile(config)


def require_kernel(config: Configuration) -> None:
    """Refuses to boot a tree that has no kernel for this architecture."""
    if not config.boot_image.exists():
        raise Failure(f"the tree has no kernel for {config.architecture} yet", BUILD)


def _set_up(config: Configuration) -> None:
    options = _options(config)
    record = config.folder / "tern-options.json"
    configured = (config.folder / "build.ninja").exists()
    if configured and record.exists() and json.loads(record.read_text(encoding="utf-8")) == options:
        return
    command = ["meson", "setup", str(config.folder), str(places.TREE), *options]
    if configured:
        command.append("--reconfigure")
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.stderr.write(done.stdout.decode(errors="replace"))
        raise Failure(f"meson could not set up {config.name}", BUILD)
    record.write_text(json.dumps(options), encoding="utf-8")


def _options(config: Configuration) -> list[str]:
    options = list(config.options)
    if config.architecture:
        options += ["--cross-file", str(places.TREE / "cross" / str(config.cross_file))]
        options.append(f"-Dbusybox={downloads.busybox(config.architecture)}")
        library = sysroot.provide(config.architecture)
        if library:
            options.append(f"-Dsysroot={library}")
    return options


def _compile(config: Configuration) -> None:
    """Runs ninja; silent when there is nothing to do, whole output when it fails."""
    start = time.monotonic()
    process = subprocess.Popen(
        ["ninja", "-C", str(config.folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout
    lines: list[str] = []
    announced = False
    for line in process.stdout:
        lines.append(line)
        if line.startswith("[") and not announced:
            say(f"building {config.name} ...")
            announced = True
    if process.wait():
        sys.stderr.write("".join(line for line in lines if not line.startswith("[")))
        raise Failure(f"{config.name} does not build", BUILD)
    if announced:
        sys.stderr.write("".join(_complaints(lines)))
        say(f"building {config.name}: {time.monotonic() - start:.1f} s")


def _complaints(lines: list[str]) -> list[str]:
    """What compilers said, without the progress of ninja and what Meson tells about itself."""
    said: list[str] = []
    regenerating = False
    for line in lines:
        if line.startswith("["):
            regenerating = "Regenerating" in line
        elif not regenerating and not line.startswith("ninja: "):
            said.append(line)
    return said
