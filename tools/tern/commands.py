# SPDX-License-Identifier: MIT
"""What each command of ./tern does."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from typing import BinaryIO

from tern import build as builds
from tern import frames, guest, places, qemu, requirements, terminal
from tern.failure import Failure
from tern.progress import say
from tern.symbols import Symboliser

LOG_LINES = 50
PROGRAM_BASE = 0x1000000000  # of native programs where the layout is fixed: include/tern/info.h


def run(arguments: argparse.Namespace) -> int:
    """Boots with the console on this terminal."""
    config = _bootable(arguments)
    command = _qemu_command(arguments, config) + qemu.TERMINAL
    print("tern: to quit QEMU press Ctrl-A, then X; `poweroff` in the shell ends it too", flush=True)
    return terminal.relay(command, Symboliser(config))


def execute(arguments: argparse.Namespace) -> int:
    """Boots, runs one program and passes on its output and its status."""
    if not arguments.guest_command:
        raise Failure("exec needs a command: ./tern exec ARCH -- CMD ARG...")
    config = _bootable(arguments)
    program = guest.Program(arguments.guest_command, arguments.put, arguments.timeout)
    options = qemu.KernelOptions(True, arguments.log_level, arguments.trace, arguments.fixed_layout)
    with_log = arguments.log or arguments.trace
    outcome = guest.run(config, _machine(arguments), options, program, _Printer(config, with_log))
    if outcome.complaint:
        if not with_log:
            log = Symboliser(config).feed(outcome.log).splitlines(keepends=True)
            sys.stderr.buffer.writelines(log[-LOG_LINES:])
            sys.stderr.flush()
        print(f"tern: {outcome.complaint}", file=sys.stderr)
    return outcome.status


def debug(arguments: argparse.Namespace) -> int:
    """Boots a debug build that waits for gdb."""
    arguments.debug_build = True
    arguments.fixed_layout = True
    requirements.ensure(requirements.DEBUGGER)
    config = _bootable(arguments)
    debugger = debugger_command(config, arguments.port, arguments.program)
    command = _qemu_command(arguments, config) + ["-S", "-gdb", f"tcp:127.0.0.1:{arguments.port}"]
    if not arguments.gdb:
        print("tern: to quit QEMU press Ctrl-A, then X. It waits for gdb; in another terminal, run:")
        print(f"  {shlex.join(debugger)}", flush=True)
        return terminal.relay(command + qemu.TERMINAL, Symboliser(config))
    console = config.folder / "console.log"
    say(f"the console goes to {console}")
    machine = subprocess.Popen(command + ["-monitor", "none", "-serial", f"file:{console}"], stdin=subprocess.DEVNULL)
    try:
        return subprocess.run(debugger).returncode
    finally:
        machine.kill()
        machine.wait()


def debugger_command(config: builds.Configuration, port: int, program: str | None) -> list[str]:
    """gdb, attached, with the symbols of the kernel and of a native program."""
    command = ["gdb-multiarch", str(config.kernel), "-ex", f"target remote 127.0.0.1:{port}"]
    if program:
        path = config.program(program)
        if not path:
            raise Failure(f"the build has no program {program}")
        command += ["-ex", f"add-symbol-file {path} -o {PROGRAM_BASE:#x}"]
    return command


def build(arguments: argparse.Namespace) -> int:
    """Builds debug and release for some architectures, all by default."""
    architectures = arguments.architectures or places.ARCHITECTURES
    requirements.ensure(requirements.for_build(architectures))
    for architecture in architectures:
        for with_checks in (True, False):
            builds.build(builds.configuration(architecture, with_checks))
    return 0


def test(arguments: argparse.Namespace) -> int:
    """Runs the tests."""
    from tern.testing import runner

    return runner.main(arguments.architectures or list(places.ARCHITECTURES), arguments.only, arguments.long)


def bench(arguments: argparse.Namespace) -> int:
    """Counts the instructions of single operations."""
    from tern import bench as benchmarks

    architectures = arguments.architectures or list(places.ARCHITECTURES)
    requirements.ensure(requirements.for_build(architectures))
    for architecture in architectures:
        requirements.ensure(requirements.for_run(architecture))
        requirements.check_qemu(architecture)
    if arguments.where:
        return benchmarks.where(architectures, arguments.where)
    return benchmarks.main(architectures, arguments.json, arguments.baseline)


def lint(arguments: argparse.Namespace) -> int:
    """Runs the checks of the sources."""
    from tern import lint as checks

    return checks.main()


def _bootable(arguments: argparse.Namespace) -> builds.Configuration:
    """Everything a boot needs: tools, a good QEMU, an up-to-date build."""
    architecture = arguments.architecture
    requirements.ensure(requirements.for_run(architecture))
    requirements.check_qemu(architecture)
    config = builds.configuration(architecture, arguments.debug_build)
    builds.build(config)
    builds.require_kernel(config)
    return config


def _machine(arguments: argparse.Namespace) -> qemu.Machine:
    return qemu.Machine(
        arguments.smp, arguments.mem, arguments.icount, arguments.machine, arguments.cpu, arguments.qemu_arg
    )


def _qemu_command(arguments: argparse.Namespace, config: builds.Configuration) -> list[str]:
    machine = _machine(arguments)
    options = qemu.KernelOptions(False, arguments.log_level, arguments.trace, arguments.fixed_layout).on(machine)
    return qemu.command(arguments.architecture, machine, config.boot_image, config.initramfs, options)


class _Printer:
    """Passes each channel of the guest on to where it belongs."""

    def __init__(self, config: builds.Configuration, with_log: bool) -> None:
        self._with_log = with_log
        self._symboliser = Symboliser(config)

    def __call__(self, channel: str, data: bytes) -> None:
        if channel == frames.STDOUT:
            _put(sys.stdout.buffer, data)
        elif channel == frames.STDERR:
            _put(sys.stderr.buffer, data)
        elif channel == frames.LOG and self._with_log:
            _put(sys.stderr.buffer, self._symboliser.feed(data))


def _put(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)
    stream.flush()
