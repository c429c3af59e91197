"""The checker is checked: each planted fault is found, and a clean tree has none."""

import json
import pathlib
import tempfile
import unittest

import check_tree

HEADER = "// A concept.\n#pragma once\n"


class CheckTree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def faults(self, build=None):
        return [f"{name}:{line}: {what}" for name, line, what in check_tree.faults(self.root, build)]

    def test_a_clean_tree_has_no_faults(self):
        self.write("operators/visits.h", HEADER + '#include <string>\n\n#include "absl/status/status.h"\n'
                   '#include "operators/operator.h"\n#include "portrait/v1/event.pb.h"\n')
        self.write("pipeline/kafka/reader.cc", '#include <librdkafka/rdkafka.h>\n#include "pipeline/ports/log_reader.h"\n')
        self.write("state/store.cc", '#include <rocksdb/db.h>\n#include <sys/stat.h>\n#include "state/store.h"\n')
        self.assertEqual(self.faults(), [])

    def test_a_python_test_that_nothing_runs_is_a_fault(self):
        self.write("tests/recovery/kill_test.py", "")
        self.write("tests/tooling/tree_test.py", "")
        self.write("tests/CMakeLists.txt", "add_test(recovery/other_test.py)\n")
        self.assertEqual(self.faults(), ["tests/recovery/kill_test.py:1: is not run: no CMakeLists.txt names it"])
        self.write("tests/CMakeLists.txt", "add_test(recovery/kill_test.py)\n")
        self.assertEqual(self.faults(), [])

    def test_arrows_point_one_way(self):
        for name, include in (("operators/a.cc", "pipeline/options.h"), ("operators/a.cc", "librdkafka/rdkafka.h"),
                              ("operators/a.cc", "rocksdb/db.h"), ("state/a.cc", "operators/chain.h"),
                              ("state/a.cc", "librdkafka/rdkafka.h"), ("pipeline/a.cc", "view/server.h"),
                              ("pipeline/a.cc", "rocksdb/db.h"), ("pipeline/a.cc", "pipeline/cli/main.h"),
                              ("pipeline/ports/clock.h", "state/row_store.h"),
                              ("tests/operators/a_test.cc", "pipeline/options.h")):
            with self.subTest(f"{name} includes {include}"):
                self.write(name, f'// A concept.\n#pragma once\n#include "{include}"\n')
                self.assertEqual(self.faults(), [f"{name}:3: {name.rsplit('/', 1)[0]}/ must not include {include}"])
                (self.root / name).unlink()

    def test_a_folder_without_a_rule_is_a_fault(self):
        check = [what for _, what in check_tree.check_includes("elsewhere/a.cc", [])]
        self.assertEqual(len(check), 1)

    def test_operators_are_pure(self):
        for line in ("auto now = std::chrono::system_clock::now();", "auto now = absl::Now();", "#include <thread>",
                     "#include <fstream>", "std::random_device chance;", "std::unordered_map<int, int> order;",
                     "std::cout << 1;", "#include <random>"):
            with self.subTest(line):
                self.write("operators/a.cc", line + "\n")
                self.assertEqual(len(self.faults()), 1, self.faults())
        self.write("operators/a.cc", "// absl::Now is not to be used\ncontext.now();\nabsl::flat_hash_map<int, int> index;\n")
        self.assertEqual(self.faults(), [])

    def test_shape(self):
        self.write("state/a.h", "#pragma once\n")
        self.write("state/b.h", "// A concept.\n")
        self.write("state/row_utils.h", HEADER)
        self.write("state/long.cc", "int x;\n" * 501)
        self.write("state/unfinished.cc", "int x;  // " + "TO" + "DO: more\n")
        self.assertEqual([fault.split(": ")[0] for fault in self.faults()],
                         ["state/a.h:1", "state/b.h:1", "state/long.cc:501", "state/row_utils.h:1", "state/unfinished.cc:1"])

    def test_a_source_that_no_target_compiles_is_found(self):
        self.write("tests/state/in_test.cc", "")
        self.write("tests/state/deeper/out_test.cc", "")
        self.write("build/compile_commands.json",
                   json.dumps([{"directory": str(self.root), "file": "tests/state/in_test.cc", "command": ""}]))
        self.assertEqual(self.faults(self.root / "build"),
                         ["tests/state/deeper/out_test.cc:1: is not compiled: no target has it"])

    def test_a_source_of_a_batch_is_compiled(self):
        self.write("tests/state/in_test.cc", "")
        self.write("build/tests/Unity/unity_0_cxx.cxx", f'#include "{self.root}/tests/state/in_test.cc"\n\n')
        self.write("build/compile_commands.json", json.dumps(
            [{"directory": str(self.root / "build"), "file": "tests/Unity/unity_0_cxx.cxx", "command": ""}]))
        self.assertEqual(self.faults(self.root / "build"), [])

    def test_a_separate_project_is_left_alone(self):
        self.write("tests/external_operator/visits.cc", '#include "anything.h"\n')
        self.assertEqual(self.faults(), [])


if __name__ == "__main__":
    unittest.main()
