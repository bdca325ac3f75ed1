# SPDX-License-Identifier: MIT
"""The command line of ./tern: what is wrong on the machine or in the words is one clear sentence and status 2."""

import os
import stat
from pathlib import Path

from tern.testing import Guest, Host, check, equal, host_test, system_test


def _refuses(host: Host, *words: str, says: str, path: str | None = None) -> None:
    done = host.tern(*words, path=path)
    lines = done.stderr.decode().splitlines()
    equal("status", done.returncode, 2)
    equal("stdout", done.stdout, b"")
    equal("lines on stderr", len(lines), 1)
    check(says in lines[0], f"it says: {lines[0]}")


def _path_without(host: Host, program: str) -> str:
    """A PATH with every program of the real one except one."""
    folder = host.folder / "bin"
    folder.mkdir()
    for place in os.environ["PATH"].split(":"):
        for file in sorted(Path(place).glob("*")) if place else []:
            if file.name != program and not (folder / file.name).is_symlink():
                (folder / file.name).symlink_to(file)
    return str(folder)


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="ascii")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@host_test()
def wrong_architecture(host: Host) -> None:
    _refuses(host, "run", "vax", says="no architecture 'vax': choose one of x86_64, aarch64, riscv64")
    _refuses(host, "exec", "vax", "--", "/bin/true", says="no architecture 'vax'")
    _refuses(host, "test", "riscv64", "vax", says="no architecture 'vax'")


@host_test()
def wrong_words(host: Host) -> None:
    _refuses(host, says="COMMAND")
    _refuses(host, "fly", says="fly")
    _refuses(host, "exec", "x86_64", says="needs a command")
    _refuses(host, "exec", "x86_64", "--put", "/nosuch:/tmp/a", "--", "/bin/true", says="/nosuch")
    _refuses(host, "exec", "x86_64", "--put", "/etc/passwd:a", "--", "/bin/true", says="absolute")
    _refuses(host, "exec", "x86_64", "--smp", "0", "--", "/bin/true", says="CPUs")
    _refuses(host, "exec", "x86_64", "--mem", "much", "--", "/bin/true", says="memory size")
    _refuses(host, "exec", "x86_64", "--timeout", "-1", "--", "/bin/true", says="seconds")


@host_test()
def missing_tool(host: Host) -> None:
    path = _path_without(host, "qemu-system-riscv64")
    _refuses(host, "exec", "riscv64", "--", "/bin/true", says="qemu-system-riscv64 missing", path=path)


@host_test()
def old_qemu(host: Host) -> None:
    _script(host.folder / "qemu-system-aarch64", "echo 'QEMU emulator version 6.2.0 (Debian 1:6.2)'")
    path = f"{host.folder}:{os.environ['PATH']}"
    _refuses(host, "exec", "aarch64", "--", "/bin/true", says="version 6.2, Tern needs 7.2 or newer", path=path)


@host_test()
def broken_qemu(host: Host) -> None:
    _script(host.folder / "qemu-system-x86_64", "exit 127")
    path = f"{host.folder}:{os.environ['PATH']}"
    _refuses(host, "exec", "x86_64", "--", "/bin/true", says="does not tell a version", path=path)


@system_test(configuration="release")
def exec_command_line(guest: Guest) -> None:
    """The whole way through ./tern exec: nothing but the guest's bytes on stdout, its status is ours."""
    host = Host(guest.folder, guest.log)
    done = host.tern("exec", guest.architecture, "--", "/bin/busybox", "sh", "-c", "echo out; echo err >&2; exit 9")
    equal("stdout", done.stdout, b"out\n")
    check(done.stderr.endswith(b"err\n"), f"stderr is {done.stderr[-200:]!r}")
    equal("status", done.returncode, 9)


@system_test(configuration="release")
def exec_time_out(guest: Guest) -> None:
    host = Host(guest.folder, guest.log)
    done = host.tern("exec", guest.architecture, "--timeout", "8", "--", "/bin/busybox", "sleep", "1000")
    equal("status", done.returncode, 124)
    check(b"no end within 8 seconds" in done.stderr, f"stderr is {done.stderr[-200:]!r}")
