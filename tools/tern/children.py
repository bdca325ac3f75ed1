# SPDX-License-Identifier: MIT
"""The programs that threads of this one started: when it is told to end they end at once, and the threads with them."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from typing import Any, Iterator

_lock = threading.Lock()
_running: set[subprocess.Popen] = set()
_ending = False


@contextlib.contextmanager
def child(command: list[str], **options: Any) -> Iterator[subprocess.Popen]:
    """Starts a program as subprocess.Popen does; it does not outlive the block."""
    with _lock:
        if _ending:
            raise InterruptedError("interrupted")
        process = subprocess.Popen(command, **options)
        _running.add(process)
    with process:
        try:
            yield process
        finally:
            with _lock:
                _running.discard(process)
            process.kill()


def run(command: list[str], timeout: float | None = None, **options: Any) -> subprocess.CompletedProcess:
    """Runs a program to its end, or for some seconds, as subprocess.run does."""
    with child(command, **options) as process:
        output, complaints = process.communicate(timeout=timeout)
        return subprocess.CompletedProcess(command, process.returncode, output, complaints)


def end_all() -> None:
    """Ends those that run, each by SIGTERM so that it ends its own; no more are started."""
    global _ending  # pylint: disable=global-statement
    with _lock:
        _ending = True
        for process in _running:
            process.terminate()
