# SPDX-License-Identifier: MIT
"""Backtraces get their functions, whatever pieces they arrive in; everything else passes unchanged."""

import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from tern import symbols

CODE = 0x1000  # where it is linked to begin
CRASH = (
    b"[ 0.1] error: backtrace of vfs, code at 0x201000:\r\n"
    b"[ 0.1] error:   0x0000000000201050\r\n[ 0.1] error:   0x20103c\r\nmore\r\n"
)


class Config:
    """Stands in for a build with one program."""

    architecture = "x86_64"

    def program(self, name: str) -> "Path | None":
        """The program."""
        return Path("/vfs") if name == "vfs" else None


def place(config: Config, program: "Path | None", address: int) -> str:
    """Stands in for addr2line."""
    return f" f_{address:x}" if program else ""


class Symbols(unittest.TestCase):
    """One stream each."""

    def feed(self, *pieces: bytes) -> bytes:
        """What comes out."""
        symboliser = symbols.Symboliser(Config())
        with mock.patch.object(symbols, "_place", place), mock.patch.object(symbols, "_code", lambda program: CODE):
            return b"".join(symboliser.feed(piece) for piece in pieces)

    def test_addresses_get_names(self) -> None:
        expected = CRASH.replace(b"201050", b"201050 f_1050").replace(b"20103c", b"20103c f_103b")
        self.assertEqual(self.feed(CRASH), expected)
        self.assertEqual(self.feed(*(bytes((byte,)) for byte in CRASH)), expected)

    def test_unknown_program(self) -> None:
        text = CRASH.replace(b"vfs", b"other")
        self.assertEqual(self.feed(text), text)

    def test_addresses_elsewhere_stay(self) -> None:
        text = b"hello\n  0x201050\nbacktrace of vfs, code at 0x201000:\nno address\n  0x201050\n"
        self.assertEqual(self.feed(text), text)

    def test_bytes_pass(self) -> None:
        data = bytes(range(256)) * 10 + b"unfinished"
        self.assertEqual(self.feed(data), data)


if __name__ == "__main__":
    unittest.main()
