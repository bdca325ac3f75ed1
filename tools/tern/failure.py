# SPDX-License-Identifier: MIT
"""The one exception a user sees: a sentence and an exit status."""

from __future__ import annotations

USAGE = 2  # the machine or the command line is not as needed
BUILD = 1  # the tree does not build


class Failure(Exception):
    """Ends the command with one clear sentence on stderr."""

    def __init__(self, sentence: str, status: int = USAGE) -> None:
        super().__init__(sentence)
        self.status = status
