#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks the directions of #include and that portable code does not look at the architecture.

Headers have a prefix that says their layer: <tern/...> the ABI, <isa/...> one architecture, <arch/...> the HAL contract,
<kernel/...> the core; anything else is a library header or a file next to the includer. The table says who may
include which.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from tern import places

FREESTANDING = {
    f"{name}.h" for name in ("limits", "stdalign", "stdarg", "stdatomic", "stdbool", "stddef", "stdint", "stdnoreturn")
}
LAYERS = ("tern", "isa", "arch", "kernel")
# Headers of the core that are above the HAL and the drivers: what has objects, capabilities and processes in it.
ABOVE_DRIVERS = {
    f"kernel/{name}.h"
    for name in ("account", "address_space", "capability", "ipc", "memory", "object", "process", "resource", "syscall")
}
ISA_MACRO = re.compile(r"\b(__x86_64__|__amd64__|__i386__|__aarch64__|__arm__|__riscv\w*)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


@dataclass(frozen=True)
class Zone:
    """Part of the tree: which layers it may include, and whether it has a C library."""

    path: str
    layers: tuple[str, ...]
    library: bool = False
    knows_isa: bool = False
    below_objects: bool = False


# The first zone whose path matches the beginning of a file's path is the file's.
ZONES = (
    Zone(r"arch/\w+/include/tern/", ("tern",), knows_isa=True),
    Zone(r"arch/host/", ("tern", "isa", "arch", "kernel"), library=True, knows_isa=True, below_objects=True),
    Zone(r"arch/", ("tern", "isa", "arch", "kernel"), knows_isa=True, below_objects=True),
    Zone(r"include/tern/", ("tern",)),
    Zone(r"include/arch/", ("tern", "isa", "arch")),
    Zone(r"drivers/apic\.c", ("tern", "isa", "arch", "kernel"), below_objects=True),
    Zone(r"drivers/", ("tern", "arch", "kernel"), below_objects=True),
    Zone(r"(include/kernel|kernel|mm|sched|ipc)/", ("tern", "arch", "kernel")),
    Zone(r"test/unit/", ("tern", "isa", "arch", "kernel"), library=True),
    Zone(r"user/lib/musl/", ("tern",), library=True, knows_isa=True),
    Zone(r"(user|test/kernel|test/bench)/(.*/)?arch/", ("tern",), library=True, knows_isa=True),
    Zone(r"(user|test)/", ("tern",), library=True),
    Zone(r"tools/", (), library=True),
)


def check(path: Path) -> list[str]:
    """The complaints about one file."""
    name = path.relative_to(places.TREE).as_posix()
    zone = next((zone for zone in ZONES if re.match(zone.path, name)), None)
    if not zone:
        return [f"{name}: no layer is known for this folder: see tools/check_includes.py"]
    complaints = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not zone.knows_isa and (macro := ISA_MACRO.search(line)):
            complaints.append(f"{name}:{number}: portable code looks at {macro.group()}")
        if include := INCLUDE.match(line):
            complaint = _complaint(zone, path, *include.groups())
            if complaint:
                complaints.append(f"{name}:{number}: {complaint}")
    return complaints


def _complaint(zone: Zone, path: Path, quote: str, header: str) -> str | None:
    """What is wrong with one #include, if anything."""
    layer = header.partition("/")[0]
    if quote == '"':
        return _local_complaint(path, header)
    if re.match(r"(arch/)?(x86_64|aarch64|riscv64|host)/", header) and not zone.knows_isa:
        return f"portable code includes an architecture's header <{header}>"
    if layer in LAYERS and "/" in header:
        if layer not in zone.layers:
            return f"this folder must not include <{layer}/...>: <{header}>"
        if zone.below_objects and header in ABOVE_DRIVERS:
            return f"a lower layer includes a header of the layer above it: <{header}>"
    elif not zone.library and header not in FREESTANDING:
        return f"the kernel has no library: <{header}>"
    return None


def _local_complaint(path: Path, header: str) -> str | None:
    """An #include "..." finds its file next to the includer, or in the server, program or library that it is part of."""
    home = _home(path)
    candidates = [path.parent / header, home / header, *home.glob(f"**/arch/*/{header}")]
    found = [candidate.resolve() for candidate in candidates if candidate.exists()]
    if not found:
        return f'there is no "{header}" in this part: headers of libraries are included with <>'
    # A unit test of a server takes that server's own headers.
    homes = [home, places.TREE / "user"] if path.is_relative_to(places.TREE / "test/unit") else [home]
    if not any(target.is_relative_to(part) for target in found for part in homes):
        return f'includes a file of another part: "{header}"'
    return None


def _home(path: Path) -> Path:
    """The folder of the part that a file belongs to: one server, one library, all tests, or just its own folder."""
    parts = path.relative_to(places.TREE).parts
    depth = {"user": min(3, len(parts) - 1), "test": 1}.get(parts[0], len(parts) - 1)
    return places.TREE.joinpath(*parts[:depth])


def main() -> int:
    """Checks the files named, or all."""
    files = [Path(name).resolve() for name in sys.argv[1:]] or places.sources(".c", ".h", ".S", ".def")
    complaints = [complaint for path in files for complaint in check(path)]
    print("\n".join(complaints), end="\n" if complaints else "")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
