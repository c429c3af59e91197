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
        self.assertEqual(names, "clean site email service person purchases predictions churn tags".split())

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

    def test_events_and_fields_that_windows_can_name(self):
        events = {e["kind"]: e["fields"] for e in json.loads(run("describe", "--format", "json")[1])["events"]}
        self.assertIn({"name": "total", "type": "number", "unit": "currency"}, events["order_completed"])
        self.assertNotIn("customer_erased", events)
        text = run("describe")[1]
        for kind, fields in events.items():
            self.assertRegex(text, r"(?m)^    %s: .*%s" % (kind, ".*".join(re.escape(f["name"]) for f in fields)))

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


class Rules(unittest.TestCase):
    def answers(self, *lines):
        """What `rules eval` answers to these lines, as objects."""
        done = subprocess.run([PORTRAIT, "rules", "eval"], input="".join(line + "\n" for line in lines), text=True,
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_an_expression_is_evaluated(self):
        self.assertEqual(run("rules", "eval", "1 + 2 * 3"), (0, '{"value":7}\n', ""))
        self.assertEqual(run("rules", "eval", '7 / 2 + size("shoes")'), (0, '{"value":8}\n', ""))  # as in docs/rules.md
        self.assertEqual(run("rules", "eval", "--", "-1 + 2"), (0, '{"value":1}\n', ""))

    def test_an_empty_expression_is_a_mistake_and_no_input_no_answer(self):
        self.assertEqual(run("rules", "eval", "")[0], 2)
        self.assertEqual(run("rules", "eval"), (0, "", ""))
        self.assertEqual(run("rules", "eval", "--with", "values.json")[0], 2)

    def test_values_come_from_a_file(self):
        with Config('{"purchases": {"spend_365d": 2500.0}, "x": 2}') as path:
            self.assertEqual(run("rules", "eval", "purchases.spend_365d > 2000 && x == 2", "--with", path),
                             (0, '{"value":true}\n', ""))
        with Config('{"x": ') as path:
            self.assertEqual(run("rules", "eval", "x", "--with", path), (2, "", "portrait rules: not JSON: %s\n" % path))
        code, _, err = run("rules", "eval", "x", "--with", "/nowhere")
        self.assertEqual((code, err), (2, "portrait rules: cannot be read (No such file or directory): /nowhere\n"))

    def test_what_is_wrong_is_told_with_its_place(self):
        code, out, err = run("rules", "eval", "purchases.spent > 1")
        self.assertEqual(code, 2)
        self.assertEqual(json.loads(out), {"error": "1:1: no such name: purchases.spent; did you mean purchases.spend"})
        self.assertEqual(err, "portrait rules: 1:1: no such name: purchases.spent; did you mean purchases.spend\n"
                              "  purchases.spent > 1\n  ^\n")

    def test_lines_are_answered_one_by_one_and_a_bad_one_ends_nothing(self):
        self.assertEqual(self.answers(
            '{"expr": "x * 2", "with": {"x": 21}}', "nonsense", "", '{"expr": "1 / 0"}', '{"expr": 1}',
            '{"expr": "1", "with": {"x": "%s"}}' % ("a" * 2_000_000), "[" * 900_000, '{"expr": "%s"}' % ("(" * 900_000),
            '{"expr": "f(1)"}', json.dumps({"expr": "'\u00e4' + s", "with": {"s": "\u20ac"}})),
            [{"value": 42}, {"error": "not JSON"}, {"error": "not JSON"}, {"error": "1:1: division by zero"},
             {"error": "expr: a text is wanted"}, {"error": "a line is too long; at most 1048576 bytes"},
             {"error": "not JSON"}, {"error": "1:1: a condition is too long; at most 16384 bytes: 900000"},
             {"error": "1:1: no such function: f"}, {"value": "\u00e4\u20ac"}])

    def test_a_line_is_answered_before_the_next_one_is_sent(self):
        with subprocess.Popen([PORTRAIT, "rules", "eval"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as eval_:
            for number in range(3):
                eval_.stdin.write(json.dumps({"expr": "x + 1", "with": {"x": number}}) + "\n")
                eval_.stdin.flush()
                self.assertEqual(json.loads(eval_.stdout.readline()), {"value": number + 1})
            eval_.stdin.write('{"expr": "true"}')  # no line end
            eval_.stdin.close()
            self.assertEqual(eval_.stdout.read(), '{"value":true}\n')
            self.assertEqual(eval_.wait(60), 0)

    def test_the_default_set_is_good(self):
        code, out, err = run("rules", "check", str(ROOT / "deploy/tags.yaml"))
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"deploy/tags\.yaml is good: \d+ rules, on \d+ features, in \d+ steps\n")

    def test_a_bad_file_is_told_by_line_and_column(self):
        with Config("- tag: a\n  when: purchases.spent > 1\n- tag: a\n  wen: true\n") as path:
            code, out, err = run("rules", "check", path)
            self.assertEqual((code, out), (2, ""))
            self.assertIn("%s:2:9: no such feature: purchases.spent; did you mean purchases.spend\n" % path, err)
            self.assertIn("%s:4:3: no such key: wen; did you mean when\n" % path, err)
        self.assertEqual(run("rules", "check"), (2, "", "portrait rules: check: which file?\n"))

    def test_the_check_of_a_file_lists_the_windows_of_events_that_are_kept(self):
        with Config("- tag: reader\n"
                    "  when: count(page_viewed, '7d', category == 'x') > count(page_viewed, '30m')\n") as path:
            code, out, err = run("rules", "check", path)
        self.assertEqual((code, err), (0, ""))
        self.assertIn("those that are new begin empty", out)
        self.assertTrue(out.endswith('    page_viewed by the day where category == "x"\n    page_viewed by the minute\n'), out)

    def test_examples_beside_the_rules_are_run(self):
        code, out, err = run("rules", "test", str(ROOT / "deploy/tags.yaml"))
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"^\d+ examples, \d+ expectations, 0 failed\n$")
        with Config("""
- example: too few
  events:
    - {at: 2026-01-01, event: Order Completed, order_id: a, total: 40}
  expect:
    - {at: 2026-01-02, has: frequent_buyer, lacks: [new, frequent_byer]}
""") as path:
            code, out, err = run("rules", "test", str(ROOT / "deploy/tags.yaml"), path)
            self.assertEqual((code, err), (1, "portrait rules: some examples are not as expected\n"))
            self.assertIn("%s:6: too few: at 2026-01-02 00:00:00 should have frequent_buyer; has low_spender, new, ordinary; "
                          "Orders kept in the last 90 days: 1, less than 3\n" % path, out)
            self.assertIn("should not have new; has ", out)
            self.assertIn("no rule gives this tag; did you mean frequent_buyer: frequent_byer\n", out)
            self.assertIn("1 examples, 3 expectations, 3 failed\n", out)
        for text, problem in [("- {example: x}", ":1:3: an example lacks `events`"), ("a: b", ":1:1: a list of examples is wanted"),
                              ("- example: x\n  events: [{at: today, event: page}]\n  expect: []", ":2:17: is no time"),
                              ("- example: x\n  events: [{at: 2026-01-01, event: Odrer}]\n  expect: []", ":2:12: unknown_event"),
                              ("- [", ":1:1: not YAML")]:
            with Config(text) as path:
                code, out, err = run("rules", "test", str(ROOT / "deploy/tags.yaml"), path)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(path + problem, err)

    def orders(self, customer, *days):
        return "".join(json.dumps({"type": "track", "event": "Order Completed", "userId": customer, "messageId": customer + day,
                                   "timestamp": day + "T00:00:00Z", "properties": {"order_id": day, "total": 40}}) + "\n"
                       for day in days)

    def test_a_pin_without_customer_or_tag_is_refused(self):
        for words in (("pin",), ("pin", "anna"), ("unpin", "anna")):
            self.assertEqual(run("rules", *words, "--because", "so"),
                             (2, "", f"portrait rules: {words[0]}: which customer, which tag?\n"))
        code, _, err = run("rules", "pin", "anna", "vip", "--because", "so", "--topic", "nowhere")
        self.assertEqual(code, 2)
        self.assertIn("no source of this configuration, so nobody would read the pin: nowhere; --topic ", err)

    def test_a_pin_may_stand_in_the_examples(self):
        with Config("- {tag: vip, when: purchases.orders >= 9}\n") as rules, Config("""
- example: A pin counts until it ends
  events:
    - {at: 2026-01-01, event: Tag Pinned, tag: vip, author: kim, reason: a friend, until: 2026-02-01}
  expect:
    - {at: 2026-01-02, has: vip}
    - {at: 2026-02-02, lacks: vip}
""") as examples:
            self.assertEqual(run("rules", "test", rules, examples), (0, "1 examples, 2 expectations, 0 failed\n", ""))

    def test_why_a_pinned_customer_has_a_tag(self):
        pin = {"type": "track", "event": "Tag Pinned", "userId": "anna", "messageId": "p", "timestamp": "2026-01-12T00:00:00Z",
               "properties": {"tag": "frequent_buyer", "author": "kim", "reason": "a friend"}}
        with Config(self.orders("anna", "2026-01-01") + json.dumps(pin) + "\n") as file:
            code, out, err = run("explain", "anna", "frequent_buyer", "--file", file)
            self.assertEqual((code, err), (0, ""))
            self.assertIn("anna has frequent_buyer at 2026-01-12 00:00:00, since 2026-01-12 00:00:00 by tag_pinned p\n", out)
            self.assertIn("  because:\n    frequent_buyer is PINNED by kim: a friend\n", out)

    def test_a_count_that_is_wanted_and_not_wanted_is_refused(self):
        for words in (("apply", str(ROOT / "deploy/tags.yaml")), ("rollback",)):
            self.assertEqual(run("rules", *words, "--dry-run", "--no-count"),
                             (2, "", "portrait rules: --dry-run only counts, and --no-count does not\n"))

    def test_of_the_shadow_one_thing_is_wanted_at_a_time(self):
        rules = str(ROOT / "deploy/tags.yaml")
        for words in ((), (rules, "--report"), (rules, "--stop"), ("--report", "--stop")):
            self.assertEqual(run("rules", "shadow", *words),
                             (2, "", "portrait rules: shadow: a file of rules, or --report, or --stop; one of them\n"))
        self.assertEqual(run("rules", "apply", rules, "--report"),
                         (2, "", "portrait rules: --report and --stop belong to shadow, not to apply\n"))

    def test_of_models_in_the_shadow_one_thing_is_wanted_at_a_time(self):
        for words in ((), ("models.json", "--report"), ("models.json", "--stop"), ("--report", "--stop")):
            self.assertEqual(run("models", "shadow", *words),
                             (2, "", "portrait models: shadow: a file of models, or --report, or --stop; one of them\n"))
        self.assertEqual(run("models", "promote", "--report"),
                         (2, "", "portrait models: --report and --stop belong to shadow, not to promote\n"))
        self.assertEqual(run("models", "promote", "models.json"), (2, "", "portrait models: promote: takes no file: models.json\n"))

    def test_what_other_rules_would_do_to_the_past(self):
        events = self.orders("anna", "2026-01-01", "2026-01-11") + self.orders("bert", "2026-01-05") + "nonsense\n"
        old = "- {tag: two, when: purchases.orders >= 2}\n- {tag: all, when: purchases.orders > 0}\n"
        new = "- {tag: two, when: purchases.orders >= 1}\n- {tag: all, when: purchases.orders > 0}\n"
        with Config(old) as before, Config(new) as after, Config(events) as file:
            code, out, err = run("rules", "diff", before, after, "--file", file, "--days")
            self.assertEqual((code, err), (0, "portrait rules: 1 events are left out: malformed_json\n"))
            self.assertIn("3 events, 2026-01-01 00:00:00 to 2026-01-11 00:00:00, by the models mbg_nbd/cdnow\n"
                          "1 of 2 customers would have other tags; 1 tag is the same throughout\n", out)
            self.assertRegex(out, r"\ntwo +1 +2 +1 +0 +\+1 -0 -> \+2 -0\n")
            self.assertIn("  enters bert: Orders kept: placed, not cancelled, not paid back in full: 1, at least 1\n", out)
            self.assertIn("  2026-01-01  +0 -0 -> +1 -0\n  2026-01-05  +0 -0 -> +1 -0\n  2026-01-11  +1 -0 -> +0 -0\n", out)
            told = json.loads(run("rules", "diff", after, before, "--file", file, "--json")[1])
            self.assertEqual((told["tags"]["two"]["leave"], told["differing"]), (1, 1))
            self.assertEqual(told["tags"]["two"]["leaving"][0]["customer"], "bert")
            code, _, err = run("rules", "diff", before, "--file", file)
            self.assertEqual((code, err), (2, "portrait rules: diff: two files of rules, the old one and the new one\n"))

    def test_why_a_customer_has_a_tag(self):
        with Config(self.orders("anna", "2026-01-01", "2026-01-11", "2026-01-21") + self.orders("bert", "2026-01-05")) as file:
            code, out, err = run("explain", "anna", "frequent_buyer", "--file", file)
            self.assertEqual((code, err), (0, ""))
            self.assertIn("anna has frequent_buyer at 2026-01-21 00:00:00, since 2026-01-21 00:00:00 by order_completed anna2026-01-21\n",
                          out)
            told = json.loads(run("explain", "anna", "frequent_buyer", "--file", file, "--at", "2026-01-12", "--json")[1])
            self.assertEqual((told["has"], told["reasons"][0]["text"]), (False, "Orders kept in the last 90 days: 2, less than 3"))
            self.assertEqual(told["models"], "mbg_nbd/cdnow")
            self.assertIn("what stands in the way:", run("explain", "bert", "frequent_buyer", "--file", file)[1])
            self.assertEqual(run("explain", "carl", "new", "--file", file),
                             (1, "", "portrait explain: no events of this customer: carl\n"))
            self.assertEqual(run("explain", "anna", "actve", "--file", file),
                             (2, "", "portrait explain: no rule gives this tag; did you mean active: actve\n"))

    def test_the_features_of_another_projects_operator_count(self):
        with Config("- tag: seen\n  when: visits.views > 3\n") as path:
            self.assertEqual(run("rules", "check", path, program=EXTENDED)[0], 0)
            self.assertEqual(run("rules", "check", path)[0], 2)


class Extended(unittest.TestCase):
    def test_another_projects_operator_is_part_of_the_chain(self):
        code, out, err = run("describe", program=EXTENDED)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"\n  visits: Pages seen\n    reads page_viewed\n    visits\.views  integer, views  Views so far\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
