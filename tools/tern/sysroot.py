# SPDX-License-Identifier: MIT
"""The C library of native programs: musl from its Debian source package with Tern's port, built once per state
of its inputs."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tern import downloads, places
from tern.failure import BUILD, Failure
from tern.progress import step

SCRIPT = places.TREE / "tools" / "build_musl.py"
PORT = places.TREE / "user" / "lib" / "musl"


def provide(architecture: str) -> Path | None:
    """The folder with include/ and lib/ for an architecture; None while the tree has no port of the library."""
    if not SCRIPT.exists():
        return None
    source = downloads.source_package("musl")
    folder = places.cache() / "musl" / f"{architecture}-{_hash(source, architecture)}"
    with places.locked(places.cache() / "musl" / f"{architecture}.lock"):
        if not folder.exists():
            with step(f"building the C library for {architecture}"):
                _build(source, architecture, folder)
    return folder


def _hash(source: Path, architecture: str) -> str:
    """A digest of everything that goes into the library."""
    digest = hashlib.sha256(architecture.encode())
    files = [SCRIPT, *sorted(PORT.rglob("*")), *sorted((source / "debian").rglob("changelog"))]
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(source if source in file.parents else places.TREE)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _build(source: Path, architecture: str, folder: Path) -> None:
    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    log = folder.with_suffix(".log")
    with open(log, "wb") as output:
        command = [sys.executable, str(SCRIPT), str(source), architecture, str(new)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    if done.returncode:
        raise Failure(f"the C library for {architecture} does not build: see {log}", BUILD)
    new.rename(folder)
