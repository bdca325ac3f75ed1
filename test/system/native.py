# SPDX-License-Identifier: MIT
"""Native programs that BusyBox's shell starts: they are processes like any other to it."""

from tern.testing import Guest, check, equal, system_test

FILTER = "/tern/test-programs/filter"


def _shell(guest: Guest, *lines: str) -> list[bytes]:
    return guest.succeed("/bin/busybox", "sh", "-c", "\n".join(lines)).splitlines()


@system_test()
def native_program_from_the_shell(guest: Guest) -> None:
    lines = _shell(guest, "/tern/bin/hello 7; echo status $?", "/tern/bin/hello", "PATH=/tern/bin; hello 5 && exit 1; exit 0")
    equal("first line", lines[0], b"hello from /tern/bin/hello with 1 argument(s)")
    check(b"status 7" in lines, "its status is not the shell's $?")
    equal("greetings", sum(line.startswith(b"hello from") for line in lines), 3)


@system_test()
def native_program_in_a_pipeline(guest: Guest) -> None:
    lines = _shell(
        guest,
        f"echo first | {FILTER} 'an argument' last | sed 's/^/> /'",
        f"cd /tmp; echo second | {FILTER} --file capitals --status 3; echo $?; cat /tmp/capitals",
        f"{FILTER} < /etc/motd > motd; cat motd",
        f"yes | {FILTER} | head -n 1",
        f"seq 1 20000 | {FILTER} | {FILTER} | tail -n 1",
    )
    equal("lines", lines, [b"> FIRST", b"> an argument", b"> last", b"3", b"SECOND", b"WELCOME TO TERN.", b"Y", b"20000"])


@system_test()
def tools_from_the_shell(guest: Guest) -> None:
    lines = _shell(guest, "/tern/bin/ps | grep -c receive", "/tern/bin/top | grep CPUs", "/tern/bin/caps | grep system$")
    check(int(lines[0]) > 0, "ps shows no thread that waits to receive")
    check(b"1 CPUs" in lines[1], f"top shows {lines[1]!r}")
    equal("rights on the system", lines[2].split()[3], b"r------------")


@system_test()
def native_program_ends_by_signals(guest: Guest) -> None:
    lines = _shell(
        guest,
        f"{FILTER} --spin now & kill $!; wait $!; echo $?",
        f"sleep 1 | {FILTER} & kill $!; wait $!; echo $?",
        "/tern/test-programs/crash; echo $?",
        f"timeout 1 {FILTER} --spin now; echo $?",
        "ps -o comm | grep -c filter; true",
    )
    equal("lines", lines, [b"143", b"143", b"falling", b"139", b"143", b"0"])
