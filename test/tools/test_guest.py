# SPDX-License-Identifier: MIT
"""Running a program in the guest, with a stand-in for QEMU: output, status, files, and each way to end badly."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))

from tern import build, cpio, guest, places, qemu


class Guests(unittest.TestCase):
    """Each test boots the fake once."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        os.symlink(HERE / "fake_qemu.py", self.folder / "qemu-system-riscv64")
        path = f"{self.folder}:{os.environ['PATH']}"
        patches = [mock.patch.dict(os.environ, {"PATH": path}), mock.patch.object(places, "BUILD", self.folder)]
        patches += [mock.patch.object(guest, "POWER_OFF_SECONDS", 0.3), mock.patch.object(guest, "PANIC_SECONDS", 0.3)]
        for patch in patches:
            patch.start()
            self.addCleanup(patch.stop)
        self.config = build.configuration("riscv64", True)
        self.config.folder.mkdir()
        archive = cpio.Archive()
        archive.file("etc/motd", b"hello\n")
        self.config.initramfs.write_bytes(archive.to_bytes())

    def run_guest(self, *words: str, timeout: float = 20, **files: Path) -> guest.Outcome:
        """Runs one command."""
        put = [(host, f"/tmp/{name}") for name, host in files.items()]
        options = qemu.KernelOptions(framed=True)
        return guest.run(self.config, qemu.Machine(), options, guest.Program(list(words), put, timeout))

    def test_output_and_status(self) -> None:
        outcome = self.run_guest("echo", "two  words", "x")
        self.assertEqual((outcome.status, outcome.stdout, outcome.stderr), (0, b"two  words x\n", b""))
        self.assertEqual(outcome.log, b"early log\na server speaks\n")
        self.assertIsNone(outcome.complaint)

    def test_failure_of_the_program(self) -> None:
        outcome = self.run_guest("complain")
        self.assertEqual((outcome.status, outcome.stderr, outcome.complaint), (127, b"no\n", None))

    def test_files_are_put_byte_for_byte(self) -> None:
        data = os.urandom(100_001)
        (self.folder / "data").write_bytes(data)
        outcome = self.run_guest("cat", "/tmp/in", **{"in": self.folder / "data"})
        self.assertEqual(outcome.stdout, data)
        self.assertEqual(self.run_guest("cat", "/etc/motd").stdout, b"hello\n")

    def test_time_out(self) -> None:
        outcome = self.run_guest("hang", timeout=0.5)
        self.assertEqual(outcome.status, 124)
        self.assertIn("0.5 seconds", outcome.complaint)

    def test_no_power_off(self) -> None:
        outcome = self.run_guest("stay")
        self.assertEqual(outcome.status, 125)
        self.assertIn("did not power off", outcome.complaint)

    def test_panic(self) -> None:
        outcome = self.run_guest("panic")
        self.assertEqual((outcome.status, outcome.complaint), (125, "the kernel panicked"))
        self.assertIn(b"out of ideas", outcome.log)

    def test_end_without_status(self) -> None:
        outcome = self.run_guest("vanish")
        self.assertEqual(outcome.status, 125)
        self.assertIn("without an exit status", outcome.complaint)
        self.assertIn("cannot go on", outcome.complaint)


if __name__ == "__main__":
    unittest.main()
