"""deploy/install.sh derives the backports entry from the machine's own apt sources, whatever their form."""

import pathlib
import subprocess
import tempfile
import unittest

INSTALL = pathlib.Path(__file__).parents[2] / "deploy" / "install.sh"


class BackportsEntry(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.apt = pathlib.Path(folder.name)
        (self.apt / "sources.list.d").mkdir()

    def entry(self):
        return subprocess.run([INSTALL, "--backports-entry", self.apt], text=True, capture_output=True, check=True).stdout

    def write(self, name, text):
        (self.apt / name).write_text(text)

    def test_from_a_stanza_with_comments_and_several_suites(self):
        self.write("sources.list.d/debian.sources", "Types: deb deb-src\n# a snapshot\nURIs: http://mirror.test/debian\n"
                   "Suites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /usr/share/keyrings/k.gpg\n\n"
                   "Types: deb\nURIs: http://mirror.test/security\nSuites: bookworm-security\nComponents: main\n")
        self.assertEqual(self.entry(), "Types: deb\nURIs: http://mirror.test/debian\nSuites: bookworm-backports\n"
                         "Components: main\nSigned-By: /usr/share/keyrings/k.gpg\n")

    def test_security_and_disabled_and_foreign_stanzas_are_passed_over(self):
        self.write("sources.list.d/a.sources", "Types: deb\nURIs: http://mirror.test/node\nSuites: nodistro\nComponents: main\n\n"
                   "Enabled: no\nTypes: deb\nURIs: http://mirror.test/off\nSuites: bookworm\nComponents: main\n\n"
                   "Types: deb\nURIs: http://mirror.test/security\nSuites: bookworm-security\nComponents: main\n\n"
                   "Types: deb-src\nURIs: http://mirror.test/source\nSuites: bookworm\nComponents: main\n\n"
                   "Suites: bookworm-updates bookworm\nTypes: deb\nURIs: http://mirror.test/on\nComponents: main\n")
        self.assertEqual(self.entry(), "Suites: bookworm-backports\nTypes: deb\nURIs: http://mirror.test/on\nComponents: main\n")

    def test_from_one_line_entries(self):
        self.write("sources.list", "# deb http://mirror.test/old bookworm main\ndeb-src http://mirror.test/debian bookworm main\n"
                   "deb http://mirror.test/security bookworm-security main\n"
                   "deb [arch=amd64 signed-by=/k.gpg]  http://mirror.test/debian  bookworm main contrib # ours\n"
                   "deb http://second.test/debian bookworm main\n")
        self.assertEqual(self.entry(), "deb [arch=amd64 signed-by=/k.gpg]  http://mirror.test/debian bookworm-backports main\n")

    def test_a_list_file_beside_an_empty_sources_list(self):
        self.write("sources.list", "")
        self.write("sources.list.d/debian.list", "deb http://mirror.test/debian stable main\n")
        self.assertEqual(self.entry(), "deb http://mirror.test/debian bookworm-backports main\n")

    def test_nothing_of_debian_gives_nothing(self):
        self.assertEqual(self.entry(), "")


if __name__ == "__main__":
    unittest.main()
