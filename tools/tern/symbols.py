# SPDX-License-Identifier: MIT
"""Adds function and source line to the addresses of a user program's backtrace, as it passes by.

The kernel knows its own functions but no files, so it prints addresses for user programs:

    backtrace of NAME, code at 0x1000002000:
      0x0000001000002050

Programs run anywhere: where the mapping with the code is tells how far this one was moved.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
from pathlib import Path

from tern import places
from tern.build import Configuration

BEGINNING = re.compile(rb"backtrace of ([\w.-]+), code at (0x[0-9a-f]+|0):\s*$")
ADDRESS = re.compile(rb" {2}(0x[0-9a-f]+)\s*$")
LINE_ENDS = (0x0A, 0x0D)
LONGEST_LINE = 256


class Symboliser:
    """Passes bytes through at once and inserts what it knows before the end of a line."""

    def __init__(self, config: Configuration) -> None:
        self._config = config
        self._line = bytearray()
        self._program: Path | None = None
        self._moved = 0
        self._in_backtrace = False
        self._first = True

    def feed(self, data: bytes) -> bytes:
        """The data with symbols in it."""
        result = bytearray()
        for byte in data:
            if byte in LINE_ENDS and self._line:
                result += self._end_of_line(bytes(self._line))
                self._line.clear()
            elif byte not in LINE_ENDS and len(self._line) < LONGEST_LINE:
                self._line.append(byte)
            result.append(byte)
        return bytes(result)

    def _end_of_line(self, line: bytes) -> bytes:
        """What to add to a complete line."""
        if beginning := BEGINNING.search(line):
            self._program = self._config.program(beginning.group(1).decode("ascii"))
            self._moved = int(beginning.group(2), 16) - (_code(self._program) if self._program else 0)
            self._in_backtrace = True
            self._first = True
            return b""
        address = ADDRESS.search(line) if self._in_backtrace else None
        if not address:
            self._in_backtrace = False
            return b""
        linked = int(address.group(1), 16) - self._moved - (0 if self._first else 1)
        place = _place(self._config, self._program, linked)
        self._first = False
        return place.encode()


def _code(program: Path) -> int:
    """The page at which a program's code begins, as linked."""
    image = program.read_bytes()
    headers, size, count = struct.unpack_from("<Q", image, 32) + struct.unpack_from("<HH", image, 54)
    for index in range(count):
        kind, flags, _, address = struct.unpack_from("<IIQQ", image, headers + index * size)
        if kind == 1 and flags & 1:
            return address & ~0xFFF
    return 0


def _place(config: Configuration, program: Path | None, address: int) -> str:
    """Function and source line of an address; a return address is asked for with one less, to be in the call."""
    if not program:
        return ""
    tool = f"{config.architecture}-linux-gnu-addr2line"
    try:
        done = subprocess.run([tool, "-f", "-e", str(program), hex(address)], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    function, _, where = done.stdout.strip().partition("\n")
    if function in ("", "??"):
        return ""
    path, _, line = where.partition(" ")[0].rpartition(":")
    if not path or path == "??" or line == "?":
        return f" {function}"
    return f" {function} at {_in_tree(path)}:{line}"


def _in_tree(path: str) -> str:
    """A source file's path from the top of the tree."""
    full = os.path.normpath(path)
    return os.path.relpath(full, places.TREE) if full.startswith(f"{places.TREE}/") else full
