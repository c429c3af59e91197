// For tests that compare the tables of a document with the code they describe.
//
//   CHECK(TableUnder("docs/metrics.md", "# Metrics", expected) == Joined(expected));
//
// With PORTRAIT_REWRITE_TABLES=1 in the environment the table is first written anew from what is expected; look at the
// difference before you commit it.
#pragma once

#include <string>
#include <vector>

namespace portrait {

std::vector<std::string> LinesOf(const std::string& text);
std::string Joined(const std::vector<std::string>& lines);

// A file of the project, by its path from the root. Ends the test when it is missing.
std::string ReadDocument(const std::string& path);

// The rows (lines that begin with "| `") of the table between this heading and the next one.
std::string TableUnder(const std::string& path, const std::string& heading, const std::vector<std::string>& expected);

}  // namespace portrait
