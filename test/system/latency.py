# SPDX-License-Identifier: MIT
"""How long the kernel keeps interrupts off, in instructions."""

import re

from tern import build, qemu
from tern.progress import say
from tern.testing import Guest, check, system_test

LIMIT = 20_000
SECTION = re.compile(rb"interrupts were off for (\d+) ns in (.*), until:")


@system_test(configuration="release")
def interrupts_off(guest: Guest) -> None:
    """The worst operations in a release build that measures itself, one nanosecond for each instruction."""
    config = build.latency(guest.architecture)
    build.build(config)
    measured = Guest(config, guest.folder, guest.log)
    machine = qemu.Machine(icount=True, memory="1G")
    outcome = measured.run("/tern/tests/kernel", "bounded_", machine=machine, timeout=300)
    check(outcome.status == 0, "the operations failed")
    sections = [(int(match[1]), match[2].decode()) for match in SECTION.finditer(outcome.log)]
    check(bool(sections), "the kernel measured nothing")
    length, what = max(sections)
    say(f"{guest.architecture}: interrupts are off for {length} instructions at most, in {what}")
    check(length <= LIMIT, f"interrupts were off for {length} instructions in {what}, more than {LIMIT}")
