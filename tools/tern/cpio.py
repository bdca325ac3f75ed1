# SPDX-License-Identifier: MIT
"""Writes the boot archive: cpio in the "new ASCII" format (newc), the same bytes for the same input.

The guest reads a sequence of archives, and a later file replaces an earlier one of the same name; so an overlay
is a second archive behind the first.
"""

from __future__ import annotations

import stat

ALIGNMENT = 512
TRAILER = "TRAILER!!!"


class Archive:
    """Collects files, folders and links; parents of a file are added by themselves."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, bytes]] = {}

    def folder(self, path: str, permissions: int = 0o755) -> None:
        """Adds a folder."""
        self._add(path, stat.S_IFDIR | permissions, b"")

    def file(self, path: str, content: bytes, permissions: int = 0o644) -> None:
        """Adds a regular file."""
        self._add(path, stat.S_IFREG | permissions, content)

    def link(self, path: str, target: str) -> None:
        """Adds a symbolic link."""
        self._add(path, stat.S_IFLNK | 0o777, target.encode())

    def _add(self, path: str, mode: int, content: bytes) -> None:
        path = path.strip("/")
        parent = path.rpartition("/")[0]
        if parent and parent not in self._entries:
            self.folder(parent)
        self._entries[path] = (mode, content)

    def to_bytes(self) -> bytes:
        """The archive, padded to 512 bytes."""
        result = bytearray()
        for number, (path, (mode, content)) in enumerate(self._entries.items(), start=1):
            result += _entry(path, number, mode, content)
        result += _entry(TRAILER, 0, 0, b"")
        return bytes(result + bytes(-len(result) % ALIGNMENT))


def _entry(path: str, inode: int, mode: int, content: bytes) -> bytes:
    name = path.encode() + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    fields = (inode, mode, 0, 0, links, 0, len(content), 0, 0, 0, 0, len(name), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + name
    return head + bytes(-len(head) % 4) + content + bytes(-len(content) % 4)


def read(data: bytes) -> dict[str, bytes]:
    """The content of each path of a sequence of archives, a later one in place of an earlier one."""
    files: dict[str, bytes] = {}
    offset = 0
    while offset < len(data):
        if data[offset] == 0:
            offset += 4
            continue
        if data[offset : offset + 6] != b"070701":
            raise ValueError(f"not a newc archive at offset {offset}")
        fields = [int(data[offset + 6 + 8 * i : offset + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = fields[6], fields[11]
        name = data[offset + 110 : offset + 110 + name_size - 1].decode()
        offset += 110 + name_size
        offset += -offset % 4
        if name != TRAILER:
            files[name] = data[offset : offset + size]
        offset += size + -size % 4
    return files
