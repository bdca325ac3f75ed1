# SPDX-License-Identifier: MIT
"""The framed console: several byte streams over the one UART that every machine has.

The guest sends frames: 0x7E, a channel byte, the payload, 0x7E. In the payload, 0x7E and 0x7D travel as 0x7D followed
by the byte xor 0x20. Empty frames are ignored, so 0x7E 0x7E leaves any state: a panic begins with it. What is outside
frames is text of the kernel.
"""

from __future__ import annotations

from typing import Iterator

FLAG = 0x7E
ESCAPE = 0x7D
FLIP = 0x20

STDOUT = "o"
STDERR = "e"
LOG = "l"
STATUS = "s"
CHANNELS = {ord(channel): channel for channel in (STDOUT, STDERR, LOG, STATUS)}


def encode(channel: str, payload: bytes) -> bytes:
    """One frame."""
    body = bytearray()
    for byte in payload:
        if byte in (FLAG, ESCAPE):
            body += bytes((ESCAPE, byte ^ FLIP))
        else:
            body.append(byte)
    return bytes((FLAG, ord(channel))) + bytes(body) + bytes((FLAG,))


class Decoder:
    """Turns what the UART says into (channel, bytes). Text outside frames comes on the log channel."""

    def __init__(self) -> None:
        self._state = self._outside
        self._channel = LOG
        self._payload = bytearray()
        self._text = bytearray()
        self._ready: list[tuple[str, bytes]] = []

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """Takes the next bytes and yields what they complete."""
        for byte in data:
            self._state(byte)
        self._flush_text()
        ready, self._ready = self._ready, []
        return iter(ready)

    def finish(self) -> Iterator[tuple[str, bytes]]:
        """The end of the stream: an unfinished frame is delivered too, unless it is a status."""
        if self._state in (self._inside, self._escaped) and self._channel != STATUS:
            self._deliver()
        self._state = self._outside
        return self.feed(b"")

    def _outside(self, byte: int) -> None:
        if byte == FLAG:
            self._state = self._start
        else:
            self._text.append(byte)

    def _start(self, byte: int) -> None:
        if byte == FLAG:
            return
        if byte in CHANNELS:
            self._channel = CHANNELS[byte]
            self._state = self._inside
        else:
            self._text.append(byte)
            self._state = self._outside

    def _inside(self, byte: int) -> None:
        if byte == FLAG:
            self._deliver()
            self._state = self._outside
        elif byte == ESCAPE:
            self._state = self._escaped
        else:
            self._payload.append(byte)

    def _escaped(self, byte: int) -> None:
        if byte == FLAG:
            self._inside(byte)
        else:
            self._payload.append(byte ^ FLIP)
            self._state = self._inside

    def _deliver(self) -> None:
        self._flush_text()
        self._ready.append((self._channel, bytes(self._payload)))
        self._payload.clear()

    def _flush_text(self) -> None:
        if self._text:
            self._ready.append((LOG, bytes(self._text)))
            self._text.clear()
