# SPDX-License-Identifier: MIT
"""QEMU on this terminal: keys go to it directly, what it says comes through here."""

from __future__ import annotations

import os
import subprocess
import sys

from tern.symbols import Symboliser


def relay(command: list[str], symboliser: Symboliser) -> int:
    """Runs QEMU until it ends and returns its status."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout
    try:
        while data := os.read(process.stdout.fileno(), 1 << 16):
            _write(symboliser.feed(data))
        return process.wait()
    finally:
        process.terminate()
        process.wait()


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]
