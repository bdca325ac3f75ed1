# SPDX-License-Identifier: MIT
"""The checks of #include directions and of the table of features, and the generator of the system-call reference say no
where they should."""

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import check_features
import check_includes
import generate_syscalls
from tern import places


class Includes(unittest.TestCase):
    """One file in a tree that is made up."""

    def complaints(self, name: str, text: str) -> list:
        """What the check says about the file."""
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(places, "TREE", Path(folder)):
            path = Path(folder, name)
            path.parent.mkdir(parents=True)
            path.write_text(text)
            return check_includes.check(path)

    def test_allowed(self) -> None:
        for name, text in (
            ("kernel/a.c", "#include <kernel/log.h>\n#include <arch/cpu.h>\n#include <stdint.h>\n"),
            ("arch/riscv64/a.c", "#include <isa/csr.h>\n#include <kernel/trap.h>\n#if __riscv_xlen\n#endif\n"),
            ("user/servers/vfs/a.c", "#include <tern/types.h>\n#include <string.h>\n#include <protocol/file.h>\n"),
            ("user/lib/arch/x86_64/a.c", "#ifdef __x86_64__\n#endif\n"),
        ):
            self.assertEqual(self.complaints(name, text), [], name)

    def test_refused(self) -> None:
        for name, text in (
            ("kernel/a.c", "#include <isa/csr.h>\n"),
            ("mm/a.c", "#include <x86_64/msr.h>\n"),
            ("sched/a.c", "#ifdef __aarch64__\n#endif\n"),
            ("kernel/a.c", "#include <string.h>\n"),
            ("kernel/a.c", '#include "../user/lib/include/a.h"\n'),
            ("arch/x86_64/a.c", "#include <kernel/process.h>\n"),
            ("drivers/a.c", "#include <kernel/object.h>\n"),
            ("include/arch/cpu.h", "#include <kernel/log.h>\n"),
            ("include/tern/a.h", "#include <arch/cpu.h>\n"),
            ("user/servers/vfs/a.c", "#include <kernel/log.h>\n"),
            ("user/servers/vfs/a.c", '#include "../console/console.h"\n'),
            ("user/programs/a.c", "#if defined(__riscv)\n#endif\n"),
            ("attic/a.c", ""),
        ):
            self.assertEqual(len(self.complaints(name, text)), 1, (name, text))


class Features(unittest.TestCase):
    """Tables of features that are made up."""

    GOOD = [f"| {n} | V | feature | K | done | `kernel/a` | |" for n in range(1, 51)]

    def complaints(self, row: str) -> list[str]:
        """What the check says about a table whose first row is another one."""
        return check_features.check("\n".join([row, *self.GOOD[1:]]), {"kernel/a"})

    def test_allowed(self) -> None:
        for row in (
            self.GOOD[0],
            "| 1 | V | f | K | planned | | |",
            "| 1 | V | f | K | partly | `kernel/a` `kernel/a` | x |",
        ):
            self.assertEqual(self.complaints(row), [], row)

    def test_refused(self) -> None:
        for row in (
            "| 1 | V | f | K | done | `kernel/b` | |",
            "| 1 | V | f | K | done | | |",
            "| 1 | V | f | K | nearly | `kernel/a` | |",
            "| 1 | V | f | K | planned | |",
            "| 2 | V | f | K | planned | | |",
            "",
        ):
            self.assertEqual(len(self.complaints(row)), 1, row)

    def test_finds_tests_of_each_kind(self) -> None:
        known = check_features.known_tests()
        for name in ("kernel/handle_info_tells_one_object", "servers/console", "unit/tlb", "system/echo"):
            self.assertIn(name, known)


class Syscalls(unittest.TestCase):
    """Entries of syscalls.def."""

    GOOD = (
        "// --- Things\n\n// Does it. Rights: none. Errors: BUSY.\n"
        "SYSCALL(7, thing_do, VALUE(uint64_t, count),\n\tARGUMENTS2(handle_t, thing, USER_OUT(void), buffer))\n"
    )

    def test_entry(self) -> None:
        (section,) = generate_syscalls.parse(self.GOOD)
        (entry,) = section.syscalls
        self.assertEqual(entry.prototype, "enum error thing_do(handle_t thing, OUT void *buffer, uint64_t *count);")
        self.assertEqual(entry.text, "Does it.\n\n- Rights: none\n- Errors: BUSY")

    def test_refused(self) -> None:
        for text in (
            self.GOOD.replace("Rights: none.", ""),
            self.GOOD.replace("ARGUMENTS2", "ARGUMENTS3"),
            self.GOOD + "something else\n",
        ):
            with self.assertRaises(ValueError):
                generate_syscalls.parse(text)

    def test_numbers_are_unique(self) -> None:
        with self.assertRaises(ValueError):
            generate_syscalls.check_numbers(generate_syscalls.parse(self.GOOD + self.GOOD))


if __name__ == "__main__":
    unittest.main()
