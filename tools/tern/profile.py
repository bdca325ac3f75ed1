# SPDX-License-Identifier: MIT
"""Where the instructions of one operation go, and which cache lines it touches: what QEMU counted with an operation less
what it counted without. Runs are exact under icount, so the difference is the operation's."""

from __future__ import annotations

import bisect
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from tern import places
from tern.build import Configuration

SOURCE = places.TREE / "tools" / "count_plugin.c"
LINE_SIZE = 64
KERNEL_HALF = 1 << 63
NO_OPERATION = "none"

# Runs one benchmark, by its name, with more words for QEMU; returns operations done by name.
Runner = Callable[[str, list[str]], dict[str, int]]


@dataclass
class Counts:
    """What one run did, or one operation."""

    instructions: Counter = field(default_factory=Counter)
    data_lines: Counter = field(default_factory=Counter)
    flushes: float = 0


@dataclass
class Footprint:
    """What one operation touches in the kernel."""

    code_lines: int
    data_lines: int
    flushes: float


def count(run: Runner, names: list[str]) -> dict[str, Counts]:
    """By name what one operation does, warm-up and batches included."""
    plugin = _build()
    with tempfile.TemporaryDirectory(prefix="tern-") as folder:
        _, without = _counted(run, plugin, Path(folder), NO_OPERATION)
        return {name: _difference(*_counted(run, plugin, Path(folder), name), without, name) for name in names}


def _difference(done: dict[str, int], counts: Counts, without: Counts, name: str) -> Counts:
    operations = done[name]
    counts.instructions.subtract(without.instructions)
    counts.data_lines.subtract(without.data_lines)
    return Counts(
        Counter({address: value / operations for address, value in counts.instructions.items() if value}),
        Counter({address: value / operations for address, value in counts.data_lines.items() if value}),
        (counts.flushes - without.flushes) / operations,
    )


def footprint(counts: Counts) -> Footprint:
    """The lines that every one of the operations touches."""
    code = {a // LINE_SIZE for a, times in counts.instructions.items() if a & KERNEL_HALF and times > 0.99}
    data = [line for line, times in counts.data_lines.items() if times > 0.99]
    return Footprint(len(code), len(data), round(counts.flushes, 2))


def functions(config: Configuration, counts: Counts) -> list[tuple[str, float]]:
    """Instructions by function of the kernel, most first; those of user mode under one name."""
    nm = "nm" if config.architecture == "x86_64" else f"{config.architecture}-linux-gnu-nm"
    listing = subprocess.run([nm, "-n", "--defined-only", str(config.kernel)], capture_output=True, text=True, check=True)
    symbols = []
    for line in listing.stdout.splitlines():
        address, kind, *name = line.split(maxsplit=2)
        if kind in "tT" and name and not name[0].startswith((".", "$")) and int(address, 16) & KERNEL_HALF:
            symbols.append((int(address, 16), name[0].split(".")[0]))
    starts = [address for address, _ in symbols]
    totals: Counter = Counter()
    for address, times in counts.instructions.items():
        in_kernel = address >= starts[0]
        totals[symbols[bisect.bisect(starts, address) - 1][1] if in_kernel else "(user mode)"] += times
    return totals.most_common()


def _counted(run: Runner, plugin: Path, folder: Path, name: str) -> tuple[dict[str, int], Counts]:
    output = folder / "counts"
    done = run(name, ["-plugin", f"file={plugin},out={output}"])
    counts = Counts()
    for line in output.read_text(encoding="ascii").splitlines():
        kind, *numbers = line.split()
        if kind == "f":
            counts.flushes = int(numbers[0])
        else:
            table = counts.instructions if kind == "i" else counts.data_lines
            table[int(numbers[0], 16)] = int(numbers[1])
    return done, counts


def _build() -> Path:
    plugin = places.BUILD / "count_plugin.so"
    with places.locked(places.BUILD / ".count_plugin.lock"):
        if not plugin.exists() or plugin.stat().st_mtime < SOURCE.stat().st_mtime:
            plugin.parent.mkdir(exist_ok=True)
            command = ["gcc", "-std=gnu17", "-Wall", "-Wextra", "-O2", "-shared", "-fPIC", str(SOURCE), "-o", str(plugin)]
            subprocess.run(command, check=True)
    return plugin
