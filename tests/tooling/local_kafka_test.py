"""deploy/kafka/local.sh ends only the process that it started."""

import pathlib
import subprocess
import tempfile
import unittest

LOCAL = pathlib.Path(__file__).parents[2] / "deploy" / "kafka" / "local.sh"


class LocalKafka(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = pathlib.Path(folder.name)

    def run_local(self, command):
        return subprocess.run([LOCAL, command, "--dir", self.dir], text=True, capture_output=True, check=False)

    def test_a_stale_pid_file_ends_nobody(self):
        bystander = subprocess.Popen(["sleep", "60"])
        self.addCleanup(bystander.wait)
        self.addCleanup(bystander.kill)
        started = pathlib.Path(f"/proc/{bystander.pid}/stat").read_text().rsplit(") ", 1)[1].split()[19]
        (self.dir / "port").write_text("1\n")
        for start in (started, "12345"):
            for command, expected in (("stop", 0), ("kill", 1), ("status", 3)):
                with self.subTest(command=command, start=start):
                    (self.dir / "pid").write_text(f"{bystander.pid} {start}\n")
                    done = self.run_local(command)
                    self.assertEqual(done.returncode, expected, done.stderr)
                    self.assertIn("not running", done.stdout + done.stderr)
                    self.assertIsNone(bystander.poll())

    def test_bad_arguments_are_named(self):
        self.assertEqual(self.run_local("destroy").returncode, 2)
        done = subprocess.run([LOCAL, "start", "--port", "many"], text=True, capture_output=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (1, "local.sh: --port needs a number: many\n"))


if __name__ == "__main__":
    unittest.main()
