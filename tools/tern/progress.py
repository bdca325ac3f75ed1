# SPDX-License-Identifier: MIT
"""Progress on stderr, so that stdout stays the guest's."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import Iterator


def say(text: str) -> None:
    """Prints one line of progress."""
    print(f"tern: {text}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Announces a step that takes a while and says how long it took."""
    say(f"{text} ...")
    start = time.monotonic()
    yield
    say(f"{text}: {time.monotonic() - start:.1f} s")
