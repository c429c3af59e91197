// Who asks, and what they may: bearer tokens with roles, and logins of the page that stand for a token.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "operators/time.h"
#include "pipeline/config/config.h"
#include "view/http_message.h"

namespace portrait::view {

enum class Permission {
  kNothing,   // known by name is enough
  kCustomer,  // customers and their results
  kPersonal,  // their personal data unmasked
  kService,   // how the service does
};

bool May(ViewRole role, Permission permission);
std::string_view RoleName(ViewRole role);

struct Identity {
  std::string name;
  ViewRole role = ViewRole::kReader;
  enum class Login { kNone, kBearer, kCookie } login = Login::kNone;
  std::optional<Timestamp> expires;  // of a cookie
  std::string token;                 // to ask another instance with; empty: none is needed
};

// One thread. Tokens are compared by their hashes, in a time that does not depend on where they differ.
class Access {
 public:
  explicit Access(const ViewConfig& config);

  // Unauthenticated: no token, a wrong one, or a login that has ended. PermissionDenied: without tokens, a Host that is
  // not this machine, as a page elsewhere would bring about by its name's address.
  absl::StatusOr<Identity> Identify(const HttpRequest& request, Timestamp now);

  // A login: the value of the cookie, and who it is.
  struct Opened {
    std::string set_cookie;
    Identity identity;
  };
  absl::StatusOr<Opened> Login(std::string_view token, bool secure, Timestamp now);
  // Returns the header that makes the browser forget.
  std::string Logout(const HttpRequest& request);

 private:
  using Hash = std::array<unsigned char, 32>;
  struct Known {
    ViewToken token;
    Hash hash;
  };
  struct Session {
    size_t known;
    Timestamp expires;
  };
  static Hash HashOf(std::string_view text);
  std::optional<size_t> Find(std::string_view token) const;

  const Duration session_;
  std::vector<Known> known_;
  std::map<Hash, Session> sessions_;  // by the hash of their cookie; bounded
};

}  // namespace portrait::view
