#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Where ./tern hands over to Python."""

import sys

if sys.version_info < (3, 9):
    sys.exit("tern: Python 3.9 or newer is needed")

from tern.cli import main

sys.exit(main(sys.argv[1:]))
