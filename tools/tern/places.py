# SPDX-License-Identifier: MIT
"""Where things are: the tree, the build folders and the cache of downloads."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

TREE = Path(__file__).resolve().parents[2]
BUILD = TREE / "build"
ARCHITECTURES = ("x86_64", "aarch64", "riscv64")


def cache() -> Path:
    """The folder of downloads and of what is built from them; TERN_CACHE overrides it."""
    folder = Path(os.environ.get("TERN_CACHE") or TREE / ".cache").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds an exclusive lock on a file, so that two commands do not build or fetch one thing at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sources(*suffixes: str) -> list[Path]:
    """The files of the tree with one of the suffixes, without what is built or fetched."""
    skipped = {BUILD, TREE / ".cache", TREE / ".git"}
    found: list[Path] = []
    folders = [TREE]
    while folders:
        for path in folders.pop().iterdir():
            if path.is_dir() and not path.is_symlink() and path not in skipped and path.name != "__pycache__":
                folders.append(path)
            elif path.suffix in suffixes:
                found.append(path)
    return sorted(found)
