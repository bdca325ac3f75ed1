# SPDX-License-Identifier: MIT
"""What each command of ./tern does."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

from tern import build as builds
from tern import frames, guest, places, qemu, requirements
from tern.failure import Failure
from tern.progress import say

LOG_LINES = 50


def run(arguments: argparse.Namespace) -> int:
    """Boots with the console on this terminal."""
    config = _bootable(arguments)
    command = _qemu_command(arguments, config) + qemu.TERMINAL
    print("tern: to quit QEMU press Ctrl-A, then X; `poweroff` in the shell ends it too", flush=True)
    os.execvp(command[0], command)


def execute(arguments: argparse.Namespace) -> int:
    """Boots, runs one program and passes on its output and its status."""
    if not arguments.guest_command:
        raise Failure("exec needs a command: ./tern exec ARCH -- CMD ARG...")
    config = _bootable(arguments)
    program = guest.Program(arguments.guest_command, arguments.put, arguments.timeout)
    options = qemu.KernelOptions(True, arguments.log_level, arguments.trace)
    outcome = guest.run(config, _machine(arguments), options, program, _Printer(arguments.log or arguments.trace))
    if outcome.complaint:
        if not (arguments.log or arguments.trace):
            for line in outcome.log.splitlines()[-LOG_LINES:]:
                sys.stderr.buffer.write(line + b"\n")
            sys.stderr.flush()
        print(f"tern: {outcome.complaint}", file=sys.stderr)
    return outcome.status


def debug(arguments: argparse.Namespace) -> int:
    """Boots a debug build that waits for gdb."""
    arguments.debug_build = True
    requirements.ensure(requirements.DEBUGGER)
    config = _bootable(arguments)
    debugger = ["gdb-multiarch", str(config.kernel), "-ex", f"target remote 127.0.0.1:{arguments.port}"]
    if arguments.program:
        debugger += ["-ex", f"add-symbol-file {_program(config, arguments.program)}"]
    command = _qemu_command(arguments, config) + ["-S", "-gdb", f"tcp:127.0.0.1:{arguments.port}"]
    if not arguments.gdb:
        print("tern: to quit QEMU press Ctrl-A, then X. It waits for gdb; in another terminal, run:")
        print(f"  {shlex.join(debugger)}", flush=True)
        os.execvp(command[0], command + qemu.TERMINAL)
    console = config.folder / "console.log"
    say(f"the console goes to {console}")
    machine = subprocess.Popen(command + ["-monitor", "none", "-serial", f"file:{console}"], stdin=subprocess.DEVNULL)
    try:
        return subprocess.run(debugger).returncode
    finally:
        machine.kill()
        machine.wait()


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
    options = qemu.KernelOptions(False, arguments.log_level, arguments.trace)
    machine = _machine(arguments)
    return qemu.command(arguments.architecture, machine, config.boot_image, config.initramfs, options)


def _program(config: builds.Configuration, name: str) -> Path:
    """A program of the build, with its symbols."""
    found = [path for path in (config.folder / "user").rglob(name) if path.is_file()]
    found += [path for path in (config.folder / "test").rglob(name) if path.is_file()]
    if not found:
        raise Failure(f"the build has no program {name}")
    return found[0]


class _Printer:
    """Passes each channel of the guest on to where it belongs."""

    def __init__(self, with_log: bool) -> None:
        self._targets = {frames.STDOUT: sys.stdout.buffer, frames.STDERR: sys.stderr.buffer}
        if with_log:
            self._targets[frames.LOG] = sys.stderr.buffer

    def __call__(self, channel: str, data: bytes) -> None:
        target = self._targets.get(channel)
        if target:
            target.write(data)
            target.flush()
