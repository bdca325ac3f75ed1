# SPDX-License-Identifier: MIT
"""What a person does with BusyBox: programs, files, the shell, pipes; and how programs end."""

import hashlib
import random

from tern.testing import Guest, check, equal, system_test

BUSYBOX = "/bin/busybox"
MOTD = b"Welcome to Tern.\n"


@system_test()
def echo(guest: Guest) -> None:
    outcome = guest.run(BUSYBOX, "echo", "hello world")
    equal("stdout", outcome.stdout, b"hello world\n")
    equal("stderr", outcome.stderr, b"")
    equal("status", outcome.status, 0)


@system_test(configuration="release")
def echo_release(guest: Guest) -> None:
    equal("stdout", guest.succeed(BUSYBOX, "echo", "hello world"), b"hello world\n")


@system_test(configuration="clang")
def echo_clang(guest: Guest) -> None:
    equal("stdout", guest.succeed(BUSYBOX, "echo", "hello world"), b"hello world\n")


@system_test()
def motd(guest: Guest) -> None:
    equal("stdout", guest.succeed(BUSYBOX, "cat", "/etc/motd"), MOTD)


@system_test()
def shell_loop(guest: Guest) -> None:
    outcome = guest.run(BUSYBOX, "sh", "-c", "for i in 1 2 3; do echo $((i*i)); done; exit 7")
    equal("stdout", outcome.stdout, b"1\n4\n9\n")
    equal("status", outcome.status, 7)


@system_test()
def pipes(guest: Guest) -> None:
    output = guest.succeed(BUSYBOX, "sh", "-c", "ls /bin | wc -l; cat /etc/motd | tr a-z A-Z | head -1")
    lines = output.splitlines()
    equal("lines", len(lines), 2)
    equal("entries of /bin", lines[0].strip(), str(len(guest.configuration.archive_names("bin"))).encode())
    equal("last line", lines[1], MOTD.strip().upper())


@system_test()
def put_five_mebibytes(guest: Guest) -> None:
    data = random.Random(5).randbytes(5 << 20)
    (guest.folder / "data").write_bytes(data)
    output = guest.succeed(BUSYBOX, "sha256sum", "/tmp/in", put={"/tmp/in": guest.folder / "data"})
    equal("stdout", output, f"{hashlib.sha256(data).hexdigest()}  /tmp/in\n".encode())


@system_test()
def binary_output(guest: Guest) -> None:
    """Every byte value and the bytes of the console's own protocol arrive as they are."""
    data = bytes(range(256)) * 16 + b"\x7e\x7e\x7d\x7eo\x7e" * 100 + random.Random(6).randbytes(100_000)
    (guest.folder / "data").write_bytes(data)
    output = guest.succeed(BUSYBOX, "cat", "/tmp/in", put={"/tmp/in": guest.folder / "data"})
    check(output == data, f"{len(output)} bytes came back, not the {len(data)} that were sent")


@system_test()
def stderr_apart(guest: Guest) -> None:
    outcome = guest.run(BUSYBOX, "sh", "-c", "echo out; echo err >&2; exit 1")
    equal("stdout", outcome.stdout, b"out\n")
    equal("stderr", outcome.stderr, b"err\n")
    equal("status", outcome.status, 1)


@system_test()
def writable_tmp(guest: Guest) -> None:
    make = "mkdir /tmp/d && echo one > /tmp/d/f && echo two >> /tmp/d/f"
    script = f"{make} && mv /tmp/d/f /tmp/g && cat /tmp/g && rm -r /tmp/d && ls /tmp"
    equal("stdout", guest.succeed(BUSYBOX, "sh", "-c", script), b"one\ntwo\ng\n")


@system_test()
def no_such_program(guest: Guest) -> None:
    outcome = guest.run("/nosuch")
    equal("status", outcome.status, 127)
    check(b"/nosuch" in outcome.stderr, f"stderr does not name it: {outcome.stderr!r}")
    equal("stdout", outcome.stdout, b"")


@system_test()
def many_processes(guest: Guest) -> None:
    script = "i=0; while [ $i -lt 50 ]; do /bin/busybox true || exit 1; i=$((i+1)); done; echo $i"
    equal("stdout", guest.succeed(BUSYBOX, "sh", "-c", script, timeout=180), b"50\n")
