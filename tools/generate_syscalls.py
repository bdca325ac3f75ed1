#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes docs/syscalls.md, the reference of the system calls, from include/tern/syscalls.def and errors.def.

With --check nothing is written: the exit status says whether the file is what would be written.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
SYSCALLS = TREE / "include/tern/syscalls.def"
ERRORS = TREE / "include/tern/errors.def"
REFERENCE = TREE / "docs/syscalls.md"

HEAD = """\
# System calls

Generated from `include/tern/syscalls.def` by `tools/generate_syscalls.py`; change it there.

Every system call returns an `enum error`; the stubs put the value, where there is one, in their last parameter.
Handles that are stale, of the wrong type or without a right that is needed give `ERR_BAD_HANDLE`, `ERR_WRONG_TYPE`
and `ERR_NO_RIGHTS`, pointers that are not wholly in user memory `ERR_BAD_ADDRESS`; the entries do not repeat these.
`IN` marks memory that the kernel reads, `OUT` memory that it writes.
"""


@dataclass
class Syscall:
    """One entry: its number, its prototype and the words above it."""

    number: int
    name: str
    prototype: str
    text: str
    arguments: list[tuple[str, str]]  # type as in syscalls.def, name


@dataclass
class Section:
    """A group of entries under one heading."""

    title: str
    syscalls: list[Syscall] = field(default_factory=list)


def parse(source: str) -> list[Section]:
    """Reads the sections of syscalls.def; anything not understood is an error."""
    sections: list[Section] = []
    comment: list[str] = []
    lines = iter(source.splitlines())
    for line in lines:
        if line.startswith("// --- "):
            sections.append(Section(line[7:].strip()))
            comment = []
        elif line.startswith("//"):
            comment.append(line[2:].strip())
        elif line.startswith("SYSCALL"):
            while line.count("(") != line.count(")"):
                line += " " + next(lines).strip()
            sections[-1].syscalls.append(_entry(line, " ".join(comment)))
            comment = []
        elif line.strip():
            raise ValueError(f"{SYSCALLS.name}: what is this: {line}")
        else:
            comment = []
    return sections


def _entry(line: str, text: str) -> Syscall:
    if ipc := re.fullmatch(r"SYSCALL_IPC\((\d+), (\w+)\)", line):
        number, name = ipc.groups()
        prototype = f"{name}: message registers, see include/tern/message.h"
        return Syscall(int(number), name, prototype, _text(name, text), [("handle_t", "handle")])
    entry = re.fullmatch(r"SYSCALL\((\d+), (\w+), (NO_VALUE|VALUE\(.+?\)), ARGUMENTS(\d)\((.*)\)\)", line)
    if not entry:
        raise ValueError(f"{SYSCALLS.name}: not an entry: {line}")
    number, name, result, count, arguments = entry.groups()
    words = [word.strip() for word in arguments.split(",")] if arguments else []
    if len(words) != 2 * int(count):
        raise ValueError(f"{SYSCALLS.name}: {name} has not {count} arguments")
    pairs = list(zip(words[::2], words[1::2]))
    parameters = [_parameter(kind, argument) for kind, argument in pairs]
    if value := re.fullmatch(r"VALUE\((.+), (\w+)\)", result):
        parameters.append(_parameter(f"{value.group(1)} *", value.group(2)))
    prototype = f"enum error {name}({', '.join(parameters) or 'void'});"
    return Syscall(int(number), name, prototype, _text(name, text), pairs)


def _parameter(kind: str, name: str) -> str:
    if pointer := re.fullmatch(r"USER_(IN|OUT)\((.+)\)", kind):
        kind = f"{pointer.group(1)} {'const ' if pointer.group(1) == 'IN' else ''}{pointer.group(2)} *"
    return f"{kind}{name}" if kind.endswith("*") else f"{kind} {name}"


def _text(name: str, text: str) -> str:
    """Puts rights and errors on lines of their own."""
    words = re.fullmatch(r"(.+?) Rights: (.+?)(?:\.? Errors: (.+))?", text)
    if not words:
        raise ValueError(f"{SYSCALLS.name}: {name} needs a comment with `Rights:`")
    what, rights, errors = words.groups()
    result = f"{what}\n\n- Rights: {rights.rstrip('.')}"
    if errors:
        result += f"\n- Errors: {errors.rstrip('.')}"
    return result


def check_numbers(sections: list[Section]) -> None:
    """Numbers and names are unique."""
    entries = [syscall for section in sections for syscall in section.syscalls]
    for key in ("number", "name"):
        values = [getattr(entry, key) for entry in entries]
        twice = {value for value in values if values.count(value) > 1}
        if twice:
            raise ValueError(f"{SYSCALLS.name}: {key} given twice: {twice}")


def render(sections: list[Section], errors: list[tuple[str, str, str]]) -> str:
    """The whole document."""
    parts = [HEAD]
    for section in sections:
        parts.append(f"## {section.title}\n")
        for entry in section.syscalls:
            parts.append(f"### {entry.name}\n\n`{entry.number}` · `{entry.prototype}`\n\n{entry.text}\n")
    parts.append("## Errors\n\n| number | name | meaning |\n| --- | --- | --- |")
    rows = "\n".join(f"| {number} | `ERR_{name}` | {text} |" for name, number, text in errors)
    return "\n".join(parts) + "\n" + rows + "\n"


def main() -> int:
    """Writes or checks the reference."""
    sections = parse(SYSCALLS.read_text(encoding="utf-8"))
    check_numbers(sections)
    errors = re.findall(r'^ERROR\((\w+), (\d+), "(.*)"\)', ERRORS.read_text(encoding="utf-8"), re.MULTILINE)
    wanted = render(sections, errors)
    if "--check" in sys.argv[1:]:
        if REFERENCE.exists() and REFERENCE.read_text(encoding="utf-8") == wanted:
            return 0
        print("docs/syscalls.md is not current: run tools/generate_syscalls.py")
        return 1
    REFERENCE.parent.mkdir(exist_ok=True)
    REFERENCE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ValueError as problem:
        sys.exit(str(problem))
