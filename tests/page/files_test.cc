#include "view/page/files.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <regex>
#include <set>
#include <string>

namespace portrait {
namespace {

std::string Bytes(std::string_view path) {
  const PageFile* file = FindPageFile(path);
  INFO("file: " << path);
  REQUIRE(file != nullptr);
  return std::string(file->bytes);
}

// The first group of every match.
std::set<std::string> Found(const std::string& text, const char* pattern) {
  const std::regex wanted(pattern);
  std::set<std::string> found;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), wanted); match != std::sregex_iterator(); ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

bool IsScript(const PageFile& file) { return file.path.ends_with(".js"); }
bool IsOurs(const PageFile& file) { return file.path.find("uplot") == std::string_view::npos; }

TEST_CASE("the page's files are found by their path, and nothing else is") {
  CHECK(std::is_sorted(PageFiles().begin(), PageFiles().end(),
                       [](const PageFile& a, const PageFile& b) { return a.path < b.path; }));
  for (const PageFile& file : PageFiles()) CHECK(FindPageFile(file.path) == &file);
  CHECK(FindPageFile("/")->content_type == "text/html; charset=utf-8");
  CHECK(FindPageFile("/assets/app.js")->content_type == "text/javascript; charset=utf-8");
  CHECK(FindPageFile("/assets/app.js")->etag.size() == 18);
  for (const char* path :
       {"", "/index.html", "/assets", "/assets/", "/assets/app", "/assets/../", "/assets/app.js?x"}) {
    CHECK(FindPageFile(path) == nullptr);
  }
}

TEST_CASE("the page is smaller than 300 kB in all") {
  size_t bytes = 0;
  for (const PageFile& file : PageFiles()) bytes += file.bytes.size();
  CHECK(bytes < 300'000);
  CHECK(bytes > 50'000);
}

TEST_CASE("every file that the page asks for is there, and none for nothing") {
  std::set<std::string> asked = Found(Bytes("/"), R"RE((?:src|href)="(/assets/[^"]+)")RE");
  asked.insert("/");
  for (const PageFile& file : PageFiles()) {
    if (!IsScript(file) || !IsOurs(file)) continue;
    const std::string text(file.bytes);
    for (const std::string& name : Found(text, R"RE((?:from|import\() ?'\./([\w.]+)')RE"))
      asked.insert("/assets/" + name);
    asked.merge(Found(text, R"RE('(/assets/[^']+)')RE"));
  }
  asked.merge(std::set<std::string>{"/assets/en.js", "/assets/zh.js"});  // by the name of the language
  std::set<std::string> there;
  for (const PageFile& file : PageFiles()) there.insert(std::string(file.path));
  CHECK(asked == there);
}

TEST_CASE("no script or style stands in markup, and no data becomes markup") {
  const std::string html = Bytes("/");
  CHECK(Found(html, R"RE((<script>|<style|style=|\bon\w+=|https?:))RE").empty());
  for (const PageFile& file : PageFiles()) {
    if (!IsScript(file) || !IsOurs(file)) continue;
    INFO("file: " << file.path);
    CHECK(Found(std::string(file.bytes),
                R"RE((innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function))RE")
              .empty());
  }
}

TEST_CASE("both languages have the same texts with the same places, and every text that is asked for") {
  const auto texts = [](std::string_view path) { return Found(Bytes(path), R"RE([ {]([a-z0-9_]+): ')RE"); };
  const std::set<std::string> english = texts("/assets/en.js");
  CHECK(english.size() > 150);
  CHECK(english == texts("/assets/zh.js"));
  const auto places = [](std::string_view path) {
    return Found(Bytes(path), R"RE(([a-z0-9_]+: '[^']*\{\w+\}))RE").size();
  };
  CHECK(places("/assets/en.js") == places("/assets/zh.js"));
  for (const PageFile& file : PageFiles()) {
    if (!IsScript(file) || !IsOurs(file)) continue;
    for (const std::string& key : Found(std::string(file.bytes), R"RE(\bt\('([a-z0-9_]+)'[,)])RE")) {
      INFO(file.path << " asks for " << key);
      CHECK(english.contains(key));
    }
  }
}

}  // namespace
}  // namespace portrait
