# SPDX-License-Identifier: MIT
"""The framed console: what was sent arrives byte for byte, and nothing makes the decoder lose its way for good."""

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from tern.frames import LOG, STATUS, STDERR, STDOUT, Decoder, encode


def decode(*pieces: bytes) -> list:
    """Everything a decoder makes of the pieces."""
    decoder = Decoder()
    found = [item for piece in pieces for item in decoder.feed(piece)]
    return found + list(decoder.finish())


def joined(items: list, channel: str) -> bytes:
    """The bytes of one channel."""
    return b"".join(data for name, data in items if name == channel)


class Frames(unittest.TestCase):
    """Encoder and decoder together."""

    def test_every_byte_value_travels(self) -> None:
        data = bytes(range(256)) * 2
        self.assertEqual(decode(encode(STDOUT, data)), [(STDOUT, data)])

    def test_flag_and_escape_never_appear_inside(self) -> None:
        self.assertNotIn(0x7E, encode(STDOUT, b"\x7e\x7d")[2:-1])
        self.assertEqual(encode(STDOUT, b"\x7e\x7d"), b"\x7eo\x7d\x5e\x7d\x5d\x7e")

    def test_text_outside_frames_is_log(self) -> None:
        items = decode(b"early\n" + encode(STDERR, b"oops") + b"late")
        self.assertEqual(items, [(LOG, b"early\n"), (STDERR, b"oops"), (LOG, b"late")])

    def test_random_streams_in_random_pieces(self) -> None:
        generator = random.Random(1)
        for _ in range(300):
            sent = [
                (generator.choice([STDOUT, STDERR, LOG, STATUS]), generator.randbytes(generator.randrange(1, 200)))
                for _ in range(generator.randrange(1, 10))
            ]
            stream = b"".join(encode(channel, data) for channel, data in sent)
            cuts = sorted(generator.randrange(len(stream) + 1) for _ in range(5))
            pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)])]
            self.assertEqual(decode(*pieces), sent)

    def test_double_flag_leaves_any_state(self) -> None:
        generator = random.Random(2)
        for _ in range(300):
            noise = generator.randbytes(generator.randrange(200))
            items = decode(noise, b"\x7e\x7e" + encode(STDOUT, b"found again")[1:])
            self.assertEqual(items[-1], (STDOUT, b"found again"))

    def test_panic_breaks_out_of_a_frame(self) -> None:
        for state in (b"", b"\x7e", b"\x7eohalf", b"\x7eohalf\x7d", b"\x7eowhole\x7e"):
            items = decode(state + b"\x7e\x7epanic: no way on\n")
            self.assertTrue(joined(items, LOG).endswith(b"panic: no way on\n"), items)

    def test_empty_frames_are_nothing(self) -> None:
        self.assertEqual(decode(b"\x7e\x7e\x7e\x7e"), [])

    def test_unfinished_frame_at_the_end(self) -> None:
        self.assertEqual(decode(b"\x7eohalf"), [(STDOUT, b"half")])
        self.assertEqual(decode(b"\x7es1"), [])


if __name__ == "__main__":
    unittest.main()
