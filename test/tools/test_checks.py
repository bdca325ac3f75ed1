# SPDX-License-Identifier: MIT
"""The checks of #include directions, of the table of features and of the system calls' tests, and the generator of the system-call reference say no
where they should."""

import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import check_features
import check_includes
import check_syscall_tests
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
            "| 1 | V | f | K P U | K done; P U partly | `kernel/a` | x |",
        ):
            self.assertEqual(self.complaints(row), [], row)

    def test_refused(self) -> None:
        for row in (
            "| 1 | V | f | K | done | `kernel/b` | |",
            "| 1 | V | f | K | done | | |",
            "| 1 | V | f | K | nearly | `kernel/a` | |",
            "| 1 | V | f | K P | K done; P nearly | `kernel/a` | |",
            "| 1 | V | f | K P U | K done; P partly | `kernel/a` | |",
            "| 1 | V | f | K P | K done; P partly | | |",
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


class SyscallTests(unittest.TestCase):
    """A reference of three calls and tests of them that are made up."""

    REFERENCE = (
        "// --- Things\n\n// Does it. Rights: READ and BIND. Errors: BUSY (as thing_end: GONE), NO_SLOTS or NO_MEMORY.\n"
        "SYSCALL(7, thing_do, NO_VALUE, ARGUMENTS2(handle_t, thing, USER_OUT(void), buffer))\n\n"
        "// Ends. Does not return. Rights: none.\nSYSCALL(8, thing_end, NO_VALUE, ARGUMENTS0())\n\n"
        "// Waits. Rights: none. Errors: CANCELLED, as thing_do.\nSYSCALL(9, thing_wait, NO_VALUE, ARGUMENTS0())\n"
    )
    TESTS = (
        "EXPECT_OK(thing_do(a, b));",
        "EXPECT_ERROR(\n\tBUSY, thing_do(a, b));",
        "OPTIONAL_HANDLE_CASE(thing_do, thing, ANY, RIGHT_READ | RIGHT_BIND, handle, b);",
        "POINTER_CASE(thing_do, buffer, 8, WRITES, a, pointer);",
        "MEMORY_CASE(thing_do, PAGES | SLOTS, a, b);",
        "thing_end();",
        "REQUIRE_OK(thing_wait());",
        "WAIT_CASE(thing_wait, a);",
        "EXPECT_RESULT(BUSY, thing_wait, status);",
        "MEMORY_CASE(thing_wait, OBJECTS | SLOTS, a);",
    )

    def complaints(self, tests: tuple[str, ...]) -> list[str]:
        """What the check says about the calls if these are the tests."""
        sections = generate_syscalls.parse(self.REFERENCE)
        errors = {"BUSY", "GONE", "NO_SLOTS", "NO_MEMORY", "CANCELLED"}
        wanted = check_syscall_tests.wanted_of([entry for section in sections for entry in section.syscalls], errors)
        return check_syscall_tests.check(wanted, check_syscall_tests.shown_by("\n".join(tests)))

    def test_allowed(self) -> None:
        self.assertEqual(self.complaints(self.TESTS), [])

    def test_refused(self) -> None:
        for i, test in enumerate(self.TESTS):
            self.assertNotEqual(self.complaints(self.TESTS[:i] + self.TESTS[i + 1 :]), [], test)
            self.assertNotEqual(self.complaints((*self.TESTS[:i], "// " + test, *self.TESTS[i + 1 :])), [], test)

    def test_a_right_each(self) -> None:
        fewer = tuple(test.replace(" | RIGHT_BIND", "") for test in self.TESTS)
        self.assertEqual(self.complaints(fewer), ["thing_do: no test tries the right BIND"])


if __name__ == "__main__":
    unittest.main()
