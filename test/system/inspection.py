# SPDX-License-Identifier: MIT
"""The programs that look into the system: ps, top, caps."""

import re

from tern import qemu
from tern.testing import Guest, check, equal, system_test

SERVERS = ("init", "console", "vfs", "clock", "linux")


def _table(lines: list[str], first_column: str) -> list[list[str]]:
    """The words of each row below a heading that begins with a word, up to an empty line."""
    start = next((i for i, line in enumerate(lines) if line.split()[:1] == [first_column]), None)
    check(start is not None, f"there is no table of {first_column}")
    end = next((i for i in range(start, len(lines)) if not lines[i].strip()), len(lines))
    return [line.split() for line in lines[start + 1 : end]]


@system_test()
def ps(guest: Guest) -> None:
    lines = guest.succeed("/tern/bin/ps").decode().splitlines()
    processes = {row[1]: row for row in _table(lines, "ID") if row[0].isdigit()}
    for name in (*SERVERS, "ps"):
        check(name in processes, f"{name} is not in the list of {sorted(processes)}")
        identity, _, threads, handles, pages, account, used, _ = processes[name]
        for what, value in (("threads", threads), ("handles", handles), ("pages", pages), ("used", used)):
            check(int(value) > 0, f"{name} has {value} {what}")
        check(int(account) > 0, f"{name} has no account")
    identities = [int(row[0]) for row in processes.values()]
    equal("the order of ids", identities, sorted(identities))
    threads = [re.sub(r"  +", " ", line.strip()) for line in lines if not line.split()[0].isdigit()]
    check(any(re.search(r" B priority \d+ cpu \d+ \d+ ms receive$", line) for line in threads), "nobody receives")
    own = lines[next(i for i, line in enumerate(lines) if line.split()[1:2] == ["ps"]) + 1]
    check(re.search(r" R priority", own) is not None, f"its own thread does not run: {own}")


@system_test()
def top(guest: Guest) -> None:
    machine = qemu.Machine(smp=4)
    text = guest.succeed("/tern/bin/top", "-n", "2", "-d", "200", machine=machine).decode()
    rounds = text.split("\n\n")
    equal("rounds", len(rounds), 2)
    for shown in rounds:
        lines = shown.splitlines()
        check(re.match(r"up \d+ s, 4 CPUs, \d+ of \d+ KiB free, \d+ processes, \d+ threads", lines[0]), lines[0])
        start = next(i for i, line in enumerate(lines) if line.startswith("CPU"))
        cpus = [line.split() for line in lines[start + 1 : start + 5]]
        equal("CPUs", [row[0] for row in cpus], ["0", "1", "2", "3"])
        check(all(float(row[1]) >= 0 for row in cpus), f"idle times are {[row[1] for row in cpus]}")
        check(sum(int(row[2]) for row in cpus) > 0, "no CPU has switched")
        processes = {row[1]: row for row in _table(lines, "ID")}
        check(set(SERVERS) | {"top"} <= set(processes), f"processes are {sorted(processes)}")
        shares = [float(row[2]) for row in processes.values()]
        equal("the order of CPU use", shares, sorted(shares, reverse=True))


@system_test()
def top_words(guest: Guest) -> None:
    for words in (("-n", "0"), ("-n", "many"), ("-x",)):
        outcome = guest.run("/tern/bin/top", *words)
        equal("status", outcome.status, 2)
        check(b"usage: top" in outcome.stderr, f"stderr is {outcome.stderr!r}")


@system_test()
def caps(guest: Guest) -> None:
    """The tools may look into the system, and hold no other resource."""
    lines = guest.succeed("/tern/bin/caps").decode().splitlines()
    handles = _table(lines, "HANDLE")
    resources = [row for row in handles if row[1] == "resource"]
    equal("resources", [(row[3], row[-1]) for row in resources], [("r------------", "system")])
    given = {row[-1]: row for row in handles if len(row) == 6}
    equal("type of the console", given["console"][1], "endpoint")
    equal("rights on the console", given["console"][3], "----s-----dt-")
    check(int(given["console"][4], 16) != 0, "the console's handle has no badge")
    rows = [line.rsplit(maxsplit=2) for line in lines if line[:1].isalpha()]
    objects = {row[0]: row for row in rows if len(row) == 3}
    for name in ("process", "thread", "address space", "memory", "endpoint", "account", "resource"):
        check(name in objects and int(objects[name][1]) > 0, f"{name} is not among {sorted(objects)}")
