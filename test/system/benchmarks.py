# SPDX-License-Identifier: MIT
"""The benchmarks' counts against the committed baseline: no operation becomes slower unnoticed."""

from tern import bench, benchmark_document
from tern.progress import say
from tern.testing import Guest, Host, check, host_test, system_test


@system_test(configuration="release")
def benchmarks(guest: Guest) -> None:
    report = bench.measure(guest.architecture)
    guest.note(bench.table(report).encode())
    before = bench.baseline().get(guest.architecture)
    check(before is not None, f"test/bench/baseline.json has nothing of {guest.architecture}")
    worse = bench.regressions(report, before)
    if worse and not bench.same_tools(report, before):
        say(f"another QEMU or compiler than the baseline's on {guest.architecture}: " + "; ".join(worse))
        return
    check(not worse, "; ".join(worse) + " (`./tern bench --baseline` writes a new baseline)")


@host_test()
def benchmark_regressions(host: Host) -> None:
    def report(**rows: float) -> dict:
        return {"results": [{"name": name, "min": count} for name, count in rows.items()]}

    check(not bench.regressions(report(a=102.0), report(a=100.0)), "two per cent are allowed")
    check(not bench.regressions(report(a=50.0), report(a=100.0)), "better is allowed")
    check(len(bench.regressions(report(a=103.0, b=1.0), report(a=100.0, b=1.0))) == 1, "more is not allowed")
    check(len(bench.regressions(report(a=1.0), report(b=1.0))) == 2, "rows must be the same")


@host_test()
def benchmark_document_is_current(host: Host) -> None:
    check(benchmark_document.current(bench.baseline()), "docs/benchmarks.md differs from test/bench/baseline.json")
