# SPDX-License-Identifier: MIT
"""Boots the system, runs one program in it and tells what came of it."""

from __future__ import annotations

import re
import selectors
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

from tern import children, cpio, frames, grub, qemu
from tern.build import Configuration

TIMED_OUT = 124
NO_STATUS = 125
POWER_OFF_SECONDS = 10
PANIC_SECONDS = 2
PANIC = re.compile(rb"^(\[[^]]*\] *)?(kernel )?panic\b", re.IGNORECASE | re.MULTILINE)


@dataclass
class Program:
    """What to run in the guest and the host files it gets."""

    arguments: list[str]
    files: list[tuple[Path, str]] = field(default_factory=list)
    timeout: float = 60.0


@dataclass
class Outcome:
    """What came of it. The complaint is a sentence where the guest gave no status of its own."""

    status: int
    stdout: bytes
    stderr: bytes
    log: bytes
    seconds: float
    complaint: str | None = None


Listener = Callable[[str, bytes], None]


def run(
    config: Configuration,
    machine: qemu.Machine,
    options: qemu.KernelOptions,
    program: Program,
    listener: Listener = lambda channel, data: None,
) -> Outcome:
    """Boots, runs the program and waits for the end; the listener gets each piece of output as it comes."""
    options = options.on(machine)
    with tempfile.TemporaryDirectory(prefix="tern-") as folder:
        archive = Path(folder) / "initramfs.cpio"
        shutil.copyfile(config.initramfs, archive)
        with open(archive, "ab") as file:
            file.write(_overlay(program))
        assert config.architecture
        if machine.grub:
            disc = grub.make_disc(Path(folder), config.boot_image, archive, options)
            command = qemu.disc_command(config.architecture, machine, disc) + qemu.PIPE
        else:
            command = qemu.command(config.architecture, machine, config.boot_image, archive, options) + qemu.PIPE
        with open(Path(folder) / "qemu.log", "w+b") as complaints:
            pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": complaints}
            with children.child(command, **pipes) as process:
                outcome = _Session(process, program.timeout, listener).follow()
            complaints.seek(0)
            if outcome.complaint and (words := complaints.read().decode(errors="replace").strip()):
                outcome.complaint += f" (QEMU says: {words[-300:]})"
            return outcome


def _overlay(program: Program) -> bytes:
    """The archive behind the boot archive: the caller's files and the command to run."""
    archive = cpio.Archive()
    for host, guest in program.files:
        archive.file(guest, host.read_bytes(), 0o755)
    archive.file("tern/command", b"".join(word.encode() + b"\0" for word in program.arguments))
    return archive.to_bytes()


class _Session:
    """Follows one QEMU from its first byte to its end."""

    def __init__(self, process: subprocess.Popen, timeout: float, listener: Listener) -> None:
        self._process = process
        self._timeout = timeout
        self._listener = listener
        self._start = time.monotonic()
        self._deadline = self._start + timeout
        self._decoder = frames.Decoder()
        self._streams = {channel: bytearray() for channel in frames.CHANNELS.values()}
        self._status: int | None = None
        self._panicked = False

    def follow(self) -> Outcome:
        """Reads until the guest has powered off or its time is up."""
        ended = self._read_all()
        if self._status is not None and ended:
            return self._outcome(self._status)
        if self._status is not None:
            return self._outcome(NO_STATUS, f"the guest did not power off after its status {self._status}")
        if self._panicked:
            return self._outcome(NO_STATUS, "the kernel panicked")
        if ended:
            return self._outcome(NO_STATUS, "the guest ended without an exit status")
        return self._outcome(TIMED_OUT, f"no end within {self._timeout:g} seconds: the guest was stopped")

    def _read_all(self) -> bool:
        """Whether QEMU ended by itself in time."""
        assert self._process.stdout
        output = self._process.stdout
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            while (left := self._deadline - time.monotonic()) > 0:
                if not selector.select(left):
                    continue
                data = output.read1(1 << 16)
                if not data:
                    self._take(self._decoder.finish())
                    return self._ends_in_time()
                self._take(self._decoder.feed(data))
        self._take(self._decoder.finish())
        return False

    def _ends_in_time(self) -> bool:
        try:
            self._process.wait(max(1.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return False
        return True

    def _take(self, pieces) -> None:
        for channel, data in pieces:
            self._streams[channel] += data
            self._listener(channel, data)
            if channel == frames.STATUS:
                self._status = int(data) if data.isdigit() else NO_STATUS
                self._deadline = min(self._deadline, time.monotonic() + POWER_OFF_SECONDS)
            if channel == frames.LOG and not self._panicked and PANIC.search(self._streams[frames.LOG][-4096:]):
                self._panicked = True
                self._deadline = min(self._deadline, time.monotonic() + PANIC_SECONDS)

    def _outcome(self, status: int, complaint: str | None = None) -> Outcome:
        return Outcome(
            status,
            bytes(self._streams[frames.STDOUT]),
            bytes(self._streams[frames.STDERR]),
            bytes(self._streams[frames.LOG]),
            time.monotonic() - self._start,
            complaint,
        )
