// For tests that compare a document with the code it describes. Ends the test when a file is missing.
#pragma once

#include <string>
#include <vector>

namespace portrait {

std::vector<std::string> LinesOf(const std::string& text);

// A file of the project, by its path from the root.
std::string ReadDocument(const std::string& path);

// The rows of all tables of a Markdown file, heads left out: lines that begin with "| `".
std::vector<std::string> TableRows(const std::string& path);

}  // namespace portrait
