# SPDX-License-Identifier: MIT
"""Reads what a native test program prints: `ok - name`, `not ok - name: reason`, before it its notes as `# note`, at the end the
plan `1..N`."""

from __future__ import annotations

import re
from dataclasses import dataclass

LINE = re.compile(r"(ok|not ok)(?: \d+)?(?: - |\s+)(.+)")
PLAN = re.compile(r"1\.\.(\d+)")


@dataclass(frozen=True)
class Point:
    """One check of a test program."""

    name: str
    passed: bool
    reason: str = ""
    notes: tuple[str, ...] = ()  # figures that it printed: seeds, counts


def parse(text: str) -> tuple[list[Point], str | None]:
    """The points, and what is wrong with the report as a whole, if anything."""
    points: list[Point] = []
    notes: list[str] = []
    plan: int | None = None
    for line in text.splitlines():
        if match := PLAN.fullmatch(line.strip()):
            plan = int(match.group(1))
        elif match := LINE.fullmatch(line.strip()):
            passed = match.group(1) == "ok"
            name, _, reason = (match.group(2), "", "") if passed else match.group(2).partition(": ")
            points.append(Point(name, passed, reason, tuple(notes)))
            notes = []
        elif line.startswith("# "):
            notes.append(line[2:].strip())
    if plan is None:
        return points, f"no plan after {len(points)} checks"
    if plan != len(points):
        return points, f"{len(points)} checks, but the plan says {plan}"
    if not points:
        return points, "no checks at all"
    return points, None
