# SPDX-License-Identifier: MIT
"""Reading the reports of native test programs: a report that is not whole is a failure."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from tern.testing.tap import Point, parse


class Reports(unittest.TestCase):
    """One report each."""

    def test_good(self) -> None:
        self.assertEqual(parse("ok - one\nok 2 - two\n1..2\n"), ([Point("one", True), Point("two", True)], None))

    def test_failure_with_reason(self) -> None:
        self.assertEqual(parse("not ok - one: 1 is not 2\n1..1\n")[0], [Point("one", False, "1 is not 2")])

    def test_notes_belong_to_the_check_that_follows(self) -> None:
        points, _ = parse("# seed 7\n# 12 calls\nok - one\n# 3 turns\nnot ok - two: stuck\n1..2\n")
        self.assertEqual([point.notes for point in points], [("seed 7", "12 calls"), ("3 turns",)])

    def test_missing_plan(self) -> None:
        self.assertEqual(parse("ok - one\n")[1], "no plan after 1 checks")

    def test_plan_of_another_length(self) -> None:
        self.assertIn("plan says 2", parse("ok - one\n1..2\n")[1] or "")

    def test_nothing_at_all(self) -> None:
        self.assertIsNotNone(parse("")[1])
        self.assertEqual(parse("1..0\n")[1], "no checks at all")

    def test_other_output_is_let_through(self) -> None:
        self.assertEqual(parse("hello\nok - one\nworld\n1..1\n"), ([Point("one", True)], None))


if __name__ == "__main__":
    unittest.main()
