# SPDX-License-Identifier: MIT
"""What there is to run: checks of the sources, unit tests, kernel test programs, system tests."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

from tern import build, children, guest, lint, places, qemu
from tern.testing import tap
from tern.testing.registry import SystemTest
from tern.testing.subjects import Guest, Host, TestFailure

LOGS = places.BUILD / "test-logs"
UNIT_TEST_SECONDS = 120
KERNEL_TEST_SECONDS = 600.0
LONG_KERNEL_TEST_SECONDS = 4 * 3600.0


@dataclass(frozen=True)
class Result:
    """One line of the report; without a failure it passed."""

    name: str
    seconds: float
    failure: str | None = None
    notes: tuple[str, ...] = ()  # what it found out besides, printed below it


@dataclass(frozen=True)
class Job:
    """Something to run. It returns its results, or None for one that passed, or raises the reason of one that failed."""

    name: str
    run: Callable[[Path], "list[Result] | None"]

    @property
    def log(self) -> Path:
        """Where its details go."""
        return LOGS / (self.name.replace(" ", "-").replace("/", "-") + ".log")


def lint_jobs() -> list[Job]:
    """The checks of the sources."""

    def job(check: lint.Check) -> Job:
        def run(log: Path) -> None:
            complaints = check.function()
            if complaints:
                log.write_text("\n".join(complaints) + "\n", encoding="utf-8")
                raise TestFailure(f"{complaints[0]}" + (f" and {len(complaints) - 1} more" if complaints[1:] else ""))

        return Job(f"host lint/{check.name}", run)

    return [job(check) for check in lint.CHECKS]


def unit_jobs() -> list[Job]:
    """The unit tests of portable code that the host build has, and those of the tooling."""
    listing = subprocess.run(
        ["meson", "introspect", "--tests", str(build.HOST.folder)], capture_output=True, check=True
    )
    jobs = [_command_job(f"host unit/{test['name']}", test["cmd"]) for test in json.loads(listing.stdout)]
    for path in sorted((places.TREE / "test/tools").glob("test_*.py")):
        jobs.append(_command_job(f"host tools/{path.stem[5:]}", [sys.executable, str(path)]))
    return jobs


def _command_job(name: str, command: list[str]) -> Job:
    """A program that says by its status whether all held."""

    def run(log: Path) -> None:
        with open(log, "wb") as output:
            done = children.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=UNIT_TEST_SECONDS
            )
        if done.returncode:
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise TestFailure(f"status {done.returncode}: {lines[-1] if lines else 'no output'}")

    return Job(name, run)


@dataclass(frozen=True)
class Boot:
    """One way to run a native test program."""

    suffix: str  # of the test's name
    configuration: str
    machine: qemu.Machine
    arguments: tuple[str, ...] = ()


AS_USED = Boot("", "release", qemu.Machine())
ONE_CPU = Boot("", "debug", qemu.Machine(icount=True))
COUNTING = replace(ONE_CPU, suffix=" with instructions of 1 ns")
FOUR_CPUS = Boot(" on 4 CPUs", "debug", qemu.Machine(smp=4))

# The kernel's own tests: the whole of them as they are used and as they are checked, and without those that do one thing
# very often where timer interrupts fall elsewhere. When it may take long each has all of them, and those on four CPUs
# their full length: ten minutes of random load among them.
SHORT = ("-leaks", "-stress_system")
KERNEL_BOOTS = [
    AS_USED,
    FOUR_CPUS,
    *(
        Boot(f" with instructions of {1 << shift} ns", "debug", qemu.Machine(icount=True, icount_shift=shift), SHORT)
        for shift in (0, 2, 4)
    ),
]
# CPUs that take turns on one thread of the host, 100 ms each: where one waits for another, a turn goes by, and some tests take
# minutes; those of direct switches, whose threads keep a CPU busy, and those that wait for other CPUs hundreds of times are
# left out. So in each run only some, of what depends on who runs when. No two CPUs contend for a lock there.
ENDS_BESIDE_BUSY_CPUS = ("-torture_of_callers", "-torture_of_handles")
IN_TURN = Boot(
    " on 4 CPUs in turn",
    "debug",
    qemu.Machine(smp=4, one_host_thread=True),
    (*SHORT, "-introspection_locks", "-shootdown", "-direct", "-guest_calls_are_kicked", *ENDS_BESIDE_BUSY_CPUS),
)
OF_DEATH_AND_WAITS = (
    *("torture", "ipc_", "notification", "futex", "handle", "waits_", "guest", "fault", "thread_kill"),
    *("-scale", "-direct", "-guest_calls_are_kicked", *ENDS_BESIDE_BUSY_CPUS),
)
SOME_IN_TURN = replace(IN_TURN, arguments=OF_DEATH_AND_WAITS)


def kernel_jobs(configs: dict[str, build.Configuration], long: bool) -> list[Job]:
    """The boots for each native test program in the boot archive. But for the kernel's own tests there are three: as it is used,
    one CPU that counts instructions, so that its time does not depend on how busy this machine is, and four CPUs."""
    if "debug" not in configs:
        return []
    kernel_boots = [*KERNEL_BOOTS, IN_TURN if long else SOME_IN_TURN]
    return [
        _kernel_job(configs[boot.configuration], program, boot, long)
        for program in sorted(configs["debug"].archive_names("tern/tests"))
        for boot in (kernel_boots if program == "kernel" else [AS_USED, COUNTING, FOUR_CPUS])
        if boot.configuration in configs
    ]


def general_path_jobs(config: build.Configuration, long: bool) -> list[Job]:
    """The kernel's tests of IPC and of direct switches, or all if it may take long, on one CPU that counts and on four, on a
    kernel without its fast path."""
    arguments = () if long else ("ipc", "direct")
    boots = [
        replace(boot, suffix=f", ipc without the fast path{boot.suffix}", arguments=arguments)
        for boot in (ONE_CPU, FOUR_CPUS)
    ]
    return [_kernel_job(config, "kernel", boot, long) for boot in boots]


def _kernel_job(config: build.Configuration, program: str, boot: Boot, long: bool) -> Job:
    name = f"{config.architecture} kernel/{program}{boot.suffix}"
    words = list(boot.arguments)
    if long and program == "kernel":
        words = [*(["--long"] if boot is FOUR_CPUS else []), *(word for word in words if word not in SHORT)]
    if boot.machine.icount and program == "kernel":
        words.insert(0, "--counted")
    timeout = LONG_KERNEL_TEST_SECONDS if long else KERNEL_TEST_SECONDS

    def run(log: Path) -> list[Result]:
        subject = Guest(config, log.parent, log)
        outcome = subject.boot(f"/tern/tests/{program}", *words, timeout=timeout, machine=boot.machine)
        points, trouble = tap.parse(outcome.stdout.decode(errors="replace"))
        trouble = _trouble(outcome, trouble, all(point.passed for point in points))
        share = outcome.seconds / max(1, len(points))
        results = [
            Result(f"{name}: {point.name}", share, None if point.passed else point.reason or "failed", point.notes)
            for point in points
        ]
        return results + ([Result(name, outcome.seconds, trouble)] if trouble else [])

    return Job(name, run)


def _trouble(outcome: guest.Outcome, trouble: str | None, all_passed: bool) -> str | None:
    """What went wrong besides checks that did not hold."""
    if outcome.complaint:
        return outcome.complaint
    if trouble:
        return f"{trouble}, status {outcome.status}"
    if all_passed and outcome.status != 0:
        return f"all checks passed but the status is {outcome.status}"
    return None


def system_jobs(tests: list[SystemTest], configs: dict[str, build.Configuration], long: bool) -> list[Job]:
    """The system tests of one architecture; configs by debug, release and, where there is one, clang."""
    jobs = []
    for test in tests:
        config = configs.get(test.configuration)
        if config and config.architecture in test.architectures and (long or not test.long):
            jobs.append(_system_job(test, config))
    return jobs


def _system_job(test: SystemTest, config: build.Configuration) -> Job:
    def run(log: Path) -> None:
        with tempfile.TemporaryDirectory(prefix="tern-test-") as folder:
            test.function(Guest(config, Path(folder), log))

    return Job(f"{config.architecture} system/{test.name}", run)


def host_jobs(tests: list[SystemTest]) -> list[Job]:
    """The system tests that boot nothing by themselves."""

    def job(test: SystemTest) -> Job:
        def run(log: Path) -> None:
            with tempfile.TemporaryDirectory(prefix="tern-test-") as folder:
                test.function(Host(Path(folder), log))

        return Job(f"host system/{test.name}", run)

    return [job(test) for test in tests if not test.architectures]
