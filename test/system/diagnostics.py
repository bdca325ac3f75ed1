# SPDX-License-Identifier: MIT
"""What is told when things go wrong: crashes of native and foreign programs, a kernel panic, the trace."""

import re
import socket
import subprocess

from tern import qemu
from tern.symbols import Symboliser
from tern.testing import Guest, check, equal, system_test

MOMENT = 200  # the page fault at which the kernel is made to panic: the console works by then


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


def _panic_by_debugger(guest: Guest, *lines: str) -> tuple[bytes, bytes]:
    """Has a debugger stop the kernel in a page fault and do something; what the log and the debugger say."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = ["set tcp connect-timeout 60", f"target remote 127.0.0.1:{port}"]
    script = [*start, "hbreak address_space_fault", f"ignore 1 {MOMENT}", "continue", "delete", *lines]
    command = ["gdb-multiarch", "-nx", "-batch", str(guest.configuration.kernel)]
    for line in script:
        command += ["-ex", line]
    machine = qemu.Machine(extra=["-S", "-gdb", f"tcp:127.0.0.1:{port}"])
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as debugger:
        outcome = guest.boot("/bin/busybox", "sleep", "100", machine=machine)
        assert debugger.stdout
        said = debugger.stdout.read()
        guest.note(b"--- gdb\n" + said)
    equal("complaint", outcome.complaint, "the kernel panicked")
    return outcome.log, said


@system_test()
def kernel_panic(guest: Guest) -> None:
    """The kernel finds its stack smashed."""
    log, _ = _panic_by_debugger(guest, "jump __stack_chk_fail")
    _shows(log, rb"kernel panic: .*stack", rb"on CPU 0, thread \d+", rb"backtrace:")
    _shows(log, rb"  0x[0-9a-f]+ panic\+0x", rb"  0x[0-9a-f]+ __stack_chk_fail\+0x", rb"  0x[0-9a-f]+ \w+\+0x")


# The program counter in the frame of a user program, where the kernel's memcpy takes its source and its length from, and
# the code of a fault in a page that is there. RISC-V has no such code: there the debugger shows that the page can be read.
FRAME_AND_COPY = {
    "x86_64": ("rip", "rsi", "rdx", rb"code 0x10e"),
    "aarch64": ("pc", "x1", "x2", rb"code 0x9600000f"),
    "riscv64": ("pc", "a1", "a2", rb"code 0xd"),
}


@system_test()
def user_memory_out_of_reach(guest: Guest) -> None:
    """The kernel reads memory of the running program, which that could read itself, but not by the routines for it: SMAP, PAN, SUM."""
    counter, source, length, code = FRAME_AND_COPY[guest.architecture]
    address = f"cpus[0].current->arch.frame->{counter}"
    log, said = _panic_by_debugger(
        guest,
        "hbreak address_space_fault if access != FAULT_ACCESS_EXECUTE",  # its code is there
        "continue",
        "delete",
        f'printf "at %#lx\\n", {address}',
        f'printf "holds %#x\\n", *(unsigned char *){address}',
        f"set ${source} = {address}",
        f"set ${length} = 1",
        "set $pc = memcpy",
        "continue",
    )
    shown = re.search(rb"at 0x([0-9a-f]+)\n", said)
    check(bool(shown), "gdb did not find the program's code")
    check(guest.architecture != "riscv64" or b"holds 0x" in said, "the program's code is not there")
    if shown:
        _shows(log, rb"kernel panic: .*page fault, address 0x0*" + shown[1] + b", " + code, rb"memcpy\+0x")


@system_test()
def kernel_stack_overflow(guest: Guest) -> None:
    """A thread whose kernel stack ends just below where it stands goes on into the guard page: told from the emergency stack."""
    current = "cpus[0].current"
    log, said = _panic_by_debugger(
        guest,
        f'printf "bottom %#lx of %lu\\n", {current}->kernel_stack, {current}->object.id',
        f"set $sp = {current}->kernel_stack + 64",
        "continue",
    )
    shown = re.search(rb"bottom (0x[0-9a-f]+) of (\d+)", said)
    panicked = re.search(rb"kernel panic: kernel stack overflow, address (0x[0-9a-f]+)", log)
    check(bool(shown), "gdb did not find the stack")
    check(bool(panicked), "the log does not tell of the overflow")
    if shown and panicked:
        below = int(shown[1], 16) - int(panicked[1], 16)
        check(0 < below <= 4096, f"the address is {below} bytes below the stack")
        _shows(log, rb"on CPU 0, thread " + shown[2] + rb" ", rb"backtrace:")
