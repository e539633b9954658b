"""The independent check agrees with itself over both readers, and can say no.

Usage: independent_check_test.py FOLDER_OF_PROGRAMS
"""

import os
import subprocess
import sys
import tempfile
import unittest

PROGRAMS = sys.argv.pop(1)
HERE = os.path.dirname(os.path.abspath(__file__))
MIDNIGHT = "1580360400000"  # 2020-01-30 in New York


class IndependentCheck(unittest.TestCase):
    def test_reads_with_the_python_client_and_with_kcat(self):
        made = subprocess.run([os.path.join(HERE, "venv.sh")], stdout=subprocess.PIPE, text=True, check=True)
        python = made.stdout.strip()
        broker = subprocess.Popen(
            [os.path.join(PROGRAMS, "tickbridge-embedded-broker"), "--until-stdin-closes", "--topic", "t:12",
             "--topic", "bad:12"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        servers = broker.stdout.readline().strip().split("=")[1]
        with tempfile.TemporaryDirectory() as folder:
            day = os.path.join(folder, "day.itch")
            subprocess.run([os.path.join(PROGRAMS, "tickbridge-exchange"), "--generate", "20000", "--symbols", "500",
                            "--save", day, "--no-serve"], check=True, stderr=subprocess.DEVNULL)  # fmt: skip
            for topic, fault in (("t", "none"), ("bad", "rekey")):
                play = [os.path.join(PROGRAMS, "verify_play"), day, servers, topic, "12", "1", fault, MIDNIGHT]
                subprocess.run(play, check=True)
                for reader in ("topic", "kcat"):
                    run = subprocess.run(
                        [python, os.path.join(HERE, "independent_check.py"), reader, "--file", day, "--bootstrap",
                         servers, "--topic", topic, "--timestamps", "--date", "2020-01-30"],
                        capture_output=True, text=True, timeout=120,
                    )  # fmt: skip
                    last = run.stdout.splitlines()[-1] if run.stdout else run.stderr
                    if fault == "none":
                        self.assertRegex(last, r"^expected (\d+) found \1 lost 0 duplicated 0 out_of_order 0 altered 0$")
                    else:
                        self.assertIn("lost 1", last)
                    self.assertEqual(run.returncode, 0 if fault == "none" else 1, run.stderr)
        broker.stdin.close()
        broker.stdout.close()
        self.assertEqual(broker.wait(10), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
