#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for QEMU and the guest in tests of the tooling: does what /tern/command of the boot archive says."""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from tern import cpio
from tern.frames import LOG, STATUS, STDERR, STDOUT, encode


def say(data: bytes) -> None:
    """Sends bytes over the UART."""
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def status(number: int) -> None:
    """Tells the exit status."""
    say(encode(STATUS, str(number).encode()))


def main() -> None:
    """Runs one command of the fake guest."""
    files = cpio.read(Path(sys.argv[sys.argv.index("-initrd") + 1]).read_bytes())
    command, *arguments = files["tern/command"].rstrip(b"\0").split(b"\0")
    say(b"early log\n")
    if command == b"echo":
        say(encode(STDOUT, b" ".join(arguments) + b"\n"))
        say(encode(LOG, b"a server speaks\n"))
        status(0)
    elif command == b"cat":
        say(encode(STDOUT, files[arguments[0].decode().lstrip("/")]))
        status(0)
    elif command == b"complain":
        say(encode(STDERR, b"no\n"))
        status(127)
    elif command == b"hang":
        time.sleep(60)
    elif command == b"stay":
        status(3)
        time.sleep(60)
    elif command == b"panic":
        say(b"\x7eounfinished" + b"\x7e\x7epanic: out of ideas\n")
        time.sleep(60)
    elif command == b"vanish":
        sys.exit("fake: cannot go on")


if __name__ == "__main__":
    main()
