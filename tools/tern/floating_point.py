# SPDX-License-Identifier: MIT
"""Finds instructions on floating-point and vector registers in programs and libraries."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Iterator

# In the operands of a disassembled instruction; addresses of jumps stand before " <".
REGISTER = {
    "x86_64": re.compile(r"%[xyz]mm\d|%st\b|\tf(ld|st|ild|ist)"),
    "aarch64": re.compile(r"\b[bhsdqv]\d+\b(?! <)"),
    "riscv64": re.compile(r"\bf[ast]\d+\b(?! <)"),
}


def users(architecture: str, file: Path) -> Iterator[tuple[str, str]]:
    """(member, function) for each instruction found; the member is empty in what is no library."""
    command = [f"{architecture}-linux-gnu-objdump", "-d", "--no-show-raw-insn", str(file)]
    listing = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout
    member = function = ""
    for line in listing.decode("utf-8", "replace").splitlines():
        if found := re.match(r"(\S+)\.o:\s+file format", line):
            member = found.group(1)
        elif found := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = found.group(1)
        elif REGISTER[architecture].search(line.partition(":")[2]):
            yield member, function
