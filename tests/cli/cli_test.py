"""Runs the program as a person would: cli_test.py PORTRAIT EXTENDED_PROGRAM"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PORTRAIT, EXTENDED = sys.argv[1], sys.argv[2]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(*args, program=PORTRAIT, env=None):
    """Returns (exit code, standard output, standard error)."""
    clean = {k: v for k, v in os.environ.items() if k != "PORTRAIT_CONFIG"}
    done = subprocess.run([program, *args], capture_output=True, text=True, timeout=60, env={**clean, **(env or {})},
                          stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def commands():
    """The names of all commands, out of --help."""
    text = run("--help")[1].split("Subcommands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z-]+)\s", text, re.M)


class Config:
    """A configuration file that lasts as long as a with block."""

    def __init__(self, text):
        self.text = text

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name) / "portrait.yaml"
        path.write_text(self.text)
        return str(path)

    def __exit__(self, *_):
        self.folder.cleanup()


class Help(unittest.TestCase):
    def test_every_command_explains_itself_with_examples(self):
        self.assertIn("describe", commands())
        for command in commands():
            with self.subTest(command):
                code, out, err = run(command, "--help")
                self.assertEqual((code, err), (0, ""))
                self.assertIn("Usage: portrait " + command, out)
                self.assertIn("Examples:\n  portrait " + command, out)
                self.assertLessEqual(max(map(len, out.splitlines())), 130, out)

    def test_every_example_of_help_names_a_command(self):
        out = run("--help")[1]
        for command in re.findall(r"^  portrait ([a-z-]+)", out.split("Examples:")[1], re.M):
            self.assertIn(command, commands())

    def test_without_a_command_help_is_shown_as_an_error(self):
        code, out, err = run()
        self.assertEqual((code, out), (2, ""))
        self.assertIn("Subcommands:", err)

    def test_a_command_that_does_not_exist(self):
        self.assertEqual(run("descripe"), (2, "", "portrait: no such command; did you mean describe: descripe\n"))

    def test_an_option_that_does_not_exist(self):
        code, _, err = run("describe", "--colour")
        self.assertEqual(code, 2)
        self.assertIn("--colour", err)

    def test_version(self):
        code, out, _ = run("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^portrait \d+\.\d+\.\d+\nchain \d+\.\d+\.\d+\+[0-9a-f]{12}\.[0-9a-f]{12} ")


class Describe(unittest.TestCase):
    def test_text(self):
        code, out, err = run("describe")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("purchase-events (json unless the record says otherwise)", out)
        self.assertIn("dead-letters to topic dead-letters (protobuf)", out)
        names = re.findall(r"^  ([a-z]+): ", out, re.M)
        self.assertEqual(names, "clean site email service person purchases tags churn".split())

    def test_json_has_every_operator_and_feature_of_the_text(self):
        chain = json.loads(run("describe", "--format", "json")[1])
        text = run("describe")[1]
        for operator in chain["operators"]:
            self.assertIn("\n  %s: %s\n" % (operator["name"], operator["about"]), text)
            for feature in operator["features"]:
                self.assertRegex(text, r"    %s +%s.*%s" % (re.escape(feature["name"]), feature["type"],
                                                           re.escape(feature["meaning"])))
                self.assertTrue(feature["meaning"], feature)
        self.assertIn(chain["version"], text)

    def test_dot_is_a_graph_with_every_topic(self):
        out = run("describe", "--format", "dot")[1]
        self.assertTrue(out.startswith("digraph portrait {") and out.endswith("}\n"))
        for topic in ("browsing-events", "tag-changes", "churn-alerts", "dead-letters"):
            self.assertIn('"%s" [shape=cds];' % topic, out)

    def test_the_configuration_names_the_topics(self):
        with Config("sources: [{topic: my-clicks, format: protobuf}]\n"
                    "outputs: {dead-letters: {topic: my-dead, format: json}}") as path:
            for args, env in ((("--config", path), {}), ((), {"PORTRAIT_CONFIG": path})):
                out = run("describe", *args, env=env)[1]
                self.assertIn("my-clicks (protobuf unless", out)
                self.assertIn("dead-letters to topic my-dead (json)", out)

    def test_an_unknown_format(self):
        code, _, err = run("describe", "--format", "xml")
        self.assertEqual(code, 2)
        self.assertIn("xml", err)


class Check(unittest.TestCase):
    def test_the_example_is_good(self):
        code, out, err = run("check", str(ROOT / "deploy/portrait.yaml"))
        self.assertEqual((code, err), (0, ""))
        self.assertIn("\ncommit.interval: 100ms\n", out)
        self.assertIn("\nhttp.listen: 127.0.0.1:8080  # set\n", out)
        self.assertIn("The configuration is good.", out)

    def test_all_errors_at_once(self):
        with Config("workers: 0\nlog: {levl: info}\ncommit: {interval: 5}\n") as path:
            code, out, err = run("check", path)
            self.assertEqual((code, out), (2, ""))
            self.assertEqual(err.replace(path, "f"),
                             "portrait check: not a good configuration\n"
                             "f:1: workers: must be 1 to 256: 0\n"
                             "f:2: log.levl: no such setting; did you mean log.level\n"
                             "f:3: commit.interval: needs a unit: us, ms, s, m, h or d, as in 100ms: 5\n")

    def test_a_missing_file(self):
        code, _, err = run("check", "/nowhere.yaml")
        self.assertEqual(code, 2)
        self.assertIn("No such file or directory): /nowhere.yaml", err)

    def test_an_output_that_nobody_writes(self):
        with Config("outputs: {dead-leters: {topic: x}}") as path:
            code, _, err = run("check", path)
            self.assertEqual(code, 2)
            self.assertIn("outputs: no operator writes it; did you mean dead-letters: dead-leters", err)

    def test_secrets_are_not_printed(self):
        with Config("brokers: ${BROKERS}\nkafka: {sasl.password: '${PASSWORD}', ssl.key.password: plain-secret}") as path:
            code, out, err = run("check", path, env={"BROKERS": "secret-host:9092", "PASSWORD": "hunter2"})
            self.assertEqual(code, 0, err)
            for secret in ("secret-host", "hunter2", "plain-secret"):
                self.assertNotIn(secret, out + err)
            self.assertIn("brokers: ${BROKERS}  # set", out)
            self.assertIn("kafka: {sasl.password: ${PASSWORD}, ssl.key.password: (hidden)}", out)

    def test_the_chain_version_follows_what_is_computed_and_nothing_else(self):
        def version(text, program=PORTRAIT):
            with Config(text) as path:
                return run("check", path, program=program)[1].split("Chain version: ")[1].strip()

        same = version("")
        self.assertEqual(same, version("workers: 8\ncommit: {interval: 1s}\nlog: {format: json}"))
        self.assertEqual(same, version("lateness: 10000ms"))
        self.assertNotEqual(same, version("lateness: 11s"))
        self.assertNotEqual(same, version("time_zone: Europe/Berlin"))
        self.assertNotEqual(same, version("sources: [{topic: clicks}]"))
        self.assertNotEqual(same, version("tags: {silent: 61d}"))
        self.assertNotEqual(same, version("currency: {rates: {EUR: 1.08}}"))
        self.assertEqual(same + ".acme-7", version("", EXTENDED))


class Extended(unittest.TestCase):
    def test_another_projects_operator_is_part_of_the_chain(self):
        code, out, err = run("describe", program=EXTENDED)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"\n  visits: Pages seen\n    reads page_viewed\n    visits\.views  integer, views  Views so far\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
