# SPDX-License-Identifier: MIT
"""What whole-boot tests are written with.

    from tern.testing import Guest, equal, system_test

    @system_test()
    def echo(guest: Guest) -> None:
        outcome = guest.run("/bin/busybox", "echo", "hello")
        equal("status", outcome.status, 0)
        equal("stdout", outcome.stdout, b"hello\\n")

A file in test/system holds some of them. A function runs once on each architecture, as `ARCH system/NAME`. With
@host_test() it runs once, as `host system/NAME`, and gets a Host.
"""

from tern.testing.registry import host_test, system_test
from tern.testing.subjects import Guest, Host, TestFailure, check, equal

__all__ = ["Guest", "Host", "TestFailure", "check", "equal", "host_test", "system_test"]
