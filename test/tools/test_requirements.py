# SPDX-License-Identifier: MIT
"""What is missing on the machine becomes one sentence with what to do."""

import subprocess
import sys
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from tern import requirements
from tern.failure import Failure
from tern.requirements import Requirement


class Requirements(unittest.TestCase):
    """A machine that is made up."""

    def ensure(self, *, root: bool, installed: bool, programs: set) -> str:
        """The sentence that a machine with these programs gets, where the tool `gadget` is needed."""
        with mock.patch("shutil.which", lambda name: name if name in programs else None), mock.patch(
            "os.geteuid", return_value=0 if root else 1000
        ), mock.patch.object(requirements, "_installed", return_value=installed), mock.patch.object(
            requirements, "_install"
        ):
            with self.assertRaises(Failure) as caught:
                requirements.ensure([Requirement("gadget", "gadget-tools")])
        self.assertEqual(caught.exception.status, 2)
        sentence = str(caught.exception)
        self.assertNotIn("\n", sentence)
        return sentence

    def test_nothing_missing(self) -> None:
        requirements.ensure([Requirement("/", "base-files")])

    def test_not_root(self) -> None:
        sentence = self.ensure(root=False, installed=False, programs={"apt-get", "dpkg-query"})
        self.assertIn("apt-get install -y --no-install-recommends gadget-tools", sentence)

    def test_package_there_but_program_not(self) -> None:
        sentence = self.ensure(root=True, installed=True, programs={"apt-get", "dpkg-query"})
        self.assertIn("PATH", sentence)

    def test_no_debian(self) -> None:
        self.assertIn("gadget-tools", self.ensure(root=True, installed=False, programs=set()))

    def test_still_missing_after_install(self) -> None:
        sentence = self.ensure(root=True, installed=False, programs={"apt-get", "dpkg-query"})
        self.assertIn("still missing", sentence)


class Qemu(unittest.TestCase):
    """Versions of QEMU."""

    def check(self, text: str) -> None:
        """Checks a QEMU that says this about its version."""
        done = subprocess.CompletedProcess([], 0, stdout=text)
        with mock.patch("subprocess.run", return_value=done):
            requirements.check_qemu("aarch64")

    def test_new_enough(self) -> None:
        self.check("QEMU emulator version 7.2.11 (Debian 1:7.2)")
        self.check("QEMU emulator version 10.0.0")

    def test_too_old(self) -> None:
        for version in ("7.1.0", "6.2.0", "2.11"):
            with self.assertRaisesRegex(Failure, "7.2 or newer"):
                self.check(f"QEMU emulator version {version}")

    def test_no_version(self) -> None:
        with self.assertRaises(Failure):
            self.check("what?")


if __name__ == "__main__":
    unittest.main()
