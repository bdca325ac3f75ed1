# SPDX-License-Identifier: MIT
"""The boot archive: what goes in comes out, overlays win, and the same input gives the same bytes."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from tern import cpio


class Archives(unittest.TestCase):
    """Writer and reader together."""

    def test_content_survives(self) -> None:
        archive = cpio.Archive()
        for length in range(9):
            archive.file(f"/a/{'n' * (length + 1)}", b"x" * length)
        files = cpio.read(archive.to_bytes())
        self.assertEqual(files["a/nnnn"], b"xxx")
        self.assertEqual(list(files)[0], "a")
        self.assertEqual(len(files), 10)

    def test_entries_are_aligned_and_the_whole_is_padded(self) -> None:
        archive = cpio.Archive()
        archive.file("file", b"12345")
        data = archive.to_bytes()
        self.assertEqual(len(data) % 512, 0)
        self.assertEqual(data.count(b"070701"), 2)
        self.assertEqual(data.rindex(b"070701") % 4, 0)

    def test_later_archive_wins(self) -> None:
        first, second = cpio.Archive(), cpio.Archive()
        first.file("f", b"old")
        second.file("f", b"new")
        self.assertEqual(cpio.read(first.to_bytes() + second.to_bytes())["f"], b"new")

    def test_modes(self) -> None:
        archive = cpio.Archive()
        archive.file("f", b"", 0o755)
        archive.link("l", "target")
        data = archive.to_bytes()
        self.assertIn(b"%08X" % 0o100755, data)
        self.assertIn(b"%08X" % 0o120777, data)
        self.assertEqual(cpio.read(data)["l"], b"target")


if __name__ == "__main__":
    unittest.main()
