#include "tests/pipeline/documents.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <sstream>

namespace portrait {

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string ReadDocument(const std::string& path) {
  std::ifstream in(std::string(PORTRAIT_SOURCE_DIR) + "/" + path);
  REQUIRE(in);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<std::string> TableRows(const std::string& path) {
  std::vector<std::string> rows;
  for (std::string& line : LinesOf(ReadDocument(path))) {
    if (line.rfind("| `", 0) == 0) rows.push_back(std::move(line));
  }
  return rows;
}

}  // namespace portrait
