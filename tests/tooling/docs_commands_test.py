"""A command in the documentation that does not work is found."""

import pathlib
import tempfile
import unittest

import docs_commands

PROGRAM = """#!/bin/sh
case "$1" in
  --help) echo "portrait: run, tail; --verbose" ;;
  run) echo "run: --config FILE" ;;
  *) exit 2 ;;
esac
"""


class DocsCommands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        (self.root / "build" / "pipeline").mkdir(parents=True)
        program = self.root / "build" / "pipeline" / "portrait"
        program.write_text(PROGRAM)
        program.chmod(0o755)
        script = self.root / "go.sh"
        script.write_text("#!/bin/sh\nexit 0\n")
        script.chmod(0o755)

    def faults(self, kind, text):
        (self.root / "a.md").write_text(f"# A\n\n```sh {kind}\n{text}\n```\n")
        return [fault.splitlines()[0] for fault in docs_commands.faults(self.root, self.root / "build")]

    def test_commands_that_work(self):
        self.assertEqual(self.faults("run", "./go.sh | cat\necho 'a; b' > out\nportrait run --config x \\\n  --verbose"), [])
        self.assertEqual(self.faults("tested-by go.sh", "X=1 ./go.sh && portrait run"), [])
        self.assertEqual(self.faults("elsewhere", "kubectl/nowhere apply"), [])

    def test_a_block_runs_on_a_copy_of_the_checkout(self):
        self.assertEqual(self.faults("run", "test -x go.sh; touch made"), [])
        self.assertFalse((self.root / "made").exists())

    def test_commands_that_do_not(self):
        for kind, text, expected in (
                ("run", "echo well\nfalse", "failed with 1:"),
                ("run", "cat nowhere | cat", "failed with 1:"),
                ("", "echo", "says neither `run`, `tested-by FILE` nor `elsewhere` after ```sh"),
                ("tested-by nowhere.sh", "echo", "the test that it names is not there: nowhere.sh"),
                ("tested-by go.sh", "./gone.sh", "no such command in the checkout: ./gone.sh"),
                ("tested-by go.sh", "portrait fly", "portrait has no subcommand fly"),
                ("tested-by go.sh", "cat x | portrait run --fast=1", "portrait run has no option --fast"),
                ("tested-by go.sh", "portrait run --conf x", "portrait run has no option --conf"),
        ):
            with self.subTest(kind=kind, text=text):
                self.assertEqual(self.faults(kind, text), [f"a.md:3: {expected}"])


if __name__ == "__main__":
    unittest.main()
