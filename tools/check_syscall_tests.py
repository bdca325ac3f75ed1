#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Says which system calls, and what of their errors and rights in include/tern/syscalls.def, no kernel test asserts.

What a test asserts it names in the macros of test/kernel/test.h and cases.h, which are the assertions themselves:

    EXPECT_OK(CALL(...))             success (REQUIRE_OK too)
    EXPECT_ERROR(ERROR, CALL(...))   one error
    EXPECT_RESULT(ERROR, CALL, ...)  the same of a call that a worker or child made
    EXPECT_LACKS(RIGHT, CALL, ...)   the same where a right is missing
    HANDLE_CASE(CALL, ARGUMENT, TYPE, RIGHTS, ...)   bad handles, wrong types, each right missing
    POINTER_CASE(CALL, ARGUMENT, SIZE, ACCESS, ...)  bad pointers
    MEMORY_CASE(CALL, LIMITS, ...)   no pages, no objects, no slots
    WAIT_CASE(CALL, ...)             a wait that is cancelled
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import generate_syscalls
from generate_syscalls import Syscall
from tern import places

# What these tests cannot show, and why.
NOT_SHOWN = {
    ("system_power", "NOT_SUPPORTED"): "all machines that they run on can be powered off and reset",
    ("log_watch", "OK"): "the watch is the console driver's, which shows the kernel's log in each boot",
}


@dataclass
class Wanted:
    """What the reference says of one call."""

    errors: set[str] = field(default_factory=set)
    rights: set[str] = field(default_factory=set)
    handles: set[str] = field(default_factory=set)
    pointers: set[str] = field(default_factory=set)
    returns: bool = True


@dataclass
class Shown:
    """What the tests assert: pairs of a call and an error, a right or an argument."""

    named: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    errors: set[tuple[str, str]] = field(default_factory=set)
    rights: set[tuple[str, str]] = field(default_factory=set)
    handles: set[tuple[str, str]] = field(default_factory=set)
    pointers: set[tuple[str, str]] = field(default_factory=set)


def wanted_of(syscalls: list[Syscall], errors: set[str]) -> dict[str, Wanted]:
    """Reads the reference. `as NAME` among the errors of a call stands for those of another."""
    texts = {syscall.name: syscall.text for syscall in syscalls}
    return {
        syscall.name: Wanted(
            errors=_errors(syscall.name, texts, errors),
            rights=set(re.findall(r"\b[A-Z]{2,}\b", _line(syscall.text, "Rights"))) - {"HANDLE_NONE"},
            handles={name for kind, name in syscall.arguments if kind == "handle_t"},
            pointers={name for kind, name in syscall.arguments if kind.startswith("USER_")},
            returns="Does not return" not in syscall.text,
        )
        for syscall in syscalls
    }


def shown_by(source: str) -> Shown:
    """Reads the tests."""
    source = re.sub(r"//.*", "", source)
    shown = Shown()
    shown.named.update(re.findall(r"\b(\w+)\(", source))
    shown.calls.update(re.findall(r"\b(?:EXPECT|REQUIRE)_OK\(\s*(\w+)\(", source))
    shown.errors.update((call, error) for error, call in re.findall(r"\bEXPECT_ERROR\(\s*(\w+),\s*(\w+)\(", source))
    shown.errors.update((call, error) for error, call in re.findall(r"\bEXPECT_RESULT\(\s*(\w+),\s*(\w+),", source))
    shown.calls.update(call for call, error in shown.errors if error == "OK")
    shown.errors.update((call, "CANCELLED") for call in re.findall(r"\bWAIT_CASE\(\s*(\w+),", source))
    for right, call in re.findall(r"\bEXPECT_LACKS\(\s*(\w+),\s*(\w+),", source):
        shown.rights.add((call, right))
        shown.errors.add((call, "NO_RIGHTS"))
    for call, argument, kind, rights in re.findall(r"\b(?:OPTIONAL_)?HANDLE_CASE\(\s*(\w+),\s*(\w+),\s*(\w+),\s*([^,]+),", source):
        names = re.findall(r"RIGHT_(\w+)", rights)
        shown.handles.add((call, argument))
        shown.rights.update((call, right) for right in names)
        shown.errors.update([(call, "BAD_HANDLE")] + [(call, "NO_RIGHTS")] * bool(names))
        shown.errors.update([(call, "WRONG_TYPE")] * (kind != "ANY"))
    for call, argument in re.findall(r"\bPOINTER_CASE\(\s*(\w+),\s*(\w+),", source):
        shown.pointers.add((call, argument))
        shown.errors.add((call, "BAD_ADDRESS"))
    for call, limits in re.findall(r"\bMEMORY_CASE\(\s*(\w+),\s*([^,]+),", source):
        shown.errors.update([(call, "NO_SLOTS")] * ("SLOTS" in limits))
        shown.errors.update([(call, "NO_MEMORY")] * bool(re.search("PAGES|OBJECTS", limits)))
    return shown


def check(wanted: dict[str, Wanted], shown: Shown) -> list[str]:
    """What is documented and not asserted."""
    complaints = []
    for call, want in wanted.items():
        if call not in (shown.calls if want.returns else shown.named) and (call, "OK") not in NOT_SHOWN:
            complaints.append(f"{call}: no test sees it succeed")
        complaints += [
            f"{call}: no test asserts ERR_{error}"
            for error in sorted(want.errors)
            if (call, error) not in shown.errors and (call, error) not in NOT_SHOWN
        ]
        for what, names, asserted in (
            ("the right", want.rights, shown.rights),
            ("the handle", want.handles, shown.handles),
            ("the pointer", want.pointers, shown.pointers),
        ):
            complaints += [
                f"{call}: no test tries {what} {name}" for name in sorted(names) if (call, name) not in asserted
            ]
    return complaints


def _line(text: str, title: str) -> str:
    found = re.search(rf"^- {title}: (.*)$", text, re.MULTILINE)
    return found.group(1) if found else ""


def _errors(name: str, texts: dict[str, str], known: set[str]) -> set[str]:
    """The errors that a call documents itself, and those of the calls that it refers to."""
    line = re.sub(r"\([^()]*\)", "", _line(texts[name], "Errors"))
    errors = set(re.findall(r"\b[A-Z_]{2,}\b", line)) & known
    for other in re.findall(r"\bas (\w+)", line):
        errors |= _errors(other, texts, known)
    return errors


def main() -> int:
    """Prints the complaints; the exit status says whether there are none."""
    folder = places.TREE / "test/kernel"
    names = re.findall(r"^ +'(\w+\.c)',$", (folder / "meson.build").read_text(encoding="utf-8"), re.M)
    source = "\n".join((folder / name).read_text(encoding="utf-8") for name in names)
    sections = generate_syscalls.parse(generate_syscalls.SYSCALLS.read_text(encoding="utf-8"))
    errors = set(re.findall(r"^ERROR\((\w+),", generate_syscalls.ERRORS.read_text(encoding="utf-8"), re.MULTILINE))
    wanted = wanted_of([syscall for section in sections for syscall in section.syscalls], errors)
    complaints = check(wanted, shown_by(source))
    for complaint in complaints:
        print(complaint)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
