#include "view/access.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "pipeline/absl_view.h"
#include "pipeline/config/settings.h"
#include "pipeline/invariant.h"

namespace portrait::view {
namespace {

constexpr std::string_view kCookie = "portrait_session";
constexpr std::string_view kBearer = "bearer ";
constexpr size_t kSessionsMost = 10'000;

std::string_view CookieOf(std::string_view header) {
  for (const absl::string_view part : absl::StrSplit(AbslView(header), ';')) {
    const absl::string_view cookie = absl::StripAsciiWhitespace(part);
    if (absl::StartsWith(cookie, absl::StrCat(AbslView(kCookie), "="))) {
      return {cookie.data() + kCookie.size() + 1, cookie.size() - kCookie.size() - 1};
    }
  }
  return {};
}

// "localhost:8080" without the port.
std::string_view HostOf(std::string_view host) {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

std::string CookieHeader(std::string_view value, int64_t seconds_left, bool secure) {
  return absl::StrCat(AbslView(kCookie), "=", AbslView(value),
                      "; Path=/; HttpOnly; SameSite=Strict; Max-Age=", seconds_left, secure ? "; Secure" : "");
}

}  // namespace

bool May(ViewRole role, Permission permission) {
  switch (permission) {
    case Permission::kNothing: return true;
    case Permission::kCustomer: return role != ViewRole::kOperator;
    case Permission::kPersonal: return role == ViewRole::kAnalyst || role == ViewRole::kAdmin;
    case Permission::kService: return true;
  }
  return false;
}

std::string_view RoleName(ViewRole role) {
  switch (role) {
    case ViewRole::kReader: return "reader";
    case ViewRole::kAnalyst: return "analyst";
    case ViewRole::kOperator: return "operator";
    case ViewRole::kAdmin: return "admin";
  }
  return "reader";
}

Access::Access(const ViewConfig& config) : session_(config.session) {
  for (const ViewToken& token : config.tokens) known_.push_back({token, HashOf(token.token)});
}

Access::Hash Access::HashOf(std::string_view text) {
  Hash hash{};
  unsigned int size = 0;
  Invariant(EVP_Digest(text.data(), text.size(), hash.data(), &size, EVP_sha256(), nullptr) == 1, "no SHA-256");
  return hash;
}

std::optional<size_t> Access::Find(std::string_view token) const {
  const Hash hash = HashOf(token);
  std::optional<size_t> found;
  for (size_t i = 0; i < known_.size(); ++i) {
    if (CRYPTO_memcmp(known_[i].hash.data(), hash.data(), hash.size()) == 0) found = i;
  }
  return found;
}

absl::StatusOr<Identity> Access::Identify(const HttpRequest& request, Timestamp now) {
  if (known_.empty()) {
    if (!IsLoopback(HostOf(request.host))) {
      return absl::PermissionDeniedError("without view.tokens only this machine is served, under its own name");
    }
    return Identity{.name = "local", .role = ViewRole::kAdmin, .login = Identity::Login::kNone};
  }
  if (!request.authorization.empty()) {
    const std::string_view header = request.authorization;
    const bool bearer = absl::StartsWithIgnoreCase(AbslView(header), AbslView(kBearer));
    const auto found = bearer ? Find(header.substr(kBearer.size())) : std::nullopt;
    if (!found) return absl::UnauthenticatedError("no such token");
    const ViewToken& token = known_[*found].token;
    return Identity{token.name, token.role, Identity::Login::kBearer, std::nullopt, token.token};
  }
  const std::string_view cookie = CookieOf(request.cookie);
  if (cookie.empty()) return absl::UnauthenticatedError("a token is needed: Authorization: Bearer TOKEN");
  const auto session = sessions_.find(HashOf(cookie));
  if (session == sessions_.end() || session->second.expires <= now) {
    if (session != sessions_.end()) sessions_.erase(session);
    return absl::UnauthenticatedError("the login has ended");
  }
  const ViewToken& token = known_[session->second.known].token;
  return Identity{token.name, token.role, Identity::Login::kCookie, session->second.expires, token.token};
}

absl::StatusOr<Access::Opened> Access::Login(std::string_view token, bool secure, Timestamp now) {
  const auto found = Find(token);
  if (!found) return absl::UnauthenticatedError("no such token");
  std::erase_if(sessions_, [&](const auto& session) { return session.second.expires <= now; });
  if (sessions_.size() >= kSessionsMost) {
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                     [](const auto& a, const auto& b) { return a.second.expires < b.second.expires; }));
  }
  std::array<unsigned char, 32> random{};
  Invariant(RAND_bytes(random.data(), static_cast<int>(random.size())) == 1, "no randomness");
  const std::string value =
      absl::BytesToHexString(absl::string_view(reinterpret_cast<const char*>(random.data()), random.size()));
  const Timestamp expires = now + session_;
  sessions_[HashOf(value)] = {*found, expires};
  const ViewToken& known = known_[*found].token;
  const int64_t left = std::chrono::duration_cast<seconds>(session_).count();
  return Opened{CookieHeader(value, left, secure),
                Identity{known.name, known.role, Identity::Login::kCookie, expires, known.token}};
}

std::string Access::Logout(const HttpRequest& request) {
  if (const std::string_view cookie = CookieOf(request.cookie); !cookie.empty()) sessions_.erase(HashOf(cookie));
  return CookieHeader("", 0, request.secure);
}

}  // namespace portrait::view
