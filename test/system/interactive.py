# SPDX-License-Identifier: MIT
"""`./tern run` as a person uses it: a terminal, the prompt, commands, and leaving."""

import os
import pty
import re
import select
import subprocess
import time

from tern import places
from tern.testing import Guest, TestFailure, check, system_test

PROMPT = re.compile(rb"tern:[^\r\n]*[#$] (\x1b\[6n)?$")  # BusyBox asks the terminal where its cursor is


class _Terminal:
    """A terminal with `./tern run` on it."""

    def __init__(self, guest: Guest) -> None:
        self._guest = guest
        self._master, slave = pty.openpty()
        command = [str(places.TREE / "tern"), "run", guest.architecture, "--debug-build"]
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
        os.close(slave)
        self.screen = b""

    def __enter__(self) -> "_Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()
        os.close(self._master)
        self._guest.note(b"screen:\n" + self.screen)

    def type(self, text: bytes) -> int:
        """Types something; returns where the screen continues."""
        os.write(self._master, text)
        return len(self.screen)

    def wait_for(self, pattern: "re.Pattern[bytes]", start: int = 0, seconds: float = 60) -> None:
        """Waits until the screen shows something."""
        deadline = time.monotonic() + seconds
        while not pattern.search(self.screen, start):
            if not self._read(deadline):
                raise TestFailure(f"the screen never showed {pattern.pattern!r}; it ends with {self.screen[-80:]!r}")

    def wait_for_end(self, seconds: float = 30) -> None:
        """Waits until ./tern has ended."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            raise TestFailure(f"no end within {seconds} seconds") from None

    def _read(self, deadline: float) -> bool:
        """Reads what is there; False at the end of the program or of the time."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:
            return False
        self.screen += data
        return bool(data)


def _session(guest: Guest, leave: bytes) -> None:
    with _Terminal(guest) as terminal:
        terminal.wait_for(PROMPT)
        check(b"Ctrl-A" in terminal.screen.splitlines()[0], "the first line does not say how to quit QEMU")
        start = terminal.type(b"echo $((6 * 7)) | cat\n")
        terminal.wait_for(re.compile(rb"^42\r", re.MULTILINE), start)
        terminal.wait_for(PROMPT, start)
        start = terminal.type(b"sl\x7f\x7fcat /etc/motd | wc -c\n")
        terminal.wait_for(re.compile(rb"^ *17\r", re.MULTILINE), start)
        terminal.wait_for(PROMPT, start)
        terminal.type(leave)
        terminal.wait_for_end()
        check(terminal.process.returncode == 0, f"./tern run ended with status {terminal.process.returncode}")


@system_test()
def prompt_and_exit(guest: Guest) -> None:
    _session(guest, b"exit\n")


@system_test()
def prompt_and_poweroff(guest: Guest) -> None:
    _session(guest, b"poweroff\n")


def _line(text: bytes) -> "re.Pattern[bytes]":
    return re.compile(rb"^" + text + rb"\r", re.MULTILINE)


@system_test()
def interrupt_and_end_of_file_keys(guest: Guest) -> None:
    """Ctrl-C ends what runs in the foreground, Ctrl-D its input; Linux programs and native ones alike."""
    native = b"/tern/test-programs/filter"
    with _Terminal(guest) as terminal:
        terminal.wait_for(PROMPT)
        for command in (b"sh -c 'echo ready; sleep 1000'", b"sh -c 'echo ready; exec " + native + b" --spin now'"):
            start = terminal.type(command + b"\n")
            terminal.wait_for(_line(b"ready"), start)
            start = terminal.type(b"\x03")
            terminal.wait_for(PROMPT, start)
            start = terminal.type(b"echo status $?\n")
            terminal.wait_for(_line(b"status 130"), start)
            terminal.wait_for(PROMPT, start)
        for command, answer in ((b"cat", b"typed"), (native, b"TYPED")):
            start = terminal.type(b"sh -c 'echo ready; exec " + command + b"'\n")
            terminal.wait_for(_line(b"ready"), start)
            start = terminal.type(b"typed\n")
            terminal.wait_for(re.compile(rb"typed\r+\n+" + answer + rb"\r"), start)
            start = terminal.type(b"\x04")
            terminal.wait_for(PROMPT, start)


@system_test()
def jobs_in_the_background(guest: Guest) -> None:
    with _Terminal(guest) as terminal:
        terminal.wait_for(PROMPT)
        start = terminal.type(b"sleep 1 &\n")
        terminal.wait_for(PROMPT, start)
        start = terminal.type(b"jobs\n")
        terminal.wait_for(re.compile(rb"Running +sleep 1"), start)
        terminal.wait_for(PROMPT, start)
        start = terminal.type(b"wait; echo waited\n")
        terminal.wait_for(_line(b"waited"), start)


@system_test()
def quit_qemu_from_the_keyboard(guest: Guest) -> None:
    with _Terminal(guest) as terminal:
        terminal.wait_for(PROMPT)
        terminal.type(b"\x01x")
        terminal.wait_for_end()
