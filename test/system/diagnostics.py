# SPDX-License-Identifier: MIT
"""What is told when things go wrong: crashes of native and foreign programs, a kernel panic, the trace."""

import re
import socket
import subprocess

from tern import qemu
from tern.commands import debugger_command
from tern.guest import Outcome
from tern.symbols import Symboliser
from tern.testing import Guest, TestFailure, check, equal, system_test

MOMENT = "sys_guest_bind"  # what the kernel does first before it is made to panic: the console works by then


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
    _shows(log, rb'crash, thread \d+ "crash": page fault on writing 0x0 at pc 0x[0-9a-f]+')
    _shows(log, rb"backtrace of crash, code at 0x[0-9a-f]+:")
    for line in (rb"fall at test/system/crash.c:13", rb"stumble at test/system/crash.c:19"):
        _shows(log, rb"  0x[0-9a-f]+ " + line)


@system_test()
def smashed_stack_of_a_native_program(guest: Guest) -> None:
    """It ends with a word about why. What found it, the canary, is another one in each process and each boot."""
    program = "/tern/test-programs/smash"
    canaries: set[bytes] = set()
    for _ in range(2):
        outcome = guest.run("/bin/busybox", "sh", "-c", f"{program}; {program}")
        check(outcome.status > 128, f"status is {outcome.status}")
        log = Symboliser(guest.configuration).feed(outcome.log)
        report = (rb"smash: stack smashed: a function wrote", rb'smash, thread \d+ "smash"', rb"smash at test/system/smash.c:")
        _shows(log, *report, *report)
        canaries |= set(re.findall(rb"^[0-9a-f]+$", outcome.stdout, re.MULTILINE))
    equal("number of canaries", len(canaries), 4)


@system_test()
def trace(guest: Guest) -> None:
    outcome = guest.run("/bin/busybox", "true", trace=True)
    equal("status", outcome.status, 0)
    _shows(outcome.log, rb"trace: init/\d+ endpoint_create\(", rb"trace: init/\d+ endpoint_create = 0, 0x", rb"guest_enter")


def _boot_with_debugger(
    guest: Guest, words: list[str], program: str | None, lines: list[str], cpus: int = 1
) -> tuple[Outcome, bytes]:
    """Runs a program, with the debugger of ./tern debug attached; the outcome and what the debugger says."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command, *rest = debugger_command(guest.configuration, port, program)
    command = [command, "-nx", "-batch", "-ex", "set tcp connect-timeout 60", *rest]
    for line in lines:
        command += ["-ex", line]
    machine = qemu.Machine(smp=cpus, extra=["-S", "-gdb", f"tcp:127.0.0.1:{port}"])
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as debugger:
        outcome = guest.boot(*words, machine=machine, fixed_layout=program is not None)
        assert debugger.stdout
        said = debugger.stdout.read()
        guest.note(b"--- gdb\n" + said)
    return outcome, said


@system_test()
def debugger_finds_functions_of_native_programs(guest: Guest) -> None:
    """All are at the same address in this layout; what comes there first is init."""
    words = ["/bin/busybox", "true"]
    script = ["hbreak start_main", "continue", "backtrace", "delete", "continue"]
    outcome, said = _boot_with_debugger(guest, words, "init", script)
    equal("status", outcome.status, 0)
    _shows(said, rb"Breakpoint 1, start_main \(", rb"\n#0 .*start_main \(argument_count=1, .*user/lib/start\.c:", rb"\n#1 ")


# Faults on each CPU, without end. The kernel's word for the CPU that stopped, whichever number the debugger has for it.
FAULTING = "for i in 1 2 3 4; do while :; do /bin/busybox true; done & done; wait"
CPU = {"x86_64": "((struct cpu *)$gs_base)", "aarch64": "((struct cpu *)$TPIDR_EL1)", "riscv64": "((struct cpu *)$tp)"}


def _panic_by_debugger(guest: Guest, cpus: int, *lines: str) -> tuple[bytes, bytes]:
    """Has a debugger stop the kernel in a page fault and do something; what the log and the debugger say. Of several CPUs it is one
    that another one started. In the lines THIS is the CPU that stopped and PLACE where, to stop there again."""
    cpu = CPU[guest.architecture]
    place = "*address_space_fault if " + (f"{cpu}->index != 0" if cpus > 1 else "1")
    script = [f"hbreak {MOMENT}", "continue", "delete", "hbreak PLACE", "continue", "delete", *lines]
    script = [line.replace("THIS", cpu).replace("PLACE", place) for line in script]
    outcome, said = _boot_with_debugger(guest, ["/bin/busybox", "sh", "-c", FAULTING], None, script, cpus)
    equal(f"complaint with {cpus} CPUs", outcome.complaint, "the kernel panicked")
    _shows(outcome.log, rb"on CPU 0," if cpus == 1 else rb"on CPU [1-9],")
    return outcome.log, said


@system_test()
def kernel_panic(guest: Guest) -> None:
    """The kernel finds its stack smashed, by a canary that is another one in each boot."""
    canaries = set()
    for cpus in (1, 4):
        log, said = _panic_by_debugger(guest, cpus, 'printf "canary %#lx\\n", __stack_chk_guard', "jump __stack_chk_fail")
        canaries |= set(re.findall(rb"canary 0x[0-9a-f]+00\n", said))
        _shows(log, rb"kernel panic: .*stack", rb"on CPU \d, thread \d+", rb"backtrace:")
        _shows(log, rb"  0x[0-9a-f]+ panic\+0x", rb"  0x[0-9a-f]+ __stack_chk_fail\+0x", rb"  0x[0-9a-f]+ \w+\+0x")
    equal("number of canaries", len(canaries), 2)


# The program counter in the frame of a user program, where the kernel's memcpy takes its source and its length from, and
# the code of a fault in a page that is there. RISC-V has no such code: there the debugger shows that the page can be read.
FRAME_AND_COPY = {
    "x86_64": ("rip", "rsi", "rdx", rb"code 0x10e"),
    "aarch64": ("pc", "x1", "x2", rb"code 0x9600000f"),
    "riscv64": ("pc", "a1", "a2", rb"code 0xd"),
}


def _panic_at_the_programs_code(guest: Guest, cpus: int, *commands: str) -> tuple[bytes, bytes, bytes]:
    """Stops where the kernel resolves a fault of the program, gives gdb the commands and lets it go on: the log, what gdb said, and
    where the program's code is, that it was just executing and that $code names in the commands."""
    log, said = _panic_by_debugger(
        guest,
        cpus,
        "hbreak PLACE && access != FAULT_ACCESS_EXECUTE",  # its code is there
        "continue",
        "delete",
        f"set $code = THIS->current->arch.frame->{FRAME_AND_COPY[guest.architecture][0]}",
        'printf "at %#lx\\n", $code',
        *commands,
        "continue",
    )
    shown = re.search(rb"at 0x([0-9a-f]+)\n", said)
    check(bool(shown), "gdb did not find the program's code")
    return log, said, shown[1] if shown else b"?"


@system_test()
def user_memory_out_of_reach(guest: Guest) -> None:
    """The kernel reads memory of the running program, which that could read itself, but not by the routines for it: SMAP, PAN, SUM.
    Each CPU has a setting of its own."""
    _, source, length, code = FRAME_AND_COPY[guest.architecture]
    for cpus in (1, 4):
        log, said, address = _panic_at_the_programs_code(
            guest,
            cpus,
            'printf "holds %#x\\n", *(unsigned char *)$code',
            f"set ${source} = $code",
            f"set ${length} = 1",
            "set $pc = memcpy",
        )
        check(guest.architecture != "riscv64" or b"holds 0x" in said, "the program's code is not there")
        _shows(log, rb"kernel panic: .*page fault, address 0x0*" + address + b", " + code, rb"memcpy\+0x")


# The code of a fault on executing a page that is there, but not the kernel's to execute.
NOT_TO_BE_EXECUTED = {"x86_64": rb"code 0x110e", "aarch64": rb"code 0x8600000f", "riscv64": rb"code 0xc"}


@system_test()
def user_code_is_not_executed_by_the_kernel(guest: Guest) -> None:
    """The kernel jumps to code of the running program, which that was just executing: SMEP, PXN, pages of U."""
    for cpus in (1, 4):
        log, _, address = _panic_at_the_programs_code(guest, cpus, "set $pc = $code")
        fault = rb"page fault, address 0x0*" + address + b", " + NOT_TO_BE_EXECUTED[guest.architecture]
        _shows(log, rb"kernel panic: .*" + fault, rb"backtrace:")


# What moves the stack pointer down, where a function begins, to where its caller could as well have had it: x86_64 has its
# return address on the stack.
MOVE_STACK = {
    "x86_64": ["set *(unsigned long *)($bottom + 72) = *(unsigned long *)$sp", "set $sp = $bottom + 72"],
    "aarch64": ["set $sp = $bottom + 64"],
    "riscv64": ["set $sp = $bottom + 64"],
}


@system_test()
def kernel_stack_overflow(guest: Guest) -> None:
    """A thread whose kernel stack ends just below where it stands goes on into the guard page: told from the emergency stack, of
    which each CPU has one, with the thread's name and with who called whom until there."""
    for cpus in (1, 4):
        log, said = _panic_by_debugger(
            guest,
            cpus,
            "set $thread = THIS->current",
            'printf "bottom %#lx, CPU %u, ", $thread->kernel_stack, THIS->index',
            'printf "thread %lu, name %s\\n", $thread->object.id, $thread->name',
            "set $bottom = $thread->kernel_stack",
            *MOVE_STACK[guest.architecture],
            "continue",
        )
        stopped = re.search(rb"bottom (0x[0-9a-f]+), CPU (\d), thread (\d+), name (.+)\n", said)
        panicked = re.search(rb"kernel panic: kernel stack overflow, address (0x[0-9a-f]+)", log)
        check(bool(panicked), f"with {cpus} CPUs the log does not tell of the overflow")
        if not (stopped and panicked):
            raise TestFailure("gdb did not find the thread and its stack")
        below = int(stopped[1], 16) - int(panicked[1], 16)
        check(0 < below <= 4096, f"the address is {below} bytes below the stack")
        calls = (rb"  0x[0-9a-f]+ address_space_fault\+0x", rb"\n[^\n]*  0x[0-9a-f]+ trap_\w+\+0x")
        _shows(log, rb'on CPU %s, thread %s "%s" of ' % stopped.groups()[1:], rb"backtrace:", *calls)
