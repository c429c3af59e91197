#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "pipeline/absl_view.h"
#include "pipeline/config/setting.h"
#include "pipeline/config/settings.h"
#include "pipeline/config/text_file.h"

namespace portrait {
namespace {

constexpr size_t kLeastTokenBytes = 16;
constexpr size_t kMostTokenBytes = 1000;
constexpr size_t kTokensFileBytes = 1 << 20;

SettingType<ViewRole> Role() {
  return OneOf<ViewRole>({{"reader", ViewRole::kReader},
                          {"analyst", ViewRole::kAnalyst},
                          {"operator", ViewRole::kOperator},
                          {"admin", ViewRole::kAdmin}});
}

// Tokens travel in a header, so they are of printable characters without blanks.
SettingType<std::string> Token() {
  return {"",
          [](std::string_view text) -> absl::StatusOr<std::string> {
            const auto printable = [](char c) { return c > 0x20 && c < 0x7f; };
            if (text.size() < kLeastTokenBytes || text.size() > kMostTokenBytes ||
                !std::all_of(text.begin(), text.end(), printable)) {
              return absl::InvalidArgumentError(
                  absl::StrCat("must be ", kLeastTokenBytes, " to ", kMostTokenBytes, " printable characters"));
            }
            return std::string(text);
          },
          [](const std::string&) { return std::string("(hidden)"); }};
}

// A token is never repeated in a message.
bool ReadToken(const ConfigNode& node, std::string_view key, ConfigProblems& problems, std::string& token) {
  if (!node.usable) return false;
  if (node.kind != ConfigNode::Kind::kScalar) {
    problems.Add(node.line, key, "must be a single value");
    return false;
  }
  auto parsed = Token().parse(node.text);
  if (!parsed.ok()) problems.Add(node.line, key, absl::StrCat(parsed.status().message(), ": (hidden)"));
  if (parsed.ok()) token = *std::move(parsed);
  return parsed.ok();
}

void ReadTokenEntry(const ConfigNode& node, std::string_view key, ConfigProblems& problems,
                    std::vector<ViewToken>& out) {
  if (node.kind != ConfigNode::Kind::kMap) {
    problems.Add(node.line, key, "must be a map, as in {name: anna, role: reader, token: ${ANNA_TOKEN}}");
    return;
  }
  ViewToken token;
  bool good = true, has_role = false;
  for (const ConfigNode::Entry& entry : node.entries) {
    const std::string path = absl::StrCat(AbslView(key), ".", entry.key);
    if (entry.key == "name") {
      good &= ReadScalar(entry.value, path, Text(), problems, token.name);
    } else if (entry.key == "role") {
      good &= has_role = ReadScalar(entry.value, path, Role(), problems, token.role);
    } else if (entry.key == "token") {
      good &= ReadToken(entry.value, path, problems, token.token);
    } else {
      problems.Add(entry.line, path, "no such setting; known here are name, role and token");
      good = false;
    }
  }
  if (!good) return;
  if (token.name.empty() || !has_role || token.token.empty()) {
    return problems.Add(node.line, key, "a token needs a name, a role and a token");
  }
  for (const ViewToken& other : out) {
    if (other.token == token.token) {
      return problems.Add(node.line, key, absl::StrCat("one token for two: ", other.name, ", ", token.name));
    }
  }
  out.push_back(std::move(token));
}

void ReadTokens(const ConfigNode& node, Config& config, ConfigProblems& problems) {
  if (node.kind != ConfigNode::Kind::kList && node.kind != ConfigNode::Kind::kNothing) {
    return problems.Add(node.line, "view.tokens",
                        "must be a list, as in [{name: anna, role: reader, token: ${ANNA_TOKEN}}]");
  }
  config.view.tokens.clear();
  for (const ConfigNode& item : node.items) ReadTokenEntry(item, "view.tokens", problems, config.view.tokens);
}

std::string ShowTokens(const Config& config) {
  return absl::StrCat("[",
                      absl::StrJoin(config.view.tokens, ", ",
                                    [](std::string* out, const ViewToken& token) {
                                      absl::StrAppend(out, "{name: ", token.name, ", role: ", Role().show(token.role),
                                                      ", token: (hidden)}");
                                    }),
                      "]");
}

SettingType<std::string> PeerAddress() {
  return {"none, or http(s)://host:port",
          [](std::string_view text) -> absl::StatusOr<std::string> {
            if (text == "none") return std::string();
            const size_t scheme = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
            const size_t colon = text.rfind(':');
            const bool good = scheme > 0 && colon != std::string_view::npos && colon > scheme && text.size() <= 200 &&
                              text.find_first_of("/?#@ ", scheme) == std::string_view::npos &&
                              ListenAddress().parse(text.substr(scheme)).ok();
            if (!good) return absl::InvalidArgumentError("must be none, or as in http://10.0.0.5:8081");
            return std::string(text);
          },
          [](const std::string& address) { return address.empty() ? std::string("none") : address; }};
}

SettingType<std::string> PathOr(std::string word, std::string type) {
  return {std::move(type),
          [word](std::string_view text) -> absl::StatusOr<std::string> {
            if (text.empty()) return absl::InvalidArgumentError("must not be empty");
            return text == word ? std::string() : std::string(text);
          },
          [word](const std::string& path) { return path.empty() ? word : path; }};
}

// A path that is not absolute begins at the folder of the configuration.
std::string PathFrom(std::string_view config_name, const std::string& path) {
  return path.empty() ? path : (std::filesystem::path(config_name).parent_path() / path).string();
}

}  // namespace

bool IsLoopback(std::string_view host) {
  return host == "::1" || host == "localhost" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

void CompleteView(std::string_view config_name, Config& config, ConfigProblems& problems) {
  ViewConfig& view = config.view;
  if (!view.listen) return;
  if (!view.tokens_file.empty()) {
    const std::string path = PathFrom(config_name, view.tokens_file);
    const auto text = ReadTextFile(path, kTokensFileBytes);
    if (!text.ok()) return problems.Add(0, "view.tokens_file", std::string(text.status().message()));
    ConfigProblems inside(path);
    const ConfigNode root = ReadConfigTree(*text, inside);
    if (root.kind != ConfigNode::Kind::kList) inside.Add(root.line, "", "must be a list of {name, role, token}");
    for (const ConfigNode& item : root.items) ReadTokenEntry(item, "", inside, view.tokens);
    if (!inside.empty()) return problems.Add(0, "view.tokens_file", inside.Text());
    if (view.tokens.empty()) return problems.Add(0, "view.tokens_file", absl::StrCat("has no token: ", path));
  }
  for (std::string* path : {&view.tls_certificate, &view.tls_key, &view.tls_authorities, &view.page})
    *path = PathFrom(config_name, *path);
  if (view.tls_certificate.empty() != view.tls_key.empty()) {
    problems.Add(0, "view.tls", "certificate and key come together");
  }
  if (view.tokens.empty() && !IsLoopback(view.listen->host)) {
    problems.Add(0, "view.listen",
                 absl::StrCat("must be an address of this machine alone (127.0.0.1, ::1) without view.tokens: ",
                              view.listen->host));
  }
}

void AddViewSettings(std::vector<Setting>& all) {
  all.push_back(Scalar("view.listen", ListenAddress(),
                       "Where the [view](view.md) of customers is served: HTTP API and page. A port alone is open to "
                       "this machine only; any other address needs tokens",
                       [](auto& c) -> auto& { return c.view.listen; }));
  all.push_back({.key = "view.tokens",
                 .type = "list of {name, role: reader, analyst, operator or admin, token}",
                 .meaning = "Who may look. Without any, whoever is on this machine may everything. Tokens come from "
                            "the environment, as in `${ANNA_TOKEN}`, and have at least 16 characters",
                 .read = ReadTokens,
                 .show = ShowTokens});
  all.push_back(Scalar("view.tokens_file", PathOr("none", "none, or path of a file"),
                       "A YAML file with such a list, added to it; from the folder of this file on",
                       [](auto& c) -> auto& { return c.view.tokens_file; }));
  all.push_back(
      Scalar("view.address", PeerAddress(),
             "By which other processes of the pipeline reach this one's view; they name it for customers that are "
             "here",
             [](auto& c) -> auto& { return c.view.address; }));
  all.push_back(Scalar("view.tls.certificate", PathOr("none", "none, or path of a file"),
                       "Certificate chain (PEM), for HTTPS", [](auto& c) -> auto& { return c.view.tls_certificate; }));
  all.push_back(Scalar("view.tls.key", PathOr("none", "none, or path of a file"), "Its key (PEM)",
                       [](auto& c) -> auto& { return c.view.tls_key; }));
  all.push_back(Scalar("view.tls.authorities", PathOr("system", "system, or path of a file"),
                       "Who must have signed the certificates of other processes' views, when one is asked for a "
                       "customer (PEM); `system`: whoever the system trusts",
                       [](auto& c) -> auto& { return c.view.tls_authorities; }));
  all.push_back(Scalar("view.page", PathOr("installed", "installed, or path of a folder"),
                       "The files of the page; `installed`: those that came with the program",
                       [](auto& c) -> auto& { return c.view.page; }));
  all.push_back(Scalar("view.session", DurationBetween(minutes(1), days(30)), "How long a login lasts",
                       [](auto& c) -> auto& { return c.view.session; }));
  all.push_back(Scalar("view.recent", BytesBetween(1u << 20, uint64_t{4} << 30),
                       "Results remembered, so that streams are resumed and timelines told; beside `memory.limit`",
                       [](auto& c) -> auto& { return c.view.recent_bytes; }));
}

}  // namespace portrait
