#include "tests/pipeline/documents.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace portrait {
namespace {

std::string FullPath(const std::string& path) { return std::string(PORTRAIT_SOURCE_DIR) + "/" + path; }

bool IsHeading(const std::string& line) { return line.starts_with("#"); }
bool IsRow(const std::string& line) { return line.starts_with("| `"); }
bool IsRule(const std::string& line) { return line.starts_with("|---"); }

// Replaces the rows after the rule of the table under the heading.
void Rewrite(const std::string& path, const std::string& heading, const std::vector<std::string>& rows) {
  const std::vector<std::string> lines = LinesOf(ReadDocument(path));
  std::ofstream out(FullPath(path));
  bool inside = false;
  for (const std::string& line : lines) {
    if (IsHeading(line)) inside = line == heading;
    if (!inside || !IsRow(line)) out << line << "\n";
    if (inside && IsRule(line)) out << Joined(rows);
  }
}

}  // namespace

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string Joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

std::string ReadDocument(const std::string& path) {
  std::ifstream in(FullPath(path));
  INFO(path);
  REQUIRE(in);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string TableUnder(const std::string& path, const std::string& heading, const std::vector<std::string>& expected) {
  if (std::getenv("PORTRAIT_REWRITE_TABLES") != nullptr) Rewrite(path, heading, expected);
  std::vector<std::string> rows;
  bool inside = false;
  for (const std::string& line : LinesOf(ReadDocument(path))) {
    if (IsHeading(line)) inside = line == heading;
    if (inside && IsRow(line)) rows.push_back(line);
  }
  return Joined(rows);
}

}  // namespace portrait
