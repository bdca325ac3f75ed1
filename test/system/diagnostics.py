# SPDX-License-Identifier: MIT
"""What is told when things go wrong: crashes of native and foreign programs, a kernel panic, the trace."""

import re
import socket
import subprocess

from tern import qemu
from tern.symbols import Symboliser
from tern.testing import Guest, check, equal, system_test

MOMENT = 400  # the system call at which the kernel is made to panic: the console works by then


def _shows(log: bytes, *patterns: bytes) -> None:
    """Checks that the log has the patterns in this order."""
    position = 0
    for pattern in patterns:
        found = re.compile(pattern).search(log, position)
        check(bool(found), f"the log does not show {pattern!r}")
        position = found.end() if found else position


@system_test()
def crash_of_a_native_program(guest: Guest) -> None:
    outcome = guest.run("/tern/test-programs/crash")
    check(outcome.status > 128, f"status is {outcome.status}")
    equal("stdout", outcome.stdout, b"falling\n")
    log = Symboliser(guest.configuration).feed(outcome.log)
    _shows(log, rb'crash, thread \d+ "crash": page fault on writing 0x0 at pc 0x[0-9a-f]+', rb"backtrace of crash:")
    for line in (rb"fall at test/system/crash.c:13", rb"stumble at test/system/crash.c:19"):
        _shows(log, rb"  0x[0-9a-f]+ " + line)


@system_test()
def trace(guest: Guest) -> None:
    outcome = guest.run("/bin/busybox", "true", trace=True)
    equal("status", outcome.status, 0)
    _shows(outcome.log, rb"trace: init/\d+ endpoint_create\(", rb"trace: init/\d+ endpoint_create = 0, 0x", rb"guest_enter")


@system_test()
def kernel_panic(guest: Guest) -> None:
    """A debugger makes the kernel find its stack smashed in the middle of a system call."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = ["set tcp connect-timeout 60", f"target remote 127.0.0.1:{port}", "hbreak syscall_dispatch", f"ignore 1 {MOMENT}", "continue", "delete"]
    command = ["gdb-multiarch", "-nx", "-batch", str(guest.configuration.kernel)]
    for line in [*script, "jump __stack_chk_fail"]:
        command += ["-ex", line]
    machine = qemu.Machine(extra=["-S", "-gdb", f"tcp:127.0.0.1:{port}"])
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as debugger:
        outcome = guest.boot("/bin/busybox", "sleep", "100", machine=machine)
        assert debugger.stdout
        guest.note(b"--- gdb\n" + debugger.stdout.read())
    equal("complaint", outcome.complaint, "the kernel panicked")
    _shows(outcome.log, rb"kernel panic: .*stack", rb"on CPU 0, thread \d+", rb"backtrace:")
    _shows(outcome.log, rb"  0x[0-9a-f]+ panic\+0x", rb"  0x[0-9a-f]+ __stack_chk_fail\+0x", rb"  0x[0-9a-f]+ \w+\+0x")
