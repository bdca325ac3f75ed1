# SPDX-License-Identifier: MIT
"""Builds, runs the tests and reports: one line for each, `N passed, N failed` at the end."""

from __future__ import annotations

import fnmatch
import os
import shutil
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tern import build, children, requirements
from tern.failure import Failure
from tern.progress import say
from tern.testing import jobs, registry
from tern.testing.jobs import LOGS, Job, Result
from tern.testing.subjects import TestFailure

WORKERS = 2


def main(architectures: list[str], pattern: str | None, long: bool) -> int:
    """Runs what the pattern selects; the exit status says whether all passed."""
    requirements.ensure(requirements.for_test(architectures))
    for architecture in architectures:
        requirements.check_qemu(architecture)
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    start = time.monotonic()
    report = _Report(pattern)
    built = _build(architectures, report)
    report.run(jobs.lint_jobs(), workers=1)
    selected = [job for job in _collect(architectures, built, long) if report.selects(job.name)]
    say(f"{len(selected)} tests and boots, {WORKERS} at a time ...")
    report.run(selected, WORKERS)
    if report.passed + report.failed == 0:
        raise Failure(f"no test matches '{pattern}'")
    say(f"took {time.monotonic() - start:.0f} s")
    print(f"{report.passed} passed, {report.failed} failed", flush=True)
    return 1 if report.failed else 0


def _build(architectures: list[str], report: _Report) -> set[build.Configuration]:
    """Builds everything; returns what could be built. A build that fails is reported whatever is selected."""
    configs = [build.configuration(architecture, debug) for architecture in architectures for debug in (True, False)]
    configs += [build.general_path(architecture) for architecture in architectures]
    if "x86_64" in architectures:
        configs.append(build.CLANG)
    built = set()
    for config in (*configs, build.HOST):
        job = Job(f"{config.architecture or 'host'} build/{config.name}", lambda log, config=config: build.build(config))
        results = _execute(job)
        if not results[0].failure:
            built.add(config)
        if results[0].failure or report.selects(job.name):
            report.add(job, results)
    return built


def _collect(architectures: list[str], built: set[build.Configuration], long: bool) -> list[Job]:
    """Every test that the builds allow."""
    tests = registry.load()
    found = jobs.unit_jobs() if build.HOST in built else []
    found += jobs.host_jobs(tests)
    for architecture in architectures:
        configs = {"debug": build.configuration(architecture, True), "release": build.configuration(architecture, False)}
        if architecture == build.CLANG.architecture:
            configs["clang"] = build.CLANG
        configs = {kind: config for kind, config in configs.items() if config in built}
        found += jobs.kernel_jobs(configs, long)
        if build.general_path(architecture) in built:
            found += jobs.general_path_jobs(build.general_path(architecture), long)
        found += jobs.system_jobs(tests, configs, long)
    return found


class _Report:
    """Selects, runs, prints and counts."""

    def __init__(self, pattern: str | None) -> None:
        self.passed = 0
        self.failed = 0
        self._pattern = pattern
        self._interrupted = False
        self._lock = threading.Lock()

    def selects(self, name: str) -> bool:
        """Whether a name contains or matches the pattern."""
        return self._pattern is None or self._pattern in name or fnmatch.fnmatch(name, f"*{self._pattern}*")

    def run(self, work: list[Job], workers: int) -> None:
        """Runs the selected jobs, several at a time."""
        with ThreadPoolExecutor(workers) as pool:
            for job in work:
                if self.selects(job.name):
                    pool.submit(lambda job=job: self.add(job, _execute(job)))
            try:
                pool.shutdown()
            except BaseException:
                self._interrupted = True
                children.end_all()
                pool.shutdown(cancel_futures=True)
                raise

    def add(self, job: Job, results: list[Result]) -> None:
        """Prints results and counts them, but for those that were interrupted."""
        with self._lock:
            if self._interrupted:
                return
            for result in results:
                if result.failure is None:
                    self.passed += 1
                    print(f"PASS {result.name} ({result.seconds:.1f} s)", flush=True)
                else:
                    self.failed += 1
                    where = f" [{os.path.relpath(job.log)}]" if job.log.exists() else ""
                    print(f"FAIL {result.name} ({result.seconds:.1f} s): {result.failure}{where}", flush=True)
                for note in result.notes:
                    print(f"     {note}", flush=True)


def _execute(job: Job) -> list[Result]:
    """Runs one job; whatever it raises is a failure of it."""
    start = time.monotonic()
    failure = None
    try:
        results = job.run(job.log)
        if results is not None:
            return results
    except (TestFailure, Failure) as reason:
        failure = str(reason)
    except Exception as error:  # pylint: disable=broad-except
        _append(job.log, traceback.format_exc())
        failure = f"{type(error).__name__}: {error}"
    return [Result(job.name, time.monotonic() - start, failure)]


def _append(log: Path, text: str) -> None:
    with open(log, "a", encoding="utf-8") as file:
        file.write(text)
