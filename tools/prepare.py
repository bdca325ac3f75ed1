#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the folder of something a build needs from outside the tree, after fetching or building it:
`prepare.py busybox ARCH` or `prepare.py sysroot ARCH`. The build calls it when no option names the folder."""

from __future__ import annotations

import sys

from tern import downloads, sysroot
from tern.failure import Failure


def main() -> int:
    """Runs one of the two and prints the folder."""
    providers = {"busybox": downloads.busybox, "sysroot": sysroot.provide}
    try:
        what, architecture = sys.argv[1:]
        print(providers[what](architecture))
    except Failure as failure:
        print(f"tern: {failure}", file=sys.stderr)
        return failure.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
