#include "view/access.h"

#include <catch2/catch_test_macros.hpp>

#include "absl/strings/str_cat.h"

namespace portrait::view {
namespace {

constexpr Timestamp kNow = FromMicros(1'769'860'800'000'000);

ViewConfig Tokens() {
  ViewConfig config;
  config.tokens = {{"anna", ViewRole::kReader, "anna-token-0123456789"},
                   {"ops", ViewRole::kOperator, "ops-token-01234567890"}};
  return config;
}

std::string Who(const absl::StatusOr<Identity>& identity) {
  if (!identity.ok()) return absl::StrCat("refused: ", identity.status().message());
  return absl::StrCat(identity->name, " ", std::string(RoleName(identity->role)));
}

TEST_CASE("a bearer token names its owner and role, anything else nobody") {
  Access access(Tokens());
  CHECK(Who(access.Identify({.authorization = "Bearer anna-token-0123456789"}, kNow)) == "anna reader");
  CHECK(Who(access.Identify({.authorization = "bearer ops-token-01234567890"}, kNow)) == "ops operator");
  for (const char* wrong :
       {"Bearer anna-token-012345678", "Bearer anna-token-01234567890", "Bearer ", "Basic x", "x"}) {
    CHECK(Who(access.Identify({.authorization = wrong}, kNow)) == "refused: no such token");
  }
  CHECK(access.Identify({}, kNow).status().code() == absl::StatusCode::kUnauthenticated);
}

TEST_CASE("a login lasts until it ends by itself or by logout") {
  Access access(Tokens());
  CHECK_FALSE(access.Login("wrong", false, kNow).ok());
  const auto login = access.Login("anna-token-0123456789", /*secure=*/true, kNow);
  REQUIRE(login.ok());
  CHECK(login->set_cookie.find("HttpOnly; SameSite=Strict; Max-Age=43200; Secure") != std::string::npos);
  const HttpRequest request{.cookie = absl::StrCat("a=b; ", login->set_cookie.substr(0, login->set_cookie.find(';')))};
  CHECK(Who(access.Identify(request, kNow + hours(11))) == "anna reader");
  CHECK(Who(access.Identify(request, kNow + hours(12))) == "refused: the login has ended");
  const auto again = access.Login("anna-token-0123456789", false, kNow);
  const HttpRequest other{.cookie = again->set_cookie.substr(0, again->set_cookie.find(';'))};
  CHECK(Who(access.Identify(other, kNow)) == "anna reader");
  CHECK(access.Logout(other).find("Max-Age=0") != std::string::npos);
  CHECK(Who(access.Identify(other, kNow)) == "refused: the login has ended");
}

TEST_CASE("without tokens this machine may everything, and only under its own name") {
  Access access(ViewConfig{});
  for (const char* host : {"localhost:8081", "127.0.0.1", "[::1]:8081"}) {
    CHECK(Who(access.Identify({.host = host}, kNow)) == "local admin");
  }
  for (const char* host : {"evil.example:8081", "127.0.0.1.evil.example", ""}) {
    CHECK(access.Identify({.host = host}, kNow).status().code() == absl::StatusCode::kPermissionDenied);
  }
}

TEST_CASE("roles may what the contract's table says") {
  CHECK(May(ViewRole::kReader, Permission::kCustomer));
  CHECK_FALSE(May(ViewRole::kReader, Permission::kPersonal));
  CHECK(May(ViewRole::kAnalyst, Permission::kPersonal));
  CHECK_FALSE(May(ViewRole::kOperator, Permission::kCustomer));
  CHECK_FALSE(May(ViewRole::kOperator, Permission::kPersonal));
  CHECK(May(ViewRole::kOperator, Permission::kService));
  CHECK(May(ViewRole::kAdmin, Permission::kPersonal));
}

}  // namespace
}  // namespace portrait::view
