# SPDX-License-Identifier: MIT
"""Fetches Debian packages into the cache with a private apt configuration.

The system's own lists and sources stay untouched; the mirror is the one they name; apt verifies signatures and
checksums with the Debian archive keyring. Packages are pinned by suite, never by version.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

from tern import places
from tern.failure import Failure
from tern.progress import say, step

DEBIAN_NAMES = {"x86_64": "amd64", "aarch64": "arm64", "riscv64": "riscv64"}
GUEST_SUITE = "trixie"
SOURCE_SUITE = "bookworm"
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
ATTEMPTS = 4


def busybox(architecture: str) -> Path:
    """A folder with Debian's unmodified static `busybox` for an architecture and the list of its `applets`."""
    folder = places.cache() / "busybox" / architecture
    with places.locked(places.cache() / "busybox" / f"{architecture}.lock"):
        if not (folder / "busybox").exists():
            with step(f"fetching busybox-static for {architecture} (Debian {GUEST_SUITE})"):
                package = _binary_package("busybox-static", architecture)
                _replace_folder(folder, lambda new: _unpack_busybox(package, new))
    return folder


def source_package(name: str) -> Path:
    """The unpacked folder of a Debian source package, patches applied."""
    folder = places.cache() / "source" / name
    with places.locked(places.cache() / "source" / f"{name}.lock"):
        if not folder.exists():
            with step(f"fetching the source package {name} (Debian {SOURCE_SUITE})"):
                _replace_folder(folder, lambda new: _unpack_source(name, new))
    return folder


def _binary_package(name: str, architecture: str) -> Path:
    """Downloads one binary package and returns the .deb file."""
    apt = _Apt(GUEST_SUITE, DEBIAN_NAMES[architecture], "deb")
    apt.update()
    target = apt.folder / "packages"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    apt.run("download", name, folder=target)
    return next(target.glob("*.deb"))


def _unpack_busybox(package: Path, folder: Path) -> None:
    tree = folder / "package"
    _run(["dpkg", "-x", str(package), str(tree)])
    program = next(path for path in (tree / "usr/bin/busybox", tree / "bin/busybox") if path.exists())
    program.rename(folder / "busybox")
    shutil.rmtree(tree)
    (folder / "applets").write_text("\n".join(_applets(folder / "busybox")) + "\n", encoding="ascii")


def _applets(program: Path) -> list[str]:
    """The names in busybox's applet table: NUL-terminated strings one behind the other, from '[' on."""
    table = re.search(rb"\[\0\[\[\0(?:[a-z0-9_.\-]+\0){50,}", program.read_bytes())
    if not table:
        raise Failure(f"no applet table found in {program}")
    return table.group().decode("ascii").strip("\0").split("\0")


def _unpack_source(name: str, folder: Path) -> None:
    apt = _Apt(SOURCE_SUITE, "amd64", "deb-src")
    apt.update()
    apt.run("source", "--download-only", f"{name}/{SOURCE_SUITE}", folder=folder)
    description = next(folder.glob("*.dsc"))
    tree = folder / "tree"
    _run(["dpkg-source", "--no-check", "-x", str(description), str(tree)])
    for path in folder.iterdir():
        if path != tree:
            path.unlink()
    for path in tree.iterdir():
        path.rename(folder / path.name)
    tree.rmdir()


class _Apt:
    """apt-get with lists, cache and sources of its own below the cache folder."""

    def __init__(self, suite: str, architecture: str, kind: str) -> None:
        self.folder = places.cache() / "apt" / f"{suite}-{architecture}-{kind}"
        self._log = self.folder / "log"
        for name in ("lists/partial", "archives/partial"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text(
            f"{kind} [signed-by={_keyring()} arch={architecture}] {_mirror()} {suite} main\n", encoding="ascii"
        )
        options = {
            "APT::Architecture": architecture,
            "APT::Architectures": architecture,
            "APT::Sandbox::User": "",
            "APT::Install-Recommends": "false",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            "Acquire::http::Timeout": "60",
            "Acquire::https::Timeout": "60",
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State": self.folder,
            "Dir::State::Lists": self.folder / "lists",
            "Dir::State::Status": self.folder / "status",
            "Dir::Cache": self.folder,
            "Dir::Cache::Archives": self.folder / "archives",
        }
        self._command = ["apt-get", "-q", "-y"]
        for option, value in options.items():
            self._command += ["-o", f"{option}={value}"]

    def update(self) -> None:
        """Reads the registry's index; an old one in the cache is not trusted to still match the registry."""
        self.run("update", "--error-on=any", folder=self.folder)

    def run(self, *arguments: str, folder: Path) -> None:
        """Runs apt-get in a folder, again when the registry answers badly."""
        for attempt in range(1, ATTEMPTS + 1):
            with open(self._log, "ab") as log:
                done = subprocess.run(
                    [*self._command, *arguments], cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
                )
            if done.returncode == 0:
                return
            if attempt < ATTEMPTS:
                say(f"the package registry answered badly (attempt {attempt} of {ATTEMPTS}), trying again")
                time.sleep(5 * attempt)
        raise Failure(f"apt-get {arguments[0]} failed {ATTEMPTS} times: see {self._log}")


def _keyring() -> Path:
    if not KEYRING.exists():
        raise Failure("the Debian archive keyring is missing: apt-get install debian-archive-keyring")
    return KEYRING


def _mirror() -> str:
    """The Debian mirror that the system's own apt sources name."""
    for file in (Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))):
        if not file.is_file():
            continue
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
            uri = re.match(r"(?:deb\s+(?:\[[^]]*\]\s+)?|URIs:\s*)(\S+)", line)
            if uri and re.search(r"/debian/?$", uri.group(1)):
                return uri.group(1)
    raise Failure("no Debian mirror in /etc/apt/sources.list or sources.list.d: downloads need a Debian machine")


def _replace_folder(folder: Path, fill) -> None:
    """Fills a new folder and puts it in place only when complete."""
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    fill(new)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def _run(command: list[str]) -> None:
    """Runs a quiet command; its own words are shown when it fails."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except FileNotFoundError:
        raise Failure(f"{command[0]} is missing: this needs a Debian machine with dpkg and dpkg-dev") from None
    if done.returncode:
        raise Failure(f"{command[0]} failed: {done.stdout.decode(errors='replace').strip()[-500:]}")
