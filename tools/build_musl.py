#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds the C library of native programs from the unmodified source of musl:
`build_musl.py SOURCE_FOLDER ARCH OUTPUT_FOLDER` makes OUTPUT_FOLDER/include and OUTPUT_FOLDER/lib/libc.a.

Its system calls go to the native runtime: user/lib/musl/syscall_arch.h takes the place of musl's, and the few files
that are written in assembly around a system call are left out, because user/lib/posix supplies what they define.

Servers and personalities must leave the floating-point and vector registers alone (a personality's are its guest's), so
every file is compiled without them if it can be. lib/floating_point.txt lists the files that use them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path

from tern import floating_point

PORT = Path(__file__).resolve().parent.parent / "user" / "lib" / "musl"

# Supplied by the runtime, or of no use without what it would be about: signals, fork, dynamic linking.
LEFT_OUT = {
    "thread/__set_thread_area", "thread/__unmapself", "thread/clone", "thread/pthread_cancel", "thread/syscall_cp",
    "process/vfork", "signal/restore", "ldso/dlsym", "ldso/tlsdesc",
}

# The assembly version uses vector registers, musl's C version does not.
PLAIN_C = {"aarch64": {"string/memset"}}

# Functions with variable arguments among which doubles may be: they must look for them in floating-point registers.
TAKES_DOUBLES = re.compile(r"stdio/(v?[a-z]*printf|v?[a-z]*wprintf)|legacy/err|misc/syslog|time/strftime|locale/strfmon")

INTEGER_ONLY = {
    "x86_64": ["-mgeneral-regs-only"],
    "aarch64": ["-mgeneral-regs-only"],
    "riscv64": [],
}
MACHINE = {
    "x86_64": [],
    "aarch64": ["-mno-outline-atomics"],
    "riscv64": ["-march=rv64gc", "-mabi=lp64d", "-mcmodel=medany"],
}
FLAGS = [
    "-std=c99", "-nostdinc", "-ffreestanding", "-fexcess-precision=standard", "-frounding-math", "-O2", "-g1",
    "-fpie", "-fno-stack-protector", "-fno-omit-frame-pointer", "-fno-strict-aliasing", "-ffunction-sections",
    "-fdata-sections", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-fno-tree-loop-distribute-patterns",
    "-fno-tree-vectorize", "-fcf-protection=none", "-Wa,--noexecstack", "-w", "-D_XOPEN_SOURCE=700",
]  # fmt: skip


def main() -> None:
    """Builds headers and library into the output folder."""
    source, architecture, output = Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3]).resolve()
    headers(source, architecture, output)
    objects = compile_all(source, architecture, output)
    library = output / "lib" / "libc.a"
    run([tool(architecture, "ar"), "rcsD", str(library), *map(str, objects)])
    members = sorted({member for member, _ in floating_point.users(architecture, library)})
    (output / "lib" / "floating_point.txt").write_text("".join(f"{name}\n" for name in members), encoding="ascii")
    shutil.rmtree(output / "objects")


def tool(architecture: str, name: str) -> str:
    """A tool of the cross toolchain."""
    return f"{architecture}-linux-gnu-{name}"


def headers(source: Path, architecture: str, output: Path) -> None:
    """Puts the public headers together; later folders win. System-call numbers are the generic ones on every ISA."""
    include, arch = output / "include", source / "arch"
    shutil.copytree(source / "include", include, ignore=shutil.ignore_patterns("*.in"))
    for folder in (arch / "generic" / "bits", arch / architecture / "bits"):
        shutil.copytree(folder, include / "bits", ignore=shutil.ignore_patterns("*.in"), dirs_exist_ok=True)
    types = [str(arch / architecture / "bits" / "alltypes.h.in"), str(source / "include" / "alltypes.h.in")]
    sed = ["sed", "-f", str(source / "tools" / "mkalltypes.sed"), *types]
    (include / "bits" / "alltypes.h").write_bytes(run(sed))
    numbers = (arch / "aarch64" / "bits" / "syscall.h.in").read_text(encoding="ascii")
    aliases = "".join(line.replace("__NR_", "SYS_") for line in numbers.splitlines(keepends=True) if "__NR_" in line)
    (include / "bits" / "syscall.h").write_text(numbers + aliases, encoding="ascii")
    internal = output / "objects" / "internal"
    internal.mkdir(parents=True)
    (output / "lib").mkdir()
    version = (source / "VERSION").read_text(encoding="ascii").strip()
    (internal / "version.h").write_text(f'#define VERSION "{version}"\n', encoding="ascii")


def sources(source: Path, architecture: str) -> dict[str, Path]:
    """All files of the library by folder/stem: the ISA's version where there is one, else the portable one."""
    base = source / "src"
    chosen = {f"{path.parent.name}/{path.stem}": path for path in base.glob("*/*.c")}
    chosen |= {f"mallocng/{path.stem}": path for path in base.glob("malloc/mallocng/*.c")}
    for path in base.glob(f"*/{architecture}/*.[csS]"):
        name = f"{path.parent.parent.name}/{path.stem}"
        if name not in PLAIN_C.get(architecture, ()):
            chosen[name] = path
    return {name: path for name, path in sorted(chosen.items()) if name not in LEFT_OUT}


def compile_all(source: Path, architecture: str, output: Path) -> list[Path]:
    """Compiles everything and returns the object files."""
    internal = output / "objects" / "internal"
    folders = [
        PORT, source / "arch" / architecture, source / "arch" / "generic", internal, source / "src" / "include",
        source / "src" / "internal", output / "include",
    ]  # fmt: skip
    flags = FLAGS + MACHINE[architecture] + [f"-I{folder}" for folder in folders]

    def compile_one(name: str, path: Path) -> Path:
        target = output / "objects" / (name.replace("/", "_") + ".o")
        command = [tool(architecture, "gcc"), *flags, "-c", str(path), "-o", str(target)]
        integer_only = INTEGER_ONLY[architecture]
        if integer_only and path.suffix == ".c" and not TAKES_DOUBLES.match(name):
            if subprocess.run([*command, *integer_only], capture_output=True, check=False).returncode == 0:
                return target
        run(command)
        return target

    with ThreadPoolExecutor(cpu_count()) as pool:
        return list(pool.map(lambda item: compile_one(*item), sources(source, architecture).items()))


def run(command: list[str]) -> bytes:
    """Runs a command and returns its output; a failure ends the build with what it said."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stderr.decode('utf-8', 'replace')}")
    return done.stdout


if __name__ == "__main__":
    main()
