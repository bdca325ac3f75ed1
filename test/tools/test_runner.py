# SPDX-License-Identifier: MIT
"""The test runner told to end while tests run: it ends at once, and nothing that it started goes on."""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SECONDS = 20

RUNNER = f"""
import signal, sys
from pathlib import Path
sys.path.insert(0, {str(TOOLS)!r})
from tern import children
from tern.testing import jobs, runner

def job(name):
    command = ["sh", "-c", f"echo $$ > {{name}}.new; mv {{name}}.new {{name}}; exec sleep 600"]
    return jobs.Job(name, lambda log: children.run(command))

signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
runner._Report(None).run([job("first"), job("second"), job("third")], 2)
"""


class Interruption(unittest.TestCase):
    """Two tests run and one waits for its turn."""

    def wait_for(self, holds) -> None:
        """Fails the test when it takes too long."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def test_ends_what_it_started(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen([sys.executable, "-c", RUNNER], cwd=folder, stdout=subprocess.PIPE)
            self.addCleanup(process.kill)
            started = [Path(folder, "first"), Path(folder, "second")]
            self.wait_for(lambda: all(path.exists() for path in started))
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=SECONDS)
            self.assertEqual((process.returncode, output), (128 + signal.SIGTERM, b""))
            self.assertFalse(Path(folder, "third").exists())
            for path in started:
                with self.assertRaises(ProcessLookupError):
                    os.kill(int(path.read_text()), 0)


if __name__ == "__main__":
    unittest.main()
