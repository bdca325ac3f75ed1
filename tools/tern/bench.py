# SPDX-License-Identifier: MIT
"""./tern bench: instructions of single operations, exact and repeatable, beside seL4's."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tern import anchors, benchmark_document, guest, places, profile, qemu
from tern import build as builds
from tern.failure import Failure
from tern.progress import step

# The models that seL4 was measured on.
CPU = {"x86_64": "max", "aarch64": "cortex-a57", "riscv64": "rv64"}
# Devices that interrupt when they are told to.
EDU = ["-device", "edu,addr=1"]
DEVICES = {
    "x86_64": ["-chardev", "null,id=second", "-device", "isa-serial,index=1,chardev=second"],
    "aarch64": EDU,
    "riscv64": EDU,
}
PROGRAM = "/tern/test-programs/bench"
TIMEOUT = 300.0
LINE = re.compile(r"^bench (\w+) (\d+) (\d+) (\d+) (\d+)$", re.MULTILINE)
ROUND_TRIP = "ipc_rt_process_4w"
LISTED, LISTED_FUNCTIONS = "x86_64", 14  # whose operations are listed in the document, and how much of each
BASELINE = places.TREE / "test" / "bench" / "baseline.json"
WORSE = 1.02  # so much more than in the baseline is too much


def main(architectures: list[str], json_file: Path | None, new_baseline: bool) -> int:
    """Measures, prints a table for each architecture and writes the JSON, or the baseline and its document."""
    reports = [measure(architecture) for architecture in architectures]
    for report in reports:
        report["round_trip"] = _round_trip(report["arch"])
        print(table(report))
        if new_baseline and report["arch"] == LISTED:
            report["where"] = _listings(report)
    if json_file:
        json_file.write_text(json.dumps(reports if len(reports) > 1 else reports[0], indent=2) + "\n", "utf-8")
    if new_baseline:
        kept = baseline() | {report["arch"]: report for report in reports}
        BASELINE.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
        benchmark_document.write(kept)
    return 0


def where(architectures: list[str], name: str) -> int:
    """Prints in which functions the instructions of one operation are."""
    for architecture in architectures:
        config = _built(architecture)
        print(f"{architecture}: {name}, instructions by function (the benchmark's own preparation included)")
        for function, times in profile.functions(config, _count(config, [name])[name]):
            if times >= 0.5:
                print(f"  {times:10.1f} {function}")
    return 0


def measure(architecture: str) -> dict:
    """Boots the release build under icount with one CPU and runs the benchmark program."""
    config = _built(architecture)
    with step(f"counting on {architecture}"):
        lines = _run(config, "", [])
    return {
        "arch": architecture,
        "commit": _commit(),
        "qemu": _first_line([qemu.QEMU[architecture].what, "--version"]),
        "compiler": _first_line([f"{architecture}-linux-gnu-gcc", "--version"]),
        "results": [_result(architecture, match) for match in lines],
    }


def baseline() -> dict[str, dict]:
    """The committed reports by architecture."""
    return json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}


def same_tools(report: dict, other: dict) -> bool:
    """Whether two reports can be compared exactly."""
    return all(report[tool] == other[tool] for tool in ("qemu", "compiler"))


def regressions(report: dict, other: dict) -> list[str]:
    """What is worse in a report than in another one that it should be compared with."""
    now = {row["name"]: row["min"] for row in report["results"]}
    before = {row["name"]: row["min"] for row in other["results"]}
    complaints = [f"{name} is in only one of table and baseline" for name in sorted(now.keys() ^ before.keys())]
    for name in before.keys() & now.keys():
        if now[name] > before[name] * WORSE:
            complaints.append(f"{name} takes {now[name]:g} instructions, {before[name]:g} in the baseline")
    return complaints


def table(report: dict) -> str:
    """The table of one architecture as text."""
    lines = [f"{report['arch']}: instructions (min, median, max); seL4's and the ratio of the minimum to it; seL4 MCS's"]
    for row in report["results"]:
        counts = f"{row['min']:>10.1f} {row['median']:>10.1f} {row['max']:>10.1f}"
        lines.append(f"  {row['name']:<30} {counts} {_against(row, 'sel4', 'ratio')} {_against(row, 'sel4_mcs', 'ratio_mcs')}")
    if trip := report.get("round_trip"):
        lines.append(
            f"  {ROUND_TRIP}: {trip['code_lines']} lines of the kernel's code and {trip['data_lines']} of its data"
            f" touched, {trip['flushes']:g} instructions that flush translations"
        )
    return "\n".join(lines)


def _against(row: dict, peer: str, ratio: str) -> str:
    return f"{row[peer]:>8} {row[ratio]:>7.2f}" if row[peer] else f"{'-':>8} {'-':>7}"


def _built(architecture: str) -> builds.Configuration:
    config = builds.configuration(architecture, False)
    builds.build(config)
    builds.require_kernel(config)
    return config


def _run(config: builds.Configuration, name: str, extra: list[str]) -> list[re.Match]:
    assert config.architecture
    devices = DEVICES[config.architecture]
    # Where no CPU runs the clock goes on to the next timer at once: by the host's time it would show when our words arrived.
    exact = ["-icount", "sleep=off"]
    machine = qemu.Machine(icount=True, cpu=CPU[config.architecture], extra=[*devices, *extra, *exact])
    program = guest.Program([PROGRAM, *([name] if name else [])], timeout=TIMEOUT)
    outcome = guest.run(config, machine, qemu.KernelOptions(True, "error"), program)
    output = outcome.stdout.decode(errors="replace")
    if outcome.complaint or outcome.status != 0 or not output.endswith("done\n"):
        raise Failure(f"the benchmarks failed on {config.architecture}: {outcome.complaint or output[-200:]}", 1)
    return list(LINE.finditer(output))


def _count(config: builds.Configuration, names: list[str]) -> dict[str, profile.Counts]:
    def run(name: str, extra: list[str]) -> dict[str, int]:
        done = {match[1]: int(match[5]) for match in _run(config, name, extra)}
        if not done and name != profile.NO_OPERATION:
            raise Failure(f"no benchmark is called {name}")
        return done

    return profile.count(run, names)


def _round_trip(architecture: str) -> dict:
    config = builds.configuration(architecture, False)
    with step(f"looking at a round trip on {architecture}"):
        return vars(profile.footprint(_count(config, [ROUND_TRIP])[ROUND_TRIP]))


def _listings(report: dict) -> dict[str, list[list]]:
    """By name of an operation that misses its goal: functions and their instructions."""
    config = builds.configuration(report["arch"], False)
    names = [row["name"] for row in report["results"] if anchors.misses(report["arch"], row["name"], row["min"])]
    with step(f"looking where the instructions of {len(names)} operations are"):
        counts = _count(config, names)
    return {
        name: [[function, round(times)] for function, times in profile.functions(config, counts[name])[:LISTED_FUNCTIONS]]
        for name in names
    }


def _result(architecture: str, match: re.Match) -> dict:
    name = match[1]
    minimum, median, maximum = (int(tenths) / 10 for tenths in match.group(2, 3, 4))
    peer, peer_mcs = anchors.sel4(architecture, name), anchors.sel4_mcs(architecture, name)
    return {
        "name": name,
        "min": minimum,
        "median": median,
        "max": maximum,
        "sel4": peer,
        "ratio": round(minimum / peer, 3) if peer else None,
        "sel4_mcs": peer_mcs,
        "ratio_mcs": round(minimum / peer_mcs, 3) if peer_mcs else None,
    }


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(places.TREE), *words], capture_output=True, text=True, check=False
        ).stdout.strip()

    return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")


def _first_line(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
