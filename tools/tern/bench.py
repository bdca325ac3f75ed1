# SPDX-License-Identifier: MIT
"""./tern bench: instructions of single operations, exact and repeatable, beside seL4's."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tern import anchors, guest, places, qemu
from tern import build as builds
from tern.failure import Failure
from tern.progress import step

# The models that seL4 was measured on.
CPU = {"x86_64": "max", "aarch64": "cortex-a57", "riscv64": "rv64"}
PROGRAM = "/tern/bin/bench"
TIMEOUT = 300.0
LINE = re.compile(r"^bench (\w+) (\d+) (\d+) (\d+)$", re.MULTILINE)


def main(architectures: list[str], json_file: Path | None) -> int:
    """Measures, prints a table for each architecture and writes the JSON."""
    reports = [measure(architecture) for architecture in architectures]
    for report in reports:
        print(table(report))
    if json_file:
        json_file.write_text(json.dumps(reports if len(reports) > 1 else reports[0], indent=2) + "\n", "utf-8")
    return 0


def measure(architecture: str) -> dict:
    """Boots the release build under icount with one CPU and runs the benchmark program."""
    config = builds.configuration(architecture, False)
    builds.build(config)
    builds.require_kernel(config)
    machine = qemu.Machine(icount=True, cpu=CPU[architecture])
    with step(f"counting on {architecture}"):
        outcome = guest.run(
            config, machine, qemu.KernelOptions(True, "error"), guest.Program([PROGRAM], timeout=TIMEOUT)
        )
    output = outcome.stdout.decode(errors="replace")
    if outcome.complaint or outcome.status != 0 or not output.endswith("done\n"):
        raise Failure(f"the benchmarks failed on {architecture}: {outcome.complaint or output[-200:]}", 1)
    return {
        "arch": architecture,
        "commit": _commit(),
        "qemu": _first_line([qemu.QEMU[architecture].what, "--version"]),
        "compiler": _first_line([f"{architecture}-linux-gnu-gcc", "--version"]),
        "results": [_result(architecture, match) for match in LINE.finditer(output)],
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


def table(report: dict) -> str:
    """The table of one architecture as text."""
    lines = [f"{report['arch']}: instructions (min, median, max), seL4's, ratio of the minimum to it"]
    for row in report["results"]:
        peer = f"{row['sel4']:>8} {row['ratio']:>7.2f}" if row["sel4"] else f"{'-':>8} {'-':>7}"
        lines.append(f"  {row['name']:<30} {row['min']:>10.1f} {row['median']:>10.1f} {row['max']:>10.1f} {peer}")
    return "\n".join(lines)


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(places.TREE), *words], capture_output=True, text=True, check=False
        ).stdout.strip()

    return git("rev-parse", "HEAD") + ("-dirty" if git("status", "--porcelain") else "")


def _first_line(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
