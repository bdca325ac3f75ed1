# SPDX-License-Identifier: MIT
"""Finds the tests in test/system."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Callable

from tern import places

FOLDER = places.TREE / "test" / "system"


@dataclass(frozen=True)
class SystemTest:
    """A registered function. Without architectures it runs on the build machine."""

    name: str
    function: Callable
    architectures: tuple[str, ...]
    long: bool
    configuration: str


_registered: list[SystemTest] = []


def system_test(
    *, architectures: tuple[str, ...] = places.ARCHITECTURES, long: bool = False, configuration: str = "debug"
):
    """Registers a function that gets a Guest. Configuration: debug, release or clang."""

    def register(function: Callable) -> Callable:
        name = function.__name__.replace("_", "-")
        _registered.append(SystemTest(name, function, architectures, long, configuration))
        return function

    return register


def host_test():
    """Registers a function that gets a Host and boots nothing by itself."""

    def register(function: Callable) -> Callable:
        _registered.append(SystemTest(function.__name__.replace("_", "-"), function, (), False, "debug"))
        return function

    return register


def load() -> list[SystemTest]:
    """Imports all files of test/system and returns what they registered."""
    _registered.clear()
    for path in sorted(FOLDER.glob("*.py")):
        specification = importlib.util.spec_from_file_location(f"system_{path.stem}", path)
        assert specification and specification.loader
        specification.loader.exec_module(importlib.util.module_from_spec(specification))
    names = [test.name for test in _registered]
    assert len(names) == len(set(names)), "two system tests have the same name"
    return list(_registered)
