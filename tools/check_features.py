#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says what is wrong with docs/features.md: rows that are missing, states that there are not, tests that do not exist.

A state of some of a row's places goes before that of the others: `K done; P partly`.

A row is `| number | from | feature | where | state | tests | notes |`; a test is `kernel/NAME`, `servers/NAME`,
`unit/NAME` or `system/NAME`, in backquotes.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from tern import places
from tern.testing import registry

ROWS = 50
STATE = "(?:done|partly|planned)"
PLACE = "[A-Z](?: [A-Z])*"
STATES = re.compile(rf"{STATE}|{PLACE} {STATE}(?:; {PLACE} {STATE})+")


def known_tests() -> set[str]:
    """The names of all tests that a row may name."""
    folder = places.TREE / "test"
    kernel = "".join(path.read_text(encoding="utf-8") for path in folder.glob("kernel/*.c"))
    return {
        *(f"kernel/{name}" for name in re.findall(r"^TEST\((\w+)\)", kernel, re.MULTILINE)),
        *(f"servers/{name}" for name in _meson_names(folder / "servers/meson.build")),
        *(f"unit/{name}" for name in _meson_names(folder / "unit/meson.build")),
        *(f"system/{test.name}" for test in registry.load()),
    }


def check(text: str, known: set[str]) -> list[str]:
    """The complaints about a table of features."""
    lines = re.findall(r"^\| \d+ \|.*$", text, re.MULTILINE)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    numbers = [int(row[0]) for row in rows]
    complaints = [] if numbers == list(range(1, ROWS + 1)) else [f"the rows are {numbers}, not 1 to {ROWS}"]
    for row in rows:
        complaints += [f"row {row[0]}: {complaint}" for complaint in _row_complaints(row, known)]
    return complaints


def _row_complaints(row: list[str], known: set[str]) -> list[str]:
    if len(row) != 7:
        return [f"{len(row)} cells, not 7"]
    where, state, tests = row[3], row[4], re.findall(r"`([^`]*)`", row[5])
    complaints = [f"there is no test {name}" for name in tests if name not in known]
    if not STATES.fullmatch(state):
        complaints.append(f"'{state}' is no state")
    elif ";" in state and sorted(re.findall(r"[A-Z]", state)) != sorted(where.split()):
        complaints.append(f"'{state}' is not of {where}")
    if "done" in state and not tests:
        complaints.append("done, but no test shows it")
    return complaints


def _meson_names(path: Path) -> list[str]:
    return re.findall(r"^    '(\w+)': ", path.read_text(encoding="utf-8"), re.MULTILINE)


def main() -> int:
    """Prints the complaints; the exit status says whether there are none."""
    complaints = check((places.TREE / "docs/features.md").read_text(encoding="utf-8"), known_tests())
    for complaint in complaints:
        print(f"docs/features.md: {complaint}")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
