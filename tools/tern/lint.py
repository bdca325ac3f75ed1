# SPDX-License-Identifier: MIT
"""The checks of the sources: each returns its complaints, none if all is well."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from tern import build, floating_point, places, requirements
from tern.failure import Failure

PORTABLE = ("kernel/", "mm/", "sched/", "ipc/", "drivers/")
SHOWN = 20  # complaints of one check
# What line counts are told of: (part, folders, limit).
PARTS = (
    ("the portable core", ("kernel/", "mm/", "sched/", "ipc/", "include/kernel/", "include/arch/"), 13_600),
    ("the kernel's drivers", ("drivers/",), None),
    ("the ABI", ("include/tern/",), None),
    ("arch/x86_64", ("arch/x86_64/",), 2_620),
    ("arch/aarch64", ("arch/aarch64/",), 2_600),
    ("arch/riscv64", ("arch/riscv64/",), 2_500),
    ("userspace", ("user/",), None),
)


@dataclass(frozen=True)
class Check:
    """A name and what to run."""

    name: str
    function: Callable[[], list[str]]


def main() -> int:
    """Runs all checks, the warnings of both compilers included; the exit status says whether all is well."""
    requirements.ensure(requirements.for_lint())
    failed = 0
    for check in (Check("warnings", warnings), *CHECKS):
        complaints = check.function()
        failed += bool(complaints)
        print(f"{'FAIL' if complaints else 'PASS'} {check.name}", flush=True)
        for complaint in complaints[:SHOWN]:
            print(f"  {complaint}")
        if complaints[SHOWN:]:
            print(f"  and {len(complaints) - SHOWN} more")
    for part, count, limit in line_counts():
        print(f"{count:6} lines of code in {part}" + (f" (limit {limit})" if limit else ""))
    return 1 if failed else 0


def warnings() -> list[str]:
    """Every debug build treats warnings as errors."""
    complaints = []
    configurations = [build.configuration(architecture, True) for architecture in places.ARCHITECTURES]
    for config in (*configurations, build.CLANG, build.HOST):
        try:
            build.build(config)
        except Failure as failure:
            complaints.append(str(failure))
    return complaints


def formatting() -> list[str]:
    """clang-format would change nothing."""
    files = [str(path) for path in places.sources(".c", ".h")]
    text = _output(["clang-format", "--style=file", "--dry-run", "-Werror", *files])
    places_at_fault = re.findall(r"^(.*?:\d+):\d+: error", text, re.MULTILINE)
    return [f"{place}: not as clang-format has it" for place in dict.fromkeys(places_at_fault)]


def include_directions() -> list[str]:
    """Layers point down and portable code stays portable."""
    return _output([sys.executable, str(places.TREE / "tools/check_includes.py")]).splitlines()


def documents() -> list[str]:
    """What is generated is current."""
    return _output([sys.executable, str(places.TREE / "tools/generate_syscalls.py"), "--check"]).splitlines()


def features() -> list[str]:
    """The table of features is whole, and each test that it names exists."""
    return _output([sys.executable, str(places.TREE / "tools/check_features.py")]).splitlines()


def syscall_tests() -> list[str]:
    """The kernel's tests assert each documented error, right, handle and pointer of each system call."""
    return _output([sys.executable, str(places.TREE / "tools/check_syscall_tests.py")]).splitlines()


def scripts() -> list[str]:
    """Python and shell parse."""
    complaints = []
    for path in places.sources(".py"):
        try:
            compile(path.read_text(encoding="utf-8"), str(path), "exec")
        except SyntaxError as error:
            complaints.append(str(error))
    for name in ("tern", ".ci/run"):
        complaints += _output(["sh", "-n", str(places.TREE / name)]).splitlines()
    return complaints


def licences() -> list[str]:
    """Every source says its licence in the first lines."""
    files = places.sources(".c", ".h", ".S", ".def", ".ld", ".py", ".build", ".ini")
    return [
        f"{path.relative_to(places.TREE)}: no SPDX-License-Identifier in the first two lines"
        for path in files
        if not any("SPDX-License-Identifier: MIT" in line for line in path.read_text(encoding="utf-8").splitlines()[:2])
    ]


def integer_only() -> list[str]:
    """Servers and personalities leave the floating-point and vector registers alone."""
    complaints = []
    for architecture in places.ARCHITECTURES:
        config = build.configuration(architecture, True)
        build.build(config)
        programs = [*(config.folder / "user/servers").iterdir(), config.folder / "user/abi/linux/linux"]
        for program in sorted(path for path in programs if path.is_file() and not path.suffix):
            functions = sorted({function for _, function in floating_point.users(architecture, program)})
            complaints += [f"{architecture}: {program.name}: {function} uses them" for function in functions]
    return complaints


def sparse() -> list[str]:
    """The static checker has nothing to say about the kernel: portable code once, each architecture's own."""
    complaints: list[str] = []
    for architecture in places.ARCHITECTURES:
        config = build.configuration(architecture, True)
        build.build(config)
        own = f"arch/{architecture}/"
        for entry in json.loads((config.folder / "compile_commands.json").read_text(encoding="utf-8")):
            source = (Path(entry["directory"]) / entry["file"]).resolve()
            name = source.relative_to(places.TREE).as_posix()
            portable = name.startswith(PORTABLE) and architecture == "x86_64"
            if source.suffix == ".c" and (portable or name.startswith(own)):
                complaints += _sparse(entry, architecture)
    return complaints


def line_counts() -> list[tuple[str, int, int | None]]:
    """Lines of code, comments and blank lines left out: (part, lines, limit)."""
    counts = {part: 0 for part, _, _ in PARTS}
    for path in places.sources(".c", ".h", ".S", ".def"):
        name = path.relative_to(places.TREE).as_posix()
        for part, folders, _ in PARTS:
            if name.startswith(folders):
                counts[part] += _code_lines(path)
    return [(part, counts[part], limit) for part, _, limit in PARTS]


def sizes() -> list[str]:
    """The kernel stays small enough to read."""
    counts = line_counts()
    return [f"{part} has {count} lines of code, over {limit}" for part, count, limit in counts if limit and count > limit]


def _code_lines(path: Path) -> int:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("//"))


def _sparse(entry: dict[str, str], architecture: str) -> list[str]:
    """Runs sparse with the preprocessor's part of a compile command and the compiler's own headers."""
    words = shlex.split(entry["command"])
    flags = [word for word in words if re.match(r"-(D|I|std=)", word)]
    headers = _output([words[0], "-print-file-name=include"]).strip()
    target = [f"--arch={architecture}", "-m64", "-ffreestanding", "-nostdinc", "-isystem", headers]
    return _output(["sparse", *target, *flags, entry["file"]], entry["directory"]).splitlines()


def _output(command: list[str], folder: str | Path = places.TREE) -> str:
    """What a command says on either stream."""
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.stdout.decode(errors="replace")


CHECKS = (
    Check("format", formatting),
    Check("includes", include_directions),
    Check("documents", documents),
    Check("features", features),
    Check("system-call tests", syscall_tests),
    Check("scripts", scripts),
    Check("licences", licences),
    Check("integer only", integer_only),
    Check("sizes", sizes),
    Check("sparse", sparse),
)
