"""What CI says about its tests is right."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import summary


def tests(**labels):
    return json.dumps({"tests": [{"name": name, "properties": [{"name": "LABELS", "value": [label]}]}
                                 for name, label in labels.items()]})


def results(*cases):
    return "<testsuite>" + "".join(cases) + "</testsuite>"


class Summary(unittest.TestCase):
    def told(self, xml, json_text):
        with tempfile.TemporaryDirectory() as folder:
            files = [pathlib.Path(folder, name) for name in ("r", "t")]
            files[0].write_text(xml)
            files[1].write_text(json_text)
            out = io.StringIO()
            with contextlib.redirect_stdout(out):
                code = summary.main([f"release={files[0]}={files[1]}"])
            return out.getvalue(), code

    def test_counts_by_label_and_in_all(self):
        xml = results('<testcase name="a" status="run"/>', '<testcase name="b" status="run"/>',
                      '<testcase name="c" status="fail"><failure/></testcase>',
                      '<testcase name="d" status="notrun"><skipped message="SKIP_RETURN_CODE=4"/></testcase>')
        self.assertEqual(self.told(xml, tests(a="unit", b="kafka", c="unit", d="kafka")), (
            "release: failed: c\nrelease: skipped: d\nrelease: kafka: 1 passed, 0 failed, 1 skipped\n"
            "release: unit: 1 passed, 1 failed\n2 passed, 1 failed, 1 skipped\n", 1))

    def test_all_well(self):
        self.assertEqual(self.told(results('<testcase name="a" status="run"/>'), tests(a="unit")),
                         ("release: unit: 1 passed, 0 failed\n1 passed, 0 failed\n", 0))

    def test_a_program_that_is_not_there_has_failed(self):
        xml = results('<testcase name="a" status="run"/>',
                      '<testcase name="b" status="notrun"><skipped message="Unable to find executable"/></testcase>')
        self.assertEqual(self.told(xml, tests(a="unit", b="unit"))[1], 1)

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(self.told(results(), tests()), ("0 passed, 0 failed\n", 1))


if __name__ == "__main__":
    unittest.main()
