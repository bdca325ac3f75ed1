# SPDX-License-Identifier: MIT
"""docs/benchmarks.md and its chart, made from the baseline. `./tern bench --baseline` writes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tern import anchors, places, requirements

DOCUMENT = places.TREE / "docs" / "benchmarks.md"
CHART = places.TREE / "docs" / "benchmarks.svg"
REMARKS = places.TREE / "test" / "bench" / "remarks.md"

TOP = """\
# Benchmarks

How many instructions the kernel's operations take, user stubs included, beside [seL4](https://sel4.systems)'s on the same emulated machines
(16.0.0-dev, commit 1326364bc, release build with its fast path; where there is a second figure, its build with scheduling contexts (MCS) and a passive server).
Instructions say nothing about caches and pipelines, but they are exact: the same commit gives the same figures on every machine.

![Instructions, as a part of seL4's](benchmarks.svg)

## How to repeat it

    ./tern bench                            # all three; `./tern bench riscv64 --json FILE`
    ./tern bench x86_64 --where page_map    # in which functions the instructions are
    ./tern bench --baseline                 # measures, and writes test/bench/baseline.json, this page and the chart

A release build with one CPU runs under `qemu -icount shift=0`, where one instruction is one nanosecond of the guest's clock; the kernel is the one for several CPUs,
with its locks in place. The program (`test/bench`) first counts a known loop. Each operation is warmed up and counted in 15 batches; an empty loop that calls an empty
function of the same shape is subtracted. The table has the least batch, divided by its length. `./tern test` compares the least figures with
`test/bench/baseline.json` and fails where an operation takes over 2 % more (with another QEMU or compiler it only says so).

"""


def write(reports: dict[str, dict]) -> None:
    """Writes the document and draws the chart."""
    DOCUMENT.write_text(text(reports), encoding="utf-8")
    _draw(reports)


def text(reports: dict[str, dict]) -> str:
    """The document."""
    parts = [TOP + _table(reports) + _round_trip(reports) + _tools(reports)]
    if REMARKS.exists():
        parts.append(REMARKS.read_text(encoding="utf-8"))
    parts.append(_listings(reports))
    return "\n".join(parts).rstrip("\n") + "\n"


def _names(reports: dict[str, dict]) -> list[str]:
    return list(dict.fromkeys(row["name"] for report in reports.values() for row in report["results"]))


def _table(reports: dict[str, dict]) -> str:
    shown = [name for name in places.ARCHITECTURES if name in reports]
    rows = {name: {row["name"]: row for row in reports[name]["results"]} for name in shown}
    lines = [
        "## Instructions",
        "",
        "Each cell: instructions, seL4's, **ratio**; then seL4 MCS's and the ratio to it, where it was measured.",
        "",
        "| operation | goal | " + " | ".join(shown) + " |",
        "| --- " * (len(shown) + 2) + "|",
    ]
    for name in _names(reports):
        cells = [_cell(rows[architecture].get(name)) for architecture in shown]
        lines.append(f"| `{name}` | {_goal(name)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n"


def _goal(name: str) -> str:
    if name in anchors.INSTRUCTIONS_AT_MOST:
        return " / ".join(f"{count}" for count in anchors.INSTRUCTIONS_AT_MOST[name])
    goal = anchors.GOALS.get(name)
    return f"{goal:g}" if goal else ""


def _cell(row: dict | None) -> str:
    if not row:
        return ""
    cell = f"{row['min']:.0f}"
    if row["sel4"]:
        cell += f", {row['sel4']}, **{row['ratio']:.2f}**"
    if row["sel4_mcs"]:
        cell += f"; {row['sel4_mcs']}, **{row['ratio_mcs']:.2f}**"
    return cell


def _round_trip(reports: dict[str, dict]) -> str:
    lines = [
        "A call and its answer between two processes, four words each (`ipc_rt_process_4w`), touch in the kernel",
        "",
        "| | lines of code (64 bytes) | lines of data | instructions that flush translations |",
        "| --- | --- | --- | --- |",
    ]
    for name in places.ARCHITECTURES:
        if trip := reports.get(name, {}).get("round_trip"):
            lines.append(f"| {name} | {trip['code_lines']} | {trip['data_lines']} | {trip['flushes']:g} |")
    return "\n".join(lines) + "\n\nQEMU 7.2 has no PCID: on x86_64 each switch of address spaces loads CR3, which flushes.\n\n"


def _listings(reports: dict[str, dict]) -> str:
    listed = {name: report["where"] for name, report in reports.items() if report.get("where")}
    parts = []
    for architecture, operations in listed.items():
        parts.append(
            f"## Where the instructions go that are too many ({architecture})\n\n"
            "The functions with most instructions of each operation that misses its goal; small functions are compiled into their callers,\n"
            "and what an operation needs to be repeated (mapping, where unmapping is counted) is in the listing too.\n"
        )
        for name, functions in operations.items():
            parts.append(f"- `{name}`: " + ", ".join(f"{function} {count}" for function, count in functions))
    return "\n".join(parts) + "\n"


def _tools(reports: dict[str, dict]) -> str:
    said = dict.fromkeys(f"{report['qemu']}; {report['compiler']}" for report in reports.values())
    return "Taken with " + ", ".join(said) + ".\n"


def _draw(reports: dict[str, dict]) -> None:
    requirements.ensure(requirements.CHART)
    shown = [name for name in places.ARCHITECTURES if name in reports]
    ratios = {name: {row["name"]: row["ratio"] for row in reports[name]["results"]} for name in shown}
    names = [name for name in _names(reports) if name in anchors.SEL4]
    data = [f'"{name}" ' + " ".join(f"{ratios[a].get(name) or 0:.3f}" for a in shown) for name in names]
    plots = [
        f"$ratios using {column + 2}:xtic(1) title '{name}' linecolor rgb '{colour}'"
        for column, (name, colour) in enumerate(zip(shown, ("#3b6ea5", "#d98032", "#5a9e5f")))
    ]
    script = f"""\
set terminal svg size 1200,600 font "sans-serif,13" background "white"
set output "{CHART}"
set title "Instructions of one operation, seL4 = 1 (less is better)"
set style data histogram
set style histogram clustered gap 1
set style fill solid 1 noborder
set xtics rotate by -40 noenhanced scale 0
set ytics 0.5
set grid ytics
set yrange [0:*]
set key top left
$ratios << END
{chr(10).join(data)}
END
plot {', '.join(plots)}, 1 title 'seL4' with lines linecolor rgb '#333333' dashtype 2
"""
    subprocess.run(["gnuplot"], input=script, text=True, check=True)


def current(reports: dict[str, dict], document: Path = DOCUMENT) -> bool:
    """Whether the document says what the baseline has."""
    return document.exists() and document.read_text(encoding="utf-8") == text(reports)
